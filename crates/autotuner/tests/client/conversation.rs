//! What is asked and what is made of the answers.

use serde_json::{Value, json};

use crate::stub::{Reply, Stub, not_found};
use crate::support::Sandbox;

fn task(id: i64, name: &str, status: &str) -> Value {
    json!({
        "id": id, "task_name": name, "description": null, "status": status,
        "base_runtime": "sim", "deployment_mode": "local", "model": {"id_or_path": "m"},
        "optimization": {"objective": "maximize_throughput", "strategy": "grid_search", "max_replicates": 0},
        "total_experiments": 3, "successful_experiments": 2, "best_experiment_id": 12,
        "created_at": "2026-01-02T03:04:05.678Z", "elapsed_time": 75.5,
    })
}

#[test]
fn tasks_are_listed_page_by_page_with_nothing_that_harms_a_terminal() {
    let stub = Stub::new(|asked| {
        let row = |id| task(id, "\u{1b}]0;owned\u{7}first\u{1b}[31m", "completed");
        let (rows, of) = match asked.path.as_str() {
            "/api/tasks?skip=0&limit=1000" => ((0..1000).map(row).collect(), "1003"),
            "/api/tasks?skip=1000&limit=2" => ((1000..1002).map(row).collect(), "1003"),
            _ => return Some(not_found()),
        };
        let headers = format!("content-type: application/json\r\nx-total-count: {of}\r\n");
        Some(Reply::with(200, &headers, &Value::Array(rows).to_string()))
    });
    let sandbox = Sandbox::new();
    let list = ["tasks", "list", "--limit", "1002"];
    let told = stub
        .run(&sandbox, &list)
        .expect(0)
        .says(&["1 more; --limit and --skip show them"]);
    assert!(!told.stdout.contains('\u{1b}'), "{told:?}");
    for part in [
        "first",
        "completed",
        "3 (1 without score)",
        "2026-01-02 03:04:05Z",
        "1m 15s",
        "1001",
    ] {
        assert!(told.stdout.contains(part), "no {part}: {}", told.stdout);
    }
    let json = stub
        .run(&sandbox, &[&list[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(json.as_array().map(Vec::len), Some(1002));
}

#[test]
fn a_task_is_named_by_its_id_or_its_name() {
    let stub = Stub::of(&[
        ("GET /api/tasks/7", 200, task(7, "seven", "pending")),
        ("GET /api/tasks/name/2024", 200, task(8, "2024", "pending")),
        (
            "GET /api/tasks/2024",
            404,
            json!({"detail": "Task 2024 not found", "code": "not_found"}),
        ),
        (
            "GET /api/tasks/404",
            404,
            json!({"detail": "Task 404 not found", "code": "not_found"}),
        ),
        ("GET /api/tasks/name/a%2Fb%20c", 200, task(9, "a/b c", "pending")),
    ]);
    let sandbox = Sandbox::new();
    let check = |word: &str, expected: i64| {
        let told = stub.run(&sandbox, &["tasks", "show", word, "--json"]).expect(0);
        assert_eq!(told.json()["id"], expected, "{word}");
    };
    check("7", 7);
    check("2024", 8);
    check("a/b c", 9);
    stub.run(&sandbox, &["tasks", "show", "404"])
        .expect(2)
        .says(&["error: Task 404 not found\n"]);
}

#[test]
fn refusals_are_told_in_the_services_words() {
    let check = |status: u16, body: Value, code: i32, parts: &[&str]| {
        let stub = Stub::of(&[("POST /api/tasks", status, body)]);
        let sandbox = Sandbox::new();
        sandbox.write("task.yaml", "task_name: x\n");
        let told = stub
            .run(&sandbox, &["tasks", "create", "task.yaml"])
            .expect(code)
            .says(parts);
        assert_eq!(told.stdout, "");
        let asked = stub.asked();
        assert_eq!(asked[0].header("content-type"), Some("application/yaml"));
        assert_eq!(asked[0].body, "task_name: x\n");
    };
    check(
        400,
        json!({"detail": "Task 'x' already exists", "code": "name_taken", "hint": "choose another name"}),
        2,
        &["error: Task 'x' already exists\n", "hint: choose another name\n"],
    );
    check(
        422,
        json!({"detail": "The task has 2 problems: model: is missing; name one (and 1 more)", "code": "invalid", "problems": [
            {"path": "model", "message": "is missing", "hint": "name one"},
            {"path": "", "message": "too short"},
        ]}),
        2,
        &[
            "error: The task has 2 problems\n",
            "\n  model: is missing; name one\n",
            "\n  too short\n",
        ],
    );
    check(
        401,
        json!({"detail": "Not authenticated", "code": "unauthenticated"}),
        2,
        &[
            "error: Not authenticated\n",
            "AUTOTUNER_TOKEN",
            "autotuner token create NAME",
        ],
    );
    check(
        500,
        json!({"detail": "broken", "code": "internal"}),
        1,
        &["error: broken\n"],
    );
    check(
        503,
        json!({"detail": "busy", "code": "busy"}),
        1,
        &["error: busy\n"],
    );
}

#[test]
fn what_is_not_the_service_is_said_to_be_none() {
    let check = |reply: Reply, parts: &[&str]| {
        let stub = Stub::new(move |_| Some(reply.clone()));
        let sandbox = Sandbox::new();
        let url = format!("what answers at {} is not the service", stub.url);
        stub.run(&sandbox, &["tasks"]).expect(2).says(parts).says(&[&url]);
    };
    check(Reply::with(502, "", "<h1>Bad Gateway</h1>"), &["502"]);
    check(Reply::with(200, "", "<html>"), &["no JSON"]);
    check(Reply::json(200, &json!({"a": 1})), &["no list"]);
    check(
        Reply::with(302, "location: http://elsewhere.example/\r\n", ""),
        &["it points to http://elsewhere.example/; pass the service's own address with --url"],
    );
}

#[test]
fn where_nobody_listens_is_told_with_what_to_do() {
    let sandbox = Sandbox::new();
    let check = |url: &str, parts: &[&str]| {
        sandbox.run(&["tasks", "--url", url]).expect(2).says(parts);
    };
    check(
        "http://127.0.0.1:1",
        &[
            "no service answers at http://127.0.0.1:1",
            "autotuner serve starts a service",
        ],
    );
    check("127.0.0.1:8000", &["127.0.0.1:8000 cannot be used", "http://"]);
    check(
        "http://user:secret@127.0.0.1",
        &["has a login in it; pass --token"],
    );
}

#[test]
fn a_token_is_shown_to_the_service_and_to_nobody_else() {
    let stub = Stub::of(&[("GET /api/tasks?skip=0&limit=100", 200, json!([]))]);
    let sandbox = Sandbox::new();
    let mut command = stub.command(&sandbox, &["tasks"]);
    command.env("AUTOTUNER_TOKEN", "from-environment");
    sandbox.start_command(command).wait().expect(0);
    let mut command = stub.command(&sandbox, &["tasks", "--token", "from-flag"]);
    command.env("AUTOTUNER_TOKEN", "from-environment");
    sandbox.start_command(command).wait().expect(0);
    stub.run(&sandbox, &["tasks"]).expect(0);
    let shown: Vec<_> = stub
        .asked()
        .iter()
        .map(|asked| asked.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(
        shown,
        [
            Some("Bearer from-environment".to_owned()),
            Some("Bearer from-flag".to_owned()),
            None
        ]
    );
    let mut command = stub.command(&sandbox, &["config"]);
    command.env("AUTOTUNER_TOKEN", "from-environment");
    let told = sandbox.start_command(command).wait().expect(0);
    assert!(
        told.stdout
            .contains("token = ***  # environment variable AUTOTUNER_TOKEN"),
        "{told:?}"
    );
    assert!(!told.stdout.contains("from-environment"), "{told:?}");
}

#[test]
fn this_machine_is_asked_without_a_proxy() {
    let stub = Stub::of(&[("GET /api/tasks?skip=0&limit=100", 200, json!([]))]);
    let sandbox = Sandbox::new();
    let mut command = stub.command(&sandbox, &["tasks"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        command.env(name, "http://127.0.0.1:1");
    }
    sandbox.start_command(command).wait().expect(0);
    let mut command = sandbox.command(&["tasks", "--url", "http://tuner.invalid"]);
    command.env("HTTP_PROXY", &stub.url);
    sandbox.start_command(command).wait().expect(2);
    let last = stub.asked().pop().expect("the proxy was asked").line();
    assert!(last.contains("tuner.invalid"), "{last}");
}

#[test]
fn removing_is_not_done_unasked() {
    let stub = Stub::of(&[
        ("GET /api/tasks/7", 200, task(7, "seven", "completed")),
        ("GET /api/tasks/8", 200, task(8, "eight", "running")),
        ("DELETE /api/tasks/7", 204, Value::Null),
        (
            "DELETE /api/tasks/8",
            400,
            json!({"detail": "Cannot delete running task. Cancel it first.", "code": "illegal_move"}),
        ),
    ]);
    let sandbox = Sandbox::new();
    stub.run(&sandbox, &["tasks", "rm", "7"])
        .expect(2)
        .says(&["--yes"]);
    let is_deletion = |asked: &crate::stub::Asked| asked.method == "DELETE";
    assert!(!stub.asked().iter().any(is_deletion));
    // One that is refused costs the others nothing.
    stub.run(&sandbox, &["tasks", "rm", "8", "7", "--yes"])
        .expect(2)
        .says(&[
            "error: Cannot delete running task. Cancel it first.",
            "removed task 7 \"seven\"",
        ]);
    assert!(
        stub.asked()
            .iter()
            .any(|asked| asked.line() == "DELETE /api/tasks/7")
    );
}

#[test]
fn tokens_are_made_and_revoked_by_name() {
    let stub = Stub::of(&[
        (
            "POST /api/auth/tokens",
            201,
            json!({"id": 3, "name": "ci", "role": "operator", "token": "the-secret", "expires_at": null}),
        ),
        (
            "GET /api/auth/tokens",
            200,
            json!([
                {"id": 1, "name": "ci", "role": "viewer", "revoked_at": "2026-01-02T03:04:05Z"},
                {"id": 3, "name": "ci", "role": "operator", "revoked_at": null},
            ]),
        ),
        ("DELETE /api/auth/tokens/3", 204, Value::Null),
    ]);
    let sandbox = Sandbox::new();
    let create = ["token", "create", "ci", "--role", "operator", "--expires", "30d"];
    let told = stub.run(&sandbox, &create).expect(0).says(&["not shown again"]);
    assert_eq!(told.stdout, "the-secret\n");
    let body: Value = serde_json::from_str(&stub.asked()[0].body).expect("JSON");
    assert_eq!((&body["name"], &body["role"]), (&json!("ci"), &json!("operator")));
    assert_eq!(body["expires_in_days"], 30);
    stub.run(&sandbox, &["token", "revoke", "ci"]).expect(0);
    assert_eq!(
        stub.asked().pop().expect("asked").line(),
        "DELETE /api/auth/tokens/3"
    );
    stub.run(&sandbox, &["token", "revoke", "nobody"])
        .expect(2)
        .says(&["nobody"]);
    let told = stub.run(&sandbox, &["token", "list"]).expect(0);
    assert!(told.stdout.contains("2026-01-02 03:04:05Z"), "{told:?}");
}

#[test]
fn a_service_that_has_too_much_to_do_is_asked_again() {
    let mut questions = 0;
    let stub = Stub::new(move |_| {
        questions += 1;
        Some(match questions {
            1 | 2 => Reply::with(
                429,
                "retry-after: 0\r\n",
                "{\"detail\": \"Too much\", \"code\": \"rate\"}",
            ),
            _ => Reply::json(200, &json!([])),
        })
    });
    let sandbox = Sandbox::new();
    stub.run(&sandbox, &["tasks"]).expect(0);
    assert_eq!(stub.asked().len(), 3);
}

#[test]
fn insight_is_told_in_tables_and_sentences() {
    let share = |share: f64| json!({"share": share, "low": share / 2.0, "high": 1.0});
    let counts = |n, good| json!({"n": n, "good": good, "missed_slo": 0, "failed": [{"kind": "out_of_memory", "n": n - good}]});
    let told = json!({
        "objective": "maximize_throughput", "note": null,
        "parameters": [{"name": "seqs", "importance": 0.5, "low": 0.25, "high": 0.75}],
        "variance": {
            "experiments_used": 20, "note": null, "unexplained": share(0.1),
            "effects": [{"name": "seqs", "main": share(0.625), "total": share(0.75), "stands_out": true}],
            "interactions": [
                {"first": "seqs", "second": "cache", "share": 0.125, "low": 0.05, "high": 0.25, "stands_out": true},
            ],
        },
        "feasibility": {
            "all": counts(25, 20),
            "parameters": [{"name": "cache", "values": [
                {"from": null, "to": null, "counts": counts(5, 5)},
                {"from": "fp8\u{1b}[31m", "to": "fp8\u{1b}[31m", "counts": counts(20, 15)},
            ]}],
            "pairs": [],
            "rules": [{"text": "cache=fp8: 5 of 20 out of memory, 0 of 5 elsewhere", "alternatives": 1}],
        },
    });
    let stub = Stub::of(&[
        ("GET /api/tasks/7", 200, task(7, "seven", "completed")),
        ("GET /api/tasks/7/insight?run=2", 200, told.clone()),
    ]);
    let sandbox = Sandbox::new();
    let line = ["tasks", "insight", "7", "--run", "2"];
    let said = stub.run(&sandbox, &line).expect(0).stdout;
    for part in [
        "from 20 experiments",
        "62 % (31 to 100)",
        "50 % (25 to 75)",
        "not explained: 10 % (5 to 100)",
        "seqs with cache: 12 % (5 to 25)",
        "25 experiments, 20 good, 5 out of memory",
        "engine's own",
        "cache=fp8: 5 of 20 out of memory, 0 of 5 elsewhere (1 other rule just as well)",
    ] {
        assert!(said.contains(part), "no {part}: {said}");
    }
    assert!(!said.contains('\u{1b}'), "{said:?}");
    let json = stub
        .run(&sandbox, &[&line[..], &["--json"]].concat())
        .expect(0)
        .json();
    assert_eq!(json, told);
}

#[test]
fn an_experiment_says_why_it_was_tried() {
    let experiment = json!({
        "id": 31, "experiment_id": 3, "run": 1, "role": "search", "attempt": 1, "status": "success",
        "reason": "the largest expected gain", "parameters": {"seqs": 8}, "direction": "maximize",
        "objective_value": 120.0, "feasible": true, "violations": [],
    });
    let rows = Reply::with(
        200,
        "content-type: application/json\r\nx-total-count: 1\r\n",
        &json!([experiment]).to_string(),
    );
    let stub = Stub::new(move |asked| {
        let (path, _) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let headers = "content-type: application/json\r\n";
        Some(match path {
            "/api/tasks/7" => Reply::with(200, headers, &task(7, "seven", "completed").to_string()),
            "/api/experiments/task/7" => rows.clone(),
            "/api/experiments/31" => Reply::with(200, headers, &experiment.to_string()),
            _ => not_found(),
        })
    });
    let sandbox = Sandbox::new();
    let said = stub
        .run(&sandbox, &["tasks", "experiment", "7", "3"])
        .expect(0)
        .stdout;
    for part in [
        "3 of seven",
        "the largest expected gain",
        "seqs=8",
        "120 tok/s",
        "met",
    ] {
        assert!(said.contains(part), "no {part}: {said}");
    }
    let shown = stub.run(&sandbox, &["tasks", "show", "7"]).expect(0).stdout;
    assert!(shown.contains("the largest expected gain"), "{shown}");
    stub.run(&sandbox, &["tasks", "experiment", "7", "4"])
        .expect(2)
        .says(&["no experiment 4"]);
}
