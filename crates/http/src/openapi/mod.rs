//! The OpenAPI 3.1 document: the table of routes, with the shapes that `wire` describes.
//!
//! A route whose operation [`wire::schema::describe`] does not know fails a test of this crate.

mod json_schema;
mod page;
mod served;

use hyper::Method;
use model::Operation;
use serde_json::{Map, Value, json};
use wire::schema::{Described, Field, Presence, Schema, describe, named};

use crate::routes::{Credential, RouteInfo, described};

pub(crate) use served::Documents;

const DESCRIPTION: &str = "Users, roles and settings of an app. Every call carries the key of the app in the query \
     parameter `api_key`, a token of the app, raw, in the header `Authorization`, and `Stream-Auth-Type: jwt`. Times in \
     answers are whole nanoseconds since 1970. `x-callers` says who may call an operation; what a user may do depends on its \
     permissions. Where a request may leave a field out, `null` is the same as leaving it out.";

/// The whole document.
pub(crate) fn document() -> Value {
    let schemas: Map<String, Value> =
        named().iter().map(|(name, schema)| ((*name).to_owned(), json_schema::of(schema))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Headwater",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"api_key": [], "token": [], "auth_type": []}],
        "tags": tags(),
        "paths": paths(),
        "components": {
            "schemas": schemas,
            "responses": {"Refused": refused()},
            "headers": headers(),
            "securitySchemes": {
                "api_key": {"type": "apiKey", "in": "query", "name": "api_key", "description": "The key of the app."},
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "A JWT, signed (HS256) with the secret of the app: with the claim `server: true` that of a \
                                    server, with `user_id` that of a user. Raw: without `Bearer`.",
                },
                "auth_type": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Stream-Auth-Type",
                    "description": "`jwt`; or `anonymous`, with no token or one whose `user_id` is `!anon`.",
                },
            },
        },
    })
}

/// The subjects, in the order in which routes first have them.
fn tags() -> Vec<Value> {
    let mut subjects: Vec<&str> = Vec::new();
    for (_, operation) in described() {
        if let Some(Described { subject, .. }) = describe(operation)
            && !subjects.contains(&subject)
        {
            subjects.push(subject);
        }
    }
    subjects.into_iter().map(|subject| json!({"name": subject})).collect()
}

fn paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for (route, operation) in described() {
        let Some(described) = describe(operation) else { continue };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = self::operation(&route, operation, &described);
    }
    paths
}

fn operation(route: &RouteInfo, operation: Operation, described: &Described) -> Value {
    let in_path = described.path.iter().map(|field| parameter("path", field));
    let in_query = described.query.iter().map(|field| parameter("query", field));
    let parameters: Vec<Value> = in_path.chain(in_query).collect();
    let mut shown = json!({
        "operationId": operation.name(),
        "tags": [described.subject],
        "summary": described.summary,
    });
    if !described.description.is_empty() {
        shown["description"] = described.description.into();
    }
    if !parameters.is_empty() {
        shown["parameters"] = parameters.into();
    }
    if let Some(request) = described.request {
        shown["requestBody"] = json!({"required": true, "content": content(&Schema::Named(request))});
    } else if route.method != Method::GET.as_str() {
        // Clients send the four bytes `null` where there is nothing to say (v2 1.3).
        shown["requestBody"] = json!({"required": false, "content": content(&Schema::Null)});
    }
    // What is not said here holds for the whole document: a token of a server or a user.
    match route.credential {
        Credential::Server => shown["x-callers"] = "servers".into(),
        Credential::User => shown["x-callers"] = "servers and users".into(),
        Credential::Anyone => {
            shown["x-callers"] = "anybody".into();
            shown["security"] = json!([{"api_key": []}, {"api_key": [], "token": [], "auth_type": []}]);
        }
    }
    let mut responses = Map::new();
    for status in successes(operation) {
        let description = if *status == "201" { "Created." } else { "Done." };
        let answer = content(&Schema::Named(described.answer));
        let response = json!({"description": description, "headers": header_references(), "content": answer});
        responses.insert((*status).to_owned(), response);
    }
    for status in ["4XX", "5XX"] {
        responses.insert(status.to_owned(), json!({"$ref": "#/components/responses/Refused"}));
    }
    shown["responses"] = responses.into();
    shown
}

/// The statuses of an operation that succeeds.
fn successes(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::Ban
        | Operation::CreateBlockList
        | Operation::CreateGuest
        | Operation::CreateRole
        | Operation::CreateUserGroup
        | Operation::SendMessage
        | Operation::SendReaction => &["201"],
        Operation::BlockUsers
        | Operation::CreateDevice
        | Operation::Flag
        | Operation::GetOrCreateChannel
        | Operation::GetOrCreateDistinctChannel
        | Operation::Mute
        | Operation::UpdateUsers => &["200", "201"],
        _ => &["200"],
    }
}

fn parameter(place: &str, field: &Field) -> Value {
    let mut shown = json!({
        "name": field.name,
        "in": place,
        "required": field.presence == Presence::Required,
        "description": field.description,
    });
    match &field.schema {
        json @ Schema::Named(_) => shown["content"] = content(json),
        schema => shown["schema"] = json_schema::of(schema),
    }
    shown
}

fn content(schema: &Schema) -> Value {
    json!({"application/json": {"schema": json_schema::of(schema)}})
}

fn refused() -> Value {
    json!({
        "description": "Refused, or failed: the code says why.",
        "headers": header_references(),
        "content": content(&Schema::Named("APIError")),
    })
}

const HEADERS: [(&str, &str, &str); 4] = [
    ("x-ratelimit-limit", "integer", "Calls in a minute; 2147483647 is no limit."),
    ("x-ratelimit-remaining", "integer", "Calls left in this minute."),
    ("x-ratelimit-reset", "integer", "When the minute ends, in seconds since 1970."),
    ("x-request-id", "string", "Names this request in the log."),
];

fn headers() -> Map<String, Value> {
    let header = |(name, kind, description): (&str, &str, &str)| {
        (name.to_owned(), json!({"description": description, "required": true, "schema": {"type": kind}}))
    };
    HEADERS.map(header).into_iter().collect()
}

fn header_references() -> Map<String, Value> {
    let reference = |(name, ..): (&str, &str, &str)| {
        (name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}))
    };
    HEADERS.map(reference).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_with_its_parameters() {
        for (route, operation) in described() {
            let described = describe(operation)
                .unwrap_or_else(|| panic!("{operation} has a route: describe it in wire::schema::describe"));
            let in_path: Vec<&str> =
                route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            let known: Vec<&str> = described.path.iter().map(|field| field.name).collect();
            assert_eq!(known, in_path, "{operation}");
            let has_body = described.request.is_some();
            let takes_body = !matches!(route.method, "GET" | "DELETE");
            assert_eq!(has_body, takes_body, "{operation}");
        }
    }

    #[test]
    fn every_description_has_its_route() {
        let routed: Vec<Operation> = described().map(|(_, operation)| operation).collect();
        for operation in Operation::ALL {
            assert_eq!(describe(*operation).is_some(), routed.contains(operation), "{operation}");
        }
    }
}
