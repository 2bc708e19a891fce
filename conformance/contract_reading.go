// What v2.md section 6 and semantics 4 and 9 say about queries by id, deactivation and reactivation. Team, custom and text
// filters come with the query issue.
package main

import (
	"sort"

	"headwater/conformance/goclient"
)

// three stores three users in separate calls, oldest first.
func (t *trial) three() []string {
	ids := t.ids("m", "c", "X")
	for _, id := range ids {
		t.upsertOne(goclient.UserRequest{ID: id})
	}
	return ids
}

func queryByID(t *trial) {
	ids := t.three()
	t.equal("plain id", t.found(&goclient.QueryUsersPayload{FilterConditions: object{"id": ids[0]}}), ids[:1])
	t.equal("$eq", t.found(&goclient.QueryUsersPayload{FilterConditions: object{"id": object{"$eq": ids[1]}}}), ids[1:2])
	t.equal("$in, newest first", t.found(among(ids)), []string{ids[2], ids[1], ids[0]})
	t.equal("an id nobody has", t.found(among(t.ids("nobody"))), []string{})
}

func queryOffsetLimit(t *trial) {
	ids := t.three()
	page := among(ids)
	page.Offset, page.Limit = goclient.PtrTo(1), goclient.PtrTo(2)
	t.equal("offset 1, limit 2", t.found(page), []string{ids[1], ids[0]})
	page.Offset = goclient.PtrTo(3)
	t.equal("a page past the end", t.found(page), []string{})
}

// queryOrder: created_at descending, then id descending, also among users made in one call.
func queryOrder(t *trial) {
	ids := t.ids("m", "c", "x", "a", "B")
	request := &goclient.UpdateUsersRequest{Users: map[string]goclient.UserRequest{}}
	for _, id := range ids {
		request.Users[id] = goclient.UserRequest{ID: id}
	}
	_, err := t.client.UpdateUsers(request)
	t.noError(err)
	users := t.query(among(ids))
	t.equal("number of users found", len(users), len(ids))
	t.require(sort.SliceIsSorted(users, func(i, j int) bool {
		if users[i].CreatedAt != users[j].CreatedAt {
			return users[i].CreatedAt > users[j].CreatedAt
		}
		return users[i].ID > users[j].ID
	}), "the order is %q, want created_at descending, then id descending", t.found(among(ids)))
}

func queryDeactivated(t *trial) {
	ids := t.three()
	_, err := t.client.DeactivateUser(ids[1], &goclient.DeactivateUserRequest{})
	t.noError(err)
	t.equal("by default", t.found(among(ids)), []string{ids[2], ids[0]})

	all := among(ids)
	all.IncludeDeactivatedUsers = goclient.PtrTo(true)
	users := t.query(all)
	t.equal("number of users with include_deactivated_users", len(users), 3)
	for _, user := range users {
		t.require((user.DeactivatedAt != nil) == (user.ID == ids[1]), "deactivated_at of %s is wrong", user.ID)
	}
}

// queryWithoutFilter: no payload, a null filter and an empty one all mean "everyone", newest first.
func queryWithoutFilter(t *trial) {
	newest := t.three()[2]
	for _, payload := range []*goclient.QueryUsersPayload{nil, {}, {FilterConditions: object{}}} {
		users := t.query(payload)
		t.require(len(users) >= 3 && len(users) <= 30, "%d users, want 3 to 30", len(users))
		t.equal("the newest user", users[0].ID, newest)
	}
}

func lifecycleSequence(t *trial) {
	before := t.upsertOne(seedUser(t.id("sleeper")))
	response, err := t.client.DeactivateUser(before.ID, &goclient.DeactivateUserRequest{MarkMessagesDeleted: goclient.PtrTo(false)})
	t.noError(err)
	asleep := response.Data.User
	t.require(asleep.DeactivatedAt != nil && *asleep.DeactivatedAt >= before.CreatedAt, "deactivated_at is not after created_at")
	_, err = t.client.DeactivateUser(before.ID, &goclient.DeactivateUserRequest{})
	t.refused(err, 400, 4, failedWith("DeactivateUser"), before.ID, "already deactivated")

	response, err = t.client.ReactivateUser(before.ID, &goclient.ReactivateUserRequest{Name: text("Back")})
	t.noError(err)
	awake := t.find(before.ID)
	t.equal("name answered", response.Data.User.Name, "Back")
	t.equal("name", awake.Name, "Back")
	t.equal("custom", awake.Custom, before.Custom)
	t.equal("deactivated_at", awake.DeactivatedAt, nil)
	_, err = t.client.ReactivateUser(before.ID, &goclient.ReactivateUserRequest{})
	t.refused(err, 400, 4, failedWith("ReactivateUser"), before.ID, "not deactivated")
}

// lifecycleShape: UserResponse has its required fields (the decoder checks types) and nothing that was never set. The device
// list is optional in this shape, so an empty one may be there.
func lifecycleShape(t *trial) {
	id := t.id("shape")
	t.upsertOne(goclient.UserRequest{ID: id})
	response, err := t.client.DeactivateUser(id, nil)
	t.noError(err)
	user := response.Data.User
	t.equal("the deactivated user", user, object{
		"id": id, "role": "user", "language": "", "created_at": user.CreatedAt, "updated_at": user.UpdatedAt,
		"deactivated_at": user.DeactivatedAt, "banned": false, "shadow_banned": false, "online": false, "invisible": false,
		"custom": object{}, "teams": []string{}, "blocked_user_ids": []string{},
	})
}
