// What v2.md sections 2.9, 2.10, 3.10 and 6 and semantics 12.16 to 12.26 say about bans, flags and the bypass.
package main

import (
	"headwater/conformance/goclient"
)

func (t *trial) ban(request goclient.BanRequest) {
	_, err := t.client.Ban(&request)
	t.noError(err)
}

func (t *trial) unban(id string) {
	_, err := t.client.Unban(&goclient.UnbanRequest{TargetUserID: id})
	t.noError(err)
}

func (t *trial) bans(filter object) []goclient.BanResponse {
	response, err := t.client.QueryBannedUsers(&goclient.QueryBannedUsersPayload{FilterConditions: filter})
	t.noError(err)
	t.require(response.Data.Bans != nil, "bans is not an array")
	return response.Data.Bans
}

// users makes users with nothing but an id, and answers their ids.
func (t *trial) users(names ...string) []string {
	ids := t.ids(names...)
	for _, id := range ids {
		t.upsertOne(goclient.UserRequest{ID: id})
	}
	return ids
}

// bansAppWide: banned with a reason and a time, found, lifted, gone.
func bansAppWide(t *trial) {
	ids := t.users("banned", "moderator")
	before := t.find(ids[0])
	t.ban(goclient.BanRequest{TargetUserID: ids[0], BannedByID: &ids[1], Reason: text("spam"), Timeout: goclient.PtrTo(60)})
	bans := t.bans(object{"user_id": object{"$eq": ids[0]}})
	t.equal("number of bans", len(bans), 1)
	t.equal("reason", bans[0].Reason, "spam")
	t.equal("shadow", bans[0].Shadow, false)
	t.require(bans[0].Expires != nil, "expires is missing")
	const minute = 60_000_000_000
	t.equal("how long it lasts", *bans[0].Expires-bans[0].CreatedAt, 60*minute)
	t.equal("banned_by", bans[0].BannedBy.ID, ids[1])
	t.equal("user", bans[0].User.ID, ids[0])

	user := t.find(ids[0])
	t.equal("banned", user.Banned, true)
	t.equal("shadow_banned", user.ShadowBanned, false)
	t.equal("ban_expires", user.BanExpires, bans[0].Expires)
	t.equal("updated_at", user.UpdatedAt, before.UpdatedAt)
	among := object{"id": object{"$in": ids}, "banned": true}
	t.equal("found as banned", t.found(&goclient.QueryUsersPayload{FilterConditions: among}), ids[:1])

	t.unban(ids[0])
	t.equal("bans after it was lifted", t.bans(object{"user_id": ids[0]}), []any{})
	t.equal("banned after it was lifted", t.find(ids[0]).Banned, false)
	t.unban(ids[0])
}

// bansAgain: a ban takes the place of the one before; one without a time lasts for ever.
func bansAgain(t *trial) {
	id := t.users("again")[0]
	t.ban(goclient.BanRequest{TargetUserID: id, Reason: text("first"), Timeout: goclient.PtrTo(1)})
	t.ban(goclient.BanRequest{TargetUserID: id, BannedBy: &goclient.UserRequest{ID: t.users("other")[0]}})
	bans := t.bans(object{"user_id": id})
	t.equal("number of bans", len(bans), 1)
	t.equal("reason", bans[0].Reason, nil)
	t.equal("expires", bans[0].Expires, nil)
	t.require(bans[0].BannedBy != nil, "banned_by is missing")
}

func bansShadow(t *trial) {
	id := t.users("shadow")[0]
	t.ban(goclient.BanRequest{TargetUserID: id, Shadow: goclient.PtrTo(true)})
	t.equal("shadow", t.bans(object{"user_id": id})[0].Shadow, true)
	user := t.find(id)
	t.equal("banned", user.Banned, false)
	t.equal("shadow_banned", user.ShadowBanned, true)
	t.unban(id)
	t.equal("shadow_banned after it was lifted", t.find(id).ShadowBanned, false)
}

