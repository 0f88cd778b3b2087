//! Containers killed, runs cancelled and runs killed, in each phase of an experiment.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harbour::{
    Harbour, assert_nothing_left, check_preserved, docker, sim_image, sim_task, task_log, wait_for_container,
};
use crate::support::{Running, experiments, wait_for};

/// A moment in the second experiment's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The container runs, and the engine in it loads.
    Loading,
    /// The engine is under load.
    Benchmarking,
    /// The engine was asked to end and does not.
    Stopping,
}

impl Phase {
    const ALL: [Self; 3] = [Self::Loading, Self::Benchmarking, Self::Stopping];

    /// The candidate that makes this phase last.
    fn candidate(self) -> Value {
        match self {
            Self::Loading => json!({"fault": ["never-ready"]}),
            // One step takes minutes.
            Self::Benchmarking => json!({"time-scale": [50_000]}),
            Self::Stopping => json!({"fault": ["ignore-sigterm"]}),
        }
    }

    /// What the engine's log says once the phase has been reached.
    fn sign(self) -> &'static str {
        match self {
            Self::Loading => "listening on",
            // A request, as prompt and answer.
            Self::Benchmarking => " + ",
            Self::Stopping => "asked to stop",
        }
    }
}

/// A run whose second experiment is in this phase, and the container of it.
fn reach(harbour: &Harbour, image: &str, phase: Phase) -> (Running, String) {
    let mut task = sim_task(image, &phase.candidate());
    let arguments = task["engine"]["args"].as_array_mut().expect("a list");
    arguments.extend([json!("--log-level"), json!("debug")]);
    task["engine"]["start_timeout"] = 3600.into();
    task["benchmark"]["request_timeout_seconds"] = 3600.into();
    task["benchmark"]["max_time_per_iteration"] = 3600.into();
    task["optimization"]["timeout_per_iteration"] = 3600.into();
    harbour.write("task.json", &task.to_string());
    let mut command = harbour.command(&["run", "task.json", "--output", "results.json"]);
    command.env("AUTOTUNER_STOP_GRACE_SECONDS", "20");
    let mut running = harbour.start_command(command);
    let folder = running.wait_for("the baseline's end", |_| {
        let results = harbour.try_results()?;
        Some(results["logs"].as_str()?.to_owned())
    });
    let log = std::path::Path::new(&folder).join("experiment_2.log");
    running.wait_for("the phase", |_| {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.contains(phase.sign()).then_some(())
    });
    let container = wait_for_container(harbour);
    (running, container)
}

#[track_caller]
fn second(results: &Value) -> &Value {
    &experiments(results)[1]
}

#[test]
fn a_container_killed_while_the_engine_loads() {
    killed_container(Phase::Loading);
}

#[test]
fn a_container_killed_under_load() {
    killed_container(Phase::Benchmarking);
}

fn killed_container(phase: Phase) {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let (running, container) = reach(&harbour, &image, phase);
    docker(&["kill", &container]).expect("killed");
    // It says nothing of the configuration, which is tried again: that one is removed outright.
    let next = wait_for("the next attempt", || {
        let next = wait_for_container(&harbour);
        (next != container).then_some(next)
    });
    docker(&["rm", "--force", &next]).expect("removed");
    wait_for("the last attempt", || {
        let last = wait_for_container(&harbour);
        (last != next && last != container).then_some(())
    });
    running.signal(Signal::SIGINT);
    running.wait().expect(130);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    for experiment in &experiments(&results)[1..3] {
        assert_eq!(experiment["failure_kind"], "infrastructure", "{experiment:#}");
        assert_eq!(experiment["status"], "failed");
        assert!(experiment["objective_score"].is_null());
    }
    check_preserved(&task_log(&results), second(&results), "listening on");
}

#[test]
fn a_container_killed_while_it_is_stopped_is_as_good() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let (running, container) = reach(&harbour, &image, Phase::Stopping);
    docker(&["kill", &container]).expect("killed");
    running.wait().expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    assert_eq!(second(&results)["status"], "success", "{results:#}");
    check_preserved(&task_log(&results), second(&results), "asked to stop");
}

