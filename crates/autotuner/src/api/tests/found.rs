//! Lists that are filtered, searched and sorted; what their rows show beside; insight.

use autotuner_core::failure::FailureKind;
use autotuner_core::lifecycle::TaskMove;
use serde_json::{Value, json};

use super::support::{document, launched, of};
use crate::api::testing::TestService;

fn ids(list: &Value) -> Vec<i64> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| row["id"].as_i64().expect("an id")).collect()
}

/// Asks for lists and holds their ids and the number of all that match.
async fn check(test: &TestService, path: &str, expected: &[i64], total: usize) {
    let answer = test.get(path).await.is(200);
    assert_eq!(ids(&answer.json()), expected, "{path}");
    assert_eq!(answer.headers["x-total-count"], total.to_string(), "{path}");
}

#[tokio::test]
async fn tasks_are_found_and_sorted() {
    let test = TestService::start().await;
    for name in ["Alpha one", "beta ONE", "gamma"] {
        test.made(name).await;
    }
    let mut other = document("delta");
    other["base_runtime"] = "vllm".into();
    other["deployment_mode"] = "docker".into();
    test.made_of(other).await;
    test.ran(2).await;
    test.act(&of(3, "/start")).await.is(200);
    check(&test, "/api/tasks?q=one", &[2, 1], 2).await;
    check(&test, "/api/tasks?q=One&limit=1", &[2], 2).await;
    check(&test, "/api/tasks?q=FOR%20TESTS", &[4, 3, 2, 1], 4).await;
    check(&test, "/api/tasks?q=%233", &[3], 1).await;
    check(&test, "/api/tasks?q=3", &[3], 1).await;
    check(&test, "/api/tasks?q=%25", &[], 0).await;
    check(&test, "/api/tasks?q=", &[4, 3, 2, 1], 4).await;
    check(&test, "/api/tasks?runtime=vllm", &[4], 1).await;
    check(&test, "/api/tasks?runtime=sim&q=mm", &[3], 1).await;
    check(&test, "/api/tasks?status_filter=running,completed", &[3, 2], 2).await;
    check(
        &test,
        "/api/tasks?status_filter=running,%20completed,&sort=name&order=asc",
        &[2, 3],
        2,
    )
    .await;
    check(&test, "/api/tasks?sort=name&order=asc", &[1, 2, 4, 3], 4).await;
    check(&test, "/api/tasks?sort=created&order=asc", &[1, 2, 3, 4], 4).await;
    check(&test, "/api/tasks?sort=experiments", &[2, 4, 3, 1], 4).await;
    check(&test, "/api/tasks?sort=elapsed&skip=0&limit=1", &[2], 4).await;
}

#[tokio::test]
async fn unknown_words_are_told_with_those_that_are_known() {
    let test = TestService::start().await;
    let check = async |path: &str, detail: &str, hint: &str| {
        let body = test.get(path).await.is(422).json();
        assert_eq!(body["detail"], detail, "{path}");
        let told = body["hint"].as_str().or(body["problems"][0]["hint"].as_str());
        assert_eq!(told, Some(hint), "{path}");
    };
    check(
        "/api/tasks?sort=size",
        "unknown order of tasks \"size\"",
        "use one of created, name, status, started, completed, elapsed, experiments",
    )
    .await;
    check(
        "/api/tasks?order=up",
        "unknown direction \"up\"",
        "use one of asc, desc",
    )
    .await;
    check(
        "/api/tasks?status_filter=running,fialed",
        "unknown task status \"fialed\"",
        "did you mean \"failed\"?",
    )
    .await;
    check(
        "/api/experiments?status=sucess",
        "unknown experiment status \"sucess\"",
        "did you mean \"success\"?",
    )
    .await;
    check(
        "/api/experiments?failure_kind=oom",
        "unknown kind of failure \"oom\"",
        "use one of invalid_candidate, out_of_memory, engine_crashed, not_ready_in_time, \
         benchmark_failed, early_aborted, client_limited, infrastructure, worker_lost, cancelled",
    )
    .await;
    check(
        "/api/experiments?role=king",
        "unknown role \"king\"",
        "use one of baseline, search, replicate",
    )
    .await;
    check(
        "/api/experiments?sort=score",
        "Experiments of several tasks cannot be sorted by score",
        "add task_id",
    )
    .await;
    let long = "x".repeat(201);
    for path in ["/api/tasks", "/api/experiments"] {
        let body = test.get(&format!("{path}?q={long}")).await.is(422).json();
        assert_eq!(body["problems"][0]["message"], "has 201 characters; 200 at most");
    }
    // As many conditions as a text can have.
    let words = "a=b ".repeat(50).replace(' ', "%20");
    test.get(&format!("/api/experiments?q={words}")).await.is(200);
    test.get("/api/tasks?blocks=perhaps").await.is(422);
}

