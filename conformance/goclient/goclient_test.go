package goclient

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRequests compares what is written with what v2.md section 1 documents.
func TestRequests(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.RequestURI + " " + string(body)
		for name, want := range map[string]string{
			"Authorization": ServerToken("s"), "Stream-Auth-Type": "jwt", "X-Stream-Client": "stream-go-client-v5.3.0",
			"Content-Type": "application/json", "Accept-Encoding": "gzip",
		} {
			if value := r.Header.Get(name); value != want {
				t.Errorf("%s is %q, want %q", name, value, want)
			}
		}
	}))
	defer server.Close()
	client := New(server.URL, "k", "s")
	check := func(want string, call func()) {
		t.Helper()
		if call(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	check(`GET /api/v2/app?api_key=k `, func() { client.GetApp() })
	check(`GET /api/v2/users?api_key=k `, func() { client.QueryUsers(nil) })
	check(`GET /api/v2/users?api_key=k&payload=%7B%22filter_conditions%22%3Anull%7D `, func() { client.QueryUsers(&QueryUsersPayload{}) })
	check(`POST /api/v2/users/a%40b%3Ac+d%2Be%2Ff/deactivate?api_key=k {}`, func() { client.DeactivateUser("a@b:c d+e/f", &DeactivateUserRequest{}) })
	check(`POST /api/v2/users/a/reactivate?api_key=k null`, func() { client.ReactivateUser("a", nil) })
	check(`POST /api/v2/users?api_key=k {"users":null}`, func() { client.UpdateUsers(&UpdateUsersRequest{}) })
	check(`POST /api/v2/users?api_key=k {"users":{"a":{"id":"a"}}}`, func() {
		client.UpdateUsers(&UpdateUsersRequest{Users: map[string]UserRequest{"a": {ID: "a", Teams: []string{}, Custom: map[string]any{}}}})
	})
	check(`PATCH /api/v2/app?api_key=k {"enforce_unique_usernames":"app","allowed_flag_reasons":null,"event_hooks":[],`+
		`"image_moderation_block_labels":null,"image_moderation_labels":null,"user_search_disallowed_roles":null,`+
		`"webhook_events":null,"activity_metrics_config":null,"grants":null}`, func() {
		client.UpdateApp(&UpdateAppRequest{EnforceUniqueUsernames: PtrTo("app"), EventHooks: []map[string]any{}})
	})
	check(`DELETE /api/v2/roles/a+b?api_key=k null`, func() { client.DeleteRole("a b") })
	check(`GET /api/v2/roles/search?api_key=k&include_global_roles=true&limit=5&name_gt=a&query=c+d `, func() {
		client.SearchRoles(&SearchRolesRequest{Query: "c d", Limit: PtrTo(5), NameGt: PtrTo("a"), IncludeGlobalRoles: PtrTo(true)})
	})
	client.Base += "/"
	check(`GET //api/v2/rate_limits?api_key=k&endpoints=A%2CB&ios=false `, func() {
		client.GetRateLimits(&GetRateLimitsRequest{Ios: PtrTo(false), Endpoints: PtrTo("A,B")})
	})
}

// TestDecode lists answers that must be refused, and what the reason must say.
func TestDecode(t *testing.T) {
	header := http.Header{"X-Ratelimit-Limit": {"1"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"9"}}
	envelope := `{"code":4,"message":"m","StatusCode":400,"duration":"1ms","more_info":"","details":[]}`
	if _, err := Decode(400, header, []byte(envelope), nil); err == nil || err.Error() != "HTTP 400 code 4: m" {
		t.Errorf("a good envelope gave %v", err)
	}
	for _, bad := range []struct {
		status    int
		body, why string
	}{
		{200, ``, "not a JSON object"}, {200, `null`, "not a JSON object"}, {200, `{} x`, "not a JSON object"},
		{200, `{"duration":7}`, "cannot unmarshal"}, {200, `{"duration":"7","user":{"at":1}}`, "unit"}, {200, `{"duration":"1ms"}`, "user is missing"},
		{200, `{"duration":"1ms","user":{"at":1.5}}`, "cannot unmarshal"}, {200, `{"duration":"1ms","user":{"at":1e3}}`, "cannot unmarshal"},
		{200, `{"duration":"1ms","user":{"at":"1"}}`, "cannot unmarshal"}, {200, `{"duration":"1ms","user":{"AT":1}}`, ".user.at is missing"},
		{400, strings.Replace(envelope, "[]", "null", 1), ".details is missing"}, {404, envelope, "StatusCode 400"},
		{400, strings.Replace(envelope, "StatusCode", "statuscode", 1), ".StatusCode is missing"},
	} {
		var into struct {
			Duration string `json:"duration"`
			User     *struct {
				At Timestamp `json:"at"`
			} `json:"user"`
		}
		if _, err := Decode(bad.status, header, []byte(bad.body), &into); err == nil || !strings.Contains(err.Error(), bad.why) {
			t.Errorf("%s gave %v, want %q", bad.body, err, bad.why)
		}
	}
	if _, err := Decode(200, http.Header{}, []byte(`{}`), nil); err == nil || !strings.Contains(err.Error(), "X-RateLimit-") {
		t.Errorf("missing headers gave %v", err)
	}
}
