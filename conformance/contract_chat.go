// What v2.md sections 2.11 and 6 and semantics 10.16 and 12 say about channels, messages and reactions.
package main

import (
	"headwater/conformance/goclient"
)

// members are requests to be one.
func members(ids ...string) []goclient.ChannelMemberRequest {
	requests := []goclient.ChannelMemberRequest{}
	for _, id := range ids {
		requests = append(requests, goclient.ChannelMemberRequest{UserID: id})
	}
	return requests
}

// channel makes a channel of its first member that is deleted when the example ends, whatever it found.
func (t *trial) channel(id string, people ...string) goclient.ChannelStateResponse {
	data := &goclient.ChannelInput{CreatedByID: &people[0], Members: members(people...)}
	response, err := t.client.GetOrCreateChannel("messaging", id, &goclient.GetOrCreateChannelRequest{Data: data})
	t.noError(err)
	t.undo = append(t.undo, func() { t.client.DeleteChannel("messaging", id, true) })
	t.require(response.Data.Channel != nil, "there is no channel")
	return response.Data
}

func (t *trial) readChannel(id string) goclient.ChannelStateResponse {
	response, err := t.client.GetChannel("messaging", id)
	t.noError(err)
	return response.Data
}

func (t *trial) message(channel, author, words string) goclient.MessageResponse {
	request := &goclient.SendMessageRequest{Message: goclient.MessageRequest{Text: &words, UserID: &author}}
	response, err := t.client.SendMessage("messaging", channel, request)
	t.noError(err)
	return response.Data.Message
}

func memberIDs(members []goclient.ChannelMemberResponse) []string {
	ids := []string{}
	for _, member := range members {
		ids = append(ids, *member.UserID)
	}
	return ids
}

// channelsCreated: creating echoes type and created_by.id; members are visible in the next read, as channel_member.
func channelsCreated(t *trial) {
	people, id := t.people("creator", "member"), t.id("channel")
	state := t.channel(id, people...)
	t.equal("type", state.Channel.Type, "messaging")
	t.equal("cid", state.Channel.Cid, "messaging:"+id)
	t.equal("created_by.id", state.Channel.CreatedBy.ID, people[0])
	read := t.readChannel(id)
	t.equal("members", memberIDs(read.Members), people)
	for _, member := range read.Members {
		t.equal("channel_role", member.ChannelRole, "channel_member")
		t.equal("user of the member", member.User.ID, *member.UserID)
	}
	again := t.channel(id, people[1])
	t.equal("created_by.id of the second time", again.Channel.CreatedBy.ID, people[0])
	t.equal("created_at of the second time", again.Channel.CreatedAt, state.Channel.CreatedAt)
}

// channelsDistinct: channels with the same members share one cid, in whatever order these are named.
func channelsDistinct(t *trial) {
	people := t.people("one", "two", "three")
	shared := func(ids ...string) string {
		data := &goclient.ChannelInput{CreatedByID: &people[0], Members: members(ids...)}
		response, err := t.client.GetOrCreateDistinctChannel("messaging", &goclient.GetOrCreateChannelRequest{Data: data})
		t.noError(err)
		channel := response.Data.Channel
		t.undo = append(t.undo, func() { t.client.DeleteChannel("messaging", channel.ID, true) })
		return channel.Cid
	}
	first := shared(people[0], people[1])
	t.equal("cid of the same members", shared(people[1], people[0]), first)
	t.require(shared(people...) != first, "other members have the same channel")
	nobody := &goclient.GetOrCreateChannelRequest{Data: &goclient.ChannelInput{CreatedByID: &people[0]}}
	t.refused(outcomeOf(t.client.GetOrCreateDistinctChannel("messaging", nobody)), 400, 4, failedWith("GetOrCreateDistinctChannel"), "data.members")
}

// channelsRefused: members must exist, the creator too, and GetChannel never creates anything.
func channelsRefused(t *trial) {
	creator, stranger, id := t.people("creator")[0], t.id("stranger"), t.id("channel")
	create := func(data goclient.ChannelInput) error {
		return outcomeOf(t.client.GetOrCreateChannel("messaging", id, &goclient.GetOrCreateChannelRequest{Data: &data}))
	}
	t.refused(create(goclient.ChannelInput{CreatedByID: &creator, Members: members(stranger)}), 400, 4, failedWith("GetOrCreateChannel"), "data.members", stranger)
	t.refused(create(goclient.ChannelInput{CreatedByID: &stranger}), 404, 16, failedWith("GetOrCreateChannel"), stranger)
	t.refused(create(goclient.ChannelInput{}), 400, 4, failedWith("GetOrCreateChannel"), "data.created_by_id")
	t.refused(outcomeOf(t.client.GetChannel("messaging", id)), 404, 16, failedWith("GetChannel"), id)
	t.refused(outcomeOf(t.client.GetOrCreateChannel("no-such-type", id, &goclient.GetOrCreateChannelRequest{Data: &goclient.ChannelInput{CreatedByID: &creator}})),
		400, 4, failedWith("GetOrCreateChannel"), "type")
}

