//! A task's whole life, over HTTP and nothing else: made, checked, started, watched, looked at,
//! cancelled, run again, edited, copied, taken out and in, removed.

mod http;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harbour::{Harbour, assert_nothing_left, containers, docker as docker_command};
use crate::sandbox::{PROGRAM, Running, sim_task, wait_for};
use http::{Client, Frame};

/// Two values beside the defaults.
const EXPERIMENTS: usize = 3;

#[test]
fn a_task_lives_as_processes() {
    live(None);
}

#[test]
fn a_server_that_asks_nobody_says_so() {
    let harbour = Harbour::new();
    let mut server = harbour.start(&["serve", "--port", "0", "--no-auth"]);
    let said = server.wait_for("its begin", |server| {
        let said = server.stderr();
        said.contains("(--no-auth)").then_some(said)
    });
    assert!(said.contains("nobody is asked for a token"), "{said}");
    server.signal(Signal::SIGTERM);
    server.wait().expect(0);
    harbour.assert_nothing_left();
}

/// With containers of a real daemon.
mod docker {
    #[test]
    fn a_task_lives_in_containers() {
        if let Some(image) = crate::harbour::sim_image() {
            super::live(Some(image));
        }
    }
}

fn live(image: Option<String>) {
    let life = Life::new(image);
    let document = life.document("whole life");
    life.check_the_document(&document);
    life.take_the_older_names();
    let id = life.make(&document);
    let of = |rest: &str| format!("/api/tasks/{id}{rest}");
    let log = life
        .client
        .listen(&of("/logs?follow=true&batch=1"), |frame| frame.data == REMOVED);
    let events = life.watch_a_run(id);
    let first = life.look_at_the_results(id, &events);
    life.use_the_best(id);
    life.cancel_another_run(id, &first);
    life.check_the_log(id);
    let whole_log = std::fs::read_to_string(life.log_file(id)).expect("kept");
    life.copy_replace_and_edit(id);
    life.take_out_and_in(id);
    let told = log.join();
    assert_eq!(lines_of_batches(&told), with_removal(&whole_log));
    life.end();
}

/// The last batch of a log that is gone.
const REMOVED: &str = r#"["[Log file removed]"]"#;

fn with_removal(log: &str) -> Vec<String> {
    assert!(log.ends_with('\n'), "the last line is whole");
    log.lines()
        .chain(["[Log file removed]"])
        .map(str::to_owned)
        .collect()
}

fn lines_of_batches(frames: &[Frame]) -> Vec<String> {
    let batches = frames
        .iter()
        .map(|frame| serde_json::from_str::<Vec<String>>(&frame.data).expect("a batch"));
    let lines: Vec<String> = batches.flatten().collect();
    match lines.split_first() {
        Some((first, rest)) if first == "Waiting for log file to be created..." => rest.to_vec(),
        _ => lines,
    }
}

fn type_of(frame: &Frame) -> String {
    let json = frame.json();
    json["type"].as_str().expect("every event has one").to_owned()
}

fn is_end(frame: &Frame) -> bool {
    type_of(frame) == "task_completed"
}

fn is_experiment_end(frame: &Frame) -> bool {
    type_of(frame) == "experiment_completed"
}

/// Without greetings, and without the progress of benchmarks, of which only the latest is kept
/// for those who come back.
fn lasting(frames: &[Frame]) -> Vec<Frame> {
    let is_lasting = |frame: &&Frame| !["hello", "benchmark_progress"].contains(&type_of(frame).as_str());
    frames.iter().filter(is_lasting).cloned().collect()
}

/// Checks that who hung up and came back lost nothing and got nothing twice.
#[track_caller]
fn check_same(unbroken: &[Frame], broken: &[Frame]) {
    let greetings = |frames: &[Frame]| frames.iter().filter(|frame| type_of(frame) == "hello").count();
    assert_eq!((greetings(unbroken), greetings(broken)), (1, 2));
    assert_eq!(lasting(broken), lasting(unbroken));
}