#[test]
fn a_run_is_cancelled_in_each_phase() {
    let Some(image) = sim_image() else { return };
    for phase in Phase::ALL {
        let harbour = Harbour::new();
        let (running, _) = reach(&harbour, &image, phase);
        running.signal(Signal::SIGINT);
        running.signal(Signal::SIGINT);
        running.wait().expect(130);
        assert_nothing_left(&harbour);
        let results = harbour.results();
        assert_eq!(results["status"], "cancelled", "{phase:?}");
        let expected = if phase == Phase::Stopping {
            "success"
        } else {
            "failed"
        };
        assert_eq!(second(&results)["status"], expected, "{phase:?}: {results:#}");
        check_preserved(&task_log(&results), second(&results), phase.sign());
    }
}

#[test]
fn a_killed_run_leaves_nothing_after_the_next_start() {
    let Some(image) = sim_image() else { return };
    for phase in Phase::ALL {
        let harbour = Harbour::new();
        let (running, container) = reach(&harbour, &image, phase);
        running.signal(Signal::SIGKILL);
        running.wait();
        assert!(docker(&["inspect", &container]).is_ok(), "containers outlive us");
        let results = harbour.results();
        assert_eq!(
            experiments(&results)[0]["status"],
            "success",
            "what was measured is kept"
        );
        let folder = results["logs"].as_str().expect("where the logs are");
        let log = std::path::Path::new(folder).join("experiment_2.log");
        let before = std::fs::read_to_string(&log).expect("readable");

        harbour.write(
            "next.json",
            &sim_task(&image, &json!({"max-num-seqs": [8]})).to_string(),
        );
        harbour
            .run(&["run", "next.json", "--output", "next-results.json"])
            .expect(0)
            .says(&["stopped an engine that a dead run left behind: task sim-test, experiment 2"]);
        assert_nothing_left(&harbour);
        let after = std::fs::read_to_string(&log).expect("readable");
        let is_kept = |line: &str| after.lines().any(|kept| kept == line);
        assert!(before.trim_end().lines().all(is_kept), "{phase:?}: {after}");
        let last_words = match phase {
            Phase::Stopping => "asked to stop",
            Phase::Loading | Phase::Benchmarking => "INFO stopped",
        };
        assert!(
            after.contains(last_words),
            "{phase:?}: its last words are kept: {after}"
        );
    }
}

#[test]
fn the_doctor_sweeps_containers_too() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let (running, _) = reach(&harbour, &image, Phase::Loading);
    let swept = harbour.run(&["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(swept["stopped"], json!([]), "its owner lives");
    running.signal(Signal::SIGKILL);
    running.wait();
    let swept = harbour.run(&["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(swept["stopped"][0]["task"], "sim-test", "{swept}");
    assert_eq!(swept["stopped"][0]["experiment"], 2);
    assert_eq!(swept["problems"], json!([]));
    assert_nothing_left(&harbour);
}

#[test]
fn what_is_on_no_record_any_more_is_known_by_its_labels() {
    let Some(image) = sim_image() else { return };
    for next in ["doctor", "run"] {
        let harbour = Harbour::new();
        let (running, container) = reach(&harbour, &image, Phase::Loading);
        running.signal(Signal::SIGKILL);
        running.wait();
        std::fs::remove_dir_all(harbour.data_dir().join("instances")).expect("removed");
        match next {
            "doctor" => {
                let checks = harbour.run(&["doctor", "--json"]).expect(1).json();
                let is_it = |check: &&Value| check["check"] == "left behind";
                let mut checks = checks.as_array().expect("a list").iter();
                let check = checks.find(is_it).expect("it is looked at");
                assert_eq!(check["next_step"], "autotuner doctor --sweep", "{check}");
                let swept = harbour.run(&["doctor", "--sweep", "--json"]).expect(0).json();
                assert_eq!(swept["stopped"][0]["container"], container.as_str(), "{swept}");
            }
            _ => {
                let task = sim_task(&image, &json!({"max-num-seqs": [8]}));
                harbour.run_task(&task).expect(0).says(&[
                    "stopped an engine that a dead run left behind: task sim-test, experiment 2 (container ",
                ]);
            }
        }
        assert_nothing_left(&harbour);
    }
}
