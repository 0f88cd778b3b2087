//! YAML and JSON as text: what words and numbers become, and what is said of bad syntax.

use serde_json::{Value, json};

use super::{a_document, texts};
use crate::spec::{Format, TaskSpec};

const BEGINNING: &str =
    "task_name: a\nbase_runtime: vllm\nmodel: {id_or_path: m}\noptimization: {}\nbenchmark: {}\n";

fn parameters_of(yaml: &str) -> Value {
    let text = format!("{BEGINNING}parameters: {yaml}\n");
    let parsed = TaskSpec::from_yaml(&text).unwrap_or_else(|problems| panic!("{yaml}: {problems:#?}"));
    parsed.spec.to_value()["parameters"].clone()
}

#[test]
fn yaml_scalars_mean_what_version_1_2_says() {
    let check = |written: &str, expected: Value| {
        let found = parameters_of(&format!("{{a: [{written}]}}"));
        assert_eq!(found["a"][0], expected, "{written}");
    };
    check("true", json!(true));
    check("no", json!("no"));
    check("off", json!("off"));
    check("y", json!("y"));
    check("null", json!(null));
    check("~", json!(null));
    check("7", json!(7));
    check("+5", json!(5));
    check("-3", json!(-3));
    check("0x10", json!(16));
    check("0777", json!("0777"));
    check("1_000", json!("1_000"));
    check("1e3", json!(1000.0));
    check(".5", json!(0.5));
    check("12:30", json!("12:30"));
    check("2024-01-01", json!("2024-01-01"));
    check("1.2.3", json!("1.2.3"));
    check("\"7\"", json!("7"));
}

#[test]
fn keys_keep_their_order_and_spelling() {
    let found = parameters_of("{zeta: [1], on: [2], true: [3], alpha: [4]}");
    let names: Vec<&str> = found
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, ["zeta", "on", "true", "alpha"]);
}

#[test]
fn aliases_and_merge_keys_are_filled_in() {
    assert_eq!(
        parameters_of("{a: &sizes [1, 2], b: *sizes}"),
        json!({ "a": [1, 2], "b": [1, 2] })
    );
}

fn check_text(format: Format, text: &str, expected: &[&str]) {
    let problems = TaskSpec::parse(text, format).expect_err(text);
    assert_eq!(texts(&problems), expected, "{text}");
}

#[test]
fn bad_yaml_is_told_with_its_place() {
    let check = |ending: &str, expected: &[&str]| {
        check_text(Format::Yaml, &format!("{BEGINNING}{ending}"), expected);
    };
    check(
        "parameters: {a: [1]",
        &["not valid YAML at line 6, column 13: unclosed bracket '{'"],
    );
    check(
        "parameters: {a: *sizes}",
        &["not valid YAML at line 6, column 17: alias references unknown anchor"],
    );
    check(
        "parameters: {null: [3]}",
        &["not valid YAML at line 6, column 14: null cannot be a key"],
    );
    check(
        "parameters: {a: [.nan, 1, -.inf]}",
        &[
            "parameters.a[0]: NaN is not a number that can be used",
            "parameters.a[2]: -inf is not a number that can be used",
        ],
    );
    check(
        "parameters: {a: [1], a: [2]}\ntask_name: b",
        &[
            "parameters.a: is given twice; leave one of them away",
            "task_name: is given twice; leave one of them away",
        ],
    );
    check(
        "---\nparameters: {}",
        &[
            "the file holds more than one document; a task document stands alone; raw Kubernetes manifests are no task documents",
        ],
    );
}

#[test]
fn bad_json_is_told_with_its_place() {
    let check = |text: &str, expected: &str| check_text(Format::Json, text, &[expected]);
    check(
        "{",
        "not valid JSON at line 1, column 1: EOF while parsing an object",
    );
    check(
        "{\n \"a\": 1,\n}",
        "not valid JSON at line 3, column 1: trailing comma",
    );
    check(
        "{\"a\": NaN}",
        "not valid JSON at line 1, column 7: expected value",
    );
    check("{} {}", "not valid JSON at line 1, column 4: trailing characters");
    check(
        "task_name: x",
        "not valid JSON at line 1, column 2: expected ident; a JSON document begins with {; name the file .yaml if it is YAML",
    );
    check(" \n", "the document is empty");
}

#[test]
fn a_json_key_given_twice_is_told_among_the_other_problems() {
    let text = a_document().to_string().replace(
        "\"optimization\":{}",
        "\"optimization\":{\"seed\":1,\"seed\":\"x\"}",
    );
    check_text(
        Format::Json,
        &text,
        &[
            "optimization.seed: is given twice; leave one of them away",
            "optimization.seed: expected a whole number, found the text \"x\"",
        ],
    );
}

#[test]
fn documents_have_bounds() {
    let too_long = "x".repeat(2_000_000);
    for format in [Format::Json, Format::Yaml] {
        check_text(
            format,
            &too_long,
            &["the document has 2000000 bytes; at most 1048576 are read"],
        );
    }
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(40), "]".repeat(40));
    check_text(
        Format::Json,
        &deep,
        &["not valid JSON at line 1, column 38: nested deeper than 32 levels"],
    );
    for format in [Format::Json, Format::Yaml] {
        for endless in ["[".repeat(100_000), "{\"a\":".repeat(100_000)] {
            assert!(TaskSpec::parse(&endless, format).is_err());
        }
    }
    let repeated = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), ["*a"; 20].join(","));
    let problems = TaskSpec::from_yaml(&repeated).expect_err("ten megabytes");
    assert!(
        problems[0]
            .message
            .ends_with("too large or too deep, aliases filled in"),
        "{problems:?}"
    );
}

#[test]
fn a_kubernetes_manifest_is_recognised() {
    let manifest = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: benchmark-results-pvc}\n\
                    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    check_text(
        Format::Yaml,
        manifest,
        &[
            "this is a Kubernetes manifest of kind PersistentVolumeClaim, not a task document; raw Kubernetes manifests are no task documents",
        ],
    );
}

#[test]
fn the_name_of_a_file_says_its_format() {
    let check = |name: &str, expected: Format| assert_eq!(Format::from_file_name(name), expected, "{name}");
    check("task.yaml", Format::Yaml);
    check("dir.json/task.YML", Format::Yaml);
    check("task.json", Format::Json);
    check("task", Format::Json);
    check("yaml", Format::Json);
}

#[test]
fn a_tree_is_told_with_what_is_wrong_in_places_of_it() {
    let (tree, problems) = super::super::tree("[{\"a\": 1, \"a\": 2}]", Format::Json).expect("a tree");
    assert_eq!(tree, serde_json::json!([{"a": 2}]));
    assert_eq!(problems[0].path, "[0].a");
    super::super::tree("{", Format::Json).expect_err("no tree");
}