/// Checks that a run was told in its order.
#[track_caller]
fn check_story(events: &[Value]) {
    let mut expected = ["task_updated", "task_started"].map(str::to_owned).to_vec();
    for number in 1..=EXPERIMENTS {
        let steps = [
            "experiment_started",
            "deploying",
            "benchmarking",
            "experiment_completed",
        ];
        expected.extend(steps.map(|step| format!("{number} {step}")));
    }
    expected.push("task_completed".to_owned());
    let told = events.iter().filter(|event| event["type"] != "task_progress");
    let told: Vec<String> = told
        .map(|event| {
            let step = match event["type"].as_str() {
                Some("experiment_progress") => &event["data"]["status"],
                _ => &event["type"],
            };
            let step = step.as_str().expect("a word");
            match event["experiment_id"].as_u64() {
                Some(number) => format!("{number} {step}"),
                None => step.to_owned(),
            }
        })
        .collect();
    assert_eq!(told, expected);
}

/// A server in a sandbox and somebody who asks it.
struct Life {
    harbour: Harbour,
    server: Running,
    client: Client,
    image: Option<String>,
}

impl Life {
    fn new(image: Option<String>) -> Self {
        let harbour = Harbour::new();
        let mut command = harbour.command(&["serve", "--port", "0"]);
        // Processors of the machine under test are no subject of this test.
        command.env("AUTOTUNER_CPU_SLOTS", "4");
        let mut server = harbour.start_command(command);
        let url = server.wait_for("the address", |server| {
            let said = server.stderr();
            let (_, rest) = said.split_once("listening on ")?;
            let (url, _) = rest.split_once('\n')?;
            Some(url.to_owned())
        });
        let token = std::fs::read_to_string(harbour.data_dir().join("token")).expect("a first token");
        let client = Client::new(url, token.trim().to_owned());
        Self {
            harbour,
            server,
            client,
            image,
        }
    }

    /// A task whose experiments take a moment, long enough to be seen.
    fn document(&self, name: &str) -> Value {
        let mut task = sim_task(&json!({"max-num-seqs": [1, 8]}));
        task["task_name"] = name.into();
        task["benchmark"]["max_requests_per_iteration"] = 24.into();
        task["engine"]["args"] = json!(["--time-scale", "0.5", "--startup-seconds", "0"]);
        task["engine"]["env"] = json!({"LIFE_API_KEY": "sesame"});
        if let Some(image) = &self.image {
            task["deployment_mode"] = "docker".into();
            task["engine"]["image"] = image.as_str().into();
        }
        task
    }

    /// The same with an engine that takes its time, so that it can be caught at work.
    fn slow(mut document: Value) -> Value {
        document["benchmark"]["max_requests_per_iteration"] = 100_000.into();
        document["benchmark"]["max_time_per_iteration"] = 3600.into();
        document["optimization"]["timeout_per_iteration"] = 3600.into();
        document
    }

    fn task(&self, id: i64) -> Value {
        self.client.get(&format!("/api/tasks/{id}")).is(200).json()
    }

    fn experiments(&self, id: i64) -> Vec<Value> {
        let listed = self.client.get(&format!("/api/experiments/task/{id}")).is(200);
        listed.json().as_array().expect("a list").clone()
    }

    fn log_file(&self, id: i64) -> PathBuf {
        self.harbour.data_dir().join(format!("logs/task_{id}.log"))
    }

