//! Runs that go well.

use serde_json::{Value, json};

use crate::field::{Field, cluster, sim_task};
use crate::support::{Sandbox, experiments};

/// Checks that two documents have the same keys all the way down. What was too little to be known
/// is null, which any value may be.
#[track_caller]
fn assert_alike(left: &Value, right: &Value, path: &str) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let keys = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(left), keys(right), "at {path}");
            for (key, value) in left {
                assert_alike(value, &right[key], &format!("{path}.{key}"));
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            for (left, right) in left.iter().zip(right) {
                assert_alike(left, right, path);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (left, right) => assert_eq!(
            std::mem::discriminant(left),
            std::mem::discriminant(right),
            "{left} and {right} at {path}"
        ),
    }
}

#[test]
fn twelve_experiments_two_at_a_time_give_what_a_local_run_gives() {
    let Some(cluster) = cluster() else { return };
    let field = Field::new(cluster);
    let parameters = json!({ "max-num-seqs": [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64] });
    let mut task = sim_task(&field.cluster, &parameters);
    task["optimization"]["max_parallel_experiments"] = 2.into();
    task["benchmark"]["num_concurrency"] = json!([1, 2]);
    let finished = field.sandbox.run_task(&task);
    assert_eq!(finished.code, Some(0), "{}", finished.stderr);
    let results = field.sandbox.results();
    assert_eq!(results["successful_experiments"], 12, "{results:#}");

    let local = Sandbox::new();
    task["deployment_mode"] = "local".into();
    task["engine"]["image"] = Value::Null;
    assert_eq!(local.run_task(&task).code, Some(0));
    let of_local = local.results();
    let metrics = |results: &Value| experiments(results)[1]["metrics"].clone();
    assert_alike(&metrics(&results), &metrics(&of_local), "metrics");
    let names = |results: &Value| {
        let mut names: Vec<String> = experiments(results)
            .iter()
            .map(|experiment| experiment["parameters"].to_string())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&results), names(&of_local));

    // Two were there at once, and each one's engine has left its output.
    let log = field.task_log(&results);
    for number in 1..=12 {
        let begin = format!("[Experiment {number}] ========== Container Logs ==========");
        let (_, output) = log
            .split_once(&begin)
            .unwrap_or_else(|| panic!("no {begin} in {log}"));
        assert!(output.contains("INFO stopped"), "{output}");
        assert!(log.contains(&format!("[Experiment {number}] runs in the pod at-sim-test-")));
    }
    field.assert_overlap(&results);
    field.assert_nothing_left();
}
