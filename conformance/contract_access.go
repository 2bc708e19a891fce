// What v2.md 1.5 and 2.2 and semantics 6 to 8 say about user tokens, guests, anonymous callers and permissions.
package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"headwater/conformance/goclient"
)

// as is a client that shows another token.
func (t *trial) as(token string) *goclient.Client {
	client := *t.client
	client.Token = token
	return &client
}

// asUser is a client of a user, with a token that lasts.
func (t *trial) asUser(id string) *goclient.Client {
	return t.as(t.client.CreateToken(id, 0, goclient.Claims{}))
}

// setting changes settings of the app until the example ends.
func (t *trial) setting(change, back *goclient.UpdateAppRequest) {
	t.noError(outcomeOf(t.client.UpdateApp(change)))
	t.undo = append(t.undo, func() { t.client.UpdateApp(back) })
}

// asksAsUser: a token of a user is understood, finds users, and changes nothing but the user itself.
func (t *trial) asksAsUser(token, id string) {
	client := t.as(token)
	found, err := client.QueryUsers(among([]string{id}))
	t.noError(err)
	t.equal("users found", len(found.Data.Users), 1)
	t.equal("the user found by itself", found.Data.Users[0], t.find(id))
	changed := object{"changed": true}
	t.noError(outcomeOf(client.UpdateUsersPartial(&goclient.UpdateUsersPartialRequest{
		Users: []goclient.UpdateUserPartialRequest{{ID: id, Set: changed}},
	})))
	t.equal("custom", t.find(id).Custom["changed"], true)

	other := t.upsertOne(goclient.UserRequest{ID: t.id("other")})
	t.refused(outcomeOf(client.UpdateUsersPartial(&goclient.UpdateUsersPartialRequest{
		Users: []goclient.UpdateUserPartialRequest{{ID: other.ID, Set: changed}},
	})), 403, 17, fmt.Sprintf("User '%s' with role 'user' is not allowed to perform action UpdateUser", id))
	t.refused(outcomeOf(client.UpdateUsersPartial(&goclient.UpdateUsersPartialRequest{
		Users: []goclient.UpdateUserPartialRequest{{ID: id, Set: object{"role": "admin"}}},
	})), 403, 17, fmt.Sprintf(`"User '%s' with role 'user' is not allowed to perform action UpdateUserRole"`, id))
	t.equal("the other user", t.find(other.ID), other)
	t.refusedOnServerRoutes(client, id)
}

// accessRevoked: tokens that were issued before are refused, new ones are not, and null lifts it.
func accessRevoked(t *trial) {
	id := t.existingUser("revoked")
	old := t.asUser(id)
	t.noError(outcomeOf(old.QueryUsers(nil)))
	revoke := func(moment any) {
		t.patch(goclient.UpdateUserPartialRequest{ID: id, Set: object{"revoke_tokens_issued_before": moment}})
	}
	revoke(time.Now().Add(time.Second).Format(time.RFC3339Nano))
	t.refused(outcomeOf(old.QueryUsers(nil)), 401, 40, "This token has been revoked, please generate a new token")
	ageless := goclient.Sign(t.client.Secret, `{"alg":"HS256","typ":"JWT"}`, fmt.Sprintf(`{"user_id":"%s"}`, id))
	t.refused(outcomeOf(t.as(ageless).QueryUsers(nil)), 401, 40, "revoked")
	revoke(nil)
	t.noError(outcomeOf(old.QueryUsers(nil)))
	t.noError(outcomeOf(t.as(ageless).QueryUsers(nil)))
}

func accessStanding(t *trial) {
	id := t.existingUser("leaving")
	client := t.asUser(id)
	t.noError(outcomeOf(client.QueryUsers(nil)))
	t.noError(outcomeOf(t.client.DeactivateUser(id, nil)))
	t.refused(outcomeOf(client.QueryUsers(nil)), 404, 16, "the user "+id+" was deactivated")
	t.noError(outcomeOf(t.client.ReactivateUser(id, nil)))
	t.noError(outcomeOf(client.QueryUsers(nil)))
	nobody := t.id("nobody")
	t.refused(outcomeOf(t.asUser(nobody).QueryUsers(nil)), 404, 16, "the user "+nobody+" does not exist")
}

