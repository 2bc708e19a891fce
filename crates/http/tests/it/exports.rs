//! Exports over the wire: of one user at once, of many in a file that whoever knows its address may read for a day.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use headwater_testkit::client::{Reply, Request};
use headwater_testkit::{Engine, KEY, TestFront, on_each_engine, server_token};
use operations::apps;
use serde_json::{Value, json};
use storage::Sql;

const NOW: i64 = 1_704_067_200_000_000_000;
const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 24 * 60 * 60 * SECOND;

/// Downloads at the same time, as the server allows them.
const MOST_DOWNLOADS: usize = 64;

const NOT_THERE: &str = "Request failed with error: \"the file does not exist or has expired\"";

async fn done(front: &TestFront, method: &str, path: &str, body: Value) -> Value {
    let reply = front.call(method, path, &body).await;
    assert!(reply.status < 300, "{method} {path}: {}", String::from_utf8_lossy(&reply.body));
    reply.json()
}

/// alice has written a message, which is deleted, and answered one of bob's.
async fn stage(front: &TestFront) {
    let users = json!({"alice": {"name": "Alice", "custom": {"color": "blue"}}, "bob": {}});
    done(front, "POST", "/api/v2/users", json!({"users": users})).await;
    let channel =
        json!({"data": {"created_by_id": "bob", "members": [{"user_id": "alice"}, {"user_id": "bob"}]}});
    done(front, "POST", "/api/v2/chat/channels/messaging/general/query", channel).await;
    for (id, author) in [("m1", "alice"), ("m2", "bob")] {
        let message = json!({"message": {"id": id, "text": "hello", "user_id": author,
            "attachments": [{"type": "image"}], "custom": {"mood": "good"}}});
        done(front, "POST", "/api/v2/chat/channels/messaging/general/message", message).await;
        let reaction = json!({"reaction": {"type": "love", "user_id": "alice", "score": 2}});
        done(front, "POST", &format!("/api/v2/chat/messages/{id}/reaction"), reaction).await;
    }
    front.clock().advance(SECOND);
    done(front, "DELETE", "/api/v2/chat/messages/m1", Value::Null).await;
}

/// Starts an export, and answers its task.
async fn start(front: &TestFront, users: &[&str]) -> String {
    crate::tasks::start(front, "/api/v2/export/users", &json!({"user_ids": users})).await
}

/// What came of a task.
async fn result(front: &TestFront, task: &str) -> Value {
    let task = done(front, "GET", &format!("/api/v2/tasks/{task}"), Value::Null).await;
    assert_eq!(task["status"], "completed", "{task}");
    task["result"].clone()
}

/// Exports users, and answers the path of the file.
async fn export(front: &TestFront, users: &[&str]) -> String {
    let task = start(front, users).await;
    front.run_tasks().await;
    let result = result(front, &task).await;
    let url = result["url"].as_str().unwrap();
    url.strip_prefix("http://127.0.0.1:3030").unwrap().to_owned()
}

async fn ask(front: &TestFront, method: &str, path: &str) -> Reply {
    front.send(Request::new(method, path)).await
}

const MESSAGE: &str = concat!(
    r#"{"id":"m1","cid":"messaging:general","type":"deleted","text":"hello","html":"","user":OWNER,"#,
    r#""attachments":[{"type":"image","custom":{}}],"custom":{"mood":"good"},"latest_reactions":[],"own_reactions":[],"#,
    r#""reaction_counts":{"love":1},"reaction_scores":{"love":2},"reaction_groups":{"love":{"count":1,"sum_scores":2,"#,
    r#""first_reaction_at":1704067200000000000,"last_reaction_at":1704067200000000000,"latest_reactions_by":[]}},"#,
    r#""mentioned_users":[],"restricted_visibility":[],"mentioned_channel":false,"mentioned_here":false,"pinned":false,"#,
    r#""silent":false,"reply_count":0,"deleted_reply_count":0,"shadowed":false,"created_at":1704067200000000000,"#,
    r#""updated_at":1704067201000000000,"deleted_at":1704067201000000000}"#,
);

const REACTIONS: [&str; 2] = [
    concat!(
        r#"{"message_id":"m1","type":"love","score":2,"user_id":"alice","user":OWNER,"custom":{},"#,
        r#""created_at":1704067200000000000,"updated_at":1704067200000000000}"#,
    ),
    concat!(
        r#"{"message_id":"m2","type":"love","score":2,"user_id":"alice","user":OWNER,"custom":{},"#,
        r#""created_at":1704067200000000000,"updated_at":1704067200000000000}"#,
    ),
];

