// What v2.md sections 2.5, 2.7, 3.8 and 6 and semantics 15 say about block lists and user groups.
package main

import (
	"strings"
	"time"

	"headwater/conformance/goclient"
)

// blockList makes a list that is deleted when the example ends, whatever it found.
func (t *trial) blockList(request goclient.CreateBlockListRequest) goclient.BlockListResponse {
	response, err := t.client.CreateBlockList(&request)
	t.noError(err)
	t.undo = append(t.undo, func() { t.client.DeleteBlockList(request.Name, request.Team, nil) })
	t.require(response.Data.Blocklist != nil, "there is no blocklist")
	return *response.Data.Blocklist
}

func (t *trial) readBlockList(name string, team *string) goclient.BlockListResponse {
	response, err := t.client.GetBlockList(name, team)
	t.noError(err)
	t.require(response.Data.Blocklist != nil, "there is no blocklist")
	return *response.Data.Blocklist
}

// blockListNames are those of every page.
func (t *trial) blockListNames(limit *int, team *string) []string {
	names, cursor := []string{}, (*string)(nil)
	for {
		response, err := t.client.ListBlockLists(limit, cursor, team)
		t.noError(err)
		for _, list := range response.Data.Blocklists {
			names = append(names, list.Name)
		}
		if cursor = response.Data.NextCursor; cursor == nil {
			return names
		}
		t.require(len(response.Data.Blocklists) > 0, "an empty page has a next_cursor")
	}
}

func blockListsLifecycle(t *trial) {
	name := t.id("rude words/")
	words := []string{"badword1", "badword2", "badword3"}
	made := t.blockList(goclient.CreateBlockListRequest{Name: name, Words: words})
	t.equal("name", made.Name, name)
	t.equal("words", made.Words, words)
	t.equal("type", made.Type, "word")
	t.equal("the list read back", t.readBlockList(name, nil), made)

	words = append(words, "badword4")
	changed, err := t.client.UpdateBlockList(name, &goclient.UpdateBlockListRequest{Words: words})
	t.noError(err)
	t.equal("words after the update", changed.Data.Blocklist.Words, words)
	// Words that are unset travel as null, and stay.
	changed, err = t.client.UpdateBlockList(name, &goclient.UpdateBlockListRequest{IsLeetCheckEnabled: goclient.PtrTo(true)})
	t.noError(err)
	t.equal("words that were not given", changed.Data.Blocklist.Words, words)
	t.equal("is_leet_check_enabled", changed.Data.Blocklist.IsLeetCheckEnabled, true)
	t.equal("times the list is listed", count(t.blockListNames(nil, nil), name), 1)

	again := goclient.CreateBlockListRequest{Name: name, Words: []string{"x"}}
	t.refused(outcomeOf(t.client.CreateBlockList(&again)), 400, 4, failedWith("CreateBlockList"), "name")
	t.noError(outcomeOf(t.client.DeleteBlockList(name, nil, nil)))
	t.equal("times the list is listed after its deletion", count(t.blockListNames(nil, nil), name), 0)
	t.refused(outcomeOf(t.client.GetBlockList(name, nil)), 404, 16, failedWith("GetBlockList"), "does not exist")
	t.refused(outcomeOf(t.client.DeleteBlockList(name, nil, nil)), 404, 16, failedWith("DeleteBlockList"), "does not exist")
}

func count(names []string, name string) int {
	found := 0
	for _, one := range names {
		if one == name {
			found++
		}
	}
	return found
}

// blockListsOfTeams: a name is taken once in a team, and a list is found in its team only.
func blockListsOfTeams(t *trial) {
	name, red, blue := t.id("list"), t.id("red"), t.id("blue")
	t.blockList(goclient.CreateBlockListRequest{Name: name, Words: []string{"app"}})
	t.blockList(goclient.CreateBlockListRequest{Name: name, Words: []string{"red"}, Team: &red, Type: text("regex")})
	second := t.id("next")
	t.blockList(goclient.CreateBlockListRequest{Name: second, Words: []string{}, Team: &red})
	t.equal("words in the app", t.readBlockList(name, nil).Words, []string{"app"})
	of := t.readBlockList(name, &red)
	t.equal("words in the team", of.Words, []string{"red"})
	t.equal("team", of.Team, red)
	t.equal("type", of.Type, "regex")
	t.equal("lists of the team", t.blockListNames(goclient.PtrTo(1), &red), []string{name, second})
	t.refused(outcomeOf(t.client.GetBlockList(name, &blue)), 404, 16, failedWith("GetBlockList"))
}

