//! Two tasks at once on one host: nothing of one is ever taken for the other's.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::harbour::{Harbour, assert_nothing_left, sim_image, sim_task};
use crate::support::experiments;

/// Twenty configurations that start the engine differently.
fn task(image: &str, name: &str) -> Value {
    let seeds: Vec<u32> = (1..=19).collect();
    let mut task = sim_task(image, &json!({"seed": seeds}));
    task["task_name"] = name.into();
    task["benchmark"]["model_name"] = name.into();
    task["benchmark"]["max_requests_per_iteration"] = 4.into();
    task
}

#[test]
fn two_tasks_of_twenty_experiments_never_meet() {
    let Some(image) = sim_image() else { return };
    let (one, other) = (Harbour::new(), Harbour::new());
    // The second pair shares one data directory, too.
    one.write("beside.json", &task(&image, "beside").to_string());
    let first = one.start_task(&task(&image, "one"));
    let second = other.start_task(&task(&image, "one"));
    let third = one.start(&["run", "beside.json", "--output", "beside-results.json"]);
    first.wait().expect(0);
    second.wait().expect(0);
    third.wait().expect(0);
    assert_nothing_left(&one);
    assert_nothing_left(&other);
    let beside = std::fs::read_to_string(one.path("beside-results.json")).expect("readable");
    let beside: Value = serde_json::from_str(&beside).expect("JSON");
    let mut identities = HashSet::new();
    for results in [one.results(), other.results(), beside] {
        assert_eq!(experiments(&results).len(), 20);
        for experiment in experiments(&results) {
            assert_eq!(experiment["status"], "success", "{experiment:#}");
            check_identity(experiment, &mut identities);
        }
    }
    assert_eq!(identities.len(), 60, "every experiment has an engine of its own");
}

/// Checks that the engine that answered is the one whose log was kept, and no other's.
#[track_caller]
fn check_identity(experiment: &Value, identities: &mut HashSet<String>) {
    let [identity] = &experiment["engine_fingerprints"]
        .as_array()
        .expect("who answered")[..]
    else {
        panic!("one engine answered: {experiment:#}");
    };
    let identity = identity.as_str().expect("text").to_owned();
    let log = experiment["log_file"].as_str().expect("a path");
    let log = std::fs::read_to_string(log).expect("readable");
    assert!(log.contains(&identity), "{identity} is not in {log}");
    assert!(identities.insert(identity), "it answered another experiment, too");
}
