package goclient

import "net/http"

type DeleteUsersRequest struct {
	UserIds           []string `json:"user_ids"`
	Calls             *string  `json:"calls,omitempty"`
	Conversations     *string  `json:"conversations,omitempty"`
	Files             *bool    `json:"files,omitempty"`
	Messages          *string  `json:"messages,omitempty"`
	NewCallOwnerID    *string  `json:"new_call_owner_id,omitempty"`
	NewChannelOwnerID *string  `json:"new_channel_owner_id,omitempty"`
	User              *string  `json:"user,omitempty"`
}

type RestoreUsersRequest struct {
	UserIds []string `json:"user_ids"`
}

// DeletionForecast is ours: what would become of one kind of data.
type DeletionForecast struct {
	Effect string `json:"effect"`
	Count  int    `json:"count"`
	// AtLeast says that not everything was counted.
	AtLeast bool `json:"at_least,omitempty"`
}

type PreviewUserDeletionResponse struct {
	Duration string                                 `json:"duration"`
	Users    map[string]map[string]DeletionForecast `json:"users"`
	Totals   map[string]int                         `json:"totals"`
}

func (c *Client) DeleteUsers(request *DeleteUsersRequest) (*Response[TaskStarted], error) {
	return Send[TaskStarted](c, http.MethodPost, "/api/v2/users/delete", nil, request)
}

func (c *Client) PreviewUserDeletion(request *DeleteUsersRequest) (*Response[PreviewUserDeletionResponse], error) {
	return Send[PreviewUserDeletionResponse](c, http.MethodPost, "/api/v2/users/delete_preview", nil, request)
}

func (c *Client) RestoreUsers(request *RestoreUsersRequest) (*Response[EmptyResponse], error) {
	return Send[EmptyResponse](c, http.MethodPost, "/api/v2/users/restore", nil, request)
}
