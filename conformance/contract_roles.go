// What v2.md sections 2.4, 3.9 and 6 and semantics 8.2 and 8.3 say about roles and permissions.
package main

import (
	"headwater/conformance/goclient"
)

// role makes a role that is deleted when the example ends, whatever it found.
func (t *trial) role(name string) goclient.Role {
	response, err := t.client.CreateRole(&goclient.CreateRoleRequest{Name: t.id(name)})
	t.noError(err)
	role := response.Data.Role
	t.undo = append(t.undo, func() { t.client.DeleteRole(role.Name) })
	t.equal("name", role.Name, t.id(name))
	t.equal("custom", role.Custom, true)
	return role
}

// listed is the role as the list shows it, nil when it does not.
func (t *trial) listed(name string) *goclient.Role {
	response, err := t.client.ListRoles()
	t.noError(err)
	for _, role := range response.Data.Roles {
		if role.Name == name {
			return &role
		}
	}
	return nil
}

func (t *trial) searched(request goclient.SearchRolesRequest) []string {
	response, err := t.client.SearchRoles(&request)
	t.noError(err)
	names := []string{}
	for _, role := range response.Data.Roles {
		names = append(names, role.Name)
	}
	return names
}

// rolesBuiltIn: every app has them, and they stay.
func rolesBuiltIn(t *trial) {
	for _, name := range []string{"user", "admin", "guest", "anonymous", "channel_member", "channel_moderator"} {
		role := t.listed(name)
		t.require(role != nil, "the role %s is not listed", name)
		t.equal("custom of "+name, role.Custom, false)
	}
	t.refused(outcomeOf(t.client.DeleteRole("user")), 400, 4, failedWith("DeleteRole"), "built in")
	t.refused(outcomeOf(t.client.CreateRole(&goclient.CreateRoleRequest{Name: "admin"})), 400, 4, failedWith("CreateRole"), "name")
}

func rolesLifecycle(t *trial) {
	role := t.role("captain")
	t.equal("the role in the list", t.listed(role.Name), role)
	t.refused(outcomeOf(t.client.CreateRole(&goclient.CreateRoleRequest{Name: role.Name})), 400, 4, failedWith("CreateRole"), "name")
	t.noError(outcomeOf(t.client.DeleteRole(role.Name)))
	t.equal("the role in the list after its deletion", t.listed(role.Name), nil)
	t.refused(outcomeOf(t.client.DeleteRole(role.Name)), 404, 16, failedWith("DeleteRole"), role.Name)
}

// rolesSearch: by the beginning of the name, in its order, page by page; global roles only when asked for.
func rolesSearch(t *trial) {
	first, second := t.role("pilot-a").Name, t.role("pilot-b").Name
	t.equal("both", t.searched(goclient.SearchRolesRequest{Query: "pilot-"}), []string{first, second})
	one := goclient.SearchRolesRequest{Query: "pilot-", Limit: goclient.PtrTo(1)}
	t.equal("the first page", t.searched(one), []string{first})
	one.NameGt = &first
	t.equal("the second page", t.searched(one), []string{second})
	one.NameGt = &second
	t.equal("the page after the last", t.searched(one), []string{})
	t.equal("for channels", t.searched(goclient.SearchRolesRequest{Query: "channel_", RoleType: text("channel")}), []string{"channel_member", "channel_moderator"})
	t.equal("for users", t.searched(goclient.SearchRolesRequest{Query: "channel_", RoleType: text("user")}), []string{})
	global := goclient.SearchRolesRequest{Query: "global_"}
	t.equal("global roles unasked", t.searched(global), []string{})
	global.IncludeGlobalRoles = goclient.PtrTo(true)
	t.equal("global roles", t.searched(global), []string{"global_admin", "global_moderator"})
	t.refused(outcomeOf(t.client.SearchRoles(&goclient.SearchRolesRequest{})), 400, 4, failedWith("SearchRoles"), "query")
}

// rolesInUse: a role is given in the app and in a team, and cannot be deleted before it is taken back.
func rolesInUse(t *trial) {
	role, user, member := t.role("mate").Name, t.id("sailor"), t.id("member")
	t.equal("role", t.upsertOne(goclient.UserRequest{ID: user, Role: &role}).Role, role)
	t.upsertOne(goclient.UserRequest{ID: member, Teams: []string{"blue"}})
	given := t.patch(goclient.UpdateUserPartialRequest{ID: member, Set: object{"teams_role": object{"blue": role}}})
	t.equal("teams_role", given.TeamsRole, object{"blue": role})
	t.refused(outcomeOf(t.client.DeleteRole(role)), 400, 4, failedWith("DeleteRole"), "in use", user)

	t.patch(goclient.UpdateUserPartialRequest{ID: user, Set: object{"role": "user"}})
	t.refused(outcomeOf(t.client.DeleteRole(role)), 400, 4, failedWith("DeleteRole"), "in use", member)
	t.patch(goclient.UpdateUserPartialRequest{ID: member, Set: object{"teams_role": object{"blue": "user"}}})
	t.noError(outcomeOf(t.client.DeleteRole(role)))

	late := goclient.UserRequest{ID: t.id("late"), Role: &role}
	users := map[string]goclient.UserRequest{late.ID: late}
	t.refused(outcomeOf(t.client.UpdateUsers(&goclient.UpdateUsersRequest{Users: users})), 400, 4, failedWith("UpdateUsers"), "role")
}

func permissionsCatalogue(t *trial) {
	listed, err := t.client.ListPermissions()
	t.noError(err)
	t.require(len(listed.Data.Permissions) > 0, "there are no permissions")
	found, err := t.client.GetPermission("create-channel")
	t.noError(err)
	permission := found.Data.Permission
	t.equal("id", permission.ID, "create-channel")
	t.equal("custom", permission.Custom, false)
	t.require(permission.Action != "", "create-channel has no action")
	t.equal("number of conditions", len(permission.Condition), 0)
	for _, one := range listed.Data.Permissions {
		t.require(one.Level == "app" || one.Level == "channel", "the level of %s is %q", one.ID, one.Level)
		if one.ID == permission.ID {
			t.equal("create-channel in the list", one, permission)
			permission.ID = ""
		}
	}
	t.equal("create-channel, when it was not in the list", permission.ID, "")
	t.refused(outcomeOf(t.client.GetPermission("no-such-permission")), 404, 16, failedWith("GetPermission"), "no-such-permission")
}
