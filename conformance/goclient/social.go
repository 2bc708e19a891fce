package goclient

import (
	"net/http"
	"net/url"
)

// ActingUser names who acts, as an object; user_id does the same.
type ActingUser struct {
	ID string `json:"id"`
}

type BlockUsersRequest struct {
	BlockedUserID string      `json:"blocked_user_id"`
	UserID        *string     `json:"user_id,omitempty"`
	User          *ActingUser `json:"user,omitempty"`
}

type BlockUsersResponse struct {
	BlockedByUserID string    `json:"blocked_by_user_id"`
	BlockedUserID   string    `json:"blocked_user_id"`
	CreatedAt       Timestamp `json:"created_at"`
	Duration        string    `json:"duration"`
}

type BlockedUserResponse struct {
	BlockedUserID string       `json:"blocked_user_id"`
	CreatedAt     Timestamp    `json:"created_at"`
	UserID        string       `json:"user_id"`
	BlockedUser   UserResponse `json:"blocked_user"`
	User          UserResponse `json:"user"`
}

type GetBlockedUsersResponse struct {
	Duration string                `json:"duration"`
	Blocks   []BlockedUserResponse `json:"blocks"`
}

type MuteRequest struct {
	TargetIDs []string `json:"target_ids"`
	Timeout   *int     `json:"timeout,omitempty"`
	UserID    *string  `json:"user_id,omitempty"`
}

type UserMuteResponse struct {
	CreatedAt Timestamp     `json:"created_at"`
	UpdatedAt Timestamp     `json:"updated_at"`
	Expires   *Timestamp    `json:"expires,omitempty"`
	Target    *UserResponse `json:"target,omitempty"`
	User      *UserResponse `json:"user,omitempty"`
}

// OwnUserResponse is a user as it sees itself; what else it shares with the other shapes is in their tests.
type OwnUserResponse struct {
	ID              string                   `json:"id"`
	Role            string                   `json:"role"`
	CreatedAt       Timestamp                `json:"created_at"`
	UpdatedAt       Timestamp                `json:"updated_at"`
	ChannelMutes    []map[string]any         `json:"channel_mutes"`
	Devices         []DeviceResponse         `json:"devices"`
	Mutes           []UserMuteResponse       `json:"mutes"`
	BlockedUserIDs  []string                 `json:"blocked_user_ids,omitempty"`
	PushPreferences *PushPreferencesResponse `json:"push_preferences,omitempty"`
}

type MuteResponse struct {
	Duration         string             `json:"duration"`
	Mutes            []UserMuteResponse `json:"mutes,omitempty"`
	NonExistingUsers []string           `json:"non_existing_users,omitempty"`
	OwnUser          *OwnUserResponse   `json:"own_user,omitempty"`
}

type UnmuteRequest struct {
	TargetIDs []string `json:"target_ids"`
	UserID    *string  `json:"user_id,omitempty"`
}

type UnmuteResponse struct {
	Duration         string   `json:"duration"`
	NonExistingUsers []string `json:"non_existing_users,omitempty"`
}

type CreateDeviceRequest struct {
	ID               string  `json:"id"`
	PushProvider     string  `json:"push_provider"`
	HardwareID       *string `json:"hardware_id,omitempty"`
	PushProviderName *string `json:"push_provider_name,omitempty"`
	UserID           *string `json:"user_id,omitempty"`
	VoipToken        *bool   `json:"voip_token,omitempty"`
}

type DeviceResponse struct {
	CreatedAt        Timestamp `json:"created_at"`
	ID               string    `json:"id"`
	PushProvider     string    `json:"push_provider"`
	UserID           string    `json:"user_id"`
	Disabled         *bool     `json:"disabled,omitempty"`
	DisabledReason   *string   `json:"disabled_reason,omitempty"`
	HardwareID       *string   `json:"hardware_id,omitempty"`
	PushProviderName *string   `json:"push_provider_name,omitempty"`
	Voip             *bool     `json:"voip,omitempty"`
}

type ListDevicesResponse struct {
	Duration string           `json:"duration"`
	Devices  []DeviceResponse `json:"devices"`
}

type PushPreferenceInput struct {
	CallLevel       *string           `json:"call_level,omitempty"`
	ChannelCid      *string           `json:"channel_cid,omitempty"`
	ChatLevel       *string           `json:"chat_level,omitempty"`
	DisabledUntil   *Timestamp        `json:"disabled_until,omitempty"`
	FeedsLevel      *string           `json:"feeds_level,omitempty"`
	RemoveDisable   *bool             `json:"remove_disable,omitempty"`
	UserID          *string           `json:"user_id,omitempty"`
	ChatPreferences map[string]string `json:"chat_preferences,omitempty"`
}

type UpdatePushNotificationPreferencesRequest struct {
	Preferences []PushPreferenceInput `json:"preferences"`
}

type PushPreferencesResponse struct {
	CallLevel       *string           `json:"call_level,omitempty"`
	ChatLevel       *string           `json:"chat_level,omitempty"`
	DisabledUntil   *Timestamp        `json:"disabled_until,omitempty"`
	FeedsLevel      *string           `json:"feeds_level,omitempty"`
	ChatPreferences map[string]string `json:"chat_preferences,omitempty"`
}

type UpsertPushPreferencesResponse struct {
	Duration               string                             `json:"duration"`
	UserChannelPreferences map[string]map[string]any          `json:"user_channel_preferences"`
	UserPreferences        map[string]PushPreferencesResponse `json:"user_preferences"`
}

func (c *Client) BlockUsers(request *BlockUsersRequest) (*Response[BlockUsersResponse], error) {
	return Send[BlockUsersResponse](c, http.MethodPost, "/api/v2/users/block", nil, request)
}

func (c *Client) UnblockUsers(request *BlockUsersRequest) (*Response[EmptyResponse], error) {
	return Send[EmptyResponse](c, http.MethodPost, "/api/v2/users/unblock", nil, request)
}

func (c *Client) GetBlockedUsers(userID string) (*Response[GetBlockedUsersResponse], error) {
	return Send[GetBlockedUsersResponse](c, http.MethodGet, "/api/v2/users/block", url.Values{"user_id": {userID}}, nil)
}

func (c *Client) Mute(request *MuteRequest) (*Response[MuteResponse], error) {
	return Send[MuteResponse](c, http.MethodPost, "/api/v2/moderation/mute", nil, request)
}

func (c *Client) Unmute(request *UnmuteRequest) (*Response[UnmuteResponse], error) {
	return Send[UnmuteResponse](c, http.MethodPost, "/api/v2/moderation/unmute", nil, request)
}

func (c *Client) CreateDevice(request *CreateDeviceRequest) (*Response[EmptyResponse], error) {
	return Send[EmptyResponse](c, http.MethodPost, "/api/v2/devices", nil, request)
}

func (c *Client) ListDevices(userID string) (*Response[ListDevicesResponse], error) {
	return Send[ListDevicesResponse](c, http.MethodGet, "/api/v2/devices", url.Values{"user_id": {userID}}, nil)
}

func (c *Client) DeleteDevice(id, userID string) (*Response[EmptyResponse], error) {
	query := url.Values{"id": {id}, "user_id": {userID}}
	return Send[EmptyResponse](c, http.MethodDelete, "/api/v2/devices", query, nil)
}

func (c *Client) UpdatePushNotificationPreferences(request *UpdatePushNotificationPreferencesRequest) (*Response[UpsertPushPreferencesResponse], error) {
	return Send[UpsertPushPreferencesResponse](c, http.MethodPost, "/api/v2/push_preferences", nil, request)
}