// blockListsBy: a server says who acts; who is not there does not.
func blockListsBy(t *trial) {
	moderator := t.upsertOne(goclient.UserRequest{ID: t.id("moderator")}).ID
	name := t.id("list")
	t.blockList(goclient.CreateBlockListRequest{Name: name, Words: []string{"x"}, UserID: &moderator})
	stranger := t.id("stranger")
	update := goclient.UpdateBlockListRequest{Words: []string{"y"}, UserID: &stranger}
	t.refused(outcomeOf(t.client.UpdateBlockList(name, &update)), 404, 16, failedWith("UpdateBlockList"), stranger)
	t.equal("words after a refusal", t.readBlockList(name, nil).Words, []string{"x"})
	t.noError(outcomeOf(t.client.DeleteBlockList(name, nil, &moderator)))
}

// group makes a group that is deleted when the example ends, whatever it found.
func (t *trial) group(request goclient.CreateUserGroupRequest) goclient.UserGroupResponse {
	response, err := t.client.CreateUserGroup(&request)
	group := t.onlyGroup(response, err)
	t.undo = append(t.undo, func() { t.client.DeleteUserGroup(group.ID, nil) })
	return group
}

func (t *trial) onlyGroup(response *goclient.Response[goclient.UserGroupAnswer], err error) goclient.UserGroupResponse {
	t.noError(err)
	t.require(response.Data.UserGroup != nil, "there is no user_group")
	return *response.Data.UserGroup
}

func (t *trial) readGroup(id string) goclient.UserGroupResponse {
	return t.onlyGroup(t.client.GetUserGroup(id, nil))
}

func membersOf(group goclient.UserGroupResponse) []string {
	ids := []string{}
	for _, member := range group.Members {
		ids = append(ids, member.UserID)
	}
	return ids
}

func (t *trial) groupsListed(page goclient.UserGroupPage) []string {
	response, err := t.client.ListUserGroups(&page)
	t.noError(err)
	return t.idsOf(response.Data.UserGroups)
}

func (t *trial) groupsFound(page goclient.UserGroupPage) []string {
	response, err := t.client.SearchUserGroups(&page)
	t.noError(err)
	return t.idsOf(response.Data.UserGroups)
}

func (t *trial) idsOf(groups []goclient.UserGroupResponse) []string {
	ids := []string{}
	for _, group := range groups {
		ids = append(ids, group.ID)
	}
	return ids
}

func groupsLifecycle(t *trial) {
	users := t.ids("first", "second")
	for _, id := range users {
		t.upsertOne(goclient.UserRequest{ID: id})
	}
	id, name, description := t.id("group"), t.id("Designers"), "who draws"
	made := t.group(goclient.CreateUserGroupRequest{ID: &id, Name: name, Description: &description, MemberIds: users[:1]})
	t.equal("id", made.ID, id)
	t.equal("name", made.Name, name)
	t.equal("description", made.Description, description)
	t.equal("the group read back", t.readGroup(id), made)
	t.equal("initial members", membersOf(made), users[:1])
	t.equal("group_id of a member", made.Members[0].GroupID, id)
	t.require(made.Members[0].AppPk > 0, "app_pk is %d", made.Members[0].AppPk)

	name, description = t.id("Painters"), "who paints"
	changed := t.onlyGroup(t.client.UpdateUserGroup(id, &goclient.UpdateUserGroupRequest{Name: &name, Description: &description}))
	t.equal("name after the update", changed.Name, name)
	t.equal("description after the update", changed.Description, description)
	t.equal("the group after the update", t.readGroup(id), changed)

	again := goclient.CreateUserGroupRequest{ID: &id, Name: "again"}
	t.refused(outcomeOf(t.client.CreateUserGroup(&again)), 400, 4, failedWith("CreateUserGroup"), "id")
	t.noError(outcomeOf(t.client.DeleteUserGroup(id, nil)))
	t.refused(outcomeOf(t.client.GetUserGroup(id, nil)), 404, 16, failedWith("GetUserGroup"), id)
	t.refused(outcomeOf(t.client.DeleteUserGroup(id, nil)), 404, 16, failedWith("DeleteUserGroup"), id)
}

