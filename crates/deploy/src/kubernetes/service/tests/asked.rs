//! Pods as operators make them, held against what was asked for.

use autotuner_core::serving::ServiceKind;
use serde_json::json;

use super::*;

/// What is missing in a pod with this container of what this one asks for.
fn missing(asked: &Value, found: &Value) -> Option<String> {
    let manifest = json!({ "spec": { "engine": { "runner": asked } } });
    let asked = Asked::of(&manifest, ServiceKind::Ome.container()).expect("a container");
    let pod = json!({ "metadata": { "name": "p" }, "spec": { "containers": [found] } });
    asked.missing_in(&serde_json::from_value(pod).expect("a pod"))
}

fn engine(parts: Value) -> Value {
    let mut container = json!({ "name": "ome-container" });
    for (key, value) in parts.as_object().expect("an object") {
        container[key] = value.clone();
    }
    container
}

#[test]
fn an_image_may_be_pinned_and_no_other() {
    let check = |asked: &str, found: &str, is_it: bool| {
        let missing = missing(
            &engine(json!({ "image": asked })),
            &engine(json!({ "image": found })),
        );
        let expected = (!is_it).then(|| format!("its image is {found} and not {asked}"));
        assert_eq!(missing, expected);
    };
    check("vllm/vllm-openai:v1", "vllm/vllm-openai:v1", true);
    check("vllm/vllm-openai:v1", "vllm/vllm-openai:v2", false);
    check(
        "vllm/vllm-openai:v1",
        "index.docker.io/vllm/vllm-openai@sha256:aa",
        true,
    );
    check("vllm/vllm-openai:v1", "other/vllm@sha256:aa", false);
    check("own.example:5000/vllm", "own.example:5000/vllm@sha256:aa", true);
    assert_eq!(
        missing(&engine(json!({})), &engine(json!({ "image": "the-runtimes:1" }))),
        None
    );
}

#[test]
fn what_runs_is_what_was_asked_for_or_it_is_told_what_not() {
    let check = |asked: Value, found: Value, expected: Option<&str>| {
        assert_eq!(missing(&engine(asked), &engine(found)).as_deref(), expected);
    };
    let args = json!(["--max-num-seqs", "8"]);
    check(json!({ "args": args }), json!({ "args": args }), None);
    check(json!({}), json!({ "args": [] }), None);
    // A runtime's own arguments come first, and the last one of a name counts.
    check(
        json!({ "args": args }),
        json!({ "args": ["--max-num-seqs", "4", "--max-num-seqs", "8"] }),
        None,
    );
    check(
        json!({ "args": args }),
        json!({ "args": ["--max-num-seqs", "8", "--max-num-seqs", "4"] }),
        Some(
            r#"its arguments do not end with ["--max-num-seqs", "8"], they are ["--max-num-seqs", "8", "--max-num-seqs", "4"]"#,
        ),
    );
    check(
        json!({ "args": args }),
        json!({ "args": ["--port", "1"] }),
        Some(r#"its arguments lack --max-num-seqs 8, they are ["--port", "1"]"#),
    );
    check(
        json!({ "args": args }),
        json!({}),
        Some("its arguments lack --max-num-seqs 8, they are []"),
    );
    check(
        json!({ "command": ["vllm", "serve"] }),
        json!({ "command": ["vllm", "serve"] }),
        None,
    );
    check(
        json!({ "command": ["vllm", "serve"] }),
        json!({}),
        Some(r#"its command is that of its image and not ["vllm", "serve"]"#),
    );
    check(
        json!({}),
        json!({ "command": ["/run.sh"] }),
        Some(r#"its command is ["/run.sh"] and not that of its image"#),
    );
}

#[test]
fn variables_and_amounts_are_asked_for_too() {
    let check = |asked: Value, found: Value, expected: Option<&str>| {
        assert_eq!(missing(&engine(asked), &engine(found)).as_deref(), expected);
    };
    let env = json!([{ "name": "A", "value": "1" }, { "name": "E", "value": "" }]);
    let more = json!([{ "name": "B", "value": "2" }, { "name": "E" }, { "name": "A", "value": "1" }]);
    check(json!({ "env": env }), json!({ "env": more }), None);
    let other = json!([{ "name": "E" }, { "name": "A", "value": "1" }, { "name": "A", "value": "2" }]);
    let said = Some("its variable A is not as it was asked for");
    check(json!({ "env": env }), json!({ "env": other }), said);
    check(json!({ "env": env }), json!({}), said);
    // KServe puts the place there of what it has fetched.
    let address = json!([{ "name": "STORAGE_URI", "value": "hf://a/b" }]);
    let place = json!([{ "name": "STORAGE_URI", "value": "/mnt/models" }]);
    check(json!({ "env": address }), json!({ "env": place }), None);
    let limits =
        |cpu: &str, gpus: &str| json!({ "resources": { "limits": { "cpu": cpu, "nvidia.com/gpu": gpus } } });
    check(limits("7500m", "2"), limits("7.5", "2"), None);
    check(
        limits("7500m", "2"),
        limits("7500m", "1"),
        Some("its limit of nvidia.com/gpu is 1 and not 2"),
    );
    check(
        limits("1", "2"),
        json!({}),
        Some("its limit of cpu is nothing and not 1"),
    );
}

#[test]
fn a_pod_without_the_container_runs_something_else() {
    let said = missing(&engine(json!({})), &json!({ "name": "router" }));
    assert_eq!(
        said.as_deref(),
        Some("it has no container ome-container, and has router")
    );
}

#[test]
fn what_is_asked_for_is_found_wherever_an_operator_wants_it() {
    let container = json!({ "command": ["a"], "args": ["b", "c"] });
    for spec in [
        json!({ "engine": { "runner": container } }),
        json!({ "predictor": { "model": container, "minReplicas": 1 } }),
        json!({ "predictor": { "containers": [container] } }),
    ] {
        let asked = Asked::of(&json!({ "spec": spec }), "x").expect("a container");
        assert_eq!(asked.container.command, Some(vec!["a".to_owned()]));
        assert_eq!(asked.container.args, Some(vec!["b".to_owned(), "c".to_owned()]));
    }
    assert!(Asked::of(&json!({ "spec": {} }), "x").is_none());
}
