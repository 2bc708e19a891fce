package goclient

import (
	"net/http"
	"net/url"
)

type CreateGuestRequest struct {
	User UserRequest `json:"user"`
}

type CreateGuestResponse struct {
	AccessToken string       `json:"access_token"`
	Duration    string       `json:"duration"`
	User        UserResponse `json:"user"`
}

// PermissionGrant and ExplainPermissionResponse are Headwater's own.
type PermissionGrant struct {
	Role       string `json:"role"`
	Permission string `json:"permission"`
	GrantedBy  string `json:"granted_by"`
}

type ExplainPermissionResponse struct {
	Duration string           `json:"duration"`
	Allowed  bool             `json:"allowed"`
	UserID   string           `json:"user_id"`
	Action   string           `json:"action"`
	Resource string           `json:"resource"`
	Reason   string           `json:"reason"`
	Grant    *PermissionGrant `json:"grant,omitempty"`
}

func (c *Client) CreateGuest(request *CreateGuestRequest) (*Response[CreateGuestResponse], error) {
	return Send[CreateGuestResponse](c, http.MethodPost, "/api/v2/guest", nil, request)
}

// ExplainPermission asks about whoever asks when no user is named, and about the app when no resource is.
func (c *Client) ExplainPermission(userID, action, resource string) (*Response[ExplainPermissionResponse], error) {
	query := url.Values{"action": {action}}
	if userID != "" {
		query.Set("user_id", userID)
	}
	if resource != "" {
		query.Set("resource", resource)
	}
	return Send[ExplainPermissionResponse](c, http.MethodGet, "/api/v2/permissions/explain", query, nil)
}
