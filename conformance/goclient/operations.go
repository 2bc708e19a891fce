package goclient

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
)

func (c *Client) GetApp() (*Response[GetApplicationResponse], error) {
	return Send[GetApplicationResponse](c, http.MethodGet, "/api/v2/app", nil, nil)
}

func (c *Client) UpdateApp(request *UpdateAppRequest) (*Response[EmptyResponse], error) {
	return Send[EmptyResponse](c, http.MethodPatch, "/api/v2/app", nil, request)
}

// QueryUsers leaves the parameter out when there is no payload.
func (c *Client) QueryUsers(payload *QueryUsersPayload) (*Response[QueryUsersResponse], error) {
	query := url.Values{}
	if payload != nil {
		text, err := json.Marshal(payload)
		if err != nil {
			return nil, err
		}
		query.Set("payload", string(text))
	}
	return Send[QueryUsersResponse](c, http.MethodGet, "/api/v2/users", query, nil)
}

func (c *Client) UpdateUsers(request *UpdateUsersRequest) (*Response[UpdateUsersResponse], error) {
	return Send[UpdateUsersResponse](c, http.MethodPost, "/api/v2/users", nil, request)
}

func (c *Client) UpdateUsersPartial(request *UpdateUsersPartialRequest) (*Response[UpdateUsersResponse], error) {
	return Send[UpdateUsersResponse](c, http.MethodPatch, "/api/v2/users", nil, request)
}

func (c *Client) DeactivateUser(id string, request *DeactivateUserRequest) (*Response[UserLifecycleResponse], error) {
	return Send[UserLifecycleResponse](c, http.MethodPost, "/api/v2/users/"+Segment(id)+"/deactivate", nil, request)
}

func (c *Client) ReactivateUser(id string, request *ReactivateUserRequest) (*Response[UserLifecycleResponse], error) {
	return Send[UserLifecycleResponse](c, http.MethodPost, "/api/v2/users/"+Segment(id)+"/reactivate", nil, request)
}

func (c *Client) ListRoles() (*Response[RolesResponse], error) {
	return Send[RolesResponse](c, http.MethodGet, "/api/v2/roles", nil, nil)
}

func (c *Client) CreateRole(request *CreateRoleRequest) (*Response[CreateRoleResponse], error) {
	return Send[CreateRoleResponse](c, http.MethodPost, "/api/v2/roles", nil, request)
}

func (c *Client) SearchRoles(request *SearchRolesRequest) (*Response[RolesResponse], error) {
	query := url.Values{"query": {request.Query}}
	for name, value := range map[string]*string{"name_gt": request.NameGt, "role_type": request.RoleType} {
		if value != nil {
			query.Set(name, *value)
		}
	}
	if request.Limit != nil {
		query.Set("limit", strconv.Itoa(*request.Limit))
	}
	if request.IncludeGlobalRoles != nil {
		query.Set("include_global_roles", strconv.FormatBool(*request.IncludeGlobalRoles))
	}
	return Send[RolesResponse](c, http.MethodGet, "/api/v2/roles/search", query, nil)
}

func (c *Client) DeleteRole(name string) (*Response[EmptyResponse], error) {
	return Send[EmptyResponse](c, http.MethodDelete, "/api/v2/roles/"+Segment(name), nil, nil)
}

func (c *Client) ListPermissions() (*Response[ListPermissionsResponse], error) {
	return Send[ListPermissionsResponse](c, http.MethodGet, "/api/v2/permissions", nil, nil)
}

func (c *Client) GetPermission(id string) (*Response[GetCustomPermissionResponse], error) {
	return Send[GetCustomPermissionResponse](c, http.MethodGet, "/api/v2/permissions/"+Segment(id), nil, nil)
}

func (c *Client) GetRateLimits(request *GetRateLimitsRequest) (*Response[GetRateLimitsResponse], error) {
	query := url.Values{}
	for name, value := range map[string]*bool{
		"server_side": request.ServerSide, "android": request.Android, "ios": request.Ios, "web": request.Web, "unity": request.Unity,
	} {
		if value != nil {
			query.Set(name, strconv.FormatBool(*value))
		}
	}
	if request.Endpoints != nil {
		query.Set("endpoints", *request.Endpoints)
	}
	return Send[GetRateLimitsResponse](c, http.MethodGet, "/api/v2/rate_limits", query, nil)
}