#[tokio::test]
async fn rows_of_tasks_show_verdicts_and_blocks() {
    let test = TestService::start().await;
    let id = test.made("ran").await;
    test.ran(id).await;
    test.made("new").await;
    let rows = test.get("/api/tasks").await.is(200).json();
    let whole = test.get(&of(id, "")).await.is(200).json();
    assert_eq!(rows[1]["best_experiment_number"], 2);
    assert_eq!(rows[1]["claim"], "unconfirmed");
    assert_eq!(rows[1]["gain_over_defaults"], 0.5);
    for key in ["claim", "gain_over_defaults"] {
        assert_eq!(rows[1][key], whole["verdict"][key], "{key}");
    }
    for key in ["best_experiment_number", "claim", "gain_over_defaults"] {
        assert_eq!(rows[0][key], Value::Null, "{key}");
    }
    assert_eq!(rows[0].get("blocks"), None);
    let rows = test.get("/api/tasks?blocks=true").await.is(200).json();
    assert_eq!(rows[0]["blocks"], json!([]));
    assert_eq!(
        rows[1]["blocks"],
        json!([
            {"id": 1, "experiment_id": 1, "status": "success", "role": "baseline", "is_best": false},
            {"id": 2, "experiment_id": 2, "status": "success", "role": "search", "is_best": true},
            {"id": 3, "experiment_id": 3, "status": "failed", "role": "search", "is_best": false},
        ])
    );
}

#[tokio::test]
async fn experiments_are_found_sorted_and_told_in_brief() {
    let test = TestService::start().await;
    let first = test.made("first task").await;
    test.ran(first).await;
    let second = test.made("second").await;
    test.ran(second).await;
    check(&test, "/api/experiments?task_id=1", &[3, 2, 1], 3).await;
    check(&test, "/api/experiments?task_id=9", &[], 0).await;
    check(&test, "/api/experiments?status=failed", &[6, 3], 2).await;
    check(
        &test,
        "/api/experiments?status=failed,pending&order=asc",
        &[3, 6],
        2,
    )
    .await;
    check(
        &test,
        "/api/experiments?failure_kind=out_of_memory&limit=1",
        &[6],
        2,
    )
    .await;
    check(&test, "/api/experiments?failure_kind=engine_crashed", &[], 0).await;
    check(&test, "/api/experiments?role=baseline", &[4, 1], 2).await;
    check(
        &test,
        "/api/experiments?runtime=sim&role=search&status=success",
        &[5, 2],
        2,
    )
    .await;
    check(&test, "/api/experiments?runtime=vllm", &[], 0).await;
    check(&test, "/api/experiments?q=FIRST", &[3, 2, 1], 3).await;
    check(&test, "/api/experiments?q=max-num-seqs%3D8", &[5, 2], 2).await;
    check(&test, "/api/experiments?task_id=2&sort=score", &[5, 4, 6], 3).await;
    check(
        &test,
        "/api/experiments?task_id=2&sort=score&order=asc",
        &[4, 5, 6],
        3,
    )
    .await;
    check(&test, "/api/experiments?sort=elapsed&skip=2", &[5, 4, 2, 1], 6).await;
    check(
        &test,
        "/api/experiments?sort=started&order=asc&limit=2",
        &[1, 2],
        6,
    )
    .await;
    let full = test
        .get("/api/experiments?q=second&status=success&limit=1")
        .await
        .json();
    assert_eq!(full[0]["task_name"], "second");
    assert!(full[0]["metrics"]["raw_results"].is_array());
    for path in [
        "/api/experiments?q=second&status=success&limit=1&brief=true",
        "/api/experiments/task/2?skip=1&limit=1&brief=true",
        "/api/tasks/2/runs/1/experiments?skip=1&limit=1&brief=true",
    ] {
        let brief = test.get(path).await.is(200).json();
        let mut expected = full[0].clone();
        let keys = expected.as_object_mut().expect("an object");
        for large in ["effective_arguments", "environment", "gpu_monitoring"] {
            assert!(keys.remove(large).is_some(), "{large}");
        }
        keys["metrics"]
            .as_object_mut()
            .expect("an object")
            .remove("raw_results");
        assert_eq!(brief, json!([expected]), "{path}");
    }
}

