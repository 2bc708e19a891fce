package goclient

import (
	"net/http"
	"net/url"
	"strconv"
)

type BlockListResponse struct {
	IsConfusableFoldingEnabled bool       `json:"is_confusable_folding_enabled"`
	IsLeetCheckEnabled         bool       `json:"is_leet_check_enabled"`
	IsPluralCheckEnabled       bool       `json:"is_plural_check_enabled"`
	IsSubstringMatchingEnabled bool       `json:"is_substring_matching_enabled"`
	Name                       string     `json:"name"`
	Type                       string     `json:"type"`
	Words                      []string   `json:"words"`
	CreatedAt                  *Timestamp `json:"created_at,omitempty"`
	ID                         *string    `json:"id,omitempty"`
	Team                       *string    `json:"team,omitempty"`
	UpdatedAt                  *Timestamp `json:"updated_at,omitempty"`
}

type ListBlockListResponse struct {
	Duration   string              `json:"duration"`
	Blocklists []BlockListResponse `json:"blocklists"`
	NextCursor *string             `json:"next_cursor,omitempty"`
}

// BlockListAnswer answers create, get and update.
type BlockListAnswer struct {
	Duration  string             `json:"duration"`
	Blocklist *BlockListResponse `json:"blocklist,omitempty"`
}

type CreateBlockListRequest struct {
	Name               string   `json:"name"`
	Words              []string `json:"words"`
	IsLeetCheckEnabled *bool    `json:"is_leet_check_enabled,omitempty"`
	Team               *string  `json:"team,omitempty"`
	UserID             *string  `json:"user_id,omitempty"`
	Type               *string  `json:"type,omitempty"`
}

type UpdateBlockListRequest struct {
	Words              []string `json:"words"`
	IsLeetCheckEnabled *bool    `json:"is_leet_check_enabled,omitempty"`
	Team               *string  `json:"team,omitempty"`
	UserID             *string  `json:"user_id,omitempty"`
}

type UserGroupMember struct {
	AppPk     int64     `json:"app_pk"`
	CreatedAt Timestamp `json:"created_at"`
	GroupID   string    `json:"group_id"`
	IsAdmin   bool      `json:"is_admin"`
	UserID    string    `json:"user_id"`
}

type UserGroupResponse struct {
	CreatedAt   Timestamp         `json:"created_at"`
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	UpdatedAt   Timestamp         `json:"updated_at"`
	CreatedBy   *string           `json:"created_by,omitempty"`
	Description *string           `json:"description,omitempty"`
	TeamID      *string           `json:"team_id,omitempty"`
	Members     []UserGroupMember `json:"members,omitempty"`
}

// UserGroupsResponse answers both list and search.
type UserGroupsResponse struct {
	Duration   string              `json:"duration"`
	UserGroups []UserGroupResponse `json:"user_groups"`
}

// UserGroupAnswer answers everything about one group.
type UserGroupAnswer struct {
	Duration  string             `json:"duration"`
	UserGroup *UserGroupResponse `json:"user_group,omitempty"`
}

type CreateUserGroupRequest struct {
	Name        string   `json:"name"`
	Description *string  `json:"description,omitempty"`
	ID          *string  `json:"id,omitempty"`
	TeamID      *string  `json:"team_id,omitempty"`
	MemberIds   []string `json:"member_ids"`
}

type UpdateUserGroupRequest struct {
	Description *string `json:"description,omitempty"`
	Name        *string `json:"name,omitempty"`
	TeamID      *string `json:"team_id,omitempty"`
}

type AddUserGroupMembersRequest struct {
	MemberIds []string `json:"member_ids"`
	AsAdmin   *bool    `json:"as_admin,omitempty"`
	TeamID    *string  `json:"team_id,omitempty"`
}

type RemoveUserGroupMembersRequest struct {
	MemberIds []string `json:"member_ids"`
	TeamID    *string  `json:"team_id,omitempty"`
}

// UserGroupPage travels in the query of list and search, which needs Query.
type UserGroupPage struct {
	Query       *string
	Limit       *int
	IDGt        *string
	CreatedAtGt *string
	NameGt      *string
	TeamID      *string
}