const ALICE: &str = concat!(
    r#"{"id":"alice","role":"user","banned":false,"online":false,"language":"","teams":[],"custom":{"color":"blue"},"#,
    r#""created_at":1704067200000000000,"updated_at":1704067200000000000,"name":"Alice","blocked_user_ids":[],"#,
    r#""invisible":false,"shadow_banned":false}"#,
);

async fn a_file_is_handed_out_to_the_byte(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    stage(&front).await;
    let path = export(&front, &["alice"]).await;
    let reply = ask(&front, "GET", &path).await;
    let named = |text: &str| text.replace("OWNER", r#"{"id":"alice"}"#);
    let lines = [
        format!(r#"{{"type":"user","data":{ALICE}}}"#),
        format!(r#"{{"type":"message","data":{}}}"#, named(MESSAGE)),
        format!(r#"{{"type":"reaction","data":{}}}"#, named(REACTIONS[0])),
        format!(r#"{{"type":"reaction","data":{}}}"#, named(REACTIONS[1])),
    ];
    assert_eq!(String::from_utf8(reply.body.clone()).unwrap(), lines.map(|line| line + "\n").concat());
    assert_eq!(reply.status, 200);
    for (name, value) in [
        ("content-type", "application/x-ndjson"),
        ("cache-control", "no-store"),
        ("content-disposition", "attachment; filename=\"users.jsonl\""),
        ("access-control-allow-origin", "*"),
        ("x-ratelimit-limit", "2147483647"),
    ] {
        assert_eq!(reply.header(name), Some(value));
    }
    assert_eq!(reply.header("x-request-id").map(str::len), Some(32));
    let head = ask(&front, "HEAD", &path).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-type"), Some("application/x-ndjson"));
    // A key and a token make no difference, and neither does a query.
    assert_eq!(front.get(&path).await.body, reply.body);
    assert_eq!(ask(&front, "GET", &format!("{path}?download=1")).await.body, reply.body);
}

async fn one_user_is_exported_at_once(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    stage(&front).await;
    let reply = front.get("/api/v2/users/alice/export").await;
    assert_eq!(reply.status, 200);
    let mut answer = reply.json();
    assert!(answer["duration"].take().is_string());
    let author = &answer["messages"][0]["user"];
    assert_eq!(
        (&author["id"], &author["name"], &author["custom"]),
        (&json!("alice"), &json!("Alice"), &json!({}))
    );
    let owner = author.to_string();
    let parsed = |text: &str| -> Value { serde_json::from_str(&text.replace("OWNER", &owner)).unwrap() };
    let reactions: Vec<Value> = REACTIONS.iter().map(|text| parsed(text)).collect();
    let expected = json!({"duration": null, "user": parsed(ALICE), "messages": [parsed(MESSAGE)], "reactions": reactions});
    assert_eq!(answer, expected);
    // Of whoever has written nothing, everything as well (v2 6).
    done(&front, "POST", "/api/v2/users", json!({"users": {"carol": {}}})).await;
    let bare = done(&front, "GET", "/api/v2/users/carol/export", Value::Null).await;
    assert_eq!(
        (&bare["user"]["id"], &bare["messages"], &bare["reactions"]),
        (&json!("carol"), &json!([]), &json!([]))
    );
}

async fn exports_are_refused_in_words(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    stage(&front).await;
    let gone = json!({"user_ids": ["bob"], "user": "hard", "messages": "hard", "conversations": "hard"});
    done(&front, "POST", "/api/v2/users/delete", gone).await;
    front.run_tasks().await;
    let refused = |reply: Reply, status: u16, code: i64, operation: &str, reason: &str| {
        assert_eq!(reply.refusal(), (status, code, format!("{operation} failed with error: \"{reason}\"")));
    };
    for (id, status, code, reason) in [
        ("zoe", 404, 16, "the user zoe does not exist"),
        ("bob", 404, 16, "the user bob was deleted"),
        ("b+b", 400, 4, "user_id: may have letters, digits, '@', '_' and '-' only, got 'b b'"),
    ] {
        refused(front.get(&format!("/api/v2/users/{id}/export")).await, status, code, "ExportUser", reason);
    }
    let many: Vec<String> = (0..101).map(|number| format!("u{number}")).collect();
    for (body, status, code, reason) in [
        (json!({}), 400, 4, "user_ids: is required: a list of user ids"),
        (json!({"user_ids": []}), 400, 4, "user_ids: must hold 1 to 100 users, holds 0"),
        (json!({"user_ids": many}), 400, 4, "user_ids: must hold 1 to 100 users, holds 101"),
        (json!({"user_ids": "alice"}), 400, 4, "user_ids: must be an array of strings, got a string"),
        (json!({"user_ids": ["alice", 7]}), 400, 4, "user_ids.1: must be a string, got a number"),
        (
            json!({"user_ids": ["alice", "alice"]}),
            400,
            4,
            "user_ids: must name each user once, names 'alice' twice",
        ),
        (
            json!({"user_ids": ["alice", "zoe", "yan"]}),
            400,
            4,
            "user_ids: must name users who exist; there is none with the id zoe, yan",
        ),
        (json!({"user_ids": ["alice", "bob"]}), 404, 16, "the user bob was deleted"),
    ] {
        refused(front.call("POST", "/api/v2/export/users", &body).await, status, code, "ExportUsers", reason);
    }
    for (method, path) in [("GET", "/api/v2/users/alice/export"), ("POST", "/api/v2/export/users")] {
        let reply = front.call_as("alice", method, path, &json!({"user_ids": ["alice"]})).await;
        assert_eq!((reply.status, &reply.json()["code"]), (403, &json!(17)), "{path}");
    }
    assert_eq!(front.run_tasks().await, 0);
}

/// What is asked of files that are not there is answered the same, whatever is wrong.
async fn nothing_but_the_name_opens_a_file(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    stage(&front).await;
    let path = export(&front, &["alice"]).await;
    let name = path.strip_prefix("/exports/users/").unwrap().strip_suffix(".jsonl").unwrap();
    let again = export(&front, &["alice"]).await;
    assert_ne!(path, again);
    let unfinished = start(&front, &["bob"]).await;
    let rows = front
        .store()
        .read(|tx| {
            tx.query(Sql::new("SELECT name FROM export_files WHERE expires_at IS NULL"), &[], |row| {
                row.text(0)
            })
        })
        .await;
    let rows: Result<Vec<String>, storage::Error> = rows;
    let unfinished_name = rows.unwrap().remove(0);
    for wrong in [
        "/exports/users/".to_owned(),
        "/exports/users/x.jsonl".to_owned(),
        format!("/exports/users/{}.jsonl", "0".repeat(64)),
        format!("/exports/users/{unfinished_name}.jsonl"),
        format!("/exports/users/{unfinished}.jsonl"),
        format!("/exports/users/{name}"),
        format!("/exports/users/{name}.json"),
        format!("/exports/users/{name}.jsonl/"),
        format!("/exports/users/{}.jsonl", name.to_uppercase()),
        format!("/exports/users/{}.jsonl", &name[1..]),
        format!("/exports/users/%{:02x}{}.jsonl", name.as_bytes()[0], &name[1..]),
        "/exports/users/..%2f..%2fetc%2fpasswd".to_owned(),
    ] {
        let reply = ask(&front, "GET", &wrong).await;
        assert_eq!(reply.refusal(), (404, 16, NOT_THERE.to_owned()), "{wrong}");
        assert!(!String::from_utf8_lossy(&reply.body).contains(name));
        let head = ask(&front, "HEAD", &wrong).await;
        assert_eq!((head.status, head.body.len()), (404, 0), "{wrong}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let reply = ask(&front, method, &path).await;
        let message =
            format!("Request failed with error: \"the method must be one of GET, HEAD, got {method}\"");
        assert_eq!((reply.header("allow"), reply.refusal()), (Some("GET, HEAD"), (405, 17, message)));
    }
    assert_eq!(ask(&front, "GET", &format!("/api/v2{path}")).await.status, 404);
    // The task tells the address to its app alone.
    front.create_app("other", "other-secret").await;
    let stranger = Request::new("GET", &format!("/api/v2/tasks/{unfinished}?api_key=other"))
        .header("Authorization", &server_token("other-secret"))
        .header("Stream-Auth-Type", "jwt");
    front.run_tasks().await;
    assert_eq!(front.send(stranger).await.status, 404);
    assert_eq!(ask(&front, "GET", &format!("/exports/users/{unfinished_name}.jsonl")).await.status, 200);
    let reader = front.call_as("alice", "GET", &format!("/api/v2/tasks/{unfinished}"), &Value::Null).await;
    assert_eq!((reader.status, &reader.json()["code"]), (403, &json!(17)));
}

async fn a_file_is_gone_after_a_day(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    stage(&front).await;
    let task = start(&front, &["alice"]).await;
    front.run_tasks().await;
    let url = result(&front, &task).await["url"].as_str().unwrap().to_owned();
    let path = &url[url.find("/exports/").unwrap()..];
    front.clock().advance(DAY - 1);
    front.store().sweep().await;
    assert_eq!(ask(&front, "GET", path).await.status, 200);
    front.clock().advance(1);
    assert_eq!(ask(&front, "GET", path).await.refusal(), (404, 16, NOT_THERE.to_owned()), "before any sweep");
    front.store().sweep().await;
    assert_eq!(ask(&front, "GET", path).await.status, 404);
    let task = done(&front, "GET", &format!("/api/v2/tasks/{task}"), Value::Null).await;
    assert_eq!((&task["status"], task.get("result")), (&json!("completed"), None));
}

async fn who_was_deleted_meanwhile_is_told_in_the_result(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    stage(&front).await;
    let task = start(&front, &["alice", "bob"]).await;
    done(&front, "POST", "/api/v2/users/delete", json!({"user_ids": ["bob"]})).await;
    front.run_tasks().await;
    let result = result(&front, &task).await;
    let users = json!({"alice": {"status": "ok"}, "bob": {"status": "error", "error": "the user was deleted meanwhile"}});
    assert_eq!(result["users"], users);
    let url = result["url"].as_str().unwrap();
    let reply = ask(&front, "GET", &url[url.find("/exports/").unwrap()..]).await;
    let lines = String::from_utf8(reply.body).unwrap();
    assert!(lines.contains(r#""id":"alice""#) && !lines.contains(r#""id":"bob""#), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_where_clients_reach_the_server() {
    let front =
        TestFront::start_with(|options| options.public_url = "https://chat.example/base/".to_owned()).await;
    stage(&front).await;
    let task = start(&front, &["alice"]).await;
    let pending = done(&front, "GET", &format!("/api/v2/tasks/{task}"), Value::Null).await;
    assert_eq!((&pending["status"], pending.get("result")), (&json!("pending"), None));
    front.clock().advance(7);
    front.run_tasks().await;
    let completed = done(&front, "GET", &format!("/api/v2/tasks/{task}"), Value::Null).await;
    assert_eq!(completed["updated_at"], json!(NOW + SECOND + 7));
    let names: Vec<&String> = completed["result"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["url"], "nobody is missing");
    let url = completed["result"]["url"].as_str().unwrap();
    let name = url.strip_prefix("https://chat.example/base/exports/users/").unwrap();
    assert!(model::is_export_name(name.strip_suffix(".jsonl").unwrap()), "{url}");
    assert_eq!(ask(&front, "GET", &format!("/exports/users/{name}")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_names_is_told_to_wait() {
    let front = TestFront::start_with(|options| options.refused_tokens = 2).await;
    stage(&front).await;
    let path = export(&front, &["alice"]).await;
    let wrong = format!("/exports/users/{}.jsonl", "0".repeat(64));
    for _ in 0..2 {
        assert_eq!(ask(&front, "GET", &wrong).await.status, 404);
        assert_eq!(ask(&front, "GET", &path).await.status, 200, "good names are not counted");
    }
    front.clock().advance(50 * SECOND);
    let refused = ask(&front, "GET", &wrong).await;
    let reason = "Too many requests for files that are not there from this address";
    let message = format!("Request failed with error: \"{reason}\"");
    // A second has gone by before.
    assert_eq!((refused.header("retry-after"), refused.refusal()), (Some("9"), (429, 9, message)));
    assert_eq!(ask(&front, "GET", &path).await.status, 429, "nothing is looked up for such an address");
    front.clock().advance(9 * SECOND);
    assert_eq!(ask(&front, "GET", &path).await.status, 200);
    assert_eq!(ask(&front, "GET", &wrong).await.status, 404);
}

async fn nothing_of_a_suspended_app_is_handed_out(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    stage(&front).await;
    let path = export(&front, &["alice"]).await;
    front.operate(|tx, ctx| apps::suspend(tx, ctx, KEY, "unpaid")).await.unwrap();
    assert_eq!(ask(&front, "GET", &path).await.refusal(), (404, 16, NOT_THERE.to_owned()));
    front.operate(|tx, ctx| apps::resume(tx, ctx, KEY)).await.unwrap();
    assert_eq!(ask(&front, "GET", &path).await.status, 200);
}

/// A file of several megabytes: more than a connection takes that nobody reads from.
async fn large_file(front: &TestFront) -> String {
    stage(front).await;
    let text = "x".repeat(16 << 10);
    let sql = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500) \
         INSERT INTO messages (app, id, channel, \"user\", type, text, attachments, custom, shadowed, created_at, \
             updated_at, cause) \
         SELECT app, 'n' || CAST(n AS TEXT), channel, \"user\", type, '{text}', '[]', '{{}}', 0, n, n, 0 \
         FROM messages, numbers WHERE id = 'm2'"
    );
    let sql = Sql::new(sql.leak());
    let written: Result<usize, storage::Error> = front.store().write(move |tx| tx.execute(sql, &[])).await;
    assert_eq!(written.unwrap(), 500);
    export(front, &["bob"]).await
}

/// Asks for a file and reads no more than the beginning of the answer.
async fn begin(front: &TestFront, path: &str) -> (TcpStream, Vec<u8>) {
    let (address, request) = (front.address(), Request::new("GET", path).to_bytes());
    let begun = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(&request).unwrap();
        let mut beginning = vec![0; 100];
        stream.read_exact(&mut beginning).unwrap();
        (stream, beginning)
    });
    let (stream, beginning) = begun.await.unwrap();
    assert!(beginning.starts_with(b"HTTP/1.1 200 OK\r\n"), "{:?}", String::from_utf8_lossy(&beginning));
    (stream, beginning)
}

/// Reads what is left. Answers whether the answer came to its end.
async fn finish((mut stream, mut read): (TcpStream, Vec<u8>)) -> bool {
    let reading = tokio::task::spawn_blocking(move || {
        let _cut = stream.read_to_end(&mut read);
        read.ends_with(b"\r\n0\r\n\r\n")
    });
    reading.await.unwrap()
}

async fn who_reads_slowly_holds_up_nobody(engine: Engine) {
    let front = TestFront::start_on(engine).await;
    let path = large_file(&front).await;
    let mut slow = Vec::new();
    for _ in 0..MOST_DOWNLOADS {
        slow.push(begin(&front, &path).await);
    }
    // No connection to the database is kept for them.
    assert_eq!(front.get("/api/v2/users").await.status, 200);
    let refused = ask(&front, "GET", &path).await;
    let (status, code, message) = refused.refusal();
    assert_eq!((status, code, refused.header("retry-after")), (503, -1, Some("5")), "{message}");
    assert!(message.contains("too many files are being downloaded; try again"), "{message}");
    let first = slow.swap_remove(0);
    assert!(finish(first).await, "the answer has an end, however long it took");
    let whole = ask(&front, "GET", &path).await;
    assert!(whole.status == 200 && whole.body.len() > 8_000_000 && whole.body.ends_with(b"}}\n"));
    // A file that expires under its reader has no end.
    let late = slow.swap_remove(0);
    front.clock().advance(DAY);
    assert!(!finish(late).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_let_go() {
    let front = TestFront::start_with(|options| options.request_timeout = Duration::from_millis(500)).await;
    let path = large_file(&front).await;
    let mut stalled = Vec::new();
    for _ in 0..MOST_DOWNLOADS {
        stalled.push(begin(&front, &path).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let whole = ask(&front, "GET", &path).await;
    assert!(whole.status == 200 && whole.body.ends_with(b"}}\n"));
    for one in stalled {
        assert!(!finish(one).await);
    }
}

on_each_engine!(
    a_file_is_handed_out_to_the_byte,
    one_user_is_exported_at_once,
    exports_are_refused_in_words,
    nothing_but_the_name_opens_a_file,
    a_file_is_gone_after_a_day,
    who_was_deleted_meanwhile_is_told_in_the_result,
    nothing_of_a_suspended_app_is_handed_out,
    who_reads_slowly_holds_up_nobody,
);
