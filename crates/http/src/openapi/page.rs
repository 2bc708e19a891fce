//! `/docs`: the document as one page that asks nothing of anybody. Plain HTML, one inline style, no script.

use std::fmt::Write;

use serde_json::{Map, Value};

const STYLE: &str = include_str!("page.css");

/// The page of a document made by [`super::document`].
pub(super) fn render(document: &Value) -> String {
    let mut page = Page { document, html: String::with_capacity(1 << 17) };
    page.head();
    page.navigation();
    page.push("<main>");
    page.introduction();
    for tag in list(&document["tags"]) {
        let subject = text(&tag["name"]);
        page.add(format_args!("<h2>{}</h2>", escape(subject)));
        for (path, method, operation) in operations(document) {
            if operation["tags"][0] == subject {
                page.operation(path, method, operation);
            }
        }
    }
    page.types();
    page.codes();
    page.push("</main></body></html>\n");
    page.html
}

struct Page<'a> {
    document: &'a Value,
    html: String,
}

impl Page<'_> {
    fn push(&mut self, html: &str) {
        self.html.push_str(html);
    }

    fn add(&mut self, html: std::fmt::Arguments<'_>) {
        // Writing to text cannot fail.
        let _written = self.html.write_fmt(html);
    }

    fn head(&mut self) {
        let title = escape(text(&self.document["info"]["title"]));
        self.add(format_args!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title} API</title>\
             <style>{STYLE}</style></head><body>"
        ));
    }

    fn navigation(&mut self) {
        self.push("<nav aria-label=\"Contents\">");
        for tag in list(&self.document["tags"]) {
            let subject = text(&tag["name"]);
            self.add(format_args!("<h2>{}</h2><ul>", escape(subject)));
            for (_, _, operation) in operations(self.document) {
                if operation["tags"][0] == subject {
                    let id = text(&operation["operationId"]);
                    self.add(format_args!("<li><a href=\"#{id}\">{id}</a></li>"));
                }
            }
            self.push("</ul>");
        }
        self.push(
            "<h2>Reference</h2><ul><li><a href=\"#types\">Types</a></li>\
             <li><a href=\"#codes\">Error codes</a></li><li><a href=\"/openapi.json\">openapi.json</a></li></ul></nav>",
        );
    }

    fn introduction(&mut self) {
        let info = &self.document["info"];
        let (title, version) = (escape(text(&info["title"])), escape(text(&info["version"])));
        self.add(format_args!("<h1>{title} API <small>{version}</small></h1>"));
        self.add(format_args!("<p>{}</p>", prose(text(&info["description"]))));
        self.push("<table><thead><tr><th>Credential</th><th>Where</th><th>What</th></tr></thead><tbody>");
        let schemes = self.document["components"]["securitySchemes"].as_object();
        for scheme in schemes.into_iter().flat_map(Map::values) {
            let (name, place) = (escape(text(&scheme["name"])), escape(text(&scheme["in"])));
            let what = prose(text(&scheme["description"]));
            self.add(format_args!("<tr><td><code>{name}</code></td><td>{place}</td><td>{what}</td></tr>"));
        }
        self.push("</tbody></table>");
    }

    fn operation(&mut self, path: &str, method: &str, operation: &Value) {
        let id = text(&operation["operationId"]);
        let summary = escape(text(&operation["summary"]));
        let (verb, path) = (method.to_uppercase(), escape(path));
        self.add(format_args!(
            "<section id=\"{id}\"><h3>{summary} <a class=\"anchor\" href=\"#{id}\">{id}</a></h3>\
             <p class=\"call\"><span class=\"verb {method}\">{verb}</span> <code>{path}</code></p>"
        ));
        self.add(format_args!("<p>For {}.</p>", escape(text(&operation["x-callers"]))));
        if let Some(description) = operation["description"].as_str() {
            self.add(format_args!("<p>{}</p>", prose(description)));
        }
        let parameters = list(&operation["parameters"]);
        if !parameters.is_empty() {
            self.push("<h4>Parameters</h4>");
            self.table_head("Parameter");
            for parameter in parameters {
                let schema = body(parameter).unwrap_or(&parameter["schema"]);
                let place = format!("{}, in the {}", kind(schema), escape(text(&parameter["in"])));
                let required = parameter["required"] == true;
                self.row(text(&parameter["name"]), &place, required, text(&parameter["description"]));
            }
            self.push("</tbody></table>");
        }
        if let Some(schema) = body(&operation["requestBody"]).filter(|schema| schema["type"] != "null") {
            self.add(format_args!("<h4>Body: {}</h4>", kind(schema)));
            self.fields(schema);
        }
        let responses = operation["responses"].as_object();
        let answers: Vec<(&String, &Value)> =
            responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2')).collect();
        if let Some(schema) = answers.first().and_then(|(_, answer)| body(answer)) {
            let statuses: Vec<&str> = answers.iter().map(|(status, _)| status.as_str()).collect();
            self.add(format_args!("<h4>Answer {}: {}</h4>", statuses.join(" or "), kind(schema)));
            self.fields(schema);
        }
        self.push("</section>");
    }

    fn types(&mut self) {
        self.push("<h2 id=\"types\">Types</h2>");
        let document = self.document;
        for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
            let description = prose(text(&schema["description"]));
            self.add(format_args!(
                "<section id=\"type-{name}\"><h3><a class=\"anchor\" href=\"#type-{name}\">{name}</a></h3>\
                 <p>{description}</p>"
            ));
            self.fields(schema);
            self.push("</section>");
        }
    }

    /// The table of the fields of an object, or of the type that a reference names.
    fn fields(&mut self, schema: &Value) {
        let document = self.document;
        let schema = match schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => document.pointer(pointer).unwrap_or(schema),
            None => schema,
        };
        let Some(properties) = schema["properties"].as_object() else { return };
        let required = list(&schema["required"]);
        self.table_head("Field");
        for (name, property) in properties {
            let always = required.iter().any(|required| *required == **name);
            self.row(name, &kind(property), always, text(&property["description"]));
        }
        if schema["additionalProperties"].is_object() {
            let others = kind(&schema["additionalProperties"]);
            self.add(format_args!("<tr><td><em>any other name</em></td><td>{others}</td><td></td></tr>"));
        }
        self.push("</tbody></table>");
    }

    fn table_head(&mut self, what: &str) {
        self.add(format_args!(
            "<table><thead><tr><th>{what}</th><th>Type</th><th>Meaning</th></tr></thead><tbody>"
        ));
    }

    fn row(&mut self, name: &str, kind: &str, required: bool, description: &str) {
        let mark = if required { " <span class=\"required\">required</span>" } else { "" };
        let (name, description) = (escape(name), prose(description));
        self.add(format_args!(
            "<tr><td><code>{name}</code>{mark}</td><td>{kind}</td><td>{description}</td></tr>"
        ));
    }

    fn codes(&mut self) {
        self.push(
            "<h2 id=\"codes\">Error codes</h2><p>Every refusal is an \
             <a href=\"#type-APIError\"><code>APIError</code></a> with one of these codes.</p>\
             <table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead><tbody>",
        );
        let document = self.document;
        for line in list(&document["components"]["schemas"]["APIError"]["properties"]["code"]["oneOf"]) {
            let (code, status) = (&line["const"], escape(text(&line["x-status"])));
            let meaning = prose(text(&line["description"]));
            self.add(format_args!(
                "<tr><td><code>{code}</code></td><td>{status}</td><td>{meaning}</td></tr>"
            ));
        }
        self.push("</tbody></table>");
    }
}