func bansQuery(t *trial) {
	ids := t.users("one", "two", "three")
	for _, id := range ids {
		t.ban(goclient.BanRequest{TargetUserID: id, Reason: text(t.id("reason"))})
	}
	found := func(payload goclient.QueryBannedUsersPayload) []string {
		payload.FilterConditions = object{"user_id": object{"$in": ids}}
		response, err := t.client.QueryBannedUsers(&payload)
		t.noError(err)
		found := []string{}
		for _, ban := range response.Data.Bans {
			found = append(found, ban.User.ID)
		}
		return found
	}
	t.equal("newest first", found(goclient.QueryBannedUsersPayload{}), []string{ids[2], ids[1], ids[0]})
	oldest := []goclient.SortParam{{Field: "created_at", Direction: goclient.PtrTo(1)}}
	t.equal("oldest first", found(goclient.QueryBannedUsersPayload{Sort: oldest}), ids)
	page := goclient.QueryBannedUsersPayload{Limit: goclient.PtrTo(1), Offset: goclient.PtrTo(1)}
	t.equal("a page", found(page), ids[1:2])
	t.equal("bans with the reason", len(t.bans(object{"reason": t.id("reason")})), 3)
	t.equal("bans of a channel", t.bans(object{"channel_cid": "messaging:" + t.id("c")}), []any{})
	unknown := goclient.QueryBannedUsersPayload{FilterConditions: object{"name": "x"}}
	t.refused(outcomeOf(t.client.QueryBannedUsers(&unknown)), 400, 4, failedWith("QueryBannedUsers"), "filter_conditions.name")
}

func bansRefused(t *trial) {
	id := t.users("spared")[0]
	for _, refusal := range []struct {
		request  goclient.BanRequest
		status   int
		fragment string
	}{
		{goclient.BanRequest{TargetUserID: t.id("nobody")}, 404, "does not exist"},
		{goclient.BanRequest{TargetUserID: id, BannedByID: &id}, 400, "target_user_id"},
		{goclient.BanRequest{TargetUserID: id, BannedByID: text(t.id("nobody"))}, 404, "does not exist"},
		{goclient.BanRequest{TargetUserID: id, Timeout: goclient.PtrTo(0)}, 400, "timeout"},
		{goclient.BanRequest{TargetUserID: id, Timeout: goclient.PtrTo(-5)}, 400, "timeout"},
		{goclient.BanRequest{TargetUserID: id, DeleteMessages: text("all")}, 400, "delete_messages"},
		{goclient.BanRequest{TargetUserID: id, ChannelCid: text("messaging:none")}, 400, "channel_cid"},
	} {
		code := int64(4)
		if refusal.status == 404 {
			code = 16
		}
		t.refused(outcomeOf(t.client.Ban(&refusal.request)), refusal.status, code, failedWith("Ban"), refusal.fragment)
	}
	t.equal("bans", t.bans(object{"user_id": id}), []any{})
	nobody := goclient.UnbanRequest{TargetUserID: t.id("nobody")}
	t.refused(outcomeOf(t.client.Unban(&nobody)), 404, 16, failedWith("Unban"), "does not exist")
}

func (t *trial) flag(request goclient.FlagRequest) string {
	response, err := t.client.Flag(&request)
	t.noError(err)
	t.require(response.Data.ItemID != "", "item_id is empty")
	return response.Data.ItemID
}

func (t *trial) flags(request goclient.QueryModerationFlagsRequest) goclient.QueryModerationFlagsResponse {
	response, err := t.client.QueryModerationFlags(&request)
	t.noError(err)
	return response.Data
}