#[tokio::test]
async fn nothing_runs_of_a_task_that_has_ended() {
    let test = TestService::start().await;
    let id = test.made("ended").await;
    test.ran(id).await;
    let live = test.get(&of(id, "/live")).await.is(200).json();
    assert_eq!(
        live,
        json!({
            "task_id": id,
            "task_name": "ended",
            "status": "completed",
            "run": 1,
            "waiting_for": null,
            "experiments": [],
            "planned_experiments": live["planned_experiments"],
            "done_experiments": 2,
            "planned_replicates": 0,
            "done_replicates": 0,
            "best_score": 1.0,
            "eta_seconds": null,
        })
    );
    test.get("/api/tasks/9/live").await.is(404);
    let all = test.get("/api/live").await.is(200).json();
    assert_eq!(all, json!({"tasks": [], "queue": []}));
}

#[tokio::test]
async fn insight_says_what_matters_and_what_failed() {
    let test = TestService::start().await;
    let mut wide = document("wide");
    wide["parameters"] = json!({
        "max-num-seqs": [4, 8, 16],
        "max-num-batched-tokens": {"type": "integer", "low": 512, "high": 8192},
    });
    wide["optimization"]["strategy"] = "random_search".into();
    let id = test.made_of(wide).await;
    let few = test.get(&of(id, "/insight")).await.is(200).json();
    assert_eq!(
        (&few["experiments_used"], &few["parameters"], &few["objective"]),
        (&json!(0), &json!([]), &Value::Null)
    );
    assert!(
        few["note"].as_str().is_some_and(|note| note.contains("8 more")),
        "{few:#}"
    );
    assert_eq!(few["variance"]["effects"], json!([]));
    assert_eq!(few["feasibility"]["all"]["n"], 0);
    let claim = test.claimed(id).await;
    test.measured(&claim, None, 3.0, launched()).await;
    for round in 0..8 {
        for sequences in [4, 8, 16] {
            let latency = 1.0 / sequences as f64 + 0.001 * f64::from(round);
            test.measured(&claim, Some(sequences), latency, launched()).await;
        }
    }
    test.failed(&claim, 16).await;
    test.ended(&claim, TaskMove::Complete).await;
    let told = test.get(&of(id, "/insight")).await.is(200).json();
    assert_eq!(told["experiments_used"], 24);
    assert_eq!(
        (&told["direction"], &told["objective"]),
        (&json!("minimize"), &json!("minimize_latency"))
    );
    let first = &told["parameters"][0];
    assert_eq!(
        (&first["name"], &first["importance"]),
        (&json!("max-num-seqs"), &json!(1.0))
    );
    assert_eq!(told["parameters"][1]["importance"], 0.0, "nobody has set it");
    let slice = &told["slices"][0];
    assert_eq!(
        (&slice["name"], &slice["kind"]),
        (&json!("max-num-seqs"), &json!("integer"))
    );
    assert_eq!(slice["points"].as_array().map(Vec::len), Some(24));
    assert_eq!(
        slice["points"][0],
        json!({"value": 4, "score": 0.25, "experiment_id": 2, "feasible": true})
    );
    let groups = slice["groups"].as_array().expect("a list");
    assert_eq!(
        (&groups[2]["value"], &groups[2]["n"], &groups[2]["best"]),
        (&json!(16), &json!(8), &json!(0.0625))
    );
    assert_eq!(told["slices"][1].get("groups"), None);
    let failure = FailureKind::OutOfMemory.as_str();
    assert_eq!(
        told["failures"],
        json!([{"kind": failure, "n": 1, "experiment_ids": [26], "advice": "lower max-num-seqs"}])
    );
    let effect = &told["variance"]["effects"][0];
    assert_eq!(
        (&effect["name"], &effect["stands_out"]),
        (&json!("max-num-seqs"), &json!(true))
    );
    assert!(effect["main"]["low"].as_f64() > Some(0.5), "{effect:#}");
    assert_eq!(
        told["variance"]["interactions"],
        json!([]),
        "only one is ever set"
    );
    assert_eq!(
        told["feasibility"]["all"],
        json!({"n": 25, "good": 24, "missed_slo": 0, "failed": [{"kind": failure, "n": 1}]})
    );
    let values = told["feasibility"]["parameters"][0]["values"]
        .as_array()
        .expect("values");
    let counts: Vec<&Value> = values.iter().map(|value| &value["counts"]["n"]).collect();
    assert_eq!(counts, [8, 8, 9]);
    assert_eq!(
        told["feasibility"]["rules"],
        json!([]),
        "of one failure there is no rule"
    );
    let again = test.get(&of(id, "/insight?run=1")).await.is(200).json();
    assert_eq!(again, told, "the same experiments give the same answer");
    test.get(&of(id, "/insight?run=2")).await.is(404);
    test.get("/api/tasks/9/insight").await.is(404);
}
