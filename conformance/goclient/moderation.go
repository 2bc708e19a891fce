package goclient

import (
	"encoding/json"
	"net/http"
	"net/url"
)

type BanRequest struct {
	TargetUserID   string       `json:"target_user_id"`
	BannedByID     *string      `json:"banned_by_id,omitempty"`
	ChannelCid     *string      `json:"channel_cid,omitempty"`
	DeleteMessages *string      `json:"delete_messages,omitempty"`
	IPBan          *bool        `json:"ip_ban,omitempty"`
	Reason         *string      `json:"reason,omitempty"`
	Shadow         *bool        `json:"shadow,omitempty"`
	Timeout        *int         `json:"timeout,omitempty"`
	BannedBy       *UserRequest `json:"banned_by,omitempty"`
}

// UnbanRequest names its target in the query and the moderator in the body.
type UnbanRequest struct {
	TargetUserID string       `json:"-"`
	ChannelCid   *string      `json:"-"`
	UnbannedByID *string      `json:"unbanned_by_id,omitempty"`
	UnbannedBy   *UserRequest `json:"unbanned_by,omitempty"`
}

type SortParam struct {
	Field     string `json:"field"`
	Direction *int   `json:"direction,omitempty"`
}

// QueryBannedUsersPayload travels as JSON text in the query.
type QueryBannedUsersPayload struct {
	FilterConditions   map[string]any `json:"filter_conditions"`
	ExcludeExpiredBans *bool          `json:"exclude_expired_bans,omitempty"`
	Limit              *int           `json:"limit,omitempty"`
	Offset             *int           `json:"offset,omitempty"`
	Sort               []SortParam    `json:"sort,omitempty"`
}

type BanResponse struct {
	CreatedAt Timestamp     `json:"created_at"`
	Expires   *Timestamp    `json:"expires,omitempty"`
	Reason    *string       `json:"reason,omitempty"`
	Shadow    bool          `json:"shadow"`
	BannedBy  *UserResponse `json:"banned_by,omitempty"`
	User      *UserResponse `json:"user,omitempty"`
}

type QueryBannedUsersResponse struct {
	Duration string        `json:"duration"`
	Bans     []BanResponse `json:"bans"`
}

type BypassRequest struct {
	Enabled      bool   `json:"enabled"`
	TargetUserID string `json:"target_user_id"`
}

type FlagRequest struct {
	EntityID          string         `json:"entity_id"`
	EntityType        string         `json:"entity_type"`
	EntityCreatorID   *string        `json:"entity_creator_id,omitempty"`
	Reason            *string        `json:"reason,omitempty"`
	UserID            *string        `json:"user_id,omitempty"`
	Custom            map[string]any `json:"custom"`
	ModerationPayload map[string]any `json:"moderation_payload"`
	User              *UserRequest   `json:"user,omitempty"`
}

type FlagItemResponse struct {
	Duration string `json:"duration"`
	ItemID   string `json:"item_id"`
}

type GetFlagCountRequest struct {
	EntityCreatorID string  `json:"entity_creator_id"`
	EntityType      *string `json:"entity_type,omitempty"`
}

type GetFlagCountResponse struct {
	Count    int    `json:"count"`
	Duration string `json:"duration"`
}

type QueryModerationFlagsRequest struct {
	Limit  *int           `json:"limit,omitempty"`
	Next   *string        `json:"next,omitempty"`
	Prev   *string        `json:"prev,omitempty"`
	Sort   []SortParam    `json:"sort"`
	Filter map[string]any `json:"filter"`
}

type ModerationFlagResponse struct {
	CreatedAt         Timestamp        `json:"created_at"`
	EntityID          string           `json:"entity_id"`
	EntityType        string           `json:"entity_type"`
	UpdatedAt         Timestamp        `json:"updated_at"`
	UserID            string           `json:"user_id"`
	Type              string           `json:"type"`
	Result            []map[string]any `json:"result"`
	EntityCreatorID   *string          `json:"entity_creator_id,omitempty"`
	Reason            *string          `json:"reason,omitempty"`
	ReviewQueueItemID *string          `json:"review_queue_item_id,omitempty"`
	Custom            map[string]any   `json:"custom,omitempty"`
	ModerationPayload map[string]any   `json:"moderation_payload,omitempty"`
	User              *UserResponse    `json:"user,omitempty"`
}

type QueryModerationFlagsResponse struct {
	Duration string                   `json:"duration"`
	Flags    []ModerationFlagResponse `json:"flags"`
	Next     *string                  `json:"next,omitempty"`
	Prev     *string                  `json:"prev,omitempty"`
}

func (c *Client) Ban(request *BanRequest) (*Response[EmptyResponse], error) {
	return Send[EmptyResponse](c, http.MethodPost, "/api/v2/moderation/ban", nil, request)
}

func (c *Client) Unban(request *UnbanRequest) (*Response[EmptyResponse], error) {
	query := url.Values{"target_user_id": {request.TargetUserID}}
	if request.ChannelCid != nil {
		query.Set("channel_cid", *request.ChannelCid)
	}
	return Send[EmptyResponse](c, http.MethodPost, "/api/v2/moderation/unban", query, request)
}

func (c *Client) QueryBannedUsers(payload *QueryBannedUsersPayload) (*Response[QueryBannedUsersResponse], error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	query := url.Values{"payload": {string(text)}}
	return Send[QueryBannedUsersResponse](c, http.MethodGet, "/api/v2/chat/query_banned_users", query, nil)
}

func (c *Client) Bypass(request *BypassRequest) (*Response[EmptyResponse], error) {
	return Send[EmptyResponse](c, http.MethodPost, "/api/v2/moderation/bypass", nil, request)
}

func (c *Client) Flag(request *FlagRequest) (*Response[FlagItemResponse], error) {
	return Send[FlagItemResponse](c, http.MethodPost, "/api/v2/moderation/flag", nil, request)
}

func (c *Client) GetFlagCount(request *GetFlagCountRequest) (*Response[GetFlagCountResponse], error) {
	return Send[GetFlagCountResponse](c, http.MethodPost, "/api/v2/moderation/flag_count", nil, request)
}

func (c *Client) QueryModerationFlags(request *QueryModerationFlagsRequest) (*Response[QueryModerationFlagsResponse], error) {
	return Send[QueryModerationFlagsResponse](c, http.MethodPost, "/api/v2/moderation/flags", nil, request)
}
