// Package goclient writes and reads Stream's v2 API byte for byte as contract/v2.md section 1 says the official Go client
// does. It is our own code and uses the standard library only; see the README for why the official module is not used.
//
// This file is the transport. To add an operation: its types go to the file of its subject, its one line to operations.go.
package goclient

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Client is one app's credentials and a connection pool. Copy it to change a credential.
type Client struct {
	Base   string
	Key    string
	Secret string
	Token  string
	HTTP   *http.Client
}

// New makes a client that acts as the app's own server.
func New(base, key, secret string) *Client {
	return &Client{Base: base, Key: key, Secret: secret, Token: ServerToken(secret), HTTP: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxConnsPerHost: 5, IdleConnTimeout: 55 * time.Second, ForceAttemptHTTP2: true},
	}}
}

// Response is a decoded answer together with the rate limit of its headers.
type Response[T any] struct {
	Data      T
	RateLimit LimitInfo
}

// Send makes one call. Except on GET it always writes a body: a nil request becomes `null`, as with the official client.
func Send[T any](c *Client, method, path string, query url.Values, request any) (*Response[T], error) {
	var body io.Reader
	if method != http.MethodGet {
		text, err := json.Marshal(request)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	httpRequest, err := http.NewRequest(method, c.address(path, query), body)
	if err != nil {
		return nil, err
	}
	httpRequest.Header.Set("Authorization", c.Token)
	httpRequest.Header.Set("Stream-Auth-Type", "jwt")
	httpRequest.Header.Set("X-Stream-Client", "stream-go-client-v5.3.0")
	httpRequest.Header.Set("Content-Type", "application/json")

	// Accept-Encoding stays unset on purpose: net/http then sends `gzip` and decodes the answer, like the official client.
	answer, err := c.HTTP.Do(httpRequest)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	response := new(Response[T])
	response.RateLimit, err = Decode(answer.StatusCode, answer.Header, text, &response.Data)
	if err != nil {
		return nil, err
	}
	return response, nil
}

// address appends the path verbatim, so a base with a trailing slash gives `//api/...`.
func (c *Client) address(path string, query url.Values) string {
	all := url.Values{"api_key": {c.Key}}
	for name, values := range query {
		all[name] = values
	}
	return c.Base + path + "?" + all.Encode()
}

// Segment escapes a path parameter. The official client uses form escaping here, not path escaping.
func Segment(value string) string {
	return url.QueryEscape(value)
}

// PtrTo marks an optional value as given.
func PtrTo[T any](value T) *T {
	return &value
}
