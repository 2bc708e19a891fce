// What v2.md sections 1.7, 2.1, 2.6 and 6 say about app settings and rate limits. Settings are put back at the end.
package main

import (
	"encoding/json"
	"strings"
	"time"

	"headwater/conformance/goclient"
)

// settings are the fields of AppResponseFields that are always present, by JSON type (v2-fields.json).
var settings = map[string]string{
	"integer": "cdn_expiration_seconds id max_aggregated_activities_length reminders_interval",
	"string": `custom_action_handler_url enforce_unique_usernames moderation_webhook_url name organization permission_version
		placement sns_key sns_secret sns_topic_arn sqs_key sqs_secret sqs_url suspended_explanation webhook_url`,
	"boolean": `allow_multi_user_devices async_url_enrich_enabled auto_translation_enabled campaign_enabled disable_auth_checks
		disable_permissions_checks feed_audit_logs_enabled guest_user_creation_disabled image_moderation_enabled
		member_custom_on_messages_enabled moderation_audio_call_moderation_enabled moderation_enabled
		moderation_llm_configurability_enabled moderation_multitenant_blocklist_enabled
		moderation_video_call_moderation_enabled multi_tenant_enabled suspended use_hook_v2 user_response_time_enabled`,
	"array":  "event_hooks user_search_disallowed_roles webhook_events",
	"object": "call_types channel_configs file_upload_config grants image_upload_config policies push_notifications",
}

