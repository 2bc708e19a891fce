package goclient

type Role struct {
	CreatedAt Timestamp `json:"created_at"`
	Custom    bool      `json:"custom"`
	Name      string    `json:"name"`
	UpdatedAt Timestamp `json:"updated_at"`
	Scopes    []string  `json:"scopes"`
}

type CreateRoleRequest struct {
	Name string `json:"name"`
}

type CreateRoleResponse struct {
	Duration string `json:"duration"`
	Role     Role   `json:"role"`
}

// RolesResponse answers both list and search.
type RolesResponse struct {
	Duration string `json:"duration"`
	Roles    []Role `json:"roles"`
}

// SearchRolesRequest travels in the query.
type SearchRolesRequest struct {
	Query              string
	Limit              *int
	NameGt             *string
	RoleType           *string
	IncludeGlobalRoles *bool
}

type Permission struct {
	Action        string         `json:"action"`
	Custom        bool           `json:"custom"`
	Description   string         `json:"description"`
	ID            string         `json:"id"`
	Level         string         `json:"level"`
	Name          string         `json:"name"`
	Owner         bool           `json:"owner"`
	OwnerResource string         `json:"owner_resource"`
	SameTeam      bool           `json:"same_team"`
	Tags          []string       `json:"tags"`
	Condition     map[string]any `json:"condition,omitempty"`
}

type ListPermissionsResponse struct {
	Duration    string       `json:"duration"`
	Permissions []Permission `json:"permissions"`
}

type GetCustomPermissionResponse struct {
	Duration   string     `json:"duration"`
	Permission Permission `json:"permission"`
}
