package goclient

import (
	"fmt"
	"net/http"
	"time"
)

type DeactivateUsersRequest struct {
	UserIds             []string `json:"user_ids"`
	CreatedByID         *string  `json:"created_by_id,omitempty"`
	MarkChannelsDeleted *bool    `json:"mark_channels_deleted,omitempty"`
	MarkMessagesDeleted *bool    `json:"mark_messages_deleted,omitempty"`
}

type ReactivateUsersRequest struct {
	UserIds         []string `json:"user_ids"`
	CreatedByID     *string  `json:"created_by_id,omitempty"`
	RestoreChannels *bool    `json:"restore_channels,omitempty"`
	RestoreMessages *bool    `json:"restore_messages,omitempty"`
}

// TaskStarted answers every call that starts a task.
type TaskStarted struct {
	Duration string `json:"duration"`
	TaskID   string `json:"task_id"`
}

type ErrorResult struct {
	Type        string  `json:"type"`
	Description string  `json:"description"`
	Stacktrace  *string `json:"stacktrace,omitempty"`
	Version     *string `json:"version,omitempty"`
}

type GetTaskResponse struct {
	CreatedAt Timestamp      `json:"created_at"`
	Duration  string         `json:"duration"`
	Status    string         `json:"status"`
	TaskID    string         `json:"task_id"`
	UpdatedAt Timestamp      `json:"updated_at"`
	Error     *ErrorResult   `json:"error,omitempty"`
	Result    map[string]any `json:"result,omitempty"`
}

func (c *Client) DeactivateUsers(request *DeactivateUsersRequest) (*Response[TaskStarted], error) {
	return Send[TaskStarted](c, http.MethodPost, "/api/v2/users/deactivate", nil, request)
}

func (c *Client) ReactivateUsers(request *ReactivateUsersRequest) (*Response[TaskStarted], error) {
	return Send[TaskStarted](c, http.MethodPost, "/api/v2/users/reactivate", nil, request)
}

func (c *Client) GetTask(id string) (*Response[GetTaskResponse], error) {
	return Send[GetTaskResponse](c, http.MethodGet, "/api/v2/tasks/"+Segment(id), nil, nil)
}

// WaitForTask asks at once and then again and again, as the official client does (v2.md 4), only more often. Every status
// but two means that there is more to come; a failed task is an error.
func (c *Client) WaitForTask(id string, patience time.Duration) (*Response[GetTaskResponse], error) {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		response, err := c.GetTask(id)
		if err != nil {
			return nil, err
		}
		switch {
		case response.Data.Status == "completed":
			return response, nil
		case response.Data.Status == "failed":
			return nil, fmt.Errorf("task %s failed: %+v", id, response.Data.Error)
		case time.Now().After(end):
			return nil, fmt.Errorf("task %s is still %s", id, response.Data.Status)
		}
	}
}