// channelsMembers: they come, moderators get channel_moderator, and go.
func channelsMembers(t *trial) {
	people, id := t.people("creator", "second", "third"), t.id("channel")
	t.channel(id, people[0])
	added := members(people[1], people[2])
	added[1].ChannelRole = text("channel_moderator")
	added[1].Custom = object{"color": "blue"}
	response, err := t.client.UpdateChannel("messaging", id, &goclient.UpdateChannelRequest{AddMembers: added})
	t.noError(err)
	t.equal("members", memberIDs(response.Data.Members), people)
	t.equal("channel_role", response.Data.Members[2].ChannelRole, "channel_moderator")
	t.equal("custom", response.Data.Members[2].Custom, object{"color": "blue"})
	t.equal("member_count", response.Data.Channel.MemberCount, 3)
	response, err = t.client.UpdateChannel("messaging", id, &goclient.UpdateChannelRequest{RemoveMembers: people[1:]})
	t.noError(err)
	t.equal("members that stay", memberIDs(response.Data.Members), people[:1])
	unserved := &goclient.UpdateChannelRequest{AddMembers: added, Cooldown: goclient.PtrTo(5)}
	t.refused(outcomeOf(t.client.UpdateChannel("messaging", id, unserved)), 400, 4, failedWith("UpdateChannel"), "cooldown")
	t.equal("members after a refusal", memberIDs(t.readChannel(id).Members), people[:1])
}

// channelsDeleted: deleting answers the channel with deleted_at; what was written in it does not come back.
func channelsDeleted(t *trial) {
	creator, id := t.people("creator")[0], t.id("channel")
	t.channel(id, creator)
	sent := t.message(id, creator, "hello")
	deleted, err := t.client.DeleteChannel("messaging", id, false)
	t.noError(err)
	t.require(deleted.Data.Channel != nil && deleted.Data.Channel.DeletedAt != nil, "there is no deleted_at")
	t.refused(outcomeOf(t.client.GetChannel("messaging", id)), 404, 16, failedWith("GetChannel"), id)
	t.refused(outcomeOf(t.client.GetMessage(sent.ID)), 404, 16, failedWith("GetMessage"), sent.ID)
	t.equal("messages of the one in its place", len(t.channel(id, creator).Messages), 0)
	t.noError(outcomeOf(t.client.DeleteChannel("messaging", id, true)))
	t.refused(outcomeOf(t.client.DeleteChannel("messaging", id, true)), 404, 16, failedWith("DeleteChannel"), id)
}

// messagesSent: the sender's member.channel_role is in the message; it is in the next read of the channel.
func messagesSent(t *trial) {
	people, id := t.people("author", "reader"), t.id("channel")
	t.channel(id, people...)
	request := &goclient.SendMessageRequest{Message: goclient.MessageRequest{Text: text("hello"), UserID: &people[0],
		Attachments: []map[string]any{{"type": "image", "image_url": "https://example.com/a.png"}}, Custom: object{"mood": "good"}}}
	response, err := t.client.SendMessage("messaging", id, request)
	t.noError(err)
	sent := response.Data.Message
	t.equal("text", sent.Text, "hello")
	t.equal("type", sent.Type, "regular")
	t.equal("user.id", sent.User.ID, people[0])
	t.equal("cid", sent.Cid, "messaging:"+id)
	t.equal("custom", sent.Custom, object{"mood": "good"})
	t.require(sent.Member != nil, "there is no member")
	t.equal("member.channel_role", sent.Member.ChannelRole, "channel_member")
	t.equal("attachments", sent.Attachments, []object{{"type": "image", "image_url": "https://example.com/a.png", "custom": object{}}})
	state := t.readChannel(id)
	t.equal("number of messages", len(state.Messages), 1)
	t.equal("the message in the channel", state.Messages[0], sent)
	t.equal("message_count", state.Channel.MessageCount, 1)
	found, err := t.client.GetMessage(sent.ID)
	t.noError(err)
	t.equal("channel of the message", found.Data.Message.Channel.Cid, sent.Cid)

	again := &goclient.SendMessageRequest{Message: goclient.MessageRequest{ID: &sent.ID, Text: text("again"), UserID: &people[0]}}
	t.refused(outcomeOf(t.client.SendMessage("messaging", id, again)), 400, 4, failedWith("SendMessage"), "message.id")
	stranger := t.id("stranger")
	unknown := &goclient.SendMessageRequest{Message: goclient.MessageRequest{Text: text("hi"), UserID: &stranger}}
	t.refused(outcomeOf(t.client.SendMessage("messaging", id, unknown)), 404, 16, failedWith("SendMessage"), stranger)
}

