package goclient

import (
	"net/http"
	"net/url"
)

type ChannelMemberRequest struct {
	UserID      string         `json:"user_id"`
	ChannelRole *string        `json:"channel_role,omitempty"`
	Custom      map[string]any `json:"custom,omitempty"`
}

type ChannelInput struct {
	CreatedByID *string                `json:"created_by_id,omitempty"`
	Team        *string                `json:"team,omitempty"`
	Members     []ChannelMemberRequest `json:"members,omitempty"`
	Custom      map[string]any         `json:"custom,omitempty"`
}

type GetOrCreateChannelRequest struct {
	State *bool         `json:"state,omitempty"`
	Data  *ChannelInput `json:"data,omitempty"`
}

type ChannelResponse struct {
	Cid           string         `json:"cid"`
	CreatedAt     Timestamp      `json:"created_at"`
	Disabled      bool           `json:"disabled"`
	Frozen        bool           `json:"frozen"`
	ID            string         `json:"id"`
	UpdatedAt     Timestamp      `json:"updated_at"`
	Type          string         `json:"type"`
	Custom        map[string]any `json:"custom"`
	DeletedAt     *Timestamp     `json:"deleted_at,omitempty"`
	LastMessageAt *Timestamp     `json:"last_message_at,omitempty"`
	MemberCount   *int           `json:"member_count,omitempty"`
	MessageCount  *int           `json:"message_count,omitempty"`
	Team          *string        `json:"team,omitempty"`
	CreatedBy     *UserResponse  `json:"created_by,omitempty"`
}

type ChannelMemberResponse struct {
	Banned             bool           `json:"banned"`
	ChannelRole        string         `json:"channel_role"`
	CreatedAt          Timestamp      `json:"created_at"`
	NotificationsMuted bool           `json:"notifications_muted"`
	ShadowBanned       bool           `json:"shadow_banned"`
	UpdatedAt          Timestamp      `json:"updated_at"`
	Custom             map[string]any `json:"custom"`
	IsModerator        *bool          `json:"is_moderator,omitempty"`
	Role               *string        `json:"role,omitempty"`
	UserID             *string        `json:"user_id,omitempty"`
	User               *UserResponse  `json:"user,omitempty"`
}

type ReactionResponse struct {
	CreatedAt Timestamp      `json:"created_at"`
	MessageID string         `json:"message_id"`
	Score     int            `json:"score"`
	UpdatedAt Timestamp      `json:"updated_at"`
	UserID    string         `json:"user_id"`
	Type      string         `json:"type"`
	Custom    map[string]any `json:"custom"`
	User      UserResponse   `json:"user"`
}

type ChannelMemberPartialResponse struct {
	ChannelRole        string `json:"channel_role"`
	NotificationsMuted bool   `json:"notifications_muted"`
}

type MessageResponse struct {
	Cid                  string                        `json:"cid"`
	CreatedAt            Timestamp                     `json:"created_at"`
	DeletedReplyCount    int                           `json:"deleted_reply_count"`
	HTML                 string                        `json:"html"`
	ID                   string                        `json:"id"`
	MentionedChannel     bool                          `json:"mentioned_channel"`
	MentionedHere        bool                          `json:"mentioned_here"`
	Pinned               bool                          `json:"pinned"`
	ReplyCount           int                           `json:"reply_count"`
	Shadowed             bool                          `json:"shadowed"`
	Silent               bool                          `json:"silent"`
	Text                 string                        `json:"text"`
	UpdatedAt            Timestamp                     `json:"updated_at"`
	Type                 string                        `json:"type"`
	Attachments          []map[string]any              `json:"attachments"`
	LatestReactions      []ReactionResponse            `json:"latest_reactions"`
	MentionedUsers       []UserResponse                `json:"mentioned_users"`
	OwnReactions         []ReactionResponse            `json:"own_reactions"`
	RestrictedVisibility []string                      `json:"restricted_visibility"`
	Custom               map[string]any                `json:"custom"`
	ReactionCounts       map[string]int                `json:"reaction_counts"`
	ReactionScores       map[string]int                `json:"reaction_scores"`
	User                 UserResponse                  `json:"user"`
	DeletedAt            *Timestamp                    `json:"deleted_at,omitempty"`
	Member               *ChannelMemberPartialResponse `json:"member,omitempty"`
	Channel              *ChannelResponse              `json:"channel,omitempty"`
}

type ChannelStateResponse struct {
	Duration       string                  `json:"duration"`
	Members        []ChannelMemberResponse `json:"members"`
	Messages       []MessageResponse       `json:"messages"`
	PinnedMessages []MessageResponse       `json:"pinned_messages"`
	Threads        []map[string]any        `json:"threads"`
	Channel        *ChannelResponse        `json:"channel,omitempty"`
	Membership     *ChannelMemberResponse  `json:"membership,omitempty"`
}

