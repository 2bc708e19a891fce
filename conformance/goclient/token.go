package goclient

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

const tokenHeader = `{"alg":"HS256","typ":"JWT"}`

// Claims are what a user token may carry besides its user; times are unix seconds.
type Claims struct {
	UserID   string   `json:"user_id,omitempty"`
	IssuedAt int64    `json:"iat,omitempty"`
	Expires  int64    `json:"exp,omitempty"`
	Role     string   `json:"role,omitempty"`
	CallCIDs []string `json:"call_cids,omitempty"`
}

// ServerToken carries exactly `{"server":true}` (v2.md 1.5).
func ServerToken(secret string) string {
	return Sign(secret, tokenHeader, `{"server":true}`)
}

// CreateToken makes a user token; without a validity it never expires.
func (c *Client) CreateToken(userID string, validity time.Duration, claims Claims) string {
	claims.UserID = userID
	claims.IssuedAt = time.Now().Unix()
	if validity != 0 {
		claims.Expires = claims.IssuedAt + int64(validity/time.Second)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err) // strings and integers always encode
	}
	return Sign(c.Secret, tokenHeader, string(payload))
}

// Sign makes a JWT of the header and payload text as given, spaces included.
func Sign(secret, header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
