// Refusals as clients see them: status, code, the envelope (goclient.Decode checks its types), and nothing changed.
package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"headwater/conformance/goclient"
)

// refuseCredential spoils the credentials and makes every call.
func refuseCredential(code int64, fragment string, spoil func(c *goclient.Client, userID string)) func(*trial) {
	return func(t *trial) {
		id, client := t.existingUser("user"), *t.client
		spoil(&client, id)
		t.refusedEverywhere(&client, id, 401, code, fragment)
	}
}

func forged(c *goclient.Client, _ string) { c.Token = goclient.ServerToken(c.Secret + "x") }

func strangerKey(c *goclient.Client, _ string) { c.Key = "no-such-key" }

func noToken(c *goclient.Client, _ string) { c.Token = "" }

// Both of these are user tokens: what is wrong with them comes before the 403.
func expired(c *goclient.Client, id string) {
	c.Token = c.CreateToken(id, -time.Minute, goclient.Claims{})
}

func fromTheFuture(c *goclient.Client, id string) {
	c.Token = goclient.Sign(c.Secret, spacedHeader, fmt.Sprintf(`{"user_id":%q,"iat":%d}`, id, time.Now().Unix()+3600))
}

func refuseRoute(t *trial) {
	for _, path := range []string{"/api/v2/nope", "/api/v2/users/nobody/nope"} {
		_, err := goclient.Send[goclient.EmptyResponse](t.client, "POST", path, nil, nil)
		var refusal *goclient.APIError
		t.require(errors.As(err, &refusal), "%s: want a refusal, got: %v", path, err)
		t.refused(err, 404, 16)
		t.equal("message for "+path, refusal.Message, `Request failed with error: "Not Found"`)
	}
}

// refuseUnknown: one unknown id refuses the whole batch, and nobody is created.
func refuseUnknown(t *trial) {
	known, unknown := t.existingUser("known"), t.id("unknown")
	_, err := t.client.UpdateUsersPartial(&goclient.UpdateUsersPartialRequest{Users: []goclient.UpdateUserPartialRequest{
		{ID: known, Set: object{"color": "red"}}, {ID: unknown, Set: object{"color": "red"}},
	}})
	t.refused(err, 404, 16, failedWith("UpdateUsersPartial"), unknown)
	_, err = t.client.DeactivateUser(unknown, &goclient.DeactivateUserRequest{})
	t.refused(err, 404, 16, failedWith("DeactivateUser"), unknown)
	_, err = t.client.ReactivateUser(unknown, &goclient.ReactivateUserRequest{})
	t.refused(err, 404, 16, failedWith("ReactivateUser"), unknown)
	t.equal("custom of the known user", t.find(known).Custom, object{"color": "blue"})
	t.equal("users afterwards", t.found(among([]string{known, unknown})), []string{known})
}

func refuseTooMany(t *trial) {
	upsert, patch := &goclient.UpdateUsersRequest{Users: map[string]goclient.UserRequest{}}, &goclient.UpdateUsersPartialRequest{}
	ids := []string{}
	for number := 0; number < 101; number++ {
		id := t.id(fmt.Sprintf("many%d", number))
		ids = append(ids, id)
		upsert.Users[id] = goclient.UserRequest{ID: id}
		patch.Users = append(patch.Users, goclient.UpdateUserPartialRequest{ID: id, Set: object{"a": 1}})
	}
	t.refused(outcomeOf(t.client.UpdateUsers(upsert)), 400, 4, failedWith("UpdateUsers"), "users")
	t.refused(outcomeOf(t.client.UpdateUsersPartial(patch)), 400, 4, failedWith("UpdateUsersPartial"), "users")
	t.equal("users afterwards", t.found(among(ids[:100])), []string{})

	delete(upsert.Users, ids[100])
	t.noError(outcomeOf(t.client.UpdateUsers(upsert)))
}

// refuseBadUser: each request holds one good user and one bad one; the field is named and neither is stored.
func refuseBadUser(t *trial) {
	good, bad := t.id("good"), t.id("bad")
	for field, user := range map[string]goclient.UserRequest{
		"id":         {ID: bad + "|auth0"},
		"role":       {ID: bad, Role: text("no-such-role")},
		"language":   {ID: bad, Language: text("klingon")},
		"teams_role": {ID: bad, TeamsRole: map[string]string{"red": "user"}},
		"custom":     {ID: bad, Custom: object{"blob": strings.Repeat("x", 6000)}},
	} {
		users := map[string]goclient.UserRequest{good: {ID: good}, user.ID: user}
		why := notRefused(outcomeOf(t.client.UpdateUsers(&goclient.UpdateUsersRequest{Users: users})), 400, 4, failedWith("UpdateUsers"), field)
		t.require(why == "", "bad %s: %s", field, why)
	}
	t.equal("users afterwards", t.found(among([]string{good, bad})), []string{})
}

// transportTrailingSlash: the official client appends the path verbatim, which gives `//api/v2/...`.
func transportTrailingSlash(t *trial) {
	id := t.id("user")
	t.client.Base = strings.TrimSuffix(t.client.Base, "/") + "/"
	t.upsertOne(goclient.UserRequest{ID: id})
	t.noError(outcomeOf(t.client.DeactivateUser(id, &goclient.DeactivateUserRequest{})))
	t.noError(outcomeOf(t.client.GetRateLimits(&goclient.GetRateLimitsRequest{})))
}
