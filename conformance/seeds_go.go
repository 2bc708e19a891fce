// The Go examples of the documentation pages (seeds), with user ids of our own run.
package main

import "headwater/conformance/goclient"

// seedUpsertTwo is "Creating users" of the feeds page.
func seedUpsertTwo(t *trial) {
	first, second := t.id("user1"), t.id("user2")
	users := map[string]goclient.UserRequest{
		first:  {ID: first, Name: goclient.PtrTo("Test User 1"), Role: goclient.PtrTo("user")},
		second: {ID: second, Name: goclient.PtrTo("Test User 2"), Role: goclient.PtrTo("user")},
	}
	response, err := t.client.UpdateUsers(&goclient.UpdateUsersRequest{Users: users})
	t.noError(err)
	t.equal("number of users answered", len(response.Data.Users), 2)
	for id, sent := range users {
		got := response.Data.Users[id]
		t.equal("id", got.ID, id)
		t.equal("name", got.Name, sent.Name)
		t.equal("role", got.Role, "user")
	}
}

// seedUser is the user of "Updating users", example 1.
func seedUser(id string) goclient.UserRequest {
	return goclient.UserRequest{
		ID:     id,
		Role:   goclient.PtrTo("user"),
		Custom: map[string]any{"color": "blue"},
		Name:   goclient.PtrTo("This is a test user"),
		Image:  goclient.PtrTo("link/to/profile/image"),
	}
}

func seedUpsertFull(t *trial) {
	user := t.upsertOne(seedUser(t.id("userid")))
	t.equal("role", user.Role, "user")
	t.equal("custom", user.Custom, object{"color": "blue"})
	t.equal("name", user.Name, "This is a test user")
	t.equal("image", user.Image, "link/to/profile/image")
	t.equal("the user read back", t.find(user.ID), user)
}

// seedUpsertAdmin is the newest page's upsert: a server may make an admin.
func seedUpsertAdmin(t *trial) {
	sent := seedUser(t.id("user_id"))
	sent.Role, sent.Custom = goclient.PtrTo("admin"), map[string]any{"color": "red"}
	user := t.upsertOne(sent)
	t.equal("role", user.Role, "admin")
	t.equal("custom", user.Custom, object{"color": "red"})
	t.equal("role read back", t.find(user.ID).Role, "admin")
}

// seedPartial is "Updating users", example 2.
func seedPartial(t *trial) {
	id := t.id("userid")
	t.upsertOne(seedUser(id))
	partialUpdateRequest := &goclient.UpdateUsersPartialRequest{
		Users: []goclient.UpdateUserPartialRequest{
			{ID: id, Set: map[string]any{"new-field": "value"}, Unset: []string{"name"}},
		},
	}
	response, err := t.client.UpdateUsersPartial(partialUpdateRequest)
	t.noError(err)
	user := response.Data.Users[id]
	t.require(user.Name == nil || *user.Name == "", "the name is still there")
	t.equal("custom", user.Custom, object{"color": "blue", "new-field": "value"})
	t.equal("image", user.Image, "link/to/profile/image")
	t.equal("the user read back", t.find(id), user)
}

// seedDeactivateReactivate is the pair of single calls of both Go pages: an empty request is `{}`.
func seedDeactivateReactivate(t *trial) {
	alice := t.id("alice")
	t.upsertOne(goclient.UserRequest{ID: alice})
	response, err := t.client.DeactivateUser(alice, &goclient.DeactivateUserRequest{})
	t.noError(err)
	t.require(response.Data.User != nil, "deactivate answered no user")
	t.equal("id", response.Data.User.ID, alice)
	t.require(response.Data.User.DeactivatedAt != nil, "deactivated_at is missing")

	response, err = t.client.ReactivateUser(alice, &goclient.ReactivateUserRequest{})
	t.noError(err)
	t.require(response.Data.User != nil, "reactivate answered no user")
	t.equal("deactivated_at", response.Data.User.DeactivatedAt, nil)
	t.equal("the user found again", t.find(alice).ID, alice)
}