// messagesDeleted: soft or hard answers type deleted; a soft-deleted one is still read by servers.
func messagesDeleted(t *trial) {
	author, id := t.people("author")[0], t.id("channel")
	t.channel(id, author)
	for _, hard := range []bool{false, true} {
		sent := t.message(id, author, "hello")
		deleted, err := t.client.DeleteMessage(sent.ID, hard)
		t.noError(err)
		t.equal("type", deleted.Data.Message.Type, "deleted")
		t.require(deleted.Data.Message.DeletedAt != nil, "there is no deleted_at")
		if hard {
			t.refused(outcomeOf(t.client.GetMessage(sent.ID)), 404, 16, failedWith("GetMessage"), sent.ID)
			continue
		}
		found, err := t.client.GetMessage(sent.ID)
		t.noError(err)
		t.equal("type of the message read back", found.Data.Message.Type, "deleted")
	}
}

// messagesOfClients: members write and read, others learn of nothing; a banned one reads and does not write.
func messagesOfClients(t *trial) {
	people, id := t.people("author", "stranger"), t.id("channel")
	t.channel(id, people[0])
	author, stranger := t.asUser(people[0]), t.asUser(people[1])
	hello := &goclient.SendMessageRequest{Message: goclient.MessageRequest{Text: text("hello")}}
	response, err := author.SendMessage("messaging", id, hello)
	t.noError(err)
	sent := response.Data.Message
	t.refused(outcomeOf(stranger.SendMessage("messaging", id, hello)), 404, 16, failedWith("SendMessage"), id)
	t.refused(outcomeOf(stranger.GetChannel("messaging", id)), 404, 16, failedWith("GetChannel"), id)
	t.refused(outcomeOf(stranger.GetMessage(sent.ID)), 404, 16, failedWith("GetMessage"), sent.ID)
	t.refused(outcomeOf(author.DeleteMessage(sent.ID, true)), 403, 17, failedWith("DeleteMessage"), "hard")
	moderator := t.people("moderator")[0]
	t.noError(outcomeOf(t.client.Ban(&goclient.BanRequest{TargetUserID: people[0], BannedByID: &moderator})))
	t.refused(outcomeOf(author.SendMessage("messaging", id, hello)), 403, 17, failedWith("SendMessage"), "banned")
	named := &goclient.SendMessageRequest{Message: goclient.MessageRequest{Text: text("hello"), UserID: &people[0]}}
	t.refused(outcomeOf(t.client.SendMessage("messaging", id, named)), 403, 17, failedWith("SendMessage"), "banned")
	t.noError(outcomeOf(author.GetChannel("messaging", id)))
}

// messagesInTheShadow: a shadow-banned user writes on, and nobody else sees it.
func messagesInTheShadow(t *trial) {
	people, id := t.people("author", "reader", "moderator"), t.id("channel")
	t.channel(id, people[:2]...)
	t.noError(outcomeOf(t.client.Ban(&goclient.BanRequest{TargetUserID: people[0], BannedByID: &people[2], Shadow: goclient.PtrTo(true)})))
	t.equal("shadowed", t.message(id, people[0], "hello").Shadowed, true)
	for place, want := range []int{1, 0} {
		state, err := t.asUser(people[place]).GetChannel("messaging", id)
		t.noError(err)
		t.equal("number of messages", len(state.Data.Messages), want)
	}
}

// reactionsGiven: added, listed, counted, taken back; enforce_unique leaves one for each user.
func reactionsGiven(t *trial) {
	people, id := t.people("author", "reader"), t.id("channel")
	t.channel(id, people...)
	sent := t.message(id, people[0], "hello")
	give := func(kind string, score int, unique bool) goclient.ReactionAnswer {
		request := &goclient.SendReactionRequest{Reaction: goclient.ReactionRequest{Type: kind, Score: &score, UserID: &people[1]}, EnforceUnique: &unique}
		response, err := t.client.SendReaction(sent.ID, request)
		t.noError(err)
		return response.Data
	}
	given := give("love", 5, false)
	t.equal("type", given.Reaction.Type, "love")
	t.equal("user.id", given.Reaction.User.ID, people[1])
	t.equal("message_id", given.Reaction.MessageID, sent.ID)
	t.equal("reaction_counts", given.Message.ReactionCounts, object{"love": 1})
	t.equal("reaction_scores", given.Message.ReactionScores, object{"love": 5})
	t.equal("own_reactions", given.Message.OwnReactions, []goclient.ReactionResponse{given.Reaction})
	t.equal("the same with another score", give("love", 7, false).Message.ReactionScores, object{"love": 7})
	give("wow", 1, false)
	listed, err := t.client.GetReactions(sent.ID)
	t.noError(err)
	t.equal("number of reactions", len(listed.Data.Reactions), 2)
	t.equal("what is left", give("sad", 1, true).Message.ReactionCounts, object{"sad": 1})
	taken, err := t.client.DeleteReaction(sent.ID, "sad", people[1])
	t.noError(err)
	t.equal("type of what was taken back", taken.Data.Reaction.Type, "sad")
	t.equal("reactions that are left", taken.Data.Message.LatestReactions, []any{})
	t.refused(outcomeOf(t.client.DeleteReaction(sent.ID, "sad", people[1])), 404, 16, failedWith("DeleteReaction"), "sad")
}
