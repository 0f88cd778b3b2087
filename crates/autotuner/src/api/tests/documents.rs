//! Making, editing, replacing and checking tasks: what documents say, and who may say it.

use autotuner_store::Role;
use axum::http::Method;
use serde_json::{Value, json};

use super::support::{document, of};
use crate::api::testing::{Answer, TestService};

fn paths(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let problems = body["problems"].as_array().expect("a list").iter();
    problems
        .map(|problem| problem["path"].as_str().expect("a path").to_owned())
        .collect()
}

#[tokio::test]
async fn a_task_is_made_and_read_back() {
    let test = TestService::start().await;
    let made = test.post("/api/tasks", document("chat")).await.is(201).json();
    assert_eq!(test.get("/api/tasks/1").await.is(200).json(), made);
    assert_eq!(test.get("/api/tasks/name/chat").await.is(200).json(), made);
    insta::assert_json_snapshot!("task_pending", made);
}

#[tokio::test]
async fn the_original_s_names_are_understood_and_told() {
    let test = TestService::start().await;
    let mut old = document("old");
    let keys = old.as_object_mut().expect("an object");
    for (new, older) in [
        ("model", "model_config"),
        ("optimization", "optimization_config"),
        ("benchmark", "benchmark_config"),
    ] {
        let value = keys.remove(new).expect("there");
        keys.insert(older.to_owned(), value);
    }
    keys["model_config"] = json!({"name": "sim-model"});
    keys.insert("slo_config".into(), json!({"ttft": {"threshold": 0.5}}));
    let made = test.post("/api/tasks", old).await.is(201).json();
    assert_eq!(made["model"], json!({"id_or_path": "sim-model"}));
    assert_eq!(made["slo"]["ttft"]["threshold"], 0.5);
    for name in ["model", "optimization", "benchmark"] {
        assert_eq!(made[name], made[format!("{name}_config")], "{name}");
    }
}

#[tokio::test]
async fn every_problem_is_told_with_its_path() {
    let test = TestService::start().await;
    let mut wrong = document("wrong");
    wrong["optimization"]["strategy"] = "baysian".into();
    wrong["benchmark"]["num_concurrency"] = json!([0]);
    wrong["colour"] = "red".into();
    let answer = test.post("/api/tasks", wrong).await.is(422);
    let mut told = paths(&answer);
    told.sort();
    assert_eq!(
        told,
        ["benchmark.num_concurrency[0]", "colour", "optimization.strategy"]
    );
    let body = answer.json();
    assert_eq!(body["code"], "invalid");
    assert!(body["detail"].as_str().expect("text").contains("3 problems"));
    assert!(body.to_string().contains("did you mean \\\"bayesian\\\"?"));
    assert_eq!(test.get("/api/tasks").await.is(200).json(), json!([]));
}

