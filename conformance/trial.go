package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"headwater/conformance/goclient"
)

// trial is one running example: the client it speaks with and the assertions it makes. An assertion that does not hold
// ends the example, so examples read top to bottom without error plumbing.
type trial struct {
	client *goclient.Client
	run    string
	number int
	undo   []func() // puts shared state (app settings) back
}

type (
	failure string
	skipped string
)

// judge runs the example, then its clean-up, whatever happened.
func (t *trial) judge(example example) (result outcome) {
	result = outcome{Name: example.name, Result: "ok"}
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case failure:
			result.Result, result.Why = "FAIL", string(reason)
		case skipped:
			result.Result, result.Why = "skip", string(reason)
		default:
			result.Result, result.Why = "FAIL", fmt.Sprintf("the example itself broke: %v", reason)
		}
	}()
	defer func() {
		for _, step := range t.undo {
			step()
		}
	}()
	example.run(t)
	return result
}

func (t *trial) fail(format string, args ...any) {
	panic(failure(fmt.Sprintf(format, args...)))
}

func (t *trial) require(holds bool, format string, args ...any) {
	if !holds {
		t.fail(format, args...)
	}
}

func (t *trial) noError(err error) {
	if err != nil {
		t.fail("%v", err)
	}
}

// equal compares as JSON: a nil pointer is null, *"x" is "x", a struct is the object it encodes to, and numbers compare by
// their digits.
func (t *trial) equal(what string, got, want any) {
	gotText, wantText := t.canonical(got), t.canonical(want)
	if gotText != wantText {
		gotText, wantText = difference(gotText, wantText)
		t.fail("%s is %s, want %s", what, gotText, wantText)
	}
}

// difference cuts two long texts down to the neighbourhood of the first byte in which they differ.
func difference(got, want string) (string, string) {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	cut := func(text string) string {
		if len(text) <= 300 {
			return text
		}
		return "... " + text[max(0, at-60):min(len(text), at+120)] + " ..."
	}
	return cut(got), cut(want)
}

// canonical encodes twice, the second time with sorted keys.
func (t *trial) canonical(value any) string {
	encoded, err := json.Marshal(value)
	t.noError(err)
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var plain any
	t.noError(decoder.Decode(&plain))
	encoded, err = json.Marshal(plain)
	t.noError(err)
	return string(encoded)
}

// notRefused says how an answer differs from the refusal that was expected, or "". The message must hold every fragment.
func notRefused(err error, status int, code int64, fragments ...string) string {
	var refusal *goclient.APIError
	if !errors.As(err, &refusal) || refusal.StatusCode != status || refusal.Code != code {
		return fmt.Sprintf("want HTTP %d code %d, got: %v", status, code, err) // nil means success
	}
	for _, fragment := range fragments {
		if !strings.Contains(refusal.Message, fragment) {
			return fmt.Sprintf("message %q does not contain %q", refusal.Message, fragment)
		}
	}
	return ""
}

func (t *trial) refused(err error, status int, code int64, fragments ...string) {
	why := notRefused(err, status, code, fragments...)
	t.require(why == "", "%s", why)
}

// failedWith is how the message of a refused operation begins.
func failedWith(operation string) string {
	return operation + ` failed with error: "`
}

// id makes a user id that no other example and no other run has.
func (t *trial) id(name string) string {
	return fmt.Sprintf("%s-%s-%d", name, t.run, t.number)
}

func (t *trial) ids(names ...string) []string {
	ids := make([]string, len(names))
	for index, name := range names {
		ids[index] = t.id(name)
	}
	return ids
}

// upsertOne stores one user and returns what the server answered.
func (t *trial) upsertOne(user goclient.UserRequest) goclient.FullUserResponse {
	response, err := t.client.UpdateUsers(&goclient.UpdateUsersRequest{Users: map[string]goclient.UserRequest{user.ID: user}})
	t.noError(err)
	return t.only(user.ID, response.Data)
}

func (t *trial) patch(patch goclient.UpdateUserPartialRequest) goclient.FullUserResponse {
	response, err := t.client.UpdateUsersPartial(&goclient.UpdateUsersPartialRequest{
		Users: []goclient.UpdateUserPartialRequest{patch},
	})
	t.noError(err)
	return t.only(patch.ID, response.Data)
}

// only returns the one user of an answer.
func (t *trial) only(id string, response goclient.UpdateUsersResponse) goclient.FullUserResponse {
	t.equal("membership_deletion_task_id", response.MembershipDeletionTaskID, "")
	t.equal("number of users answered", len(response.Users), 1)
	t.equal("id under its key", response.Users[id].ID, id)
	return response.Users[id]
}

func (t *trial) query(payload *goclient.QueryUsersPayload) []goclient.FullUserResponse {
	response, err := t.client.QueryUsers(payload)
	t.noError(err)
	return response.Data.Users
}

// found are the ids a query answers, in order.
func (t *trial) found(payload *goclient.QueryUsersPayload) []string {
	ids := []string{}
	for _, user := range t.query(payload) {
		ids = append(ids, user.ID)
	}
	return ids
}

func among(ids []string) *goclient.QueryUsersPayload {
	return &goclient.QueryUsersPayload{FilterConditions: object{"id": object{"$in": ids}}}
}

// find reads one active user back.
func (t *trial) find(id string) goclient.FullUserResponse {
	users := t.query(&goclient.QueryUsersPayload{FilterConditions: object{"id": id}})
	t.require(len(users) == 1 && users[0].ID == id, "want the user %s alone, got %d users", id, len(users))
	return users[0]
}

func (t *trial) app() map[string]any {
	response, err := t.client.GetApp()
	t.noError(err)
	return response.Data.App
}

func (t *trial) updateApp(request goclient.UpdateAppRequest) {
	_, err := t.client.UpdateApp(&request)
	t.noError(err)
}

// object is a JSON object in filters, patches and custom data.
type object = map[string]any

func text(value string) *string { return &value }
