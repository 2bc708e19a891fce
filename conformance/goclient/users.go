package goclient

// Timestamp is nanoseconds since 1970. Decoded as a plain integer, it refuses text, fractions and exponents by itself.
type Timestamp int64

// In requests, lists and maps of a top-level body carry no omitempty: unset they travel as `null`. Inside nested objects
// they do: unset and empty are both left out (v2.md 1.3). In responses omitempty marks what may be absent.

type UserRequest struct {
	ID              string            `json:"id"`
	Image           *string           `json:"image,omitempty"`
	Invisible       *bool             `json:"invisible,omitempty"`
	Language        *string           `json:"language,omitempty"`
	Name            *string           `json:"name,omitempty"`
	Role            *string           `json:"role,omitempty"`
	Teams           []string          `json:"teams,omitempty"`
	Custom          map[string]any    `json:"custom,omitempty"`
	PrivacySettings *PrivacySettings  `json:"privacy_settings,omitempty"`
	TeamsRole       map[string]string `json:"teams_role,omitempty"`
}

type PrivacySettings struct {
	DeliveryReceipts *Switch `json:"delivery_receipts,omitempty"`
	ReadReceipts     *Switch `json:"read_receipts,omitempty"`
	TypingIndicators *Switch `json:"typing_indicators,omitempty"`
}

type Switch struct {
	Enabled bool `json:"enabled"`
}

type UpdateUsersRequest struct {
	Users map[string]UserRequest `json:"users"`
}

type UpdateUsersPartialRequest struct {
	Users []UpdateUserPartialRequest `json:"users"`
}

type UpdateUserPartialRequest struct {
	ID    string         `json:"id"`
	Unset []string       `json:"unset,omitempty"`
	Set   map[string]any `json:"set,omitempty"`
}

type UpdateUsersResponse struct {
	Duration                 string                      `json:"duration"`
	MembershipDeletionTaskID string                      `json:"membership_deletion_task_id"`
	Users                    map[string]FullUserResponse `json:"users"`
}

// QueryUsersPayload travels as JSON text in the query; an unset filter is `{"filter_conditions":null}`.
type QueryUsersPayload struct {
	FilterConditions        map[string]any `json:"filter_conditions"`
	IncludeDeactivatedUsers *bool          `json:"include_deactivated_users,omitempty"`
	Limit                   *int           `json:"limit,omitempty"`
	Offset                  *int           `json:"offset,omitempty"`
}

type QueryUsersResponse struct {
	Duration string             `json:"duration"`
	Users    []FullUserResponse `json:"users"`
}

type DeactivateUserRequest struct {
	CreatedByID         *string `json:"created_by_id,omitempty"`
	MarkMessagesDeleted *bool   `json:"mark_messages_deleted,omitempty"`
}

type ReactivateUserRequest struct {
	CreatedByID     *string `json:"created_by_id,omitempty"`
	Name            *string `json:"name,omitempty"`
	RestoreMessages *bool   `json:"restore_messages,omitempty"`
}

// UserLifecycleResponse answers both deactivate and reactivate.
type UserLifecycleResponse struct {
	Duration string        `json:"duration"`
	User     *UserResponse `json:"user,omitempty"`
}

// userFields are shared by the two shapes below (v2.md 3.1).
type userFields struct {
	Banned         bool           `json:"banned"`
	CreatedAt      Timestamp      `json:"created_at"`
	ID             string         `json:"id"`
	Invisible      bool           `json:"invisible"`
	Language       string         `json:"language"`
	Online         bool           `json:"online"`
	Role           string         `json:"role"`
	ShadowBanned   bool           `json:"shadow_banned"`
	UpdatedAt      Timestamp      `json:"updated_at"`
	BlockedUserIDs []string       `json:"blocked_user_ids"`
	Teams          []string       `json:"teams"`
	Custom         map[string]any `json:"custom"`

	AvgResponseTime          *int64            `json:"avg_response_time,omitempty"`
	BanExpires               *Timestamp        `json:"ban_expires,omitempty"`
	BypassModeration         *bool             `json:"bypass_moderation,omitempty"`
	DeactivatedAt            *Timestamp        `json:"deactivated_at,omitempty"`
	DeletedAt                *Timestamp        `json:"deleted_at,omitempty"`
	Image                    *string           `json:"image,omitempty"`
	LastActive               *Timestamp        `json:"last_active,omitempty"`
	Name                     *string           `json:"name,omitempty"`
	RevokeTokensIssuedBefore *Timestamp        `json:"revoke_tokens_issued_before,omitempty"`
	PrivacySettings          *PrivacySettings  `json:"privacy_settings,omitempty"`
	TeamsRole                map[string]string `json:"teams_role,omitempty"`
}

type UserResponse struct {
	userFields
	Devices           []map[string]any `json:"devices,omitempty"`
	PushNotifications map[string]any   `json:"push_notifications,omitempty"`
}

type FullUserResponse struct {
	userFields
	TotalUnreadCount     int64            `json:"total_unread_count"`
	UnreadChannels       int64            `json:"unread_channels"`
	UnreadCount          int64            `json:"unread_count"`
	UnreadThreads        int64            `json:"unread_threads"`
	ChannelMutes         []map[string]any `json:"channel_mutes"`
	Devices              []map[string]any `json:"devices"`
	Mutes                []map[string]any `json:"mutes"`
	LatestHiddenChannels []string         `json:"latest_hidden_channels,omitempty"`
}
