package goclient

import "net/http"

type ExportUserResponse struct {
	Duration  string             `json:"duration"`
	Messages  []MessageResponse  `json:"messages,omitempty"`
	Reactions []ReactionResponse `json:"reactions,omitempty"`
	User      *UserResponse      `json:"user,omitempty"`
}

type ExportUsersRequest struct {
	UserIds []string `json:"user_ids"`
}

func (c *Client) ExportUser(userID string) (*Response[ExportUserResponse], error) {
	return Send[ExportUserResponse](c, http.MethodGet, "/api/v2/users/"+Segment(userID)+"/export", nil, nil)
}

func (c *Client) ExportUsers(request *ExportUsersRequest) (*Response[TaskStarted], error) {
	return Send[TaskStarted](c, http.MethodPost, "/api/v2/export/users", nil, request)
}