// given are the parameters that are given.
func given(limit *int, texts map[string]*string) url.Values {
	query := url.Values{}
	for name, value := range texts {
		if value != nil {
			query.Set(name, *value)
		}
	}
	if limit != nil {
		query.Set("limit", strconv.Itoa(*limit))
	}
	return query
}

func (c *Client) ListBlockLists(limit *int, cursor, team *string) (*Response[ListBlockListResponse], error) {
	query := given(limit, map[string]*string{"cursor": cursor, "team": team})
	return Send[ListBlockListResponse](c, http.MethodGet, "/api/v2/blocklists", query, nil)
}

func (c *Client) CreateBlockList(request *CreateBlockListRequest) (*Response[BlockListAnswer], error) {
	return Send[BlockListAnswer](c, http.MethodPost, "/api/v2/blocklists", nil, request)
}

func (c *Client) GetBlockList(name string, team *string) (*Response[BlockListAnswer], error) {
	query := given(nil, map[string]*string{"team": team})
	return Send[BlockListAnswer](c, http.MethodGet, "/api/v2/blocklists/"+Segment(name), query, nil)
}

func (c *Client) UpdateBlockList(name string, request *UpdateBlockListRequest) (*Response[BlockListAnswer], error) {
	return Send[BlockListAnswer](c, http.MethodPut, "/api/v2/blocklists/"+Segment(name), nil, request)
}

func (c *Client) DeleteBlockList(name string, team, userID *string) (*Response[EmptyResponse], error) {
	query := given(nil, map[string]*string{"team": team, "user_id": userID})
	return Send[EmptyResponse](c, http.MethodDelete, "/api/v2/blocklists/"+Segment(name), query, nil)
}

func (c *Client) ListUserGroups(page *UserGroupPage) (*Response[UserGroupsResponse], error) {
	query := given(page.Limit, map[string]*string{"id_gt": page.IDGt, "created_at_gt": page.CreatedAtGt, "team_id": page.TeamID})
	return Send[UserGroupsResponse](c, http.MethodGet, "/api/v2/usergroups", query, nil)
}

func (c *Client) SearchUserGroups(page *UserGroupPage) (*Response[UserGroupsResponse], error) {
	query := given(page.Limit, map[string]*string{
		"query": page.Query, "id_gt": page.IDGt, "name_gt": page.NameGt, "team_id": page.TeamID,
	})
	return Send[UserGroupsResponse](c, http.MethodGet, "/api/v2/usergroups/search", query, nil)
}

func (c *Client) CreateUserGroup(request *CreateUserGroupRequest) (*Response[UserGroupAnswer], error) {
	return Send[UserGroupAnswer](c, http.MethodPost, "/api/v2/usergroups", nil, request)
}

func (c *Client) GetUserGroup(id string, team *string) (*Response[UserGroupAnswer], error) {
	query := given(nil, map[string]*string{"team_id": team})
	return Send[UserGroupAnswer](c, http.MethodGet, "/api/v2/usergroups/"+Segment(id), query, nil)
}

func (c *Client) UpdateUserGroup(id string, request *UpdateUserGroupRequest) (*Response[UserGroupAnswer], error) {
	return Send[UserGroupAnswer](c, http.MethodPut, "/api/v2/usergroups/"+Segment(id), nil, request)
}

func (c *Client) DeleteUserGroup(id string, team *string) (*Response[EmptyResponse], error) {
	query := given(nil, map[string]*string{"team_id": team})
	return Send[EmptyResponse](c, http.MethodDelete, "/api/v2/usergroups/"+Segment(id), query, nil)
}

func (c *Client) AddUserGroupMembers(id string, request *AddUserGroupMembersRequest) (*Response[UserGroupAnswer], error) {
	return Send[UserGroupAnswer](c, http.MethodPost, "/api/v2/usergroups/"+Segment(id)+"/members", nil, request)
}

func (c *Client) RemoveUserGroupMembers(id string, request *RemoveUserGroupMembersRequest) (*Response[UserGroupAnswer], error) {
	return Send[UserGroupAnswer](c, http.MethodPost, "/api/v2/usergroups/"+Segment(id)+"/members/delete", nil, request)
}
