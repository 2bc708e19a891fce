// The token examples of the documentation pages: each token is understood as its user's, who may what users may and is
// refused on every operation for servers (HTTP 403, code 17, `<Operation> failed with error: "..."`).
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"headwater/conformance/goclient"
)

// operation is one call that would succeed for a server.
type operation struct {
	name string
	call func(*goclient.Client) error
}

// outcomeOf keeps only whether a call was refused.
func outcomeOf[T any](_ *goclient.Response[T], err error) error { return err }

// forEveryone calls what users may call as well, about one existing user; what would change is recognisable.
func forEveryone(id string) []operation {
	changed := map[string]any{"changed": true}
	upsert := &goclient.UpdateUsersRequest{Users: map[string]goclient.UserRequest{id: {ID: id, Custom: changed}}}
	patch := &goclient.UpdateUsersPartialRequest{Users: []goclient.UpdateUserPartialRequest{{ID: id, Set: changed}}}
	return []operation{
		{"QueryUsers", func(c *goclient.Client) error { return outcomeOf(c.QueryUsers(among([]string{id}))) }},
		{"UpdateUsers", func(c *goclient.Client) error { return outcomeOf(c.UpdateUsers(upsert)) }},
		{"UpdateUsersPartial", func(c *goclient.Client) error { return outcomeOf(c.UpdateUsersPartial(patch)) }},
		{"ExplainPermission", func(c *goclient.Client) error { return outcomeOf(c.ExplainPermission("", "BanUser", "")) }},
	}
}

// forServers calls what is for servers, about one existing user where it is about users.
func forServers(id string) []operation {
	settings := &goclient.UpdateAppRequest{CustomActionHandlerURL: text("https://example.com/changed")}
	return []operation{
		{"GetApp", func(c *goclient.Client) error { return outcomeOf(c.GetApp()) }},
		{"UpdateApp", func(c *goclient.Client) error { return outcomeOf(c.UpdateApp(settings)) }},
		{"DeactivateUser", func(c *goclient.Client) error { return outcomeOf(c.DeactivateUser(id, nil)) }},
		{"ReactivateUser", func(c *goclient.Client) error { return outcomeOf(c.ReactivateUser(id, nil)) }},
		{"ListRoles", func(c *goclient.Client) error { return outcomeOf(c.ListRoles()) }},
		{"CreateRole", func(c *goclient.Client) error {
			return outcomeOf(c.CreateRole(&goclient.CreateRoleRequest{Name: "changed"}))
		}},
		{"SearchRoles", func(c *goclient.Client) error {
			return outcomeOf(c.SearchRoles(&goclient.SearchRolesRequest{Query: "a"}))
		}},
		{"DeleteRole", func(c *goclient.Client) error { return outcomeOf(c.DeleteRole("changed")) }},
		{"ListPermissions", func(c *goclient.Client) error { return outcomeOf(c.ListPermissions()) }},
		{"GetPermission", func(c *goclient.Client) error { return outcomeOf(c.GetPermission("create-channel")) }},
		{"GetRateLimits", func(c *goclient.Client) error { return outcomeOf(c.GetRateLimits(&goclient.GetRateLimitsRequest{})) }},
	}
}

// refusedEverywhere makes every call with the client and checks that each is refused and changed nothing; `%` in a fragment
// stands for the operation's name.
func (t *trial) refusedEverywhere(c *goclient.Client, id string, status int, code int64, fragment string) {
	t.refusedOn(append(forServers(id), forEveryone(id)...), c, id, status, code, fragment)
}

// refusedOnServerRoutes is what every user token meets.
func (t *trial) refusedOnServerRoutes(c *goclient.Client, id string) {
	t.refusedOn(forServers(id), c, id, 403, 17, failedWith("%"))
}

func (t *trial) refusedOn(all []operation, c *goclient.Client, id string, status int, code int64, fragment string) {
	user, app := t.find(id), t.app()
	for _, operation := range all {
		why := notRefused(operation.call(c), status, code, strings.ReplaceAll(fragment, "%", operation.name))
		t.require(why == "", "%s: %s", operation.name, why)
	}
	t.equal("the user afterwards", t.find(id), user)
	t.equal("the app afterwards", t.app(), app)
}

func (t *trial) existingUser(name string) string {
	id := t.id(name)
	t.upsertOne(goclient.UserRequest{ID: id, Name: text("before"), Custom: object{"color": "blue"}})
	return id
}

