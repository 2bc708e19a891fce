// What v2.md sections 2.2, 4, 6 and 7 and semantics 10 say about deleting and restoring users.
package main

import "headwater/conformance/goclient"

var hard, soft, pruning = goclient.PtrTo("hard"), goclient.PtrTo("soft"), goclient.PtrTo("pruning")

// gone is the request that leaves nothing of users.
func gone(ids ...string) *goclient.DeleteUsersRequest {
	return &goclient.DeleteUsersRequest{UserIds: ids, User: hard, Messages: hard, Conversations: hard}
}

// deleted deletes users, waits for the task and checks that it is done for each of them.
func (t *trial) deleted(request *goclient.DeleteUsersRequest) {
	response, err := t.client.DeleteUsers(request)
	t.noError(err)
	t.require(uuid.MatchString(response.Data.TaskID), "task_id is %q", response.Data.TaskID)
	t.completed(response.Data.TaskID, request.UserIds)
}

func (t *trial) restored(ids ...string) error {
	return outcomeOf(t.client.RestoreUsers(&goclient.RestoreUsersRequest{UserIds: ids}))
}

// deletionModes is v2.md 6: only ids, user soft, and hard for everything; users are hidden when the call is answered.
func deletionModes(t *trial) {
	ids := t.three()
	requests := []*goclient.DeleteUsersRequest{{UserIds: ids[:1]}, {UserIds: ids[1:2], User: soft}, gone(ids[2])}
	for place, request := range requests {
		response, err := t.client.DeleteUsers(request)
		t.noError(err)
		t.equal("found at once", t.found(among(ids[:place+1])), []string{})
		t.completed(response.Data.TaskID, request.UserIds)
	}
	// Cleaning up after that is no mistake.
	t.deleted(gone(ids...))
}

// deletionRestored is v2.md 6: after a soft deletion and a restore the user is found by its id at once, as it was.
func deletionRestored(t *trial) {
	id := t.id("restored")
	before := t.upsertOne(goclient.UserRequest{ID: id, Name: goclient.PtrTo("Rea"), Custom: object{"color": "blue"}})
	t.deleted(&goclient.DeleteUsersRequest{UserIds: []string{id}})
	t.noError(t.restored(id))
	after := t.find(id)
	t.equal("name", *after.Name, *before.Name)
	t.equal("custom", after.Custom, before.Custom)
	t.require(after.DeletedAt == nil, "deleted_at is %v", after.DeletedAt)
	t.refused(t.restored(id), 400, 4, failedWith("RestoreUsers"), id)
	t.refused(t.restored(t.id("nobody")), 404, 16, failedWith("RestoreUsers"))
	for _, mode := range []*goclient.DeleteUsersRequest{{UserIds: []string{id}, User: pruning}, gone(id)} {
		t.deleted(mode)
		t.refused(t.restored(id), 400, 4, failedWith("RestoreUsers"), id)
	}
}

// deletionOfContent is semantics 10.9 and 10.18: messages, memberships and conversations go as the request says.
func deletionOfContent(t *trial) {
	people := t.people("writer", "friend", "third")
	pair, room := t.id("pair"), t.id("room")
	t.channel(pair, people[0], people[1])
	t.channel(room, people...)
	kept := t.message(room, people[1], "kept")
	said := t.message(room, people[0], "said")
	t.deleted(&goclient.DeleteUsersRequest{UserIds: people[:1], Messages: soft, Conversations: soft})
	response, err := t.client.GetMessage(said.ID)
	t.noError(err)
	t.equal("type of the message", response.Data.Message.Type, "deleted")
	state := t.readChannel(room)
	t.equal("members of the room", memberIDs(state.Members), people[1:])
	t.refused(outcomeOf(t.client.GetChannel("messaging", pair)), 404, 16, failedWith("GetChannel"))

	t.deleted(gone(people[0]))
	t.refused(outcomeOf(t.client.GetMessage(said.ID)), 404, 16, failedWith("GetMessage"))
	other, err := t.client.GetMessage(kept.ID)
	t.noError(err)
	t.equal("text of the other message", other.Data.Message.Text, "kept")
	owner := t.readChannel(room).Channel.CreatedBy
	t.require(owner == nil || owner.ID != people[0], "the channel still names %s", people[0])
}

// deletionOwner is semantics 10.13: the channels of who is gone go to whoever is named.
func deletionOwner(t *trial) {
	people := t.people("maker", "heir")
	room := t.id("room")
	third := t.people("third")[0]
	t.channel(room, people[0], people[1], third)
	request := gone(people[0])
	request.NewChannelOwnerID = &people[1]
	t.deleted(request)
	t.equal("created_by", t.readChannel(room).Channel.CreatedBy.ID, people[1])
}

// deletionOfIds is semantics 10.16 and 10.17: an id is not given again, whatever the deletion was.
func deletionOfIds(t *trial) {
	for _, user := range []*string{soft, pruning, hard} {
		id := t.existingUser("taken" + *user)
		request := &goclient.DeleteUsersRequest{UserIds: []string{id}, User: user}
		if user == hard {
			request = gone(id)
		}
		t.deleted(request)
		again := &goclient.UpdateUsersRequest{Users: map[string]goclient.UserRequest{id: {ID: id}}}
		t.refused(outcomeOf(t.client.UpdateUsers(again)), 404, 16, failedWith("UpdateUsers"), "the user "+id+" was deleted")
	}
}

// deletionPreviewed is ours: what would go, and nothing goes.
func deletionPreviewed(t *trial) {
	people := t.people("one", "two")
	device := &goclient.CreateDeviceRequest{ID: t.id("device"), PushProvider: "apn", UserID: &people[0]}
	t.noError(outcomeOf(t.client.CreateDevice(device)))
	response, err := t.client.PreviewUserDeletion(gone(people...))
	t.noError(err)
	t.equal("devices of the first", response.Data.Users[people[0]]["devices"], goclient.DeletionForecast{Effect: "removed", Count: 1})
	t.equal("devices of both", response.Data.Totals["devices"], 1)
	t.equal("profiles of both", response.Data.Totals["profile"], 2)
	t.equal("afterwards", len(t.found(among(people))), 2)
}

// deletionRefused: unknown ids, modes that do not go together, owners who are not there; all or nothing (semantics 10.8, 10.15).
func deletionRefused(t *trial) {
	id, unknown := t.existingUser("stays"), t.id("unknown")
	for field, request := range map[string]*goclient.DeleteUsersRequest{
		"hard deleting users requires hard deleting messages and conversations": {UserIds: []string{id}, User: hard},
		unknown:                {UserIds: []string{id, unknown}},
		"names '" + id:         {UserIds: []string{id, id}},
		"messages":             {UserIds: []string{id}, Messages: goclient.PtrTo("gone")},
		"conversations":        {UserIds: []string{id}, Conversations: pruning},
		"user_ids":             {UserIds: []string{}},
		"new_channel_owner_id": {UserIds: []string{id}, NewChannelOwnerID: &unknown},
		"new_call_owner_id":    {UserIds: []string{id}, NewCallOwnerID: &id},
	} {
		t.refused(outcomeOf(t.client.DeleteUsers(request)), 400, 4, failedWith("DeleteUsers"), field)
		t.refused(outcomeOf(t.client.PreviewUserDeletion(request)), 400, 4, failedWith("PreviewUserDeletion"), field)
	}
	t.equal("afterwards", t.found(among([]string{id})), []string{id})
}
