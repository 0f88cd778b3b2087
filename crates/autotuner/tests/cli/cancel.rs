//! Cancel means cancel: at any moment, with what was measured kept and no engine left.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Running, Sandbox, experiments, sim_task, wait_for};

/// A time scale at which one step of the simulated engine takes minutes, so that a benchmark
/// does not end by itself.
const FOR_EVER: u32 = 50_000;

/// Waits until the engine of an experiment runs with this in its command line.
fn wait_for_engine(sandbox: &Sandbox, running: &mut Running, part: &str) {
    running.wait_for("the engine", |_| {
        let engines = sandbox.engines();
        engines
            .iter()
            .any(|engine| engine.command.contains(part) && !engine.command.contains("engine-exec"))
            .then_some(())
    });
}

/// Waits until the log of the second experiment's engine contains this.
fn wait_for_log(sandbox: &Sandbox, running: &mut Running, part: &str) {
    running.wait_for("the engine's log", |_| {
        let results = sandbox.try_results()?;
        let log = std::path::Path::new(results["logs"].as_str()?).join("experiment_2.log");
        std::fs::read_to_string(log).ok()?.contains(part).then_some(())
    });
}

/// Checks what is on record of a run whose second experiment was cancelled.
#[track_caller]
fn check_cancelled(sandbox: &Sandbox) -> Value {
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    assert_eq!(results["status"], "cancelled");
    assert_eq!(results["ended_because"], "cancelled");
    let [baseline, cancelled] = &experiments(&results)[..] else {
        panic!("two experiments in {results:#}");
    };
    assert_eq!(baseline["status"], "success", "{baseline:#}");
    assert!(baseline["objective_score"].is_f64(), "{baseline:#}");
    assert_eq!(cancelled["status"], "failed");
    assert_eq!(cancelled["failure_kind"], "cancelled", "{cancelled:#}");
    assert_eq!(results["verdict"]["best_experiment_id"], 1);
    results
}

#[test]
fn while_the_engine_is_not_ready() {
    // The last is what a terminal that is closed sends.
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let sandbox = Sandbox::new();
        let mut task = sim_task(&json!({"fault": ["never-ready"], "env.TUNED_BY_TEST": ["yes"]}));
        task["engine"]["start_timeout"] = 3600.into();
        let mut running = sandbox.start_task(&task);
        wait_for_engine(&sandbox, &mut running, "never-ready");
        wait_for_log(&sandbox, &mut running, "listening on");

        let so_far = sandbox.results();
        assert_eq!(so_far["status"], "running", "written after each experiment");
        assert_eq!(experiments(&so_far).len(), 1);
        let engines = sandbox.engines();
        let is_set = |variable: &String| variable == "TUNED_BY_TEST=yes";
        assert!(
            engines.iter().all(|engine| engine.environment.iter().any(is_set)),
            "{engines:?}"
        );

        running.signal(signal);
        running.wait().expect(130).says(&["stopping: "]);
        check_cancelled(&sandbox);
    }
}

#[test]
fn with_several_engines_at_once() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"fault": ["never-ready"], "max-num-seqs": [2, 4]}));
    task["optimization"]["max_parallel_experiments"] = 2.into();
    task["engine"]["start_timeout"] = 3600.into();
    let mut running = sandbox.start_task(&task);
    wait_for_engine(&sandbox, &mut running, "--max-num-seqs 2");
    wait_for_engine(&sandbox, &mut running, "--max-num-seqs 4");
    running.signal(Signal::SIGINT);
    running.wait().expect(130);
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    let kinds: Vec<&Value> = experiments(&results)
        .iter()
        .map(|experiment| &experiment["failure_kind"])
        .collect();
    assert_eq!(kinds, [&Value::Null, &json!("cancelled"), &json!("cancelled")]);
}

#[test]
fn a_closed_terminal_does_not_end_a_run_that_is_told_not_to_mind() {
    let sandbox = Sandbox::new();
    let task = sim_task(&json!({"fault": ["never-ready"]}));
    sandbox.write("task.json", &task.to_string());
    let ours = sandbox.command(&[]);
    let mut command = std::process::Command::new("/bin/sh");
    command
        .arg("-c")
        .arg("trap '' HUP; exec \"$0\" run task.json --output results.json")
        .arg(ours.get_program())
        .current_dir(ours.get_current_dir().expect("the sandbox's"))
        .env_clear()
        .envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut running = sandbox.start_command(command);
    wait_for_engine(&sandbox, &mut running, "never-ready");
    running.signal(Signal::SIGHUP);
    running.signal(Signal::SIGTERM);
    // One signal was heard, not two.
    let finished = running.wait().expect(130);
    assert!(!finished.stderr.contains("stopping now"), "{}", finished.stderr);
    check_cancelled(&sandbox);
}

#[test]
fn while_it_measures() {
    let sandbox = Sandbox::new();
    let mut task = sim_task(&json!({"time-scale": [FOR_EVER]}));
    task["engine"]["args"] = json!([
        "--time-scale",
        "0.05",
        "--startup-seconds",
        "0",
        "--log-level",
        "debug"
    ]);
    task["benchmark"]["request_timeout_seconds"] = 3600.into();
    task["benchmark"]["max_time_per_iteration"] = 3600.into();
    task["optimization"]["timeout_per_iteration"] = 3600.into();
    let mut running = sandbox.start_task(&task);
    wait_for_log(&sandbox, &mut running, " + ");
    wait_for_engine(&sandbox, &mut running, &FOR_EVER.to_string());
    running.signal(Signal::SIGINT);
    running.wait().expect(130);
    let results = check_cancelled(&sandbox);
    let cancelled = &experiments(&results)[1];
    assert_ne!(cancelled["ready_after"], Value::Null, "it had been ready");
}

#[test]
fn a_second_signal_hurries() {
    let sandbox = Sandbox::new();
    let task = sim_task(&json!({"fault": ["ignore-sigterm"], "time-scale": [FOR_EVER]}));
    sandbox.write("task.json", &task.to_string());
    let mut command = sandbox.command(&["run", "task.json", "--output", "results.json"]);
    // The longest there is, and longer than this test waits.
    command.env("AUTOTUNER_STOP_GRACE_SECONDS", "600");
    let mut running = sandbox.start_command(command);
    wait_for_engine(&sandbox, &mut running, "ignore-sigterm");
    wait_for_log(&sandbox, &mut running, "ready");
    running.signal(Signal::SIGINT);
    running.wait_for("the first signal's effect", |running| {
        running.stderr().contains("stopping: load ends").then_some(())
    });
    running.signal(Signal::SIGINT);
    running.wait().expect(130).says(&["stopping now"]);
    check_cancelled(&sandbox);
}

#[test]
fn before_the_first_experiment() {
    let sandbox = Sandbox::new();
    // It does not tell its version, nor anything else, until it is killed.
    let program = sandbox.write_program("slow", "#!/bin/sh\necho asked > \"$0.asked\"\nsleep 1000\n");
    let mut task = sim_task(&json!({"max-num-seqs": [8]}));
    task["engine"]["program"] = program.display().to_string().into();
    let mut running = sandbox.start_task(&task);
    running.wait_for("the question", |_| {
        sandbox.path("slow.asked").exists().then_some(())
    });
    running.signal(Signal::SIGINT);
    running.wait().expect(130);
    // The question's process was killed; for the kernel to end it takes a moment.
    wait_for("the question's end", || {
        sandbox.processes().is_empty().then_some(())
    });
    sandbox.assert_nothing_left();
    let results = sandbox.results();
    assert_eq!(results["status"], "cancelled");
    assert_eq!(experiments(&results).len(), 0);
}
