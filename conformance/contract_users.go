// What v2.md sections 3.1 and 6 and semantics 1 to 3 say about upsert and partial update.
package main

import (
	"time"

	"headwater/conformance/goclient"
)

// upsertOnlyID: every required field is there with its empty value (the decoder checks types), no optional one is.
func upsertOnlyID(t *trial) {
	user := t.upsertOne(goclient.UserRequest{ID: t.id("bare")})
	empty := []string{}
	t.equal("a user made of an id", user, object{
		"id": user.ID, "role": "user", "language": "", "created_at": user.CreatedAt, "updated_at": user.UpdatedAt,
		"banned": false, "shadow_banned": false, "online": false, "invisible": false, "custom": object{}, "teams": empty,
		"blocked_user_ids": empty, "channel_mutes": empty, "mutes": empty, "devices": empty,
		"total_unread_count": 0, "unread_channels": 0, "unread_count": 0, "unread_threads": 0,
	})
	t.equal("the user read back", t.find(user.ID), user)
}

func upsertRoleAndTeams(t *trial) {
	user := t.upsertOne(goclient.UserRequest{
		ID: t.id("lead"), Role: text("admin"), Teams: []string{"blue"}, TeamsRole: map[string]string{"blue": "admin"},
	})
	t.equal("role", user.Role, "admin")
	t.equal("teams", user.Teams, []string{"blue"})
	t.equal("teams_role", user.TeamsRole, object{"blue": "admin"})
	t.equal("the user read back", t.find(user.ID), user)
}

// upsertCustom includes an integer that a double cannot hold.
func upsertCustom(t *trial) {
	custom := object{
		"book": "dune", "age": 42, "ratio": 1.5, "big": int64(9007199254740993), "tags": []string{"a", "b"}, "empty": []string{},
		"nested": object{"deep": object{"flag": true, "none": nil}}, "text": "é <&> \u2028 😀",
	}
	user := t.upsertOne(goclient.UserRequest{ID: t.id("custom"), Custom: custom})
	t.equal("custom", user.Custom, custom)
	t.equal("custom read back", t.find(user.ID).Custom, custom)
}

// upsertReplaces follows DESIGN 3: name, image and custom are replaced; the rest keeps its value when absent.
func upsertReplaces(t *trial) {
	first := goclient.UserRequest{
		ID: t.id("again"), Name: text("First"), Image: text("first.png"), Custom: object{"color": "red", "size": 1},
		Teams: []string{"blue"}, TeamsRole: map[string]string{"blue": "admin"}, Language: text("nl"), Invisible: goclient.PtrTo(true),
		PrivacySettings: &goclient.PrivacySettings{ReadReceipts: &goclient.Switch{}},
	}
	want := t.upsertOne(first)
	user := t.upsertOne(goclient.UserRequest{ID: first.ID, Role: text("admin"), Custom: object{"color": "green"}})
	want.Role, want.Custom, want.Name, want.Image, want.UpdatedAt = "admin", object{"color": "green"}, nil, nil, user.UpdatedAt
	t.equal("the replaced user", user, want)

	user = t.upsertOne(goclient.UserRequest{ID: first.ID})
	want.Custom, want.UpdatedAt = object{}, user.UpdatedAt
	t.equal("the user after an upsert of its id", user, want)
	t.equal("the user read back", t.find(first.ID), user)
}

func upsertPrivacy(t *trial) {
	id, off := t.id("private"), &goclient.Switch{Enabled: false}
	t.equal("privacy_settings of a fresh user", t.upsertOne(goclient.UserRequest{ID: id}).PrivacySettings, nil)
	for _, settings := range []*goclient.PrivacySettings{{TypingIndicators: off}, {TypingIndicators: off, ReadReceipts: off}} {
		t.equal("privacy_settings", t.upsertOne(goclient.UserRequest{ID: id, PrivacySettings: settings}).PrivacySettings, settings)
		t.equal("privacy_settings read back", t.find(id).PrivacySettings, settings)
	}
}