// flagsOfUsers: all who report one user get one item, and the second report of one of them is none.
func flagsOfUsers(t *trial) {
	ids := t.users("flagged", "ann", "zoe")
	flag := func(by string) string {
		return t.flag(goclient.FlagRequest{EntityType: "stream:user", EntityID: ids[0], UserID: &by, Reason: text("spam"), Custom: object{"a": 1}})
	}
	item := flag(ids[1])
	t.equal("item_id of the same user", flag(ids[1]), item)
	t.equal("item_id of another user", flag(ids[2]), item)
	found := t.flags(goclient.QueryModerationFlagsRequest{Filter: object{"entity_creator_id": ids[0]}})
	t.equal("number of flags", len(found.Flags), 2)
	latest := found.Flags[0]
	t.equal("user_id", latest.UserID, ids[2])
	t.equal("user", latest.User.ID, ids[2])
	t.equal("entity_id", latest.EntityID, ids[0])
	t.equal("entity_type", latest.EntityType, "stream:user")
	t.equal("reason", latest.Reason, "spam")
	t.equal("custom", latest.Custom, object{"a": 1})
	t.equal("review_queue_item_id", latest.ReviewQueueItemID, item)
	counted, err := t.client.GetFlagCount(&goclient.GetFlagCountRequest{EntityCreatorID: ids[0], EntityType: text("user")})
	t.noError(err)
	t.equal("count", counted.Data.Count, 2)
	t.equal("banned", t.find(ids[0]).Banned, false)

	again := goclient.FlagRequest{EntityType: "user", EntityID: ids[1], UserID: &ids[1]}
	t.refused(outcomeOf(t.client.Flag(&again)), 400, 4, failedWith("Flag"), "entity_id")
	again.EntityID = t.id("nobody")
	t.refused(outcomeOf(t.client.Flag(&again)), 404, 16, failedWith("Flag"), "does not exist")
	again.EntityType, again.EntityID = "stream:chat:v1:message", "none"
	t.refused(outcomeOf(t.client.Flag(&again)), 400, 4, failedWith("Flag"), "entity_type")
}

// flagsPages: pages follow each other by their cursors, in both directions.
func flagsPages(t *trial) {
	reporter := t.users("reporter")[0]
	for _, name := range []string{"a", "b", "c"} {
		t.flag(goclient.FlagRequest{EntityType: "photo", EntityID: name, User: &goclient.UserRequest{ID: reporter}})
	}
	entities := func(page goclient.QueryModerationFlagsResponse) []string {
		found := []string{}
		for _, flag := range page.Flags {
			found = append(found, flag.EntityID)
		}
		return found
	}
	request := goclient.QueryModerationFlagsRequest{
		Filter: object{"user_id": reporter},
		Sort:   []goclient.SortParam{{Field: "created_at", Direction: goclient.PtrTo(1)}},
		Limit:  goclient.PtrTo(2),
	}
	first := t.flags(request)
	t.equal("the first page", entities(first), []string{"a", "b"})
	t.require(first.Next != nil && first.Prev == nil, "the cursors of the first page are %v and %v", first.Next, first.Prev)
	request.Next = first.Next
	second := t.flags(request)
	t.equal("the second page", entities(second), []string{"c"})
	t.require(second.Next == nil && second.Prev != nil, "the cursors of the last page are %v and %v", second.Next, second.Prev)
	request.Next, request.Prev = nil, second.Prev
	t.equal("the first page again", entities(t.flags(request)), []string{"a", "b"})
	request.Prev = text("nonsense")
	t.refused(outcomeOf(t.client.QueryModerationFlags(&request)), 400, 4, failedWith("QueryModerationFlags"), "prev")
}

func bypassModeration(t *trial) {
	id := t.users("trusted")[0]
	for _, enabled := range []bool{true, false} {
		_, err := t.client.Bypass(&goclient.BypassRequest{TargetUserID: id, Enabled: enabled})
		t.noError(err)
		shown := t.find(id).BypassModeration
		t.equal("bypass_moderation", shown != nil && *shown, enabled)
	}
	nobody := goclient.BypassRequest{TargetUserID: t.id("nobody"), Enabled: true}
	t.refused(outcomeOf(t.client.Bypass(&nobody)), 404, 16, failedWith("Bypass"), "does not exist")
}
