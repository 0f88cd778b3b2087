//! What is watched while it happens.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::stub::{Reply, Stub, not_found};
use crate::support::Sandbox;

const LOGS: &str = "/api/tasks/7/logs?follow=true";

fn task(status: &str, experiments: i64) -> Reply {
    Reply::json(
        200,
        &json!({
            "id": 7, "task_name": "seven", "status": status, "total_experiments": experiments,
            "successful_experiments": 1, "best_experiment_id": 12, "ended_because": "all was tried",
        }),
    )
}

#[test]
fn a_log_is_followed_over_broken_connections_without_a_line_lost_or_twice() {
    let mut connections = 0;
    let stub = Stub::new(move |asked| {
        if asked.path != LOGS {
            return Some(task(if connections > 3 { "completed" } else { "running" }, 1));
        }
        connections += 1;
        let last = asked.header("last-event-id").map(str::to_owned);
        Some(match (connections, last.as_deref()) {
            (1, None) => {
                Reply::broken_stream("id: 10\ndata: one\n\n: alive\n\nid: 20\ndata: two\n\nid: 30\ndata: th")
            }
            (2, Some("20")) => Reply::broken_stream(""),
            (3, Some("20")) => Reply::broken_stream("id: 30\ndata: three\n\nid: 40\ndata:  four\n"),
            (4, Some("30")) => {
                Reply::broken_stream("id: 40\ndata:  four\n\n: alive\n\ndata: not before the end\n\n")
            }
            (_, last) => Reply::with(500, "", &format!("{connections} {last:?}")),
        })
    });
    let sandbox = Sandbox::new();
    let told = stub.run(&sandbox, &["tasks", "logs", "7", "-f"]).expect(0);
    assert_eq!(told.stdout, "one\ntwo\nthree\n four\n");
}

#[test]
fn a_container_is_followed_to_its_end_over_broken_connections() {
    let log = "/api/docker/containers/web/logs?tail=7&follow=true&batch=true";
    let mut connections = 0;
    let stub = Stub::new(move |asked| {
        if asked.path != log {
            return Some(not_found());
        }
        connections += 1;
        let last = asked.header("last-event-id").map(str::to_owned);
        let line = |text: &str| json!({"t": "2026-11-23T10:33:51.000000000Z", "s": "o", "l": text});
        let batch = |id: u32, texts: &[&str]| {
            let lines: Vec<Value> = texts.iter().map(|text| line(text)).collect();
            format!("event: log\ndata: {}\nid: {id}\n\n", Value::Array(lines))
        };
        Some(match (connections, last.as_deref()) {
            (1, None) => {
                let cut = batch(3, &["three"]);
                Reply::broken_stream(&format!(
                    "{}: heartbeat\n\n{}",
                    batch(2, &["one", "", " two"]),
                    &cut[..40]
                ))
            }
            (2, Some("2")) => Reply::broken_stream(""),
            (3, Some("2")) => Reply::broken_stream(&format!(
                "event: gap\ndata: {{\"reason\":\"the log was rotated\"}}\nid: 2\n\n{}\
                 event: life\ndata: {{\"life\":\"stopped\",\"exit_code\":0}}\nid: 3\n\n{}",
                batch(3, &["three"]),
                batch(4, &["not before the end"])
            )),
            (_, last) => Reply::with(500, "", &format!("{connections} {last:?}")),
        })
    });
    let sandbox = Sandbox::new();
    let told = stub
        .run(
            &sandbox,
            &["containers", "logs", "web", "--follow", "--tail", "7"],
        )
        .expect(0)
        .says(&["warning: lines may be missing: the log was rotated"]);
    assert_eq!(told.stdout, "one\n\n two\nthree\n");
}

#[test]
fn following_ends_with_ctrl_c() {
    let stub = Stub::new(|asked| (asked.path != LOGS).then(|| task("running", 1)));
    let sandbox = Sandbox::new();
    let mut following = sandbox.start_command(stub.command(&sandbox, &["tasks", "logs", "7", "--follow"]));
    following.wait_for("the stream to be asked for", |_| {
        stub.asked().iter().find(|asked| asked.path == LOGS).map(drop)
    });
    following.signal(Signal::SIGINT);
    following.wait().expect(130);
}

