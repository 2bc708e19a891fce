//! Bytes in and out: bodies, encodings, envelopes, headers (v2 1).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use headwater_testkit::TestFront;
use headwater_testkit::client::{Request, exchange};
use serde_json::{Value, json};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn raw(front: &TestFront, bytes: Vec<u8>) -> headwater_testkit::client::Reply {
    let address = front.address();
    tokio::task::spawn_blocking(move || exchange(address, &bytes)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_null_and_an_empty_object_are_the_same_body() {
    let front = TestFront::start().await;
    let bodies: [Option<&str>; 5] = [None, Some(""), Some("null"), Some("{}"), Some(" {}\n")];
    for (number, body) in bodies.into_iter().enumerate() {
        front.call("POST", "/api/v2/users", &json!({"users": {format!("u{number}"): {}}})).await;
        let with = |request: Request| body.map_or_else(|| request.clone(), |body| request.clone().body(body));
        for (method, path, status) in [
            ("GET", "/api/v2/app".to_owned(), 200),
            ("GET", "/api/v2/users".to_owned(), 200),
            ("PATCH", "/api/v2/app".to_owned(), 200),
            ("POST", format!("/api/v2/users/u{number}/deactivate"), 200),
            ("POST", format!("/api/v2/users/u{number}/reactivate"), 200),
            ("POST", "/api/v2/users".to_owned(), 400),
        ] {
            let reply = front.send(with(front.request(method, &path))).await;
            assert_eq!(reply.status, status, "{method} {path} with {body:?}: {:?}", reply.json());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn path_segments_are_read_as_forms() {
    let front = TestFront::start().await;
    front.call("POST", "/api/v2/users", &json!({"users": {"a@b": {}, "deactivate": {}}})).await;
    for path in ["/api/v2/users/a%40b/deactivate", "//api/v2/users/deactivate/deactivate"] {
        assert_eq!(front.call("POST", path, &json!(null)).await.status, 200, "{path}");
    }
    for (segment, reason) in [
        ("a+b", "user_id: may have letters, digits, '@', '_' and '-' only, got 'a b'"),
        ("a%2Fb", "user_id: may have letters, digits, '@', '_' and '-' only, got 'a/b'"),
        ("%ff", "user_id: must be UTF-8 without U+0000, percent-encoded"),
        ("a%00", "user_id: must be UTF-8 without U+0000, percent-encoded"),
        ("%21anon", "user_id: '!anon' is reserved for the anonymous user"),
    ] {
        let reply = front.call("POST", &format!("/api/v2/users/{segment}/deactivate"), &json!({})).await;
        let message = format!("DeactivateUser failed with error: \"{reason}\"");
        assert_eq!(reply.refusal(), (400, 4, message));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_refused_in_the_envelope() {
    let front = TestFront::start().await;
    let reply = front.get("/api/v2/nothing").await;
    assert_eq!(reply.refusal(), (404, 16, r#"Request failed with error: "Not Found""#.to_owned()));
    let reply = front.send(front.request("DELETE", "/api/v2/users")).await;
    let message = r#"Request failed with error: "the method must be one of GET, POST, PATCH, got DELETE""#;
    assert_eq!(reply.refusal(), (405, 17, message.to_owned()));
    assert_eq!(reply.header("allow"), Some("GET, POST, PATCH"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_envelope_has_every_field() {
    let front = TestFront::start().await;
    let reply = front.call("POST", "/api/v2/users", &json!({"users": {"a": {"role": 1}}})).await;
    let mut body = reply.json();
    let duration = body["duration"].take();
    assert!(duration.as_str().is_some_and(|text| text.ends_with("ms")), "{duration}");
    let expected = json!({
        "code": 4,
        "message": "UpdateUsers failed with error: \"users.a.role: must be a string, got a number\"",
        "StatusCode": 400,
        "duration": null,
        "more_info": "",
        "details": [],
        "exception_fields": {"users.a.role": "must be a string, got a number"},
    });
    assert_eq!(body, expected);
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_has_its_headers() {
    let front = TestFront::start().await;
    for (reply, status) in [
        (front.get("/api/v2/app").await, 200),
        (front.get("/nothing").await, 404),
        (front.send(Request::new("GET", "/api/v2/app")).await, 401),
        (front.send(Request::new("PUT", "/api/v2/app")).await, 405),
        (front.send(Request::new("OPTIONS", "/api/v2/users")).await, 204),
    ] {
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("x-ratelimit-limit"), Some("2147483647"));
        assert_eq!(reply.header("x-ratelimit-remaining"), Some("2147483647"));
        assert_eq!(reply.header("x-ratelimit-reset"), Some("1704067260"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("x-request-id").map(str::len), Some(32));
    }
    let preflight = front.send(Request::new("OPTIONS", "/api/v2/users")).await;
    assert_eq!(preflight.header("access-control-max-age"), Some("86400"));
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        Some("GET, POST, PUT, PATCH, DELETE, OPTIONS")
    );
    assert!(
        preflight
            .header("access-control-allow-headers")
            .is_some_and(|names| names.contains("stream-auth-type"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_packed_for_those_who_take_it() {
    let front = TestFront::start().await;
    let users: serde_json::Map<String, Value> =
        (0..20).map(|number| (format!("u{number}"), json!({}))).collect();
    front.call("POST", "/api/v2/users", &json!({ "users": users })).await;
    let packed = front.send(front.request("GET", "/api/v2/users").header("Accept-Encoding", "gzip")).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = String::new();
    GzDecoder::new(packed.body.as_slice()).read_to_string(&mut unpacked).unwrap();
    let body: Value = serde_json::from_str(&unpacked).unwrap();
    assert_eq!(body["users"].as_array().map(Vec::len), Some(20));
    let plain = front.get("/api/v2/users").await;
    assert_eq!((plain.header("content-encoding"), &plain.json()["users"]), (None, &body["users"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_may_be_packed_and_chunked() {
    let front = TestFront::start().await;
    let upsert = |id: &str| json!({"users": {id: {"name": "A"}}}).to_string();
    let request = front.request("POST", "/api/v2/users");
    let packed = request.clone().header("Content-Encoding", "gzip").body(gzip(upsert("a").as_bytes()));
    assert_eq!(front.send(packed).await.status, 201);

    let mut chunked = request.clone().header("Transfer-Encoding", "chunked").to_bytes();
    for chunk in upsert("b").as_bytes().chunks(7) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert_eq!(raw(&front, chunked).await.status, 201);

    let unknown = request.clone().header("Content-Encoding", "br").body("x");
    let (status, code, message) = front.send(unknown).await.refusal();
    assert_eq!((status, code), (400, 4), "{message}");
    let broken = request.header("Content-Encoding", "gzip").body("not packed");
    let (status, code, message) = front.send(broken).await.refusal();
    assert_eq!((status, code), (400, 4), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded() {
    let front = TestFront::start_with(|options| options.body_bytes = 1000).await;
    let request = front.request("POST", "/api/v2/users");
    let message = r#"UpdateUsers failed with error: "the body may have at most 1000 bytes""#.to_owned();
    let large = vec![b' '; 1001];
    let reply = front.send(request.clone().body(large.clone())).await;
    assert_eq!(reply.refusal(), (413, 22, message.clone()));
    let bomb = request.clone().header("Content-Encoding", "gzip").body(gzip(&large));
    assert_eq!(front.send(bomb).await.refusal(), (413, 22, message.clone()));
    let mut chunked = request.header("Transfer-Encoding", "chunked").to_bytes();
    chunked.extend(format!("{:x}\r\n", large.len()).bytes());
    chunked.extend(large);
    chunked.extend(b"\r\n0\r\n\r\n");
    assert_eq!(raw(&front, chunked).await.refusal(), (413, 22, message));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let front = TestFront::start_with(|options| options.request_timeout = Duration::from_millis(200)).await;
    let request = front.request("POST", "/api/v2/users").header("Content-Length", "100").to_bytes();
    let (status, code, message) = raw(&front, request).await.refusal();
    assert_eq!((status, code), (408, 23), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded() {
    let front = TestFront::start().await;
    let long = Request::new("GET", "/api/v2/app").header("X-Long", &"x".repeat(1_000_000)).to_bytes();
    let address = front.address();
    let status = tokio::task::spawn_blocking(move || exchange(address, &long).status).await.unwrap();
    assert_eq!(status, 431);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_without_a_key() {
    let front = TestFront::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(front.send(Request::new("GET", path)).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_many_requests() {
    let front = TestFront::start().await;
    let request = front.request("GET", "/api/v2/app").to_bytes();
    let keep = String::from_utf8(request).unwrap().replace("Connection: close\r\n", "");
    let address = front.address();
    let answers = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answers = 0;
        let mut buffer = [0; 16 << 10];
        for _ in 0..3 {
            stream.write_all(keep.as_bytes()).unwrap();
            let read = stream.read(&mut buffer).unwrap();
            answers += usize::from(buffer[..read].starts_with(b"HTTP/1.1 200"));
        }
        answers
    });
    assert_eq!(answers.await.unwrap(), 3);
}
