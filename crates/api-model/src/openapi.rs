//! The description for other programs, OpenAPI 3.1. Its schemas are JSON Schema 2020-12, as the types have them.

use schemars::{Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    ErrorCode, Need, ROOT,
    operation::{Outline, Shapes},
    operations,
};

/// The whole of it, for a node of that version.
pub fn openapi(version: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut paths = Map::<String, Value>::new();
    for operation in operations::ALL {
        let outline = operation.outline();
        let shapes = operation.shapes(&mut generator);
        let mut described = json!({
            "operationId": outline.id,
            "tags": [outline.tag],
            "summary": outline.summary,
            "description": need(outline.need),
            "parameters": parameters(&shapes.path, "path").chain(parameters(&shapes.query, "query")).collect::<Value>(),
            "responses": responses(outline, &shapes),
        });
        if !is_nothing(&shapes.body) {
            let content = json!({ "application/json": { "schema": shapes.body } });
            set(&mut described, "requestBody", json!({ "required": true, "content": content }));
        }
        if outline.need == Need::Nobody {
            set(&mut described, "security", json!([]));
        }
        let of_path = paths.entry(format!("{ROOT}{}", outline.path)).or_insert_with(|| json!({}));
        set(of_path, &outline.method.name().to_lowercase(), described);
    }
    let schemas = definitions(&mut generator);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Plexus",
            "version": version,
            "description": "Management of a Plexus node. What EMQX has under the same path has the same shape.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "session": [] }, { "key": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": { "type": "http", "scheme": "bearer", "description": "The token of a log-in." },
                "key": { "type": "http", "scheme": "basic", "description": "An API key and its secret." },
            },
        },
    })
}

fn definitions(generator: &mut SchemaGenerator) -> Value {
    // Every answer may be that one.
    generator.subschema_for::<crate::ApiError>();
    generator.take_definitions(true).into_iter().collect::<Map<_, _>>().into()
}

const fn need(need: Need) -> &'static str {
    match need {
        Need::Nobody => "For everybody.",
        Need::Known => "For all who have logged in.",
        Need::View => "For administrators and viewers.",
        Need::Publish => "For administrators and publishers.",
        Need::Administer => "For administrators.",
    }
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// Whether it is the shape of `()`.
fn is_nothing(schema: &Schema) -> bool {
    schema.get("type").is_some_and(|kind| kind == "null")
}

/// Each property of the object as a parameter.
fn parameters<'a>(schema: &'a Schema, place: &'a str) -> impl Iterator<Item = Value> + 'a {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().map(move |(name, property)| {
        let mut schema = property.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut described = json!({
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": present(schema),
        });
        if let Some(description) = description {
            set(&mut described, "description", description);
        }
        described
    })
}

/// A parameter that is given is not null.
fn present(mut schema: Value) -> Value {
    if let Some(kinds) = schema.get("type").and_then(Value::as_array) {
        let kinds: Vec<_> = kinds.iter().filter(|kind| *kind != "null").cloned().collect();
        if let [kind] = &kinds[..] {
            let kind = kind.clone();
            set(&mut schema, "type", kind);
        }
    }
    let any_of = schema.get("anyOf").and_then(Value::as_array).cloned();
    if let Some(any) = any_of {
        let some: Vec<_> =
            any.into_iter().filter(|one| *one != json!({ "type": "null" })).collect();
        if let [one] = &some[..] {
            return one.clone();
        }
    }
    schema
}

fn responses(outline: &Outline, Shapes { query, answer, .. }: &Shapes) -> Value {
    let mut responses = Map::new();
    let mut success = json!({ "description": "It is done." });
    if !is_nothing(answer) {
        let kind = outline.gives.split(';').next().unwrap_or(outline.gives);
        set(&mut success, "content", json!({ kind: { "schema": answer } }));
    }
    if outline.id == "publish" || outline.id == "publish_bulk" {
        responses.insert("202".to_owned(), success.clone());
    }
    responses.insert(outline.status.to_string(), success);
    let mut errors =
        vec![ErrorCode::BadRequest, ErrorCode::ServiceUnavailable, ErrorCode::TooManyRequests];
    if outline.need != Need::Nobody {
        errors.extend([ErrorCode::BadToken, ErrorCode::TokenTimeOut, ErrorCode::BadApiKeyOrSecret]);
    }
    if !matches!(outline.need, Need::Nobody | Need::Known) {
        errors.push(ErrorCode::UnauthorizedRole);
    }
    errors.extend(outline.errors);
    // Whoever names a tenant may name one that is not there.
    if query.pointer("/properties/tenant").is_some() {
        errors.push(ErrorCode::NotFound);
    }
    for status in errors.iter().map(|code| code.status()) {
        let words = errors.iter().filter(|code| code.status() == status);
        let mut words: Vec<_> = words.map(|code| code.word()).collect();
        words.sort_unstable();
        words.dedup();
        let schema = json!({ "$ref": "#/components/schemas/ApiError" });
        let described = json!({
            "description": words.join(", "),
            "content": { "application/json": { "schema": schema } },
        });
        responses.insert(status.to_string(), described);
    }
    responses.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use crate::{ErrorCode, openapi, operations};

    #[test]
    fn operations_have_names_and_paths_of_their_own() {
        let names: BTreeSet<_> = operations::ALL.iter().map(|it| it.outline().id).collect();
        let of = |it: &&dyn crate::Described| (it.outline().method.name(), it.outline().path);
        let paths: BTreeSet<_> = operations::ALL.iter().map(of).collect();
        assert_eq!((names.len(), paths.len()), (operations::ALL.len(), operations::ALL.len()));
        for outline in operations::ALL.iter().map(|it| it.outline()) {
            assert!(!outline.summary.is_empty() && !outline.tag.is_empty(), "{}", outline.id);
        }
    }

    #[test]
    fn whatever_is_referred_to_is_there() {
        fn walk(value: &Value, seen: &mut BTreeSet<String>) {
            match value {
                Value::Object(object) => {
                    if let Some(name) = object.get("$ref").and_then(Value::as_str) {
                        seen.insert(name.to_owned());
                    }
                    object.values().for_each(|value| walk(value, seen));
                }
                Value::Array(list) => list.iter().for_each(|value| walk(value, seen)),
                _ => {}
            }
        }
        let document = openapi("0");
        let mut seen = BTreeSet::new();
        walk(&document, &mut seen);
        assert!(seen.len() > 10);
        for name in seen {
            let pointer = name.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{name}");
        }
    }

    #[test]
    fn places_of_a_path_are_parameters() {
        let document = openapi("0");
        let client =
            document.pointer("/paths/~1api~1v5~1clients~1{clientid}/get/parameters/0").unwrap();
        assert_eq!((&client["name"], &client["in"]), (&"clientid".into(), &"path".into()));
    }

    #[test]
    fn the_description_in_the_documentation_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/openapi.json");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        let made = format!("{:#}\n", openapi(env!("CARGO_PKG_VERSION")));
        assert!(
            kept == made,
            "docs/api/openapi.json is stale; write it anew with\n  \
             cargo run -p plexus-api-model --example openapi > docs/api/openapi.json"
        );
    }

    #[test]
    fn words_of_errors_are_their_own() {
        let words: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.word()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
    }
}
