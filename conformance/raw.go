// Requests as other clients write them: the bytes go to the socket exactly as composed here, nothing is added by net/http.
// To add a client, add a dialect.
package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"headwater/conformance/goclient"
)

// dialect is what one kind of client sends around its requests. What these clients really send was not looked at (see the
// README); each dialect takes different liberties that v2.md section 1 allows.
type dialect struct {
	name        string // X-Stream-Client; empty fields send no header
	agent       string
	encodings   string // Accept-Encoding
	contentType string // only with a body, unlike the Go client
	lowerCase   bool   // header names in lower case
	framing     framing
}

type framing int

const (
	withLength framing = iota
	chunked
	zeroLength // no body, but `Content-Length: 0`
	absent     // no body and no length
)

var (
	javascript = dialect{
		name: "stream-javascript-client", agent: "node", encodings: "gzip, deflate", contentType: "application/json",
		lowerCase: true, framing: chunked,
	}
	python = dialect{name: "stream-python-client", agent: "python", contentType: "application/json"}
	java   = dialect{name: "stream-java-client", encodings: "gzip", contentType: "application/json; charset=UTF-8"}
	curl   = dialect{agent: "curl"}
)

// message is one request; path is already escaped, query lacks only the key and ends with &.
type message struct {
	method, path, query, body string
	framing                   *framing // when it differs from the dialect's
}

type rawReply struct {
	status int
	header http.Header
	body   []byte
}

// raw sends the message in the dialect over a connection of its own; the base URL has to be plain http with a port.
func (t *trial) raw(d dialect, m message) rawReply {
	base, err := url.Parse(t.client.Base)
	t.noError(err)
	connection, err := net.DialTimeout("tcp", base.Host, 10*time.Second)
	t.noError(err)
	defer connection.Close()
	t.noError(connection.SetDeadline(time.Now().Add(30 * time.Second)))
	_, err = io.WriteString(connection, t.compose(base, d, m))
	t.noError(err)
	answer, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: m.method})
	t.noError(err)
	defer answer.Body.Close()

	var body io.Reader = answer.Body
	if encoding := answer.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		t.require(encoding == "gzip" && d.encodings != "", "Content-Encoding %s was not asked for", encoding)
		body, err = gzip.NewReader(answer.Body)
		t.noError(err)
	}
	text, err := io.ReadAll(body)
	t.noError(err)
	return rawReply{answer.StatusCode, answer.Header, text}
}

func (t *trial) compose(base *url.URL, d dialect, m message) string {
	framing, contentType := d.framing, d.contentType
	if m.framing != nil {
		framing = *m.framing
	} else if m.body == "" {
		framing, contentType = absent, ""
	}
	body, length, transfer := m.body, "", ""
	switch framing {
	case withLength, zeroLength:
		length = fmt.Sprint(len(m.body))
	case chunked:
		transfer, body = "chunked", chunks(m.body)
	}

	lines := fmt.Sprintf("%s %s%s?%sapi_key=%s HTTP/1.1\r\n", m.method, base.EscapedPath(), m.path, m.query, url.QueryEscape(t.client.Key))
	for _, header := range [][2]string{
		{"Host", base.Host}, {"Connection", "close"}, {"Authorization", t.client.Token}, {"stream-auth-type", "jwt"},
		{"X-Stream-Client", d.name}, {"User-Agent", d.agent}, {"Accept-Encoding", d.encodings},
		{"Content-Type", contentType}, {"Content-Length", length}, {"Transfer-Encoding", transfer},
	} {
		if d.lowerCase {
			header[0] = strings.ToLower(header[0])
		}
		if header[1] != "" {
			lines += header[0] + ": " + header[1] + "\r\n"
		}
	}
	return lines + "\r\n" + body
}

// chunks cuts the body in two, in the middle of the JSON.
func chunks(body string) (text string) {
	for _, part := range []string{body[:len(body)/2], body[len(body)/2:]} {
		if part != "" {
			text += fmt.Sprintf("%x\r\n%s\r\n", len(part), part)
		}
	}
	return text + "0\r\n\r\n"
}

// decode reads a raw answer as strictly as the Go client would.
func (r rawReply) decode(into any) error {
	_, err := goclient.Decode(r.status, r.header, r.body, into)
	return err
}

// rawUser sends an upsert or a partial update of one user and returns the user of a success.
func (t *trial) rawUser(d dialect, method, id, body string) goclient.FullUserResponse {
	var response goclient.UpdateUsersResponse
	t.noError(t.raw(d, message{method: method, path: "/api/v2/users", body: body}).decode(&response))
	return t.only(id, response)
}

// rawLifecycle deactivates or reactivates and returns the user of a success.
func (t *trial) rawLifecycle(d dialect, segment, verb string, m message) goclient.UserResponse {
	m.method, m.path = http.MethodPost, "/api/v2/users/"+segment+"/"+verb
	var response goclient.UserLifecycleResponse
	t.noError(t.raw(d, m).decode(&response))
	t.require(response.User != nil, "%s answered no user", verb)
	return *response.User
}