#[tokio::test]
async fn bodies_that_are_no_documents_are_refused() {
    let test = TestService::start().await;
    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let deeper = "[".repeat(100_000);
    for (text, part) in [
        ("", "is empty"),
        ("nonsense", "not valid JSON"),
        ("[]", "expected a task document"),
        ("7", "expected a task document"),
        ("{\"task_name\": \"a\", \"task_name\": \"b\"}", "is given twice"),
        ("{\"parameters\": {\"x\": [1e999]}}", "not valid JSON"),
        (deep.as_str(), "nested deeper"),
        (deeper.as_str(), "nested deeper"),
    ] {
        for path in ["/api/tasks", "/api/tasks/import"] {
            if path.ends_with("import") && (text == "[]" || text == "nonsense") {
                continue;
            }
            let answer = test.send_text(path, "application/json", text).await;
            let of_item = answer.status.as_u16() == 200 && answer.json()["refused"] == 1;
            assert!(of_item || answer.status.as_u16() == 422, "{path} {}", answer.text);
            assert!(answer.text.contains(part), "{part}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn yaml_is_read_where_the_body_says_that_it_is() {
    let test = TestService::start().await;
    let yaml = "task_name: written\nbase_runtime: sim\nmodel: {id_or_path: m}\nparameters: {}\n\
                optimization: {}\nbenchmark: {}\n";
    for (index, media_type) in [
        "application/yaml",
        "text/yaml; charset=utf-8",
        "application/x-yaml",
    ]
    .iter()
    .enumerate()
    {
        let text = yaml.replace("written", &format!("written {index}"));
        test.send_text("/api/tasks", media_type, &text).await.is(201);
    }
    test.send_text("/api/tasks", "application/json", yaml)
        .await
        .is(422);
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_anything_is_kept() {
    let test = TestService::start().await;
    let check = async |change: Value, path: &str| {
        let mut large = document("large");
        for (key, value) in change.as_object().expect("an object") {
            large[key] = value.clone();
        }
        let answer = test.post("/api/tasks", large).await.is(422);
        assert_eq!(paths(&answer), [path], "{}", answer.text);
    };
    let endless = json!({"a": {"type": "integer", "low": 0, "high": 1_000_000_000_000_000_000_i64}});
    check(json!({"parameters": endless}), "optimization.max_iterations").await;
    let random = json!({"strategy": "random_search", "max_iterations": 20_000});
    check(
        json!({"parameters": endless, "optimization": random}),
        "optimization.max_iterations",
    )
    .await;
    check(json!({"parameters": {"a": [1e100]}}), "parameters.a").await;
    let values: Vec<u32> = (0..10_001).collect();
    let few = json!({"strategy": "random_search", "max_iterations": 5});
    check(
        json!({"parameters": {"a": values}, "optimization": few}),
        "parameters.a",
    )
    .await;
}

#[tokio::test]
async fn what_may_be_asked_for_depends_on_who_asks() {
    let test = TestService::start().await;
    let mut shell = document("shell");
    shell["engine"] = json!({"program": "/bin/sh", "env": {"LD_LIBRARY_PATH": "/x"}});
    shell["model"]["id_or_path"] = "/etc/passwd".into();
    shell["parameters"]["trust-remote-code"] = json!([true]);
    let expected = [
        "engine.program",
        "model.id_or_path",
        "parameters.trust-remote-code",
        "engine.env.LD_LIBRARY_PATH",
    ];
    let answer = test.post("/api/tasks", shell.clone()).await.is(422);
    assert_eq!(paths(&answer), expected);
    let made = test.made_of(shell.clone()).await;
    for path in ["", "/replace"] {
        let method = if path.is_empty() {
            Method::PUT
        } else {
            Method::POST
        };
        let answer = test
            .call(Role::Operator, method, &of(made, path), Some(shell.clone()))
            .await
            .is(422);
        assert_eq!(paths(&answer), expected, "{path}");
    }
    let answer = test.act(&of(made, "/duplicate")).await.is(422);
    assert_eq!(paths(&answer), expected);
    let answer = test.post("/api/tasks/import", shell.clone()).await.is(200).json();
    assert_eq!(answer["results"][0]["error"]["problems"][0]["path"], expected[0]);
    let answer = test.post("/api/tasks/check", shell).await.is(200);
    assert_eq!(paths(&answer), expected);
    test.ran(made).await;
    let change = json!({"parameters": {"trust-remote-code": [true]}});
    test.post(&of(made, "/restart"), change).await.is(422);
}

#[tokio::test]
async fn editing_keeps_the_id_and_replacing_does_not() {
    let test = TestService::start().await;
    let id = test.made("first").await;
    let mut other = document("second");
    other["parameters"] = json!({"max-num-seqs": {"type": "integer", "low": 1, "high": 9}});
    other.as_object_mut().expect("an object").remove("description");
    let edited = test.put(&of(id, ""), other.clone()).await.is(200).json();
    assert_eq!(edited["id"], id);
    assert_eq!(edited["task_name"], "second");
    assert_eq!(edited["description"], Value::Null);
    assert_eq!(edited["parameters"], other["parameters"]);
    // The same name is no other task's.
    let replaced = test
        .call(Role::Operator, Method::POST, &of(id, "/replace"), Some(other))
        .await
        .is(201)
        .json();
    assert_ne!(replaced["id"], id);
    test.get(&of(id, "")).await.is(404);
    assert_eq!(
        test.get("/api/tasks")
            .await
            .json()
            .as_array()
            .expect("a list")
            .len(),
        1
    );
}

#[tokio::test]
async fn editing_a_task_that_has_ended_begins_a_new_run() {
    let test = TestService::start().await;
    let id = test.made("again").await;
    test.ran(id).await;
    let edited = test.put(&of(id, ""), document("again")).await.is(200).json();
    assert_eq!(
        (&edited["status"], &edited["run"]),
        (&json!("pending"), &json!(2))
    );
    assert_eq!(edited["total_experiments"], 0);
    let runs = test.get(&of(id, "/runs")).await.is(200).json();
    let of_runs: Vec<(&Value, &Value)> = runs
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| (&run["run"], &run["is_current"]))
        .collect();
    assert_eq!(of_runs, [(&json!(2), &json!(true)), (&json!(1), &json!(false))]);
    assert_eq!(runs[1]["total_experiments"], 3);
    let old = test.get(&of(id, "/runs/1/experiments")).await.is(200);
    assert_eq!(old.headers["x-total-count"], "3");
    assert_eq!(old.json()[1]["status"], "success");
}

#[tokio::test]
async fn only_the_description_can_be_patched() {
    let test = TestService::start().await;
    let id = test.made("described").await;
    let patch = async |body: Value, status: u16| {
        let answer = test
            .call(Role::Operator, Method::PATCH, &of(id, ""), Some(body))
            .await;
        answer.is(status).json()
    };
    assert_eq!(patch(json!({"description": "x"}), 200).await["description"], "x");
    assert_eq!(patch(json!({}), 200).await["description"], "x");
    let exported = test.get(&of(id, "/export?format=json")).await.is(200).json();
    assert_eq!(exported["description"], "x");
    assert_eq!(
        patch(json!({"description": null}), 200).await["description"],
        Value::Null
    );
    let exported = test.get(&of(id, "/export?format=json")).await.is(200).json();
    assert_eq!(exported.get("description"), None);
    let refused = patch(json!({"status": "completed", "description": "y"}), 422).await;
    assert_eq!(refused["problems"][0]["path"], "status");
    for body in [
        json!({"task_name": "z"}),
        json!({"description": 7}),
        json!([]),
        json!("x"),
    ] {
        patch(body, 422).await;
    }
    assert_eq!(patch(json!({}), 200).await["description"], Value::Null);
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    const CANARIES: [&str; 3] = ["hf_canary", "hidden-login", "pw-canary"];
    let test = TestService::start().await;
    let mut secret = document("secret");
    secret["engine"] = json!({"env": {
        "HF_TOKEN": "hf_canary",
        "HTTPS_PROXY": "http://hidden-login:pw-canary@proxy:1",
        "THREADS": "4",
    }});
    let id = test.made_of(secret).await;
    test.ran(id).await;
    let shown = test.get(&of(id, "")).await.is(200).json()["engine"]["env"].clone();
    assert_eq!(
        shown,
        json!({"HF_TOKEN": "***", "HTTPS_PROXY": "http://***@proxy:1", "THREADS": "4"})
    );
    for path in [
        "",
        "/runs",
        "/export",
        "/export?format=json",
        "/results",
        "/results?format=csv",
        "/best",
        "/best?format=docker",
        "/best?format=compose",
        "/best?format=kubernetes",
        "/runs/1/experiments",
    ] {
        let answer = test.get(&of(id, path)).await.is(200);
        for canary in CANARIES {
            assert!(!answer.text.contains(canary), "{path}: {}", answer.text);
        }
    }
    // What comes back as it was shown stays as it is kept.
    let exported = test.get(&of(id, "/export?format=json")).await.json();
    let check = test
        .call(
            Role::Admin,
            Method::POST,
            "/api/tasks/check",
            Some(exported.clone()),
        )
        .await;
    assert!(
        paths(&check).iter().all(|path| path == "engine.env.HTTPS_PROXY"),
        "{}",
        check.text
    );
    test.call(Role::Admin, Method::PUT, &of(id, ""), Some(exported.clone()))
        .await
        .is(200);
    let kept = test
        .service
        .database
        .task(super::support::task(id))
        .await
        .expect("kept");
    assert_eq!(kept.document["engine"]["env"]["HF_TOKEN"], "hf_canary");
    assert_eq!(
        kept.document["engine"]["env"]["HTTPS_PROXY"],
        "http://hidden-login:pw-canary@proxy:1"
    );
    // Elsewhere it stands for nothing.
    let mut moved = exported;
    moved["task_name"] = "moved".into();
    let answer = test
        .call(Role::Admin, Method::POST, "/api/tasks/import", Some(moved))
        .await
        .is(200)
        .json();
    let problems = &answer["results"][0]["error"]["problems"];
    assert_eq!(problems[0]["path"], "engine.env.HF_TOKEN");
    assert!(
        problems[0]["message"]
            .as_str()
            .expect("text")
            .contains("is not shown")
    );
}

#[tokio::test]
async fn a_check_tells_what_would_come_of_a_document() {
    let test = TestService::start().await;
    let told = test
        .post("/api/tasks/check", document("checked"))
        .await
        .is(200)
        .json();
    insta::assert_json_snapshot!("check_sound", told);
    let mut wrong = document("wrong");
    wrong["parameters"]["max-num-seqs"] = json!(7);
    let told = test.post("/api/tasks/check", wrong).await.is(200).json();
    insta::assert_json_snapshot!("check_problems", told);
    let mut cluster = document("cluster");
    cluster["deployment_mode"] = "ome".into();
    cluster["kubernetes"] = json!({ "service": { "kind": "ome" } });
    let told = test
        .post("/api/tasks/check", cluster.clone())
        .await
        .is(200)
        .json();
    assert_eq!((&told["problems"], &told["warnings"]), (&json!([]), &json!([])));
    // What is sound and could run nowhere is a warning before it is refused.
    cluster["deployment_mode"] = "docker".into();
    let told = test.post("/api/tasks/check", cluster).await.is(200).json();
    assert_eq!(told["problems"], json!([]));
    assert_eq!(told["warnings"][0]["path"], "kubernetes.service");
    assert_eq!(test.get("/api/tasks").await.json(), json!([]));
    // Who may only look may look at this, too.
    let answer = test
        .call(
            Role::Viewer,
            Method::POST,
            "/api/tasks/check",
            Some(document("x")),
        )
        .await;
    assert_eq!(answer.is(200).json()["problems"], json!([]));
}