    /// Files of a task: its log, its engines' logs, the raw records of requests.
    fn files(&self, id: i64) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.harbour.data_dir().join("logs"));
        let names = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name());
        let names = names.map(|name| name.into_string().expect("our own names"));
        let begin = [format!("task_{id}.log"), format!("task_{id}_")];
        names
            .filter(|name| begin.iter().any(|begin| name.starts_with(begin)))
            .collect()
    }

    fn check_the_document(&self, document: &Value) {
        let checked = self.client.post("/api/tasks/check", document).is(200).json();
        assert_eq!(checked["problems"], json!([]), "{checked:#}");
        assert_eq!(checked["experiments"], EXPERIMENTS, "{checked:#}");
        let command = checked["first_command"].as_str().expect("a line");
        assert!(command.contains("--max-num-seqs"), "{command}");
        let mut wrong = document.clone();
        wrong["parameters"] = json!({"max-num-seqs": []});
        wrong["colour"] = "red".into();
        let checked = self.client.post("/api/tasks/check", &wrong).is(200).json();
        assert!(
            checked["problems"].as_array().is_some_and(|list| list.len() >= 2),
            "{checked:#}"
        );
        self.client.post("/api/tasks", &wrong).is(422);
        let listed = self.client.get("/api/tasks").is(200).json();
        assert_eq!(listed, json!([]), "checking keeps nothing");
    }

    /// A document as clients of the first version write it.
    fn take_the_older_names(&self) {
        let mut older = self.document("older names");
        let keys = older.as_object_mut().expect("an object");
        for name in ["model", "optimization", "benchmark"] {
            let value = keys.remove(name).expect("there");
            keys.insert(format!("{name}_config"), value);
        }
        let made = self.client.post("/api/tasks/", &older).is(201).json();
        assert_eq!(made["model"]["id_or_path"], "sim-model", "{made:#}");
        for name in ["model", "optimization", "benchmark"] {
            assert_eq!(made[name], made[format!("{name}_config")], "{name}");
        }
        let id = made["id"].as_i64().expect("an id");
        self.client.delete(&format!("/api/tasks/{id}")).is(204);
    }

    fn make(&self, document: &Value) -> i64 {
        let made = self.client.post("/api/tasks", document).is(201).json();
        assert_eq!(made["status"], "pending");
        assert!(
            !made.to_string().contains("sesame"),
            "a secret is shown: {made:#}"
        );
        let again = self.client.post("/api/tasks", document).is(400);
        again.says(&format!(
            "Task {} already exists",
            made["task_name"].to_string().replace('"', "'")
        ));
        made["id"].as_i64().expect("an id")
    }

    /// Starts the task and listens in four ways until it has ended; what happened to it.
    fn watch_a_run(&self, id: i64) -> Vec<Value> {
        let of = |rest: &str| format!("/api/tasks/{id}{rest}");
        let unbroken = self.client.listen("/api/events", is_end);
        let socket = self
            .client
            .socket(&format!("/api/ws/tasks/{id}"), "task_completed");
        let heard = unbroken.shared();
        let has_missed_some = move || {
            wait_for("another experiment's end, heard by who did not hang up", || {
                let heard = heard.lock().expect("nobody panics with it");
                let ends = heard.iter().filter(|frame| is_experiment_end(frame)).count();
                (ends > 1).then_some(())
            });
        };
        let broken =
            self.client
                .listen_with_a_break("/api/events", is_experiment_end, has_missed_some, is_end);
        wait_for("all listeners", || {
            let are_there = [&unbroken, &broken].map(|listener| !listener.heard().is_empty());
            (are_there == [true, true] && !socket.heard().is_empty()).then_some(())
        });
        let started = self.client.act(&of("/start")).is(200).json();
        assert_eq!(started["status"], "running");
        self.client
            .act(&of("/start"))
            .is(400)
            .says("Task must be in PENDING status to start");
        self.client
            .delete(&of(""))
            .is(400)
            .says("Cannot delete running task. Cancel it first.");
        self.client
            .put(&of(""), &self.document("whole life"))
            .is(400)
            .says("Cannot edit a running task");
        self.watch_experiments(id);
        let unbroken = unbroken.join();
        check_same(&unbroken, &broken.join());
        let events: Vec<Value> = lasting(&unbroken).iter().map(Frame::json).collect();
        let events: Vec<Value> = events
            .into_iter()
            .filter(|event| event["task_id"] == id)
            .collect();
        let (greeting, frames) = {
            let mut frames = socket.join();
            (frames.remove(0), frames)
        };
        assert_eq!(greeting["type"], "connection_established");
        let frames: Vec<Value> = frames
            .into_iter()
            .filter(|frame| frame["type"] != "benchmark_progress")
            .collect();
        assert_eq!(frames, events, "a socket tells what the stream tells");
        events
    }

    /// Reads all experiments again and again until the task has ended: none ever goes back.
    fn watch_experiments(&self, id: i64) {
        const ORDER: [&str; 4] = ["pending", "deploying", "benchmarking", "success"];
        let mut seen: Vec<Vec<usize>> = Vec::new();
        wait_for("the task's end", || {
            let is_over = self.task(id)["status"] == "completed";
            let experiments = self.experiments(id);
            seen.resize(experiments.len().max(seen.len()), Vec::new());
            for (statuses, experiment) in seen.iter_mut().zip(&experiments) {
                let status = ORDER.iter().position(|status| experiment["status"] == *status);
                let status = status.unwrap_or_else(|| panic!("{experiment:#}"));
                if statuses.last() != Some(&status) {
                    statuses.push(status);
                }
            }
            is_over.then_some(())
        });
        assert_eq!(seen.len(), EXPERIMENTS);
        for statuses in &seen {
            assert!(statuses.is_sorted(), "{seen:?}");
            assert_eq!(statuses.last(), Some(&3));
        }
        // Each is at work far longer than a look takes.
        assert!(seen.iter().any(|statuses| statuses.len() > 1), "{seen:?}");
    }

    /// Looks at everything that a run has left; its experiments.
    fn look_at_the_results(&self, id: i64, events: &[Value]) -> Vec<Value> {
        check_story(events);
        let of = |rest: &str| format!("/api/tasks/{id}{rest}");
        let task = self.task(id);
        assert_eq!(task["total_experiments"], EXPERIMENTS);
        assert_eq!(task["successful_experiments"], EXPERIMENTS);
        let experiments = self.experiments(id);
        for experiment in &experiments {
            assert!(experiment["objective_score"].is_f64(), "{experiment:#}");
            let arguments = experiment["effective_arguments"].as_array().expect("a list");
            assert!(!arguments.is_empty());
            let number = &experiment["experiment_id"];
            let engine_log = of(&format!("/experiments/{number}/logs"));
            let printed = self.client.get(&engine_log).is(200).json();
            let printed = printed["logs"].as_str().expect("a text").to_owned();
            assert!(printed.contains("listening on"), "{printed}");
        }
        assert!(
            !self
                .client
                .get("/api/experiments")
                .is(200)
                .text
                .contains("sesame")
        );
        let results = self.client.get(&of("/results")).is(200).json();
        let rows = results["all_results"].as_array().map(Vec::len);
        assert_eq!(rows, Some(EXPERIMENTS), "{results:#}");
        let csv = self.client.get(&of("/results?format=csv")).is(200).text;
        assert_eq!(csv.lines().count(), EXPERIMENTS + 1, "{csv}");
        let files = self.files(id);
        for number in 1..=EXPERIMENTS {
            for ending in [".log", "_requests.jsonl.zst"] {
                let name = format!("task_{id}_run_1_exp_{number}{ending}");
                assert!(files.contains(&name), "no {name} in {files:?}");
            }
        }
        experiments
    }

    /// The best in all forms; what is told as a line really starts, and answers.
    fn use_the_best(&self, id: i64) {
        let best = |format: &str| {
            let reply = self.client.get(&format!("/api/tasks/{id}/best?format={format}"));
            let text = reply.is(200).text;
            assert!(!text.contains("sesame"), "a secret is shown: {text}");
            text
        };
        let (line, container) = (best("command"), best("docker"));
        self.start_process(&line);
        if self.image.is_some() {
            self.start_container(&container);
        }
        let read = |text: &str| serde_saphyr::from_str::<Value>(text).expect("YAML");
        let compose = read(&best("compose"));
        let engine = &compose["services"]["engine"];
        let words = engine["command"].as_array().expect("words");
        for word in words {
            let word = word.as_str().expect("a text");
            assert!(container.contains(word), "no {word} in {container}");
        }
        let image = engine["image"].as_str().expect("an image");
        assert!(container.contains(image), "{container}");
        let manifest = best("kubernetes");
        let (deployment, service) = manifest.split_once("\n---\n").expect("two documents");
        let (deployment, service) = (read(deployment), read(service));
        assert_eq!(
            (&deployment["kind"], &service["kind"]),
            (&json!("Deployment"), &json!("Service"))
        );
        let pod = &deployment["spec"]["template"];
        let selector = service["spec"]["selector"].as_object().expect("labels");
        for (name, value) in selector {
            assert_eq!(&pod["metadata"]["labels"][name], value, "{manifest}");
        }
        assert_eq!(
            pod["spec"]["containers"][0]["args"], engine["command"],
            "{manifest}"
        );
    }

    fn start_process(&self, line: &str) {
        // The port of the experiment may be somebody else's by now.
        let words: Vec<&str> = line.split_whitespace().collect();
        let port = words.windows(2).find(|pair| pair[0] == "--port");
        let port = port.expect("it says where it listens")[1];
        let line = line.replace(&format!("--port {port}"), "--port 0");
        let folder = Path::new(PROGRAM).parent().expect("a program is in a folder");
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("PATH={}:$PATH; exec env {line}", folder.display())])
            .env("LIFE_API_KEY", "sesame")
            .env("AUTOTUNER_DATA_DIR", self.harbour.data_dir());
        let mut engine = self.harbour.start_command(command);
        let address = engine.wait_for("the address", |engine| {
            address(&format!("{}{}", engine.stdout(), engine.stderr()))
        });
        answers(&address);
        engine.signal(Signal::SIGTERM);
        engine.wait();
    }

    fn start_container(&self, line: &str) {
        let folder = self.harbour.data_dir().join("instances");
        // A port that is free, and the label by which the test's containers are removed.
        let begin = format!(
            "docker run --detach --label=inference-autotuner.instances-dir={} ",
            folder.display()
        );
        let line = line
            .replace("docker run ", &begin)
            .replace(":8000:8000", "::8000");
        let mut command = Command::new("sh");
        command.args(["-c", &line]).env("LIFE_API_KEY", "sesame");
        let started = self.harbour.start_command(command).wait().expect(0);
        let id = started.stdout.trim();
        let address = docker_command(&["port", id, "8000/tcp"]).expect("published");
        answers(&format!("http://{}", address.lines().next().expect("an address")));
        docker_command(&["rm", "--force", id]).expect("removed");
    }

    /// A second run is cancelled in the middle of a benchmark; the first stays as it was.
    fn cancel_another_run(&self, id: i64, first: &[Value]) {
        let of = |rest: &str| format!("/api/tasks/{id}{rest}");
        let slower = Self::slow(self.document("whole life"));
        let again = self.client.post(&of("/restart"), &slower).is(200).json();
        assert_eq!((&again["status"], &again["run"]), (&json!("pending"), &json!(2)));
        self.client
            .act(&of("/cancel"))
            .is(400)
            .says("Task is not running");
        self.client.act(&of("/start")).is(200);
        wait_for("a benchmark", || {
            let experiments = self.experiments(id);
            let is_measuring = experiments.iter().any(|one| one["status"] == "benchmarking");
            is_measuring.then_some(())
        });
        self.client.act(&of("/cancel")).is(200);
        wait_for("the end of a task that was cancelled", || {
            (self.task(id)["status"] == "cancelled").then_some(())
        });
        self.assert_no_engine();
        for experiment in self.experiments(id) {
            assert!(
                matches!(experiment["status"].as_str(), Some("success" | "failed")),
                "{experiment:#}"
            );
        }
        let runs = self.client.get(&of("/runs")).is(200).json();
        let statuses: BTreeSet<(u64, &str)> = runs
            .as_array()
            .expect("a list")
            .iter()
            .map(|run| {
                (
                    run["run"].as_u64().expect("a number"),
                    run["status"].as_str().expect("a word"),
                )
            })
            .collect();
        assert_eq!(statuses, BTreeSet::from([(1, "completed"), (2, "cancelled")]));
        let kept = self.client.get(&of("/runs/1/experiments")).is(200).json();
        assert_eq!(&kept, &Value::from(first.to_vec()), "the first run is as it was");
    }

    /// The log, whole and line by line with a break, is the file.
    fn check_the_log(&self, id: i64) {
        let of = |rest: &str| format!("/api/tasks/{id}/logs{rest}");
        let file = std::fs::read_to_string(self.log_file(id)).expect("a log");
        assert_eq!(self.client.get(&of("")).is(200).json()["logs"], file);
        assert_eq!(self.client.get(&of("/download")).is(200).text, file);
        let lines: Vec<&str> = file.lines().collect();
        let mut told: Vec<Frame> = Vec::new();
        for enough in [lines.len() / 3, lines.len()] {
            let after = told.last().and_then(|frame| frame.id.clone());
            self.client
                .stream(&of("?follow=true"), after.as_deref(), |frame| {
                    told.push(frame);
                    told.len() == enough
                });
        }
        let told: Vec<&str> = told.iter().map(|frame| frame.data.as_str()).collect();
        assert_eq!(told, lines);
    }

    /// A copy is replaced, which gives it a new id, and edited, which does not.
    fn copy_replace_and_edit(&self, id: i64) {
        let copy = self
            .client
            .act(&format!("/api/tasks/{id}/duplicate"))
            .is(201)
            .json();
        assert_eq!(copy["task_name"], "whole life copy");
        let copied = copy["id"].as_i64().expect("an id");
        let mut other = self.document("another");
        let replaced = self
            .client
            .post(&format!("/api/tasks/{copied}/replace"), &other)
            .is(201);
        let new = replaced.json()["id"].as_i64().expect("an id");
        assert_ne!(new, copied);
        self.client
            .get(&format!("/api/tasks/{copied}"))
            .is(404)
            .says(&format!("Task {copied} not found"));
        self.client
            .post(&format!("/api/tasks/{id}/replace"), &other)
            .is(400)
            .says("Only pending tasks can be edited. Current status: cancelled");
        other["parameters"] = json!({"max-num-seqs": [32]});
        let edited = self
            .client
            .put(&format!("/api/tasks/{new}"), &other)
            .is(200)
            .json();
        assert_eq!(
            (&edited["id"], &edited["status"]),
            (&json!(new), &json!("pending"))
        );
        assert_eq!(edited["parameters"], json!({"max-num-seqs": [32]}));
        self.client.delete(&format!("/api/tasks/{new}")).is(204);
    }

    /// A task goes out as a file, is removed with all that it left, and comes back as it was.
    fn take_out_and_in(&self, id: i64) {
        let of = |id: i64, rest: &str| format!("/api/tasks/{id}{rest}");
        let yaml = self.client.get(&of(id, "/export")).is(200).text;
        let json = self.client.get(&of(id, "/export?format=json")).is(200).json();
        let some = self.experiments(id)[0]["id"].as_i64().expect("an id");
        self.client.delete(&of(id, "")).is(204);
        assert_eq!(self.files(id), BTreeSet::new());
        let gone = format!("Task {id} not found");
        for path in [
            "",
            "/logs",
            "/runs",
            "/export",
            "/results",
            "/best",
            "/logs/download",
        ] {
            self.client.get(&of(id, path)).is(404).says(&gone);
        }
        for action in ["/start", "/cancel", "/restart", "/clear"] {
            self.client.act(&of(id, action)).is(404).says(&gone);
        }
        self.client.delete(&of(id, "")).is(404).says(&gone);
        self.client
            .get(&format!("/api/experiments/{some}"))
            .is(404)
            .says(&format!("Experiment {some} not found"));
        let import = |text: &str| {
            let imported = self.client.post_yaml("/api/tasks/import", text.to_owned());
            imported.is(200).json()
        };
        let refused = import(&yaml);
        let problem = &refused["results"][0]["error"]["problems"][0]["path"];
        assert_eq!(
            problem, "engine.env.LIFE_API_KEY",
            "a secret is not in the file: {refused:#}"
        );
        let imported = import(&yaml.replace("***", "sesame"));
        assert_eq!(imported["imported"], 1, "{imported:#}");
        let new = imported["results"][0]["id"].as_i64().expect("an id");
        assert!(new > id, "an id is never given twice");
        let again = self.client.get(&of(new, "/export?format=json")).is(200).json();
        assert_eq!(again, json);
        self.client.delete(&of(new, "")).is(204);
        assert_eq!(self.client.get("/api/tasks").is(200).json(), json!([]));
    }

    fn assert_no_engine(&self) {
        let engines = self.harbour.engines();
        assert!(engines.is_empty(), "engines left: {engines:#?}");
        if self.image.is_some() {
            let containers = containers(&self.harbour, true);
            assert!(containers.is_empty(), "containers left: {containers:?}");
        }
    }

    fn end(self) {
        self.assert_no_engine();
        self.server.signal(Signal::SIGTERM);
        self.server.wait().expect(0);
        match self.image {
            Some(_) => assert_nothing_left(&self.harbour),
            None => self.harbour.assert_nothing_left(),
        }
        let logs = self.harbour.data_dir().join("logs");
        assert!(is_empty(&logs), "logs of tasks that are gone");
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

/// The address that an engine says it listens on.
fn address(said: &str) -> Option<String> {
    let at = said.find("http://")?;
    let address: String = said[at..]
        .chars()
        .take_while(|c| !c.is_whitespace() && *c != '"')
        .collect();
    said[at..]
        .contains(|c: char| c.is_whitespace())
        .then_some(address)
}

/// Waits until an engine answers a question at its API.
fn answers(address: &str) {
    wait_for("an engine that answers", || {
        let models = ureq::get(format!("{address}/v1/models")).call();
        models.is_ok().then_some(())
    });
}