type UpdateChannelRequest struct {
	UserID        *string                `json:"user_id,omitempty"`
	AddMembers    []ChannelMemberRequest `json:"add_members,omitempty"`
	RemoveMembers []string               `json:"remove_members,omitempty"`
	Cooldown      *int                   `json:"cooldown,omitempty"`
}

type UpdateChannelResponse struct {
	Duration string                  `json:"duration"`
	Members  []ChannelMemberResponse `json:"members"`
	Channel  *ChannelResponse        `json:"channel,omitempty"`
}

type DeleteChannelResponse struct {
	Duration string           `json:"duration"`
	Channel  *ChannelResponse `json:"channel,omitempty"`
}

type MessageRequest struct {
	ID          *string          `json:"id,omitempty"`
	Text        *string          `json:"text,omitempty"`
	UserID      *string          `json:"user_id,omitempty"`
	Attachments []map[string]any `json:"attachments,omitempty"`
	Custom      map[string]any   `json:"custom,omitempty"`
}

type SendMessageRequest struct {
	Message MessageRequest `json:"message"`
}

// MessageAnswer answers everything about one message.
type MessageAnswer struct {
	Duration string          `json:"duration"`
	Message  MessageResponse `json:"message"`
}

type ReactionRequest struct {
	Type   string  `json:"type"`
	Score  *int    `json:"score,omitempty"`
	UserID *string `json:"user_id,omitempty"`
}

type SendReactionRequest struct {
	Reaction      ReactionRequest `json:"reaction"`
	EnforceUnique *bool           `json:"enforce_unique,omitempty"`
}

// ReactionAnswer answers both giving and taking back.
type ReactionAnswer struct {
	Duration string           `json:"duration"`
	Message  MessageResponse  `json:"message"`
	Reaction ReactionResponse `json:"reaction"`
}

type GetReactionsResponse struct {
	Duration  string             `json:"duration"`
	Reactions []ReactionResponse `json:"reactions"`
}

func channelPath(kind, id string) string {
	return "/api/v2/chat/channels/" + url.QueryEscape(kind) + "/" + url.QueryEscape(id)
}

func messagePath(id string) string {
	return "/api/v2/chat/messages/" + url.QueryEscape(id)
}

func (c *Client) GetOrCreateChannel(kind, id string, request *GetOrCreateChannelRequest) (*Response[ChannelStateResponse], error) {
	return Send[ChannelStateResponse](c, http.MethodPost, channelPath(kind, id)+"/query", nil, request)
}

func (c *Client) GetOrCreateDistinctChannel(kind string, request *GetOrCreateChannelRequest) (*Response[ChannelStateResponse], error) {
	return Send[ChannelStateResponse](c, http.MethodPost, "/api/v2/chat/channels/"+url.QueryEscape(kind)+"/query", nil, request)
}

func (c *Client) GetChannel(kind, id string) (*Response[ChannelStateResponse], error) {
	return Send[ChannelStateResponse](c, http.MethodGet, channelPath(kind, id), nil, nil)
}

func (c *Client) UpdateChannel(kind, id string, request *UpdateChannelRequest) (*Response[UpdateChannelResponse], error) {
	return Send[UpdateChannelResponse](c, http.MethodPost, channelPath(kind, id), nil, request)
}

func (c *Client) DeleteChannel(kind, id string, hard bool) (*Response[DeleteChannelResponse], error) {
	return Send[DeleteChannelResponse](c, http.MethodDelete, channelPath(kind, id), switched("hard_delete", hard), nil)
}

func (c *Client) SendMessage(kind, id string, request *SendMessageRequest) (*Response[MessageAnswer], error) {
	return Send[MessageAnswer](c, http.MethodPost, channelPath(kind, id)+"/message", nil, request)
}

func (c *Client) GetMessage(id string) (*Response[MessageAnswer], error) {
	return Send[MessageAnswer](c, http.MethodGet, messagePath(id), nil, nil)
}

func (c *Client) DeleteMessage(id string, hard bool) (*Response[MessageAnswer], error) {
	return Send[MessageAnswer](c, http.MethodDelete, messagePath(id), switched("hard", hard), nil)
}

func (c *Client) SendReaction(id string, request *SendReactionRequest) (*Response[ReactionAnswer], error) {
	return Send[ReactionAnswer](c, http.MethodPost, messagePath(id)+"/reaction", nil, request)
}

func (c *Client) DeleteReaction(id, kind, userID string) (*Response[ReactionAnswer], error) {
	path := messagePath(id) + "/reaction/" + url.QueryEscape(kind)
	return Send[ReactionAnswer](c, http.MethodDelete, path, url.Values{"user_id": {userID}}, nil)
}

func (c *Client) GetReactions(id string) (*Response[GetReactionsResponse], error) {
	return Send[GetReactionsResponse](c, http.MethodGet, messagePath(id)+"/reactions", url.Values{"limit": {"10"}, "offset": {"0"}}, nil)
}

func switched(name string, on bool) url.Values {
	if on {
		return url.Values{name: {"true"}}
	}
	return nil
}
