// What v2.md sections 2.2, 3.5, 4 and 6 and semantics 11 say about exports of users.
package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"

	"headwater/conformance/goclient"
)

var exportAddress = regexp.MustCompile(`^http://[^/]+/exports/users/[0-9a-f]{64}\.jsonl$`)

// exportLine is a line of the file of an export.
type exportLine struct {
	Type string         `json:"type"`
	Data map[string]any `json:"data"`
}

// name says what a line is of: the id of a user or a message, or the message that was reacted to.
func (line exportLine) name() string {
	if line.Type == "reaction" {
		return "reaction to " + line.Data["message_id"].(string)
	}
	return line.Type + " " + line.Data["id"].(string)
}

// exported exports users into a file and returns its address.
func (t *trial) exported(ids ...string) string {
	response, err := t.client.ExportUsers(&goclient.ExportUsersRequest{UserIds: ids})
	t.noError(err)
	t.require(uuid.MatchString(response.Data.TaskID), "task_id is %q", response.Data.TaskID)
	task, err := t.client.WaitForTask(response.Data.TaskID, taskPatience)
	t.noError(err)
	t.equal("keys of the result", len(task.Data.Result), 1)
	address, _ := task.Data.Result["url"].(string)
	t.require(exportAddress.MatchString(address), "the address is %q", address)
	return address
}

// download reads a file as whoever knows its address does: with no key and no token.
func (t *trial) download(address string) []string {
	answer, err := http.Get(address)
	t.noError(err)
	defer answer.Body.Close()
	t.equal("status", answer.StatusCode, 200)
	t.equal("type", answer.Header.Get("Content-Type"), "application/x-ndjson")
	text, err := io.ReadAll(answer.Body)
	t.noError(err)
	names := []string{}
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var read exportLine
		t.noError(json.Unmarshal([]byte(line), &read))
		names = append(names, read.name())
	}
	return names
}

// exportBare is v2.md 6: of a user without content there is an answer as well, and the task of many completes.
func exportBare(t *trial) {
	id := t.existingUser("bare")
	response, err := t.client.ExportUser(id)
	t.noError(err)
	t.equal("the user", response.Data.User.ID, id)
	t.equal("messages and reactions", len(response.Data.Messages)+len(response.Data.Reactions), 0)
	t.equal("the file", t.download(t.exported(id)), []string{"user " + id})
}

// exportContent is semantics 11.1, 11.5 and 10.20: messages, deleted ones too, and reactions, at once and in a file.
func exportContent(t *trial) {
	people := t.people("writer", "reader")
	room := t.id("room")
	t.channel(room, people...)
	kept, deleted := t.message(room, people[0], "kept"), t.message(room, people[0], "deleted")
	answered := t.message(room, people[1], "answered")
	like := &goclient.SendReactionRequest{Reaction: goclient.ReactionRequest{Type: "like", UserID: &people[0]}}
	t.noError(outcomeOf(t.client.SendReaction(answered.ID, like)))
	t.noError(outcomeOf(t.client.DeleteMessage(deleted.ID, false)))
	response, err := t.client.ExportUser(people[0])
	t.noError(err)
	messages := []string{}
	for _, message := range response.Data.Messages {
		messages = append(messages, message.ID+" "+message.Type+" "+message.Text)
		t.equal("the author", message.User.ID, people[0])
	}
	t.equal("messages", messages, []string{kept.ID + " regular kept", deleted.ID + " deleted deleted"})
	t.equal("reactions", len(response.Data.Reactions), 1)
	t.equal("the reaction", response.Data.Reactions[0].MessageID, answered.ID)
	t.equal("the file", t.download(t.exported(people...)), []string{
		"user " + people[0], "message " + kept.ID, "message " + deleted.ID, "reaction to " + answered.ID,
		"user " + people[1], "message " + answered.ID,
	})
}

// exportAddresses is semantics 11.4: an address for each export, told to who asks for the task, and nothing but it opens the file.
func exportAddresses(t *trial) {
	id := t.existingUser("shown")
	first, second := t.exported(id), t.exported(id)
	t.require(first != second, "two exports have the address %s", first)
	for address, status := range map[string]int{
		first: 200, first[:len(first)-1]: 404, strings.Replace(first, "/users/", "/users/0", 1): 404,
	} {
		answer, err := http.Head(address)
		t.noError(err)
		t.noError(answer.Body.Close())
		t.equal("status of HEAD "+address, answer.StatusCode, status)
	}
}

// exportOfDeleted: whoever is deleted for good is in no file any more.
func exportOfDeleted(t *trial) {
	ids := t.three()
	address := t.exported(ids...)
	t.deleted(gone(ids[1]))
	t.equal("the file", t.download(address), []string{"user " + ids[0], "user " + ids[2]})
	t.refused(outcomeOf(t.client.ExportUser(ids[1])), 404, 16, failedWith("ExportUser"), ids[1])
	request := &goclient.ExportUsersRequest{UserIds: ids}
	t.refused(outcomeOf(t.client.ExportUsers(request)), 404, 16, failedWith("ExportUsers"), ids[1])
}

// exportRefused: unknown ids are listed, and refuse the whole; clients export nobody (semantics 7.22).
func exportRefused(t *trial) {
	known, unknown, other := t.existingUser("known"), t.id("unknown"), t.id("other")
	for _, ids := range [][]string{{}, {known, known}, {known, unknown, other}} {
		fragments := []string{failedWith("ExportUsers"), "user_ids"}
		if len(ids) == 3 {
			fragments = append(fragments, unknown, other)
		}
		t.refused(outcomeOf(t.client.ExportUsers(&goclient.ExportUsersRequest{UserIds: ids})), 400, 4, fragments...)
	}
	t.refused(outcomeOf(t.client.ExportUsers(nil)), 400, 4, failedWith("ExportUsers"), "user_ids")
	t.refused(outcomeOf(t.client.ExportUser(unknown)), 404, 16, failedWith("ExportUser"), unknown)
	user := t.asUser(known)
	t.refused(outcomeOf(user.ExportUser(known)), 403, 17, failedWith("ExportUser"))
	t.refused(outcomeOf(user.ExportUsers(&goclient.ExportUsersRequest{UserIds: []string{known}})), 403, 17, failedWith("ExportUsers"))
}
