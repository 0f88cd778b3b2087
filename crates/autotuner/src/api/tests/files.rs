//! Import, export, duplicate, results.

use autotuner_core::spec::TaskSpec;
use serde_json::{Value, json};

use super::support::{document, of};
use crate::api::testing::TestService;

#[tokio::test]
async fn what_is_exported_can_be_imported() {
    let test = TestService::start().await;
    let id = test.made("Round: trip").await;
    let yaml = test.get(&of(id, "/export")).await.is(200);
    assert_eq!(yaml.headers["content-type"], "application/yaml");
    assert_eq!(
        yaml.headers["content-disposition"],
        "attachment; filename=\"Round__trip.yaml\""
    );
    let parsed = TaskSpec::from_yaml(&yaml.text).expect("sound");
    assert_eq!(parsed.spec.to_value(), document("Round: trip"));
    let exported = test.get(&of(id, "/export?format=json")).await.is(200);
    assert_eq!(exported.json(), document("Round: trip"));
    test.act(&format!("/api/tasks/{id}/duplicate")).await.is(201);
    let renamed = yaml.text.replace("Round: trip", "Round: back");
    let imported = test
        .send_text("/api/tasks/import", "application/yaml", &renamed)
        .await
        .is(200)
        .json();
    assert_eq!(
        (&imported["imported"], &imported["refused"]),
        (&json!(1), &json!(0))
    );
    let id = imported["results"][0]["id"].as_i64().expect("an id");
    assert_eq!(test.get(&of(id, "")).await.json()["task_name"], "Round: back");
    // A file of unknown kind, handed in as it is.
    let third = yaml.text.replace("Round: trip", "third");
    test.send_text("/api/tasks/import", "application/json", &third)
        .await
        .is(200);
}

#[tokio::test]
async fn every_document_of_an_import_has_its_own_result() {
    let test = TestService::start().await;
    test.made("taken").await;
    let mut wrong = document("wrong");
    wrong["base_runtime"] = "vlm".into();
    let list = json!([document("new"), document("taken"), wrong, 7, document("new")]);
    for (body, at) in [(list.clone(), "list"), (json!({"tasks": list}), "envelope")] {
        let told = test.post("/api/tasks/import", body).await.is(200).json();
        let results = told["results"].as_array().expect("a list");
        let details: Vec<Option<&str>> = results
            .iter()
            .map(|result| result["error"]["detail"].as_str())
            .collect();
        let is_first = at == "list";
        assert_eq!(results[0]["ok"], is_first, "{told}");
        assert_eq!(details[1], Some("Task 'taken' already exists"));
        assert_eq!(results[2]["error"]["problems"][0]["path"], "base_runtime");
        assert_eq!(results[3]["ok"], false);
        assert_eq!(details[4], Some("Task 'new' already exists"));
    }
    let twice = r#"[{"task_name": "a"}, {"task_name": "b", "task_name": "c"}]"#;
    let told = test
        .send_text("/api/tasks/import", "application/json", twice)
        .await
        .is(200)
        .json();
    let problems = told["results"][1]["error"]["problems"].to_string();
    assert!(
        problems.contains(r#"{"path":"task_name","message":"is given twice""#),
        "{problems}"
    );
    assert!(
        !told["results"][0]["error"]["problems"]
            .to_string()
            .contains("twice")
    );
}

#[tokio::test]
async fn copies_have_names_of_their_own() {
    let test = TestService::start().await;
    let id = test.made("chat").await;
    let names = ["chat copy", "chat copy 2", "chat copy 3"];
    for name in names {
        let copy = test.act(&of(id, "/duplicate")).await.is(201).json();
        assert_eq!(copy["task_name"], name);
        assert_eq!(copy["status"], "pending");
    }
    assert_eq!(
        test.get("/api/tasks/name/chat%20copy").await.is(200).json()["parameters"],
        document("chat")["parameters"]
    );
}

#[tokio::test]
async fn results_are_a_file_for_programs_and_one_for_spreadsheets() {
    let test = TestService::start().await;
    let mut given = document("=cmd()");
    given["description"] = "@x".into();
    let id = test.made_of(given).await;
    test.ran(id).await;
    let results = test.get(&of(id, "/results")).await.is(200);
    assert_eq!(
        results.headers["content-disposition"],
        "attachment; filename=\"_cmd___results.json\""
    );
    let results = results.json();
    assert_eq!(results["best_result"]["experiment_id"], 2);
    assert_eq!(results["baseline_result"]["experiment_id"], 1);
    assert_eq!(results["verdict"]["claim"], "unconfirmed");
    assert_eq!(results["all_results"].as_array().expect("a list").len(), 3);
    assert_eq!(results["all_results"][2]["log_file"], "task_1_run_1_exp_3.log");
    assert_eq!(results["elapsed_time"], 90.0);
    let host = crate::host::Host::inspect(&test.service.config.gpus);
    assert_eq!(results["host"], json!(host));
    assert_eq!(results["all_results"][0]["host_fingerprint"], host.fingerprint);

    let csv = test.get(&of(id, "/results?format=csv")).await.is(200);
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let lines: Vec<&str> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 4);
    let columns: Vec<&str> = lines[0].split(',').collect();
    let at = |name: &str| {
        let found = columns.iter().position(|column| *column == name);
        found.unwrap_or_else(|| panic!("{name} in {columns:?}"))
    };
    let cell = |line: usize, name: &str| lines[line].split(',').nth(at(name)).expect("a cell");
    assert_eq!(cell(2, "experiment_id"), "2");
    assert_eq!(cell(2, "is_best"), "true");
    assert_eq!(cell(1, "parameter:max-num-seqs"), "");
    assert_eq!(cell(2, "parameter:max-num-seqs"), "8");
    assert_eq!(cell(2, "objective_score"), "1.0");
    assert_eq!(cell(2, "mean_e2e_latency"), "1.0");
    assert_eq!(cell(3, "failure_kind"), "out_of_memory");
    assert_eq!(cell(3, "reason"), "'=reason");

    // What was never started has results, too: none.
    let fresh = test.made("fresh").await;
    let results = test.get(&of(fresh, "/results")).await.is(200).json();
    assert_eq!(results["started_at"], Value::Null);
    assert_eq!(results["all_results"], json!([]));
    assert_eq!(results["host"], Value::Null);
    let csv = test.get(&of(fresh, "/results?format=csv")).await.is(200);
    assert_eq!(csv.text.matches("\r\n").count(), 1);
}
