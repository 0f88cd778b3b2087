//! What a killed run leaves is found and ended, and nothing else is.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{PROGRAM, Running, Sandbox, experiments, sim_task, wait_for};

/// How the process is named that an engine leaves behind; it outlives the engine's end.
const LEFT_BEHIND: &str = "sleep 98765";

/// A task whose engine has a child that ignores requests to end, and does not get ready before the file `gate` exists.
fn gated_task(sandbox: &Sandbox) -> Value {
    let gate = sandbox.path("gate").display().to_string();
    let script = format!(
        "trap '' TERM\n{LEFT_BEHIND} &\ntrap - TERM\n\
         while [ ! -e '{gate}' ]; do sleep 0.05; done\n\
         exec '{PROGRAM}' sim-engine --startup-seconds 0 --time-scale 0.05 \"$@\"\n"
    );
    let script = sandbox.write("engine.sh", &script);
    let mut task = sim_task(&json!({}));
    task["base_runtime"] = "custom".into();
    task["engine"] = json!({
        "program": "/bin/sh",
        "args": [script, "--host", "{host}", "--port", "{port}", "--model", "{model}"],
        "start_timeout": 3600,
    });
    task
}

fn has_left_behind(sandbox: &Sandbox) -> bool {
    sandbox
        .processes()
        .iter()
        .any(|process| process.command == LEFT_BEHIND)
}

/// A run that waits for its engine.
fn start_gated(sandbox: &Sandbox) -> Running {
    let mut running = sandbox.start_task(&gated_task(sandbox));
    running.wait_for("the engine's child", |_| has_left_behind(sandbox).then_some(()));
    running
}

/// Kills a run outright. Its engine ends with it, but what the engine started does not.
fn kill(sandbox: &Sandbox, running: Running) {
    running.signal(Signal::SIGKILL);
    assert_eq!(running.wait().signal, Some(Signal::SIGKILL as i32));
    wait_for("the engine's end", || {
        let is_gone = sandbox
            .engines()
            .iter()
            .all(|process| !process.command.contains("engine.sh"));
        is_gone.then_some(())
    });
    assert!(has_left_behind(sandbox), "there is something to sweep");
}

#[track_caller]
fn left_behind_check(sandbox: &Sandbox, code: i32) -> Value {
    let finished = sandbox.run(&["doctor", "--json"]).expect(code);
    let checks = finished.json();
    let check = checks
        .as_array()
        .expect("a list")
        .iter()
        .find(|check| check["check"] == "left behind")
        .expect("it is looked at");
    check.clone()
}

#[test]
fn the_doctor_finds_and_sweeps_what_a_killed_run_left() {
    let sandbox = Sandbox::new();
    kill(&sandbox, start_gated(&sandbox));

    let check = left_behind_check(&sandbox, 1);
    assert_eq!(check["state"], "bad");
    assert_eq!(check["next_step"], "autotuner doctor --sweep");
    assert!(has_left_behind(&sandbox), "looking changes nothing");

    let swept = sandbox.run(&["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(swept["stopped"][0]["task"], "sim-test", "{swept}");
    assert_eq!(swept["stopped"][0]["experiment"], 1);
    assert_eq!(swept["problems"], json!([]));
    sandbox.assert_nothing_left();

    assert_eq!(left_behind_check(&sandbox, 0)["state"], "ok");
    let again = sandbox.run(&["doctor", "--sweep"]).expect(0);
    assert!(again.stdout.contains("0 stopped"), "{}", again.stdout);
}

#[test]
fn the_next_run_sweeps_first() {
    let sandbox = Sandbox::new();
    kill(&sandbox, start_gated(&sandbox));
    sandbox
        .run_task(&sim_task(&json!({})))
        .expect(0)
        .says(&["stopped an engine that a dead run left behind: task sim-test, experiment 1"]);
    sandbox.assert_nothing_left();
}

#[test]
fn an_engine_dies_with_its_run_even_without_a_sweep() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({}));
    task["engine"]["args"] = json!(["--fault", "never-ready", "--fault", "ignore-sigterm"]);
    task["engine"]["start_timeout"] = 3600.into();
    let mut running = sandbox.start_task(&task);
    running.wait_for("the engine", |_| {
        let is_it = |command: &str| command.contains("never-ready") && !command.contains("engine-exec");
        sandbox
            .engines()
            .iter()
            .any(|engine| is_it(&engine.command))
            .then_some(())
    });
    running.signal(Signal::SIGKILL);
    assert_eq!(running.wait().signal, Some(Signal::SIGKILL as i32));
    wait_for("the engine's end", || {
        sandbox.processes().is_empty().then_some(())
    });
}

#[test]
fn what_was_measured_before_the_kill_is_kept() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"fault": ["never-ready"]}));
    task["engine"]["start_timeout"] = 3600.into();
    let mut running = sandbox.start_task(&task);
    running.wait_for("the first results", |_| sandbox.try_results());
    running.signal(Signal::SIGKILL);
    running.wait();
    let results = sandbox.results();
    assert_eq!(results["status"], "running");
    assert_eq!(experiments(&results)[0]["status"], "success");
}

#[test]
fn the_engine_of_a_living_run_is_left_alone() {
    let sandbox = Sandbox::new();
    let running = start_gated(&sandbox);
    let swept = sandbox.run(&["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(swept["stopped"], json!([]));
    assert_eq!(
        swept["kept_alive_owner"].as_array().map(Vec::len),
        Some(1),
        "{swept}"
    );
    let found = left_behind_check(&sandbox, 0)["found"].clone();
    assert_eq!(found, "nothing; 1 of ours running");
    assert!(has_left_behind(&sandbox));

    sandbox.write("gate", "");
    running.wait().expect(0);
    assert_eq!(sandbox.results()["successful_experiments"], 1);
    sandbox.assert_nothing_left();
}

#[test]
fn two_runs_share_a_data_directory() {
    let sandbox = Sandbox::new();
    let first = start_gated(&sandbox);
    sandbox.write(
        "second.json",
        &sim_task(&json!({"max-num-seqs": [8]})).to_string(),
    );
    sandbox
        .run(&["run", "second.json", "--output", "second-results.json"])
        .expect(0);
    sandbox.write("gate", "");
    first.wait().expect(0);
    assert_eq!(sandbox.results()["successful_experiments"], 1);
    sandbox.assert_nothing_left();
}
