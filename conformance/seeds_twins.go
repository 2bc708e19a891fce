// A raw-HTTP twin of each JavaScript, Python and Java example of the documentation pages, for the operations of this issue.
// Bulk calls, deletion and tasks get theirs with their own issues.
package main

import (
	"fmt"
	"net/url"

	"headwater/conformance/goclient"
)

type bodiless struct {
	way  string
	call message
}

// everyFraming is the same call without options in each way that v2.md 1.3 allows.
func everyFraming() []bodiless {
	none, zero, inChunks := absent, zeroLength, chunked
	return []bodiless{
		{"no body", message{framing: &none}},
		{"Content-Length: 0", message{framing: &zero}},
		{"empty chunked", message{framing: &inChunks}},
		{"{}", message{body: "{}"}},
		{"null", message{body: "null"}},
	}
}

// upsertBody is the body of an upsert of one user; fields begin with a comma.
func upsertBody(id, fields string) string {
	return fmt.Sprintf(`{"users":{%q:{"id":%q%s}}}`, id, id, fields)
}

// twinUpsert creates the pages' first user: all its fields, custom color red.
func twinUpsert(d dialect, extraFields string) func(*trial) {
	return func(t *trial) {
		id := t.id("user-id")
		user := t.rawUser(d, "POST", id, upsertBody(id, `,"role":"user","custom":{"color":"red"},
			"name":"This is a test user","image":"link/to/profile/image"`+extraFields))
		t.equal("role", user.Role, "user")
		t.equal("name", user.Name, "This is a test user")
		t.equal("image", user.Image, "link/to/profile/image")
		t.equal("custom", user.Custom, object{"color": "red"})
		t.equal("teams", user.Teams, []string{})
		t.equal("the user read back", t.find(id), user)
	}
}

// twinPartial is the JavaScript page's "Updating users": replace, then set and unset.
func twinPartial(t *trial) {
	id := t.id("userid")
	t.rawUser(javascript, "POST", id, upsertBody(id, `,"role":"user","custom":{"color":"blue"},
		"name":"This is a test user","image":"link/to/profile/image"`))
	user := t.rawUser(javascript, "PATCH", id, fmt.Sprintf(`{"users":[{"id":%q,"set":{"new-field":"value"},"unset":["name"]}]}`, id))
	t.equal("name", user.Name, nil)
	t.equal("custom", user.Custom, object{"color": "blue", "new-field": "value"})
	t.equal("the user read back", t.find(id), user)
}

// twinJava is the Java page: upsert john with country NL, then patch the country.
func twinJava(t *trial) {
	id := t.id("john")
	user := t.rawUser(java, "POST", id, upsertBody(id, `,"name":"john","custom":{"country":"NL"}`))
	t.equal("custom", user.Custom, object{"country": "NL"})
	user = t.rawUser(java, "PATCH", id, fmt.Sprintf(`{"users":[{"id":%q,"set":{"country":"US"}}]}`, id))
	t.equal("custom", user.Custom, object{"country": "US"})
	t.equal("name", user.Name, "john")
}

// twinLifecycle deactivates and reactivates one user, with every way to say "no options".
func twinLifecycle(d dialect) func(*trial) {
	return func(t *trial) {
		id := t.id("john")
		t.upsertOne(goclient.UserRequest{ID: id})
		for _, bodiless := range everyFraming() {
			user := t.rawLifecycle(d, id, "deactivate", bodiless.call)
			t.require(user.DeactivatedAt != nil, "%s: deactivated_at is missing", bodiless.way)
			user = t.rawLifecycle(d, id, "reactivate", bodiless.call)
			t.equal(bodiless.way+": deactivated_at", user.DeactivatedAt, nil)
		}
		t.equal("the user found again", t.find(id).ID, id)
	}
}

// twinEmptyLists does what the Go client cannot: an explicit empty list or map empties what is stored.
func twinEmptyLists(t *trial) {
	id := t.id("user")
	t.upsertOne(goclient.UserRequest{ID: id, Teams: []string{"blue"}, Custom: object{"color": "red"}})
	user := t.rawUser(javascript, "POST", id, upsertBody(id, `,"teams":[],"custom":{}`))
	t.equal("teams", user.Teams, []string{})
	t.equal("custom", user.Custom, object{})
}

// twinPathSegments writes an id with @ in three ways: form-escaped, bare, and with a letter escaped for no reason.
func twinPathSegments(t *trial) {
	id := t.id("Who@Example")
	t.upsertOne(goclient.UserRequest{ID: id})
	for _, segment := range []string{goclient.Segment(id), id, "%57" + goclient.Segment(id)[1:]} {
		t.equal("id of "+segment, t.rawLifecycle(java, segment, "deactivate", message{body: "{}"}).ID, id)
		t.rawLifecycle(java, segment, "reactivate", message{body: "{}"})
	}
}

// twinQuery escapes the payload as JavaScript does (%20, not +), puts spaces into the JSON and the key last.
func twinQuery(t *trial) {
	id := t.id("user")
	t.upsertOne(goclient.UserRequest{ID: id})
	query := "payload=" + url.PathEscape(fmt.Sprintf(`{ "filter_conditions": { "id": { "$in": [%q] } }, "limit": 1 }`, id)) + "&"
	for _, d := range []dialect{javascript, python, java, curl} {
		var response goclient.QueryUsersResponse
		t.noError(t.raw(d, message{method: "GET", path: "/api/v2/users", query: query}).decode(&response))
		t.require(len(response.Users) == 1 && response.Users[0].ID == id, "%s: found %d users", d.name, len(response.Users))
	}
}
