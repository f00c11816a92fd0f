//! Something that has the shape of an answer, for each operation.

use plexus_api_model::{Described, Method, ROOT, operations};
use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::server::{Seen, json as answer, refusal, text};

/// The operation that was asked for.
pub(super) fn operation(seen: &Seen) -> Option<&'static dyn Described> {
    let path = seen.target.split('?').next()?.strip_prefix(ROOT)?;
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |operation: &&dyn Described| {
        let outline = operation.outline();
        let wanted: Vec<&str> = outline.path.split('/').collect();
        let mut pairs = wanted.iter().zip(&parts);
        outline.method.name() == seen.method
            && wanted.len() == parts.len()
            && pairs.all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
    };
    // What is named is meant before what stands for any name.
    let all = operations::ALL.iter().copied().filter(fits);
    all.min_by_key(|operation| operation.outline().path.matches('{').count())
}

/// The answer of a node to which everything succeeds.
pub(super) fn yes(seen: &Seen) -> Vec<u8> {
    let Some(operation) = operation(seen) else {
        return refusal(404, "NOT_FOUND", "there is nothing at that path");
    };
    let outline = operation.outline();
    if outline.status == 204 {
        return text(204, "");
    }
    let mut generator = SchemaGenerator::default();
    let shape = operation.shapes(&mut generator).answer.to_value();
    let sample = sample(&shape, &generator.take_definitions(true));
    if outline.gives == "text/event-stream" {
        return text(
            200,
            &format!(":\n\nevent: lost\ndata: {{\"count\":3}}\n\nevent: x\ndata: {sample}\n\n"),
        );
    }
    match sample {
        Value::String(plain) if outline.gives != "application/json" => text(200, &plain),
        sample => answer(outline.status, &sample),
    }
}

fn sample(shape: &Value, all: &Map<String, Value>) -> Value {
    if let Some(name) = shape.get("$ref").and_then(Value::as_str) {
        return sample(&all[name.rsplit('/').next().unwrap()], all);
    }
    if let Some(first) = shape.pointer("/enum/0").or_else(|| shape.get("const")) {
        return first.clone();
    }
    for one_of in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = shape.get(one_of).and_then(|shapes| shapes.get(0)) {
            return sample(first, all);
        }
    }
    let kind = shape.get("type").map(|kind| kind.get(0).unwrap_or(kind));
    match kind.and_then(Value::as_str) {
        Some("object") => {
            let mut object = Map::new();
            for (name, shape) in
                shape.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                object.insert(name.clone(), sample(shape, all));
            }
            if object.contains_key("hasnext") {
                object.insert("hasnext".into(), false.into());
            }
            object.into()
        }
        Some("array") => {
            let one = sample(&shape["items"], all);
            json!([one, one])
        }
        Some("string") if shape.get("format").is_some_and(|format| format == "date-time") => {
            json!("2026-11-30T12:00:00.000Z")
        }
        Some("string") => json!("word"),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        _ => Value::Null,
    }
}

/// Whether a method takes a body.
pub(super) fn takes_body(method: Method) -> bool {
    matches!(method, Method::Post | Method::Put)
}
