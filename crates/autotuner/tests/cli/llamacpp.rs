//! A real engine: `llama-server` with a model made on the spot, tuned as the example says.
//!
//! `scripts/llama-server.sh` decides which server is used (`AUTOTUNER_LLAMA_SERVER` names
//! one); where it finds none the tests say so and prove nothing.

use std::path::Path;
use std::process::Command;

use autotuner_core::spec::{Format, TaskSpec};
use autotuner_tiny_model::{Recipe, write_gguf};
use serde_json::{Value, json};

use crate::support::{Sandbox, experiments, wait_for};

/// The variable that the example tunes.
const VARIABLE: &str = "OMP_WAIT_POLICY";

/// The server to use, or nothing where there is none.
#[expect(
    clippy::print_stderr,
    reason = "a test that proves nothing must say so loudly"
)]
fn find_server() -> Option<String> {
    const NONE_FOUND: i32 = 3;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/llama-server.sh");
    let found = Command::new(script).output().expect("the script is there");
    let talk = String::from_utf8_lossy(&found.stderr);
    match found.status.code() {
        Some(0) => Some(String::from_utf8_lossy(&found.stdout).trim_end().to_owned()),
        Some(NONE_FOUND) => {
            eprintln!("SKIPPED: no llama-server, so nothing was proved with a real engine.\n{talk}");
            None
        }
        other => panic!("scripts/llama-server.sh ended with {other:?}: {talk}"),
    }
}

/// `examples/llamacpp-local.yaml` with a tiny model in the sandbox, this server, and a load
/// that is over in a moment even where the machine is busy.
fn example(sandbox: &Sandbox, server: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/llamacpp-local.yaml");
    let text = std::fs::read_to_string(path).expect("readable");
    let parsed = TaskSpec::parse(&text, Format::Yaml).expect("the example is sound");
    let mut task = parsed.spec.to_value();
    let model = sandbox.path("tiny.gguf");
    write_gguf(&Recipe::tiny(), &model).expect("a model");
    task["model"]["id_or_path"] = model.display().to_string().into();
    task["engine"]["program"] = server.into();
    let benchmark = &mut task["benchmark"];
    benchmark["traffic_scenarios"] = json!(["D(8,4)"]);
    benchmark["num_concurrency"] = json!([2]);
    benchmark["max_requests_per_iteration"] = 8.into();
    benchmark["max_time_per_iteration"] = 3.into();
    benchmark["drain_seconds"] = 3.into();
    benchmark["warmup_requests"] = 0.into();
    task["optimization"]["timeout_per_iteration"] = 30.into();
    task
}

#[test]
fn the_example_tunes_a_real_engine() {
    let Some(server) = find_server() else { return };
    let sandbox = Sandbox::new();
    let task = example(&sandbox, &server);
    let parameters = task["parameters"].as_object().expect("a space");
    assert!(parameters.len() >= 4, "{parameters:?}");
    assert!(parameters.contains_key(&format!("env.{VARIABLE}")));
    let mut running = sandbox.start_task(&task);
    let is_given = |variable: &String| variable.starts_with(&format!("{VARIABLE}="));
    let mut was_given = false;
    wait_for("the run's end", || {
        let engines = sandbox.engines();
        was_given |= engines
            .iter()
            .filter(|engine| engine.command.starts_with(&server))
            .any(|engine| engine.environment.iter().any(is_given));
        running.has_ended().then_some(())
    });
    running.wait().expect(0);
    sandbox.assert_nothing_left();
    assert!(was_given, "no server was seen with {VARIABLE} in its environment");

    let results = sandbox.results();
    assert_eq!(results["baseline_result"]["status"], "success", "{results:#}");
    let version = results["engine_version"].as_str().expect("it tells its version");
    assert!(!version.is_empty());
    let search: Vec<&Value> = experiments(&results)
        .iter()
        .filter(|experiment| experiment["role"] == "search")
        .collect();
    assert_eq!(search.len(), 12);
    let succeeded = search
        .iter()
        .filter(|experiment| experiment["status"] == "success");
    assert!(succeeded.count() >= 10, "{results:#}");
    for experiment in search {
        let wanted = &experiment["parameters"][format!("env.{VARIABLE}")];
        assert_eq!(experiment["environment"][VARIABLE], *wanted, "{experiment:#}");
        check_figures(experiment);
    }
    let log = results["best_result"]["log_file"].as_str().expect("a path");
    let log = std::fs::read_to_string(log).expect("readable");
    assert!(log.contains("llama") && log.contains("listening"), "{log}");
}

/// Checks what every successful experiment with a real engine must show.
#[track_caller]
fn check_figures(experiment: &Value) {
    if experiment["status"] != "success" {
        // A busy machine may starve spinning threads so much that a request takes too long.
        assert_eq!(experiment["failure_kind"], "benchmark_failed", "{experiment:#}");
        assert_eq!(experiment["environment"][VARIABLE], "ACTIVE", "{experiment:#}");
        return;
    }
    let metrics = &experiment["metrics"];
    for key in ["mean_ttft", "mean_e2e_latency", "mean_output_throughput"] {
        let value = metrics[key].as_f64().unwrap_or_default();
        assert!(value > 0.0, "{key} in {metrics:#}");
    }
    assert_eq!(metrics["raw_results"][0]["token_source"], "server_usage");
}

#[test]
fn a_flag_that_this_build_does_not_have_is_named() {
    let Some(server) = find_server() else { return };
    let sandbox = Sandbox::new();
    let mut task = example(&sandbox, &server);
    task["parameters"] = json!({"mlock": [true]});
    sandbox.run_task(&task).expect(0);
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    let refused = &experiments(&results)[1];
    assert_eq!(refused["failure_kind"], "invalid_candidate", "{refused:#}");
    let message = refused["error_message"].as_str().expect("a message");
    assert!(message.contains("--mlock"), "{message}");
}

#[test]
fn a_model_that_is_not_there_or_is_none_is_named() {
    let Some(server) = find_server() else { return };
    let sandbox = Sandbox::new();
    let mut task = example(&sandbox, &server);
    task["model"]["id_or_path"] = "models/no-such.gguf".into();
    sandbox
        .run_task(&task)
        .expect(2)
        .says(&["model.id_or_path", "models/no-such.gguf"]);
    assert_eq!(sandbox.try_results(), None);

    sandbox.write("broken.gguf", "this is no model");
    task["model"]["id_or_path"] = "broken.gguf".into();
    sandbox.run_task(&task).expect(1);
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    let failed = &experiments(&results)[0];
    assert_eq!(failed["failure_kind"], "infrastructure", "{failed:#}");
    let message = failed["error_message"].as_str().expect("a message");
    assert!(
        message.contains("GGUF") && message.contains("model.id_or_path"),
        "{message}"
    );
}