// seedUserToken is the pages' user token, valid for a day or for ever.
func seedUserToken(t *trial) {
	id := t.existingUser("user-id")
	t.asksAsUser(t.client.CreateToken(id, 24*time.Hour, goclient.Claims{}), id)
	t.asksAsUser(t.client.CreateToken(id, 0, goclient.Claims{}), id)
}

// seedCallToken is the page's call token, also with its optional role.
func seedCallToken(t *trial) {
	id := t.existingUser("john")
	claims := goclient.Claims{CallCIDs: []string{"default:call1", "livestream:call2"}}
	t.asksAsUser(t.client.CreateToken(id, 24*time.Hour, claims), id)
	claims.Role = "admin"
	t.asksAsUser(t.client.CreateToken(id, time.Hour, claims), id)
}

// seedTokenByHand builds the bytes of the page's shell example in Go: unlike other tokens it has spaces in its JSON.
func seedTokenByHand(t *trial) {
	id := t.existingUser("byhand")
	now := time.Now().Unix()
	payload := fmt.Sprintf(`{"user_id": "%s", "role": "admin", "call_cids": ["livestream:1", "livestream:2"], "iat": %d, "exp": %d}`,
		id, now, now+3600)
	t.asksAsUser(goclient.Sign(t.client.Secret, spacedHeader, payload), id)
}

const spacedHeader = `{"alg": "HS256", "typ": "JWT"}`

// shellToken is the shell example as the page prints it, one statement a line; id and secret come from the environment.
const shellToken = `
HEADER=$(echo -n '{"alg": "HS256", "typ": "JWT"}' | openssl base64 -e -A | tr '+/' '-_' | tr -d '=');
CURRENT_TIMESTAMP=$(date +%s);
HOUR_FROM_NOW=$((CURRENT_TIMESTAMP + 3600))
CALL_CID1='livestream:1';
CALL_CID2='livestream:2';
ROLE='admin'
PAYLOAD=$(echo -n '{"user_id": "'${USER_ID}'", "role": "'${ROLE}'", "call_cids": ["'${CALL_CID1}'", "'${CALL_CID2}'"], "iat": '${CURRENT_TIMESTAMP}', "exp": '${HOUR_FROM_NOW}'}' | openssl base64 -e -A | tr '+/' '-_' | tr -d '=');
SIGNATURE=$(echo -n ${HEADER}.${PAYLOAD} | openssl dgst -sha256 -hmac ${SECRET} -binary | openssl base64 -e -A | tr '+/' '-_' | tr -d '=');
echo "${HEADER}.${PAYLOAD}.${SIGNATURE}"
`

// seedTokenByShell really runs it.
func seedTokenByShell(t *trial) {
	t.needs("bash", "openssl", "tr", "date")
	id := t.existingUser("byshell")
	command := exec.Command("bash", "-c", shellToken)
	command.Env = append(os.Environ(), "USER_ID="+id, "SECRET="+t.client.Secret)
	output, err := command.Output()
	t.noError(err)

	token := strings.TrimSpace(string(output))
	parts := strings.Split(token, ".")
	t.require(len(parts) == 3, "the shell printed %d token parts, want 3", len(parts))
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	t.noError(err)
	t.require(token == goclient.Sign(t.client.Secret, spacedHeader, string(payload)), "shell and Go sign differently")
	t.asksAsUser(token, id)
}

// seedCurl asks as the pages' curl line does (`Authorization: ${TOKEN}`, `stream-auth-type: jwt`, key in the query), with
// the real curl. The token goes through standard input, so it is in no process list.
func seedCurl(t *trial) {
	t.needs("curl")
	command := exec.Command("curl", "-sS", "-X", "GET", t.client.Base+"/api/v2/app?api_key="+t.client.Key,
		"-H", "stream-auth-type: jwt", "-K", "-", "-w", "\n%{http_code}")
	command.Stdin = strings.NewReader(`header = "Authorization: ` + t.client.Token + `"`)
	output, err := command.Output()
	t.noError(err)
	t.require(strings.HasSuffix(string(output), "\n200"), "curl got no 200: %s", output)
	t.require(strings.HasPrefix(string(output), "{"), "curl got no JSON object: %s", output)
}

// twinCurl is the same request from our own socket.
func twinCurl(t *trial) {
	var response goclient.GetApplicationResponse
	t.noError(t.raw(curl, message{method: "GET", path: "/api/v2/app"}).decode(&response))
	t.require(response.App["name"] != "", "app.name is empty")
}

func (t *trial) needs(programs ...string) {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			panic(skipped(program + " is not on the PATH"))
		}
	}
}