/// Every operation with its path and method.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

/// The schema of the JSON that a parameter, a request or an answer carries.
fn body(part: &Value) -> Option<&Value> {
    part["content"]["application/json"].get("schema")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A schema in words, as HTML.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    if let Some(choices) = schema["enum"].as_array() {
        let choices = choices.iter().filter(|choice| !choice.is_null());
        return joined(choices.map(|choice| format!("<code>{}</code>", escape(&choice.to_string()))));
    }
    let alternatives = list(&schema["anyOf"]);
    if !alternatives.is_empty() {
        return joined(alternatives.iter().filter(|one| one["type"] != "null").map(kind));
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::Array(names) if names.len() == 2 => {
            names.iter().map(text).filter(|name| *name != "null").collect()
        }
        Value::Array(names) => names.iter().map(text).collect(),
        name => vec![name.as_str().unwrap_or("anything")],
    };
    match names.as_slice() {
        ["array"] => format!("list of {}", kind(&schema["items"])),
        ["object"] if schema["additionalProperties"].is_object() => {
            format!("map of {}", kind(&schema["additionalProperties"]))
        }
        ["string"] if schema["format"] == "date-time" => "RFC 3339 time".to_owned(),
        ["integer"] if schema.get("maximum").is_some() => {
            format!("integer, {} to {}", schema["minimum"], schema["maximum"])
        }
        names => names.join(" or "),
    }
}

fn joined(alternatives: impl Iterator<Item = String>) -> String {
    alternatives.collect::<Vec<_>>().join(" or ")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text with code between backticks.
fn prose(text: &str) -> String {
    let part = |(place, part): (usize, &str)| match place % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    };
    text.split('`').enumerate().map(part).collect()
}
