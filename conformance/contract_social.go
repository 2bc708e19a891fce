// What v2.md sections 2.3, 3.4, 3.7, 3.10 and 6 and semantics 12 and 14 say about blocks, mutes, devices and push preferences.
package main

import (
	"fmt"
	"time"

	"headwater/conformance/goclient"
)

// people stores users of whom only the id is known.
func (t *trial) people(names ...string) []string {
	ids := t.ids(names...)
	for _, id := range ids {
		t.upsertOne(goclient.UserRequest{ID: id})
	}
	return ids
}

func (t *trial) blocks(user string) []goclient.BlockedUserResponse {
	response, err := t.client.GetBlockedUsers(user)
	t.noError(err)
	return response.Data.Blocks
}

// blocksListed: a fresh blocker has exactly one entry after one block, and none after the unblock.
func blocksListed(t *trial) {
	people := t.people("blocker", "blocked")
	blocker, blocked := people[0], people[1]
	t.equal("blocks of a fresh user", t.blocks(blocker), []any{})
	request := &goclient.BlockUsersRequest{BlockedUserID: blocked, UserID: &blocker}
	made, err := t.client.BlockUsers(request)
	t.noError(err)
	t.equal("blocked_by_user_id", made.Data.BlockedByUserID, blocker)
	t.equal("blocked_user_id", made.Data.BlockedUserID, blocked)
	again, err := t.client.BlockUsers(request)
	t.noError(err)
	t.equal("created_at of the second time", again.Data.CreatedAt, made.Data.CreatedAt)

	list := t.blocks(blocker)
	t.equal("number of blocks", len(list), 1)
	t.equal("user_id and blocked_user_id", []string{list[0].UserID, list[0].BlockedUserID}, []string{blocker, blocked})
	t.equal("the users of the entry", []string{list[0].User.ID, list[0].BlockedUser.ID}, []string{blocker, blocked})
	t.equal("created_at of the entry", list[0].CreatedAt, made.Data.CreatedAt)
	t.equal("blocked_user_ids of the blocker", t.find(blocker).BlockedUserIDs, []string{blocked})
	t.equal("blocked_user_ids of the blocked", t.find(blocked).BlockedUserIDs, []string{})

	t.noError(outcomeOf(t.client.UnblockUsers(request)))
	t.noError(outcomeOf(t.client.UnblockUsers(request)))
	t.equal("blocks after the unblock", t.blocks(blocker), []any{})
	t.equal("blocked_user_ids after the unblock", t.find(blocker).BlockedUserIDs, []string{})
}

func blocksRefused(t *trial) {
	user, stranger := t.people("lonely")[0], t.id("stranger")
	oneself := &goclient.BlockUsersRequest{BlockedUserID: user, User: &goclient.ActingUser{ID: user}}
	t.refused(outcomeOf(t.client.BlockUsers(oneself)), 400, 4, failedWith("BlockUsers"), "blocked_user_id")
	unknown := &goclient.BlockUsersRequest{BlockedUserID: stranger, UserID: &user}
	t.refused(outcomeOf(t.client.BlockUsers(unknown)), 404, 16, failedWith("BlockUsers"), stranger)
	nobody := &goclient.BlockUsersRequest{BlockedUserID: user}
	t.refused(outcomeOf(t.client.BlockUsers(nobody)), 400, 4, failedWith("BlockUsers"), "user_id")
	t.refused(outcomeOf(t.client.GetBlockedUsers(stranger)), 404, 16, failedWith("GetBlockedUsers"), stranger)
}

// blocksOfClient: a user blocks for itself, and sees its own list only.
func blocksOfClient(t *trial) {
	people := t.people("alice", "bob")
	alice, bob := t.asUser(people[0]), t.asUser(people[1])
	t.noError(outcomeOf(alice.BlockUsers(&goclient.BlockUsersRequest{BlockedUserID: people[1]})))
	list, err := alice.GetBlockedUsers("")
	t.noError(err)
	t.equal("number of blocks", len(list.Data.Blocks), 1)
	t.refused(outcomeOf(bob.GetBlockedUsers(people[0])), 403, 17, failedWith("GetBlockedUsers"), "user_id")
}

