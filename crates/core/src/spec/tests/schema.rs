//! The published schema knows exactly the keys that reading knows.

use std::collections::BTreeSet;

use serde_json::Value;

use super::properties::a_full_document;
use crate::spec::schema;

/// Follows a reference inside the schema.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let place = reference.trim_start_matches('#');
            root.pointer(place).expect("a reference leads somewhere")
        }
        None => schema,
    }
}

/// The schemas that may describe a value here.
fn alternatives<'a>(root: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    let schema = resolved(root, schema);
    let mut found = vec![schema];
    for key in ["anyOf", "allOf", "oneOf"] {
        for inner in schema[key].as_array().into_iter().flatten() {
            found.extend(alternatives(root, inner));
        }
    }
    found
}

/// Collects keys of the document that the schema has no place for, and marks those it has.
fn walk<'a>(
    root: &'a Value,
    schemas: &[&'a Value],
    value: &Value,
    path: &str,
    unknown: &mut Vec<String>,
    seen: &mut BTreeSet<*const Value>,
) {
    let Value::Object(map) = value else { return };
    for (key, inner) in map {
        let path = format!("{path}/{key}");
        let places: Vec<&Value> = schemas
            .iter()
            .filter_map(|schema| schema["properties"].get(key))
            .collect();
        let is_free = schemas.iter().any(|schema| {
            schema["additionalProperties"] == true || schema["additionalProperties"].is_object()
        });
        if places.is_empty() && !is_free {
            unknown.push(path.clone());
        }
        for place in places {
            seen.insert(std::ptr::from_ref(place));
            walk(root, &alternatives(root, place), inner, &path, unknown, seen);
        }
    }
}

/// Every property of every object that the root leads to, parameters apart.
fn properties<'a>(root: &'a Value, schema: &'a Value, found: &mut Vec<(&'a str, *const Value)>) {
    for schema in alternatives(root, schema) {
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            found.push((key, std::ptr::from_ref(inner)));
            properties(root, inner, found);
        }
    }
}

#[test]
fn reading_and_the_schema_know_the_same_keys() {
    let root = schema();
    let document = a_full_document();
    let (mut unknown, mut seen) = (Vec::new(), BTreeSet::new());
    walk(
        &root,
        &alternatives(&root, &root),
        &document,
        "",
        &mut unknown,
        &mut seen,
    );
    assert_eq!(
        unknown, [""; 0],
        "keys that reading knows and the schema does not"
    );

    let mut all = Vec::new();
    properties(&root, &root, &mut all);
    let missed: Vec<&str> = all
        .into_iter()
        .filter(|(_, place)| !seen.contains(place))
        .map(|(key, _)| key)
        // Presets exclude what the document gives in their place.
        .filter(|key| *key != "presets")
        .collect();
    assert_eq!(
        missed, [""; 0],
        "keys that the schema knows and the full document lacks"
    );
}

#[test]
fn the_schema_names_its_dialect_its_title_and_every_required_key() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "Task document");
    assert_eq!(
        schema["required"],
        serde_json::json!([
            "task_name",
            "base_runtime",
            "model",
            "parameters",
            "optimization",
            "benchmark"
        ])
    );
    for (key, property) in schema["properties"].as_object().expect("properties") {
        let described = alternatives(&schema, property)
            .iter()
            .any(|place| place["description"].is_string());
        assert!(
            described || property["description"].is_string(),
            "{key} has no description"
        );
    }
}

#[test]
fn the_examples_of_the_schema_are_sound_documents() {
    for example in schema()["examples"].as_array().expect("examples") {
        let problems = super::problems_of(example);
        assert_eq!(problems, [""; 0]);
    }
}
