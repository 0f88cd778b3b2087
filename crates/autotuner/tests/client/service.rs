//! The commands and a real service: found by its data directory, asked by its routes.

use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::support::{Finished, Running, Sandbox, sim_task, wait_for};

/// A service on a port of its own that answers.
fn serve(sandbox: &Sandbox) -> Running {
    let record = sandbox.data_dir().join("server.json");
    let mut running = sandbox.start(&["serve", "--port", "0"]);
    running.wait_for("a service that answers", |_| record.exists().then_some(()));
    running
}

fn url(sandbox: &Sandbox) -> String {
    let record = std::fs::read(sandbox.data_dir().join("server.json")).expect("it runs");
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    record["url"].as_str().expect("an address").to_owned()
}

fn end(running: Running) {
    running.signal(Signal::SIGTERM);
    running.wait().expect(0);
}

/// The simulated task as a file; `values` experiments beside the defaults.
fn task_file(sandbox: &Sandbox, name: &str, values: &[u32]) {
    let mut task = sim_task(&json!({ "max-num-seqs": values }));
    task["task_name"] = name.into();
    sandbox.write("task.json", &task.to_string());
}

fn json_of(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    sandbox.run(&[arguments, &["--json"]].concat()).expect(0).json()
}

#[test]
fn a_task_from_its_file_to_its_results() {
    let sandbox = Sandbox::new();
    let service = serve(&sandbox);
    task_file(&sandbox, "whole", &[4, 8]);
    let told = sandbox
        .run(&["tasks", "create", "task.json", "--start", "--wait"])
        .expect(0)
        .says(&[
            "created task 1 \"whole\"",
            "started task 1",
            "[1] defaults: ",
            "[3] max-num-seqs=8: ",
            "task 1 ended completed",
        ]);
    for part in [
        " best",
        "Best command: ",
        "max-num-seqs=4",
        "the engine's defaults",
    ] {
        assert!(told.stdout.contains(part), "no {part}: {}", told.stdout);
    }
    let list = sandbox.run(&["tasks"]).expect(0).stdout;
    assert!(list.contains("whole") && list.contains("completed"), "{list}");
    let show = sandbox.run(&["tasks", "show", "whole"]).expect(0).stdout;
    assert!(show.contains("max-num-seqs=8") && show.contains("took"), "{show}");
    for format in ["command", "docker", "compose", "kubernetes"] {
        let best = sandbox.run(&["best", "whole", "--format", format]);
        assert!(matches!(best.code, Some(0 | 2)), "{best:?}");
        assert_eq!(best.code == Some(0), !best.stdout.is_empty(), "{best:?}");
    }
    let log = sandbox.run(&["tasks", "logs", "whole"]).expect(0).stdout;
    let kept = std::fs::read_to_string(sandbox.data_dir().join("logs/task_1.log")).expect("a log");
    assert_eq!(log, kept);
    let printed = sandbox
        .run(&["tasks", "logs", "1", "--experiment", "1"])
        .expect(0)
        .stdout;
    assert!(!printed.is_empty());
    let followed = sandbox.run(&["tasks", "logs", "1", "--follow"]).expect(0);
    assert_eq!(followed.says(&["the task has ended"]).stdout, kept);
    sandbox
        .run(&["tasks", "results", "whole", "-o", "results.csv"])
        .expect(0);
    let csv = std::fs::read_to_string(sandbox.path("results.csv")).expect("written");
    assert_eq!(csv.lines().count(), 4, "{csv}");
    let results = json_of(&sandbox, &["tasks", "results", "whole"]);
    assert_eq!(results["all_results"].as_array().map(Vec::len), Some(3));
    sandbox
        .run(&["tasks", "export", "whole", "-o", "again.yaml"])
        .expect(0);
    sandbox.run(&["validate", "again.yaml"]).expect(0);

    sandbox
        .run(&["tasks", "start", "whole"])
        .expect(2)
        .says(&["Task must be in PENDING status to start"]);
    sandbox
        .run(&["tasks", "cancel", "whole"])
        .expect(2)
        .says(&["Task is not running"]);
    sandbox
        .run(&["tasks", "restart", "whole"])
        .expect(0)
        .says(&["is pending again"]);
    assert_eq!(
        json_of(&sandbox, &["tasks", "runs", "whole"])
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    sandbox.run(&["tasks", "rm", "whole", "--yes"]).expect(0);
    sandbox
        .run(&["tasks", "show", "whole"])
        .expect(2)
        .says(&["Task 'whole' not found"]);
    let actions: Vec<Value> = json_of(&sandbox, &["audit"]).as_array().expect("a list").clone();
    let actions: Vec<&str> = actions.iter().filter_map(|row| row["action"].as_str()).collect();
    assert!(
        actions.contains(&"task.create") && actions.contains(&"task.delete"),
        "{actions:?}"
    );
    end(service);
    sandbox.assert_nothing_left();
}

#[test]
fn without_a_service_the_data_directory_is_worked_on() {
    let sandbox = Sandbox::new();
    task_file(&sandbox, "later", &[4]);
    sandbox
        .run(&["tasks"])
        .expect(0)
        .says(&["a new database is made", "there are no tasks yet"]);
    sandbox
        .run(&["tasks", "create", "task.json", "--start", "-w"])
        .expect(2)
        .says(&["autotuner serve"]);
    let made = sandbox.run(&["tasks", "create", "task.json"]).expect(0);
    assert_eq!(made.stdout, "1\n");
    sandbox
        .run(&["tasks", "create", "task.json"])
        .expect(2)
        .says(&["error: Task 'later' already exists"]);
    sandbox
        .run(&["tasks", "start", "later"])
        .expect(0)
        .says(&["it begins when autotuner serve does"]);
    let audit = json_of(&sandbox, &["audit", "--limit", "1"]);
    assert_eq!(
        (&audit[0]["action"], &audit[0]["actor"]),
        (&json!("task.start"), &json!("local"))
    );
    sandbox
        .run(&["tasks", "logs", "later", "-f"])
        .expect(0)
        .says(&["no service runs"]);
    let service = serve(&sandbox);
    wait_for("the task's end", || {
        (json_of(&sandbox, &["tasks", "show", "later"])["status"] == "completed").then_some(())
    });
    end(service);
    assert_eq!(
        json_of(&sandbox, &["tasks", "show", "later"])["successful_experiments"],
        2
    );
    assert_eq!(json_of(&sandbox, &["token", "list"])[0]["name"], "local");
}

#[test]
fn everybody_may_do_what_their_token_says() {
    let sandbox = Sandbox::new();
    let service = serve(&sandbox);
    task_file(&sandbox, "guarded", &[4]);
    sandbox.run(&["tasks", "create", "task.json"]).expect(0);
    let token = sandbox
        .run(&["token", "create", "eve", "--role", "viewer", "--expires", "1d"])
        .expect(0)
        .stdout;
    let elsewhere = Sandbox::new();
    let ask = |token: &str, arguments: &[&str]| -> Finished {
        let mut command = elsewhere.command(arguments);
        command
            .env("AUTOTUNER_URL", url(&sandbox))
            .env("AUTOTUNER_TOKEN", token);
        elsewhere.start_command(command).wait()
    };
    ask(&token, &["tasks", "show", "guarded"]).expect(0);
    ask(&token, &["tasks", "start", "guarded"])
        .expect(2)
        .says(&["error: This needs the role operator; yours is viewer"]);
    ask(&token, &["audit"]).expect(2).says(&["role admin"]);
    ask(&token, &["audit", "--verify"])
        .expect(2)
        .says(&["where the service's data directory is"]);
    ask("", &["tasks"])
        .expect(2)
        .says(&["autotuner token create NAME"]);
    sandbox.run(&["token", "revoke", "eve"]).expect(0);
    ask(&token, &["tasks"]).expect(2).says(&["AUTOTUNER_TOKEN"]);
    assert!(!elsewhere.data_dir().exists());
    // Who is on the machine needs neither.
    sandbox.run(&["tasks", "--url", &url(&sandbox)]).expect(0);
    end(service);
}

#[test]
fn a_log_is_followed_over_the_end_of_its_service() {
    let sandbox = Sandbox::new();
    let service = serve(&sandbox);
    task_file(&sandbox, "long", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    sandbox
        .run(&["tasks", "create", "task.json", "--start"])
        .expect(0);
    let mut following = sandbox.start(&["tasks", "logs", "long", "--follow"]);
    following.wait_for("the first lines", |following| {
        (following.stdout().lines().count() > 3).then_some(())
    });
    end(service);
    let lines = following.stdout().lines().count();
    let service = serve(&sandbox);
    following.wait_for("lines of the second service", |following| {
        (following.stdout().lines().count() > lines + 5).then_some(())
    });
    following.signal(Signal::SIGINT);
    let told = following.wait().expect(130).stdout;
    let log = std::fs::read_to_string(sandbox.data_dir().join("logs/task_1.log")).expect("a log");
    assert!(log.starts_with(&told), "told:\n{told}\nwritten:\n{log}");
    sandbox.run(&["tasks", "cancel", "long"]).expect(0);
    end(service);
    sandbox.assert_nothing_left();
}

async fn change(path: &Path, sql: &'static str) {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .expect("there");
    sqlx::query(sql).execute(&mut connection).await.expect("changed");
    connection.close().await.expect("written");
}

#[tokio::test]
async fn the_database_is_copied_and_checked_beside_its_service() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["db", "check"])
        .expect(2)
        .says(&["there is no database"]);
    let service = serve(&sandbox);
    task_file(&sandbox, "copied", &[4]);
    sandbox.run(&["tasks", "create", "task.json"]).expect(0);
    let copy = sandbox.path("copy.db").display().to_string();
    sandbox
        .run(&["db", "backup", &copy])
        .expect(0)
        .says(&["copied to"]);
    sandbox
        .run(&["db", "backup", &copy])
        .expect(2)
        .says(&["already there"]);
    let told = sandbox.run(&["db", "check"]).expect(0).stdout;
    assert!(told.starts_with("sound"), "{told}");
    sandbox.run(&["audit", "--verify"]).expect(0);
    sandbox.run(&["import-legacy", &copy]).expect(2);
    end(service);

    // The copy in another data directory is a whole database.
    let other = Sandbox::new();
    std::fs::create_dir(other.data_dir()).expect("made");
    let database = other.data_dir().join("autotuner.db");
    std::fs::copy(&copy, &database).expect("copied");
    assert_eq!(json_of(&other, &["tasks", "show", "copied"])["status"], "pending");
    change(&database, "UPDATE audit SET actor = 'nobody' WHERE id = 1").await;
    let told = other.run(&["db", "check"]).expect(1).stdout;
    assert!(told.contains("row 1 is the first"), "{told}");
    other.run(&["audit", "--verify"]).expect(1);
    let told = other.run(&["db", "check", "--json"]).expect(1).json();
    assert_eq!(told["sound"], false);
}