// mutesWithoutEnd: mutes[0] has both users and no end; the own user lists it; unmuting succeeds, also twice.
func mutesWithoutEnd(t *trial) {
	people := t.people("muter", "muted")
	muter, muted := people[0], people[1]
	response, err := t.client.Mute(&goclient.MuteRequest{TargetIDs: []string{muted}, UserID: &muter})
	t.noError(err)
	mutes := response.Data.Mutes
	t.equal("number of mutes", len(mutes), 1)
	t.require(mutes[0].User != nil && mutes[0].Target != nil, "a mute lacks its users")
	t.equal("the users of the mute", []string{mutes[0].User.ID, mutes[0].Target.ID}, []string{muter, muted})
	t.require(mutes[0].Expires == nil, "a mute without timeout expires")
	t.require(response.Data.OwnUser != nil, "there is no own user")
	t.equal("the own user", response.Data.OwnUser.ID, muter)
	t.equal("mutes of the own user", response.Data.OwnUser.Mutes, mutes)
	t.equal("number of mutes found", len(t.find(muter).Mutes), 1)
	for range 2 {
		t.noError(outcomeOf(t.client.Unmute(&goclient.UnmuteRequest{TargetIDs: []string{muted}, UserID: &muter})))
	}
	t.equal("mutes after the unmute", t.find(muter).Mutes, []any{})
}

// mutesWithTimeout: two users for an hour, then one of them for ever; who does not exist is named.
func mutesWithTimeout(t *trial) {
	people, stranger := t.people("muter", "first", "second"), t.id("stranger")
	request := &goclient.MuteRequest{
		TargetIDs: []string{people[1], people[2], stranger}, UserID: &people[0], Timeout: goclient.PtrTo(60),
	}
	response, err := t.client.Mute(request)
	t.noError(err)
	t.equal("number of mutes", len(response.Data.Mutes), 2)
	t.equal("non_existing_users", response.Data.NonExistingUsers, []string{stranger})
	for place, mute := range response.Data.Mutes {
		t.require(mute.Expires != nil && mute.User != nil && mute.Target != nil, "a mute lacks its users or its end")
		t.equal("who is muted", mute.Target.ID, people[place+1])
		t.equal("minutes", (int64(*mute.Expires)-int64(mute.UpdatedAt))/int64(time.Minute), 60)
	}
	first := response.Data.Mutes[0]
	request.TargetIDs, request.Timeout = people[1:2], nil
	response, err = t.client.Mute(request)
	t.noError(err)
	again := response.Data.Mutes[0]
	t.require(again.Expires == nil, "the new mute has the end of the old one")
	t.equal("created_at", again.CreatedAt, first.CreatedAt)
	t.require(again.UpdatedAt > first.UpdatedAt, "updated_at stays")
}

func mutesRefused(t *trial) {
	people := t.people("muter", "muted")
	many := make([]string, 101)
	for place := range many {
		many[place] = fmt.Sprintf("u%d", place)
	}
	for _, request := range []goclient.MuteRequest{
		{TargetIDs: people[:1]}, {}, {TargetIDs: []string{}}, {TargetIDs: many}, {TargetIDs: []string{people[1], people[1]}},
	} {
		request.UserID = &people[0]
		t.refused(outcomeOf(t.client.Mute(&request)), 400, 4, failedWith("Mute"), "target_ids")
	}
	for _, minutes := range []int{0, -1, 1 << 40} {
		request := &goclient.MuteRequest{TargetIDs: people[1:], UserID: &people[0], Timeout: &minutes}
		t.refused(outcomeOf(t.client.Mute(request)), 400, 4, failedWith("Mute"), "timeout")
	}
	t.equal("mutes afterwards", t.find(people[0]).Mutes, []any{})
}

// devicesListed: devices of both providers show who delivers and whose they are, and are gone once deleted.
func devicesListed(t *trial) {
	user := t.people("owner")[0]
	for _, provider := range []string{"firebase", "apn"} {
		device := &goclient.CreateDeviceRequest{ID: provider + "-" + user, PushProvider: provider, UserID: &user}
		t.noError(outcomeOf(t.client.CreateDevice(device)))
		t.noError(outcomeOf(t.client.CreateDevice(device)))
	}
	listed, err := t.client.ListDevices(user)
	t.noError(err)
	t.equal("number of devices", len(listed.Data.Devices), 2)
	for place, provider := range []string{"firebase", "apn"} {
		device := listed.Data.Devices[place]
		t.equal("the device", []string{device.ID, device.PushProvider, device.UserID}, []string{provider + "-" + user, provider, user})
		t.noError(outcomeOf(t.client.DeleteDevice(device.ID, user)))
		t.refused(outcomeOf(t.client.DeleteDevice(device.ID, user)), 404, 16, failedWith("DeleteDevice"), device.ID)
	}
	listed, err = t.client.ListDevices(user)
	t.noError(err)
	t.equal("devices after the deletion", listed.Data.Devices, []any{})
}