// groupsMembers: adding is all or nothing and idempotent, removing ignores whoever is not in the group.
func groupsMembers(t *trial) {
	users := t.ids("alpha", "beta", "gamma")
	for _, id := range users {
		t.upsertOne(goclient.UserRequest{ID: id})
	}
	id := t.group(goclient.CreateUserGroupRequest{Name: "Members"}).ID
	t.require(len(id) == 36 && id[14] == '7', "%s is not a UUID of version 7", id)
	add := func(asAdmin *bool, members ...string) (*goclient.Response[goclient.UserGroupAnswer], error) {
		return t.client.AddUserGroupMembers(id, &goclient.AddUserGroupMembersRequest{MemberIds: members, AsAdmin: asAdmin})
	}
	t.equal("members", membersOf(t.onlyGroup(add(nil, users[:2]...))), users[:2])
	stranger := t.id("stranger")
	t.refused(outcomeOf(add(nil, users[2], stranger)), 400, 4, failedWith("AddUserGroupMembers"), stranger)
	t.equal("members after a refusal", membersOf(t.readGroup(id)), users[:2])
	t.equal("members after adding one again", membersOf(t.onlyGroup(add(nil, users[1], users[2]))), users)
	admins := t.onlyGroup(add(goclient.PtrTo(true), users[0])).Members
	t.equal("is_admin of the admin", admins[0].IsAdmin, true)
	t.equal("is_admin of another", admins[1].IsAdmin, false)

	// Whoever is deactivated stays.
	t.noError(outcomeOf(t.client.DeactivateUser(users[1], &goclient.DeactivateUserRequest{})))
	t.equal("members after a deactivation", membersOf(t.readGroup(id)), users)
	remove := goclient.RemoveUserGroupMembersRequest{MemberIds: append([]string{stranger}, users...)}
	t.equal("members after removing all", membersOf(t.onlyGroup(t.client.RemoveUserGroupMembers(id, &remove))), []string{})
	t.equal("members read after removing all", membersOf(t.readGroup(id)), []string{})
	none := goclient.AddUserGroupMembersRequest{MemberIds: []string{}}
	t.refused(outcomeOf(t.client.AddUserGroupMembers(id, &none)), 400, 4, failedWith("AddUserGroupMembers"), "member_ids")
	other := goclient.RemoveUserGroupMembersRequest{MemberIds: users, TeamID: text("no-team-of-it")}
	t.refused(outcomeOf(t.client.RemoveUserGroupMembers(id, &other)), 404, 16, failedWith("RemoveUserGroupMembers"), id)
}

// groupsPages: oldest first, respecting the limit, each page after the last group of the one before.
func groupsPages(t *trial) {
	team := t.id("team")
	made := []string{}
	for _, name := range []string{"c", "a", "b"} {
		id := t.id(name)
		made = append(made, t.group(goclient.CreateUserGroupRequest{ID: &id, Name: name, TeamID: &team}).ID)
	}
	t.equal("every group of the team", t.groupsListed(goclient.UserGroupPage{TeamID: &team}), made)
	page := goclient.UserGroupPage{TeamID: &team, Limit: goclient.PtrTo(2)}
	first, err := t.client.ListUserGroups(&page)
	t.noError(err)
	t.equal("the first page", t.idsOf(first.Data.UserGroups), made[:2])
	t.equal("number of members in a list", len(first.Data.UserGroups[0].Members), 0)
	last := first.Data.UserGroups[1]
	page.IDGt, page.CreatedAtGt = &last.ID, text(time.Unix(0, int64(last.CreatedAt)).UTC().Format(time.RFC3339Nano))
	t.equal("the second page", t.groupsListed(page), made[2:])
	t.equal("one group of all", len(t.groupsListed(goclient.UserGroupPage{Limit: goclient.PtrTo(1)})), 1)
	page.Limit = goclient.PtrTo(101)
	t.refused(outcomeOf(t.client.ListUserGroups(&page)), 400, 4, failedWith("ListUserGroups"), "limit")
}

// groupsSearch: by the beginning of the name without regard to case, at once.
func groupsSearch(t *trial) {
	prefix := t.id("Crew")
	made := []string{}
	for _, name := range []string{"1", "2"} {
		id := t.id("crew" + name)
		made = append(made, t.group(goclient.CreateUserGroupRequest{ID: &id, Name: prefix + name}).ID)
	}
	lower := strings.ToLower(prefix)
	page := goclient.UserGroupPage{Query: &lower, Limit: goclient.PtrTo(1)}
	t.equal("the first page", t.groupsFound(page), made[:1])
	page.NameGt, page.IDGt = text(prefix+"1"), &made[0]
	t.equal("the second page", t.groupsFound(page), made[1:])
	t.refused(outcomeOf(t.client.SearchUserGroups(&goclient.UserGroupPage{})), 400, 4, failedWith("SearchUserGroups"), "query")
}