#[test]
fn a_log_that_cannot_be_followed_is_refused_at_once() {
    let stub = Stub::new(|asked| {
        Some(match asked.path.as_str() {
            "/api/tasks/7" => task("running", 1),
            LOGS => Reply::json(429, &json!({"detail": "Too many streams", "code": "too_many"})),
            _ => not_found(),
        })
    });
    let sandbox = Sandbox::new();
    stub.run(&sandbox, &["tasks", "logs", "7", "-f"])
        .expect(1)
        .says(&["error: Too many streams"]);
}

/// A service whose task ends like this once it has been looked at a few times.
fn ending(status: &'static str) -> Stub {
    let mut looks = 0;
    let experiment = |number: i64, status: &str| {
        json!({
            "id": 11 + number, "experiment_id": number, "status": status,
            "parameters": {"max-num-seqs": 8 * number}, "objective_value": 1234.5, "direction": "maximize",
            "failure_kind": null, "error_message": null, "elapsed_time": 3.0,
        })
    };
    Stub::new(move |asked| {
        Some(match asked.path.as_str() {
            "/api/tasks/7" => {
                looks += 1;
                match looks {
                    1 => task("pending", 0),
                    2 => task("running", 1),
                    // A service that is away for a moment is waited for.
                    3 => Reply::broken_stream(""),
                    _ => task(status, 2),
                }
            }
            "/api/tasks/7/start" => task("running", 0),
            "/api/tasks/7/best?format=command" => Reply::with(200, "", "engine --max-num-seqs 8\n"),
            path if path.starts_with("/api/experiments/task/7") => {
                let second = if looks > 3 { "success" } else { "deploying" };
                Reply::json(
                    200,
                    &Value::Array(vec![experiment(1, "success"), experiment(2, second)]),
                )
            }
            _ => not_found(),
        })
    })
}

#[test]
fn a_start_that_waits_ends_as_a_run_does() {
    let check = |status: &'static str, code: i32| {
        let stub = ending(status);
        let sandbox = Sandbox::new();
        let told = stub.run(&sandbox, &["tasks", "start", "7", "-w"]).expect(code);
        let told = told.says(&[
            "started task 7 \"seven\"",
            "[1] max-num-seqs=8: 1234 tok/s\n",
            "[2] max-num-seqs=16: 1234 tok/s\n",
            &format!("task 7 ended {status} because all was tried"),
        ]);
        assert_eq!(told.stderr.matches("[1] ").count(), 1, "{}", told.stderr);
        assert!(
            told.stdout.contains("Best command: engine --max-num-seqs 8\n"),
            "{}",
            told.stdout
        );
        assert!(told.stdout.contains("1 best"), "{}", told.stdout);
    };
    check("completed", 0);
    check("failed", 1);
    check("cancelled", 130);
}

#[test]
fn waiting_ends_with_ctrl_c_and_the_task_goes_on() {
    let stub = Stub::new(|asked| {
        Some(match asked.path.as_str() {
            path if path.starts_with("/api/experiments/") => Reply::json(200, &json!([])),
            _ => task("running", 0),
        })
    });
    let sandbox = Sandbox::new();
    let mut waiting = sandbox.start_command(stub.command(&sandbox, &["tasks", "start", "7", "-w"]));
    waiting.wait_for("a look at the task", |_| {
        let is_look = |asked: &crate::stub::Asked| asked.path.starts_with("/api/experiments/");
        stub.asked().iter().any(is_look).then_some(())
    });
    waiting.signal(Signal::SIGINT);
    waiting
        .wait()
        .expect(130)
        .says(&["it goes on, and autotuner tasks cancel 7 ends it"]);
    assert!(!stub.asked().iter().any(|asked| asked.path.contains("cancel")));
}