// devicesMove: a token is with one user at a time, keeps its first day with it, and the oldest of too many goes.
func devicesMove(t *trial) {
	people := t.people("first", "second")
	device := &goclient.CreateDeviceRequest{ID: "token-" + people[0], PushProvider: "apn", UserID: &people[0], VoipToken: goclient.PtrTo(true)}
	t.noError(outcomeOf(t.client.CreateDevice(device)))
	before := t.find(people[0]).Devices[0]
	t.equal("voip", before["voip"], true)
	device.VoipToken = nil
	t.noError(outcomeOf(t.client.CreateDevice(device)))
	after := t.find(people[0]).Devices[0]
	t.equal("voip", after["voip"], nil)
	t.equal("created_at", after["created_at"], before["created_at"])
	device.UserID = &people[1]
	t.noError(outcomeOf(t.client.CreateDevice(device)))
	t.equal("devices of the first user", t.find(people[0]).Devices, []any{})
	for number := range 25 {
		more := &goclient.CreateDeviceRequest{ID: fmt.Sprintf("%d-%s", number, people[1]), PushProvider: "huawei", UserID: &people[1]}
		t.noError(outcomeOf(t.client.CreateDevice(more)))
	}
	devices := t.find(people[1]).Devices
	t.equal("number of devices", len(devices), 25)
	t.equal("the oldest device", devices[0]["id"], "0-"+people[1])
	unknown := &goclient.CreateDeviceRequest{ID: "x", PushProvider: "pigeon", UserID: &people[0]}
	t.refused(outcomeOf(t.client.CreateDevice(unknown)), 400, 4, failedWith("CreateDevice"), "push_provider")
}

func (t *trial) prefer(entries ...goclient.PushPreferenceInput) map[string]goclient.PushPreferencesResponse {
	response, err := t.client.UpdatePushNotificationPreferences(&goclient.UpdatePushNotificationPreferencesRequest{Preferences: entries})
	t.noError(err)
	t.equal("user_channel_preferences", response.Data.UserChannelPreferences, object{})
	return response.Data.UserPreferences
}

// preferencesMerge: what is given replaces, what is not stays, 'default' and remove_disable take back.
func preferencesMerge(t *trial) {
	people := t.people("first", "second")
	first, second := people[0], people[1]
	until := goclient.Timestamp(time.Now().Add(time.Hour).UnixNano())
	got := t.prefer(
		goclient.PushPreferenceInput{UserID: &first, ChatLevel: text("mentions"), CallLevel: text("none"), DisabledUntil: &until},
		goclient.PushPreferenceInput{UserID: &second, ChatPreferences: map[string]string{"direct_mentions": "all"}},
	)
	t.equal("preferences", got, object{
		first:  object{"chat_level": "mentions", "call_level": "none", "disabled_until": until},
		second: object{"chat_preferences": object{"direct_mentions": "all"}},
	})
	got = t.prefer(goclient.PushPreferenceInput{UserID: &first, CallLevel: text("default"), RemoveDisable: goclient.PtrTo(true)})
	t.equal("preferences", got, object{first: object{"chat_level": "mentions"}})
	muted, err := t.client.Mute(&goclient.MuteRequest{TargetIDs: []string{second}, UserID: &first})
	t.noError(err)
	t.equal("push_preferences of the own user", muted.Data.OwnUser.PushPreferences, object{"chat_level": "mentions"})
}

func preferencesRefused(t *trial) {
	user := t.people("picky")[0]
	refused := func(status int, code int64, fragment string, entry goclient.PushPreferenceInput) {
		request := &goclient.UpdatePushNotificationPreferencesRequest{Preferences: []goclient.PushPreferenceInput{entry}}
		err := outcomeOf(t.client.UpdatePushNotificationPreferences(request))
		t.refused(err, status, code, failedWith("UpdatePushNotificationPreferences"), fragment)
	}
	refused(400, 4, "preferences.0.user_id", goclient.PushPreferenceInput{})
	refused(400, 4, "preferences.0.chat_level", goclient.PushPreferenceInput{UserID: &user, ChatLevel: text("some")})
	refused(400, 4, "preferences.0.channel_cid", goclient.PushPreferenceInput{UserID: &user, ChannelCid: text("messaging:nowhere")})
	stranger := t.id("stranger")
	refused(404, 16, stranger, goclient.PushPreferenceInput{UserID: &stranger})
}