// upsertTimes checks the unit (nanoseconds near now), and that created_at stays while updated_at moves.
func upsertTimes(t *trial) {
	created := t.upsertOne(goclient.UserRequest{ID: t.id("timed")})
	age := time.Since(time.Unix(0, int64(created.CreatedAt)))
	t.require(age.Abs() < time.Hour, "created_at %d is not now in nanoseconds", created.CreatedAt)
	t.equal("updated_at of a new user", created.UpdatedAt, created.CreatedAt)

	later := t.upsertOne(goclient.UserRequest{ID: t.id("later")})
	t.require(later.CreatedAt >= created.CreatedAt, "a later user has an earlier created_at")
	again := t.upsertOne(goclient.UserRequest{ID: created.ID})
	t.equal("created_at after a second upsert", again.CreatedAt, created.CreatedAt)
	t.require(again.UpdatedAt > created.UpdatedAt, "updated_at did not move")
}

// upsertIDs: mixed case and @ are fine (in a path it is %40), and case matters.
func upsertIDs(t *trial) {
	for _, name := range []string{"ABCDEFGHIJ", "abcdefghij", "Some_One@Example"} {
		id := t.id(name)
		t.upsertOne(goclient.UserRequest{ID: id, Name: &name})
		t.equal("name of "+id, t.find(id).Name, name)
		response, err := t.client.DeactivateUser(id, nil)
		t.noError(err)
		t.equal("id of the deactivated user", response.Data.User.ID, id)
	}
}

func partialCountry(t *trial) {
	id := t.id("traveller")
	t.upsertOne(goclient.UserRequest{ID: id})
	user := t.patch(goclient.UpdateUserPartialRequest{ID: id, Set: object{"country": "NL", "role": "admin"}})
	t.equal("role", user.Role, "admin")
	t.equal("custom", user.Custom, object{"country": "NL"})
	user = t.patch(goclient.UpdateUserPartialRequest{ID: id, Unset: []string{"country", "never-there"}})
	t.equal("role", user.Role, "admin")
	t.equal("custom", user.Custom, object{})
	t.equal("the user read back", t.find(id), user)
}

func partialTeams(t *trial) {
	id := t.id("member")
	t.upsertOne(goclient.UserRequest{ID: id})
	user := t.patch(goclient.UpdateUserPartialRequest{ID: id, Set: object{
		"teams": []string{"blue"}, "teams_role": object{"blue": "admin"},
	}})
	t.equal("teams", user.Teams, []string{"blue"})
	t.equal("teams_role", user.TeamsRole, object{"blue": "admin"})
}

// partialPrivacy: privacy_settings is the one object that is merged.
func partialPrivacy(t *trial) {
	id, on := t.id("private"), object{"enabled": true}
	t.upsertOne(goclient.UserRequest{ID: id})
	t.patch(goclient.UpdateUserPartialRequest{ID: id, Set: object{"privacy_settings": object{"typing_indicators": on}}})
	user := t.patch(goclient.UpdateUserPartialRequest{ID: id, Set: object{"privacy_settings": object{"read_receipts": on}}})
	t.equal("privacy_settings", user.PrivacySettings, object{"read_receipts": on, "typing_indicators": on})
}

// partialUnsetCustom wipes custom data while built-ins are set. Whether the country set in the same call survives is not
// settled by the contract, so only the old key is looked at.
func partialUnsetCustom(t *trial) {
	id := t.id("wiped")
	t.upsertOne(goclient.UserRequest{ID: id, Custom: object{"color": "blue"}})
	user := t.patch(goclient.UpdateUserPartialRequest{
		ID: id, Set: object{"role": "admin", "country": "NL"}, Unset: []string{"custom"},
	})
	t.equal("role", user.Role, "admin")
	t.equal("custom color", user.Custom["color"], nil)
}

// partialPaths: dots reach into custom data and make missing parents; an object under a plain key replaces.
func partialPaths(t *trial) {
	id := t.id("nested")
	t.upsertOne(goclient.UserRequest{ID: id, Custom: object{"field": object{"keep": 1, "unset": 2}, "box": object{"a": 1}}})
	user := t.patch(goclient.UpdateUserPartialRequest{
		ID: id, Unset: []string{"field.unset"},
		Set: object{"field.path": "test", "field.path2": object{"help": "yes"}, "new.parent": true, "box": object{"c": 3}},
	})
	t.equal("custom", user.Custom, object{
		"field": object{"keep": 1, "path": "test", "path2": object{"help": "yes"}}, "new": object{"parent": true},
		"box": object{"c": 3},
	})
}