func jsonType(value any) string {
	switch value := value.(type) {
	case json.Number:
		if _, err := value.Int64(); err == nil {
			return "integer"
		}
		return "number"
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "missing or null"
}

func appComplete(t *trial) {
	app := t.app()
	for want, names := range settings {
		for _, name := range strings.Fields(names) {
			t.equal("JSON type of app."+name, jsonType(app[name]), want)
		}
	}
	t.require(app["name"] != "", "app.name is empty")
	t.equal("app.suspended", app["suspended"], false)
	for _, name := range []string{"file_upload_config", "image_upload_config"} {
		config, _ := app[name].(object)
		t.equal("JSON type of size_limit", jsonType(config["size_limit"]), "integer")
	}
}

// appUniqueUsernames toggles one setting; all lists and maps travel as null beside it, and nothing else may change.
func appUniqueUsernames(t *trial) {
	want := t.app()
	before, _ := want["enforce_unique_usernames"].(string)
	t.undo = append(t.undo, func() { t.updateApp(goclient.UpdateAppRequest{EnforceUniqueUsernames: &before}) })
	for _, value := range []string{"app", "no"} {
		want["enforce_unique_usernames"] = value
		t.updateApp(goclient.UpdateAppRequest{EnforceUniqueUsernames: &value})
		t.equal("the settings", t.app(), want)
	}
	for _, empty := range everyFraming() {
		empty.call.method, empty.call.path = "PATCH", "/api/v2/app"
		t.noError(t.raw(python, empty.call).decode(new(goclient.EmptyResponse)))
		t.equal("the settings after "+empty.way, t.app(), want)
	}
}

func appFileUploads(t *trial) {
	var before goclient.FileUploadConfig
	t.noError(json.Unmarshal([]byte(t.canonical(t.app()["file_upload_config"])), &before))
	t.undo = append(t.undo, func() { t.updateApp(goclient.UpdateAppRequest{FileUploadConfig: &before}) })
	config := goclient.FileUploadConfig{
		SizeLimit:             10 << 20,
		AllowedFileExtensions: []string{".pdf", ".docx"},
		BlockedMimeTypes:      []string{"application/x-msdownload"},
	}
	t.updateApp(goclient.UpdateAppRequest{FileUploadConfig: &config})
	got, _ := t.app()["file_upload_config"].(object)
	for name, value := range map[string]any{
		"size_limit": config.SizeLimit, "allowed_file_extensions": config.AllowedFileExtensions, "blocked_mime_types": config.BlockedMimeTypes,
	} {
		t.equal(name, got[name], value)
	}
}

// appHooks sets one hook of each kind, then empties the list with `[]`. Secrets may come back masked.
func appHooks(t *trial) {
	t.undo = append(t.undo, func() { t.updateApp(goclient.UpdateAppRequest{EventHooks: []object{}}) })
	for _, hook := range []object{
		{"hook_type": "webhook", "webhook_url": "https://example.com/hook", "timeout_ms": 3000, "event_types": []string{"user.updated"}},
		{"hook_type": "pending_message", "webhook_url": "https://example.com/pending", "timeout_ms": 3000,
			"callback": object{"mode": "CALLBACK_MODE_REST"}},
		{"hook_type": "sqs", "sqs_queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/queue", "sqs_region": "us-east-1",
			"sqs_auth_type": "keys", "sqs_key": "key", "sqs_secret": "shh", "event_types": []string{"user.updated"}},
		{"hook_type": "sns", "sns_topic_arn": "arn:aws:sns:us-east-1:123456789012:topic", "sns_region": "us-east-1",
			"sns_auth_type": "keys", "sns_key": "key", "sns_secret": "shh", "event_types": []string{"user.updated"}},
	} {
		hook["enabled"] = true
		t.updateApp(goclient.UpdateAppRequest{EventHooks: []object{hook}})
		t.updateApp(goclient.UpdateAppRequest{}) // a null list changes nothing
		hooks, _ := t.app()["event_hooks"].([]any)
		t.equal("number of event_hooks", len(hooks), 1)
		got, _ := hooks[0].(object)
		for name, value := range hook {
			if !strings.HasSuffix(name, "_key") && !strings.HasSuffix(name, "_secret") {
				t.equal(name, got[name], value)
			}
		}
		for _, name := range []string{"created_at", "updated_at"} {
			t.require(got[name] == nil || jsonType(got[name]) == "integer", "%s is not integer nanoseconds", name)
		}
		t.updateApp(goclient.UpdateAppRequest{EventHooks: []object{}})
		t.equal("event_hooks after []", t.app()["event_hooks"], []any{})
	}
}

func (t *trial) rateLimits(request goclient.GetRateLimitsRequest) goclient.GetRateLimitsResponse {
	response, err := t.client.GetRateLimits(&request)
	t.noError(err)
	limits := response.Data
	for _, platform := range []map[string]goclient.LimitInfo{limits.ServerSide, limits.Web, limits.Android, limits.Ios, limits.Unity} {
		for operation, limit := range platform {
			t.plausible(operation, limit)
		}
	}
	return limits
}

// plausible: some calls are allowed, not fewer than none are left, and the window of one minute ends soon.
func (t *trial) plausible(what string, limit goclient.LimitInfo) {
	fromNow := limit.Reset - time.Now().Unix()
	t.require(limit.Limit > 0 && limit.Remaining >= 0 && limit.Remaining <= limit.Limit && fromNow >= -120 && fromNow <= 120,
		"%s: the limit %+v is not plausible, its reset is %d s from now", what, limit, fromNow)
}

func limitsDefault(t *trial) {
	limits := t.rateLimits(goclient.GetRateLimitsRequest{})
	for _, operation := range forServers("") {
		_, there := limits.ServerSide[operation.name]
		t.require(there, "server_side has no %s", operation.name)
	}
}

func limitsServerSide(t *trial) {
	limits := t.rateLimits(goclient.GetRateLimitsRequest{ServerSide: goclient.PtrTo(true)})
	t.require(len(limits.ServerSide) > 0, "server_side is empty")
	t.require(limits.Web == nil && limits.Android == nil && limits.Ios == nil && limits.Unity == nil, "other platforms are there too")
}

func limitsNamed(names string) func(*trial) {
	return func(t *trial) {
		yes := goclient.PtrTo(true)
		limits := t.rateLimits(goclient.GetRateLimitsRequest{ServerSide: yes, Android: yes, Endpoints: &names})
		t.equal("entries of server_side and android", []int{len(limits.ServerSide), len(limits.Android)}, []int{2, 2})
		t.require(limits.Web == nil && limits.Ios == nil && limits.Unity == nil, "platforms are there that were not asked for")
	}
}

// limitsHeaders: successes and refusals carry them; goclient.Decode accepts no answer without.
func limitsHeaders(t *trial) {
	app, err := t.client.GetApp()
	t.noError(err)
	t.plausible("GetApp", app.RateLimit)
	for _, path := range []string{"/api/v2/rate_limits", "/api/v2/users", "/api/v2/no/such/route"} {
		reply := t.raw(python, message{method: "GET", path: path, query: "payload=no-json&"})
		limit, _ := goclient.Decode(reply.status, reply.header, reply.body, new(goclient.GetRateLimitsResponse))
		t.plausible(path, limit)
	}
}