// accessGuest is v2.md section 6, "Guest".
func accessGuest(t *trial) {
	request := &goclient.CreateGuestRequest{User: goclient.UserRequest{ID: t.id("visitor"), Name: text("Vi"), Role: text("admin")}}
	response, err := t.client.CreateGuest(request)
	t.noError(err)
	guest := response.Data.User
	t.require(response.Data.AccessToken != "", "there is no token")
	t.require(strings.Contains(guest.ID, request.User.ID), "the id %s does not contain the one asked for", guest.ID)
	t.equal("role", guest.Role, "guest")
	client := t.as(response.Data.AccessToken)
	t.noError(outcomeOf(client.QueryUsers(among([]string{guest.ID}))))
	t.refusedOnServerRoutes(client, guest.ID)

	promoted := t.patch(goclient.UpdateUserPartialRequest{ID: guest.ID, Set: object{"role": "user"}})
	t.equal("role after promotion", promoted.Role, "user")
	t.noError(outcomeOf(client.QueryUsers(nil)))

	t.setting(&goclient.UpdateAppRequest{GuestUserCreationDisabled: goclient.PtrTo(true)},
		&goclient.UpdateAppRequest{GuestUserCreationDisabled: goclient.PtrTo(false)})
	t.refused(outcomeOf(t.client.CreateGuest(request)), 403, 17, failedWith("CreateGuest"))
}

// accessPermissions asks the engine what it decides, and sees it act so.
func accessPermissions(t *trial) {
	id, role := t.existingUser("captain"), t.role("captain")
	t.patch(goclient.UpdateUserPartialRequest{ID: id, Set: object{"role": role.Name}})
	client := t.asUser(id)
	explain := func(c *goclient.Client, userID, action, resource string) goclient.ExplainPermissionResponse {
		response, err := c.ExplainPermission(userID, action, resource)
		t.noError(err)
		return response.Data
	}
	t.refused(outcomeOf(client.QueryUsers(nil)), 403, 17, "is not allowed to perform action SearchUser")
	denied := explain(t.client, id, "SearchUser", "")
	t.equal("allowed", denied.Allowed, false)
	t.equal("reason", denied.Reason, fmt.Sprintf("User '%s' with role '%s' is not allowed to perform action SearchUser", id, role.Name))

	t.setting(&goclient.UpdateAppRequest{Grants: map[string][]string{role.Name: {"search-user", "explain-permission-owner"}}},
		&goclient.UpdateAppRequest{Grants: map[string][]string{role.Name: nil}})
	t.noError(outcomeOf(client.QueryUsers(nil)))
	granted := explain(client, "", "SearchUser", "")
	t.equal("grant", granted.Grant, object{"role": role.Name, "permission": "search-user", "granted_by": "settings"})
	t.equal("other roles keep theirs", explain(t.client, t.existingUser("plain"), "SearchUser", "").Grant,
		object{"role": "user", "permission": "search-user", "granted_by": "default"})
	t.patch(goclient.UpdateUserPartialRequest{ID: id, Set: object{"role": "user"}}) // a role in use is not deleted
	t.equal("a server", explain(t.client, "", "BanUser", "").Allowed, true)
	t.equal("nobody", explain(t.client, "!anon", "SearchUser", "").Allowed, false)
}

// accessCallToken: a call token adds access to its calls, and takes none away.
func accessCallToken(t *trial) {
	id := t.existingUser("caller")
	allowed := func(claims goclient.Claims, action, resource string) bool {
		response, err := t.as(t.client.CreateToken(id, time.Hour, claims)).ExplainPermission("", action, resource)
		t.noError(err)
		return response.Data.Allowed
	}
	call := goclient.Claims{CallCIDs: []string{"default:standup"}}
	host := goclient.Claims{CallCIDs: []string{"default:standup"}, Role: "host"}
	for _, claims := range []goclient.Claims{call, host} {
		t.equal("the call", allowed(claims, "JoinCall", "call:default:standup"), true)
		t.equal("another call", allowed(claims, "JoinCall", "call:default:other"), false)
		t.equal("searching", allowed(claims, "SearchUser", ""), true)
		t.equal("banning", allowed(claims, "BanUser", ""), false)
	}
	t.equal("without such a token", allowed(goclient.Claims{}, "JoinCall", "call:default:standup"), false)
}

// accessDeveloperToken: a token without a signature counts only while the app says so.
func accessDeveloperToken(t *trial) {
	id := t.existingUser("developer")
	encode := base64.RawURLEncoding.EncodeToString
	developer := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(fmt.Sprintf(`{"user_id":"%s"}`, id))) + ".devtoken"
	t.refused(outcomeOf(t.as(developer).QueryUsers(nil)), 401, 5, "disable_auth_checks")
	t.setting(&goclient.UpdateAppRequest{DisableAuthChecks: goclient.PtrTo(true)},
		&goclient.UpdateAppRequest{DisableAuthChecks: goclient.PtrTo(false)})
	t.noError(outcomeOf(t.as(developer).QueryUsers(nil)))
}
