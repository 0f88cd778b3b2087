//! Several processes on one database: what one does is seen by the others; and two workers, killed and frozen again and again: nothing finished is lost or
//! recorded twice, and who comes back too late changes nothing.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::kill::{BEST, Moments, check_database, long_task, lost, measured_twice, setting};
use crate::support::{Finished, Home, LEASE, Server, best, finished, say, wait_for};

/// Experiments of each task.
const EXPERIMENTS: usize = 10;

/// What is done to a worker.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// It is killed, and started anew.
    Kill,
    /// It stands still until another may have its tasks, and then goes on.
    Freeze,
}

/// What a worker says once it finds that another one has its task.
const TOO_LATE: &str = "another worker's by now";

struct Scene {
    database: Home,
    tasks: Vec<TaskId>,
    before: BTreeMap<(TaskId, u32), Finished>,
    lost: usize,
}

impl Scene {
    /// Looks what is on record, and counts what was and is not any more. Says whether all is over.
    fn look(&mut self) -> bool {
        let (all, has_ended) = self.database.all_experiments(&self.tasks);
        let ended = all.iter().filter(|(_, one)| one.status.is_ended());
        let now: BTreeMap<_, _> = ended
            .map(|(task, one)| ((*task, one.number.0), finished(one)))
            .collect();
        self.lost += lost(&self.before, &now);
        self.before = now;
        has_ended
    }
}

#[test]
fn nothing_is_lost_or_recorded_twice_by_two_workers() {
    let experiments = usize::try_from(setting("AUTOTUNER_SHARED_EXPERIMENTS", 40)).expect("few");
    let kills = usize::try_from(setting("AUTOTUNER_SHARED_KILLS", 4)).expect("few");
    let freezes = usize::try_from(setting("AUTOTUNER_SHARED_FREEZES", 1)).expect("few");
    let seed = setting("AUTOTUNER_KILLS_SEED", 7);
    let Some(database) = Home::on_postgres() else {
        return;
    };
    let machines = [database.beside(), database.beside()];
    let document = |number: usize| {
        let mut document = long_task(EXPERIMENTS);
        document["task_name"] = format!("shared {number}").into();
        document
    };
    let tasks = (0..experiments / EXPERIMENTS).map(|number| database.create(&document(number)));
    let mut scene = Scene {
        tasks: tasks.collect(),
        database,
        before: BTreeMap::new(),
        lost: 0,
    };
    let mut workers: Vec<Server> = machines.iter().map(|home| home.start(home.worker())).collect();
    let (mut moments, mut late, mut dealt) = (Moments(seed), 0, [0; 2]);
    // Blows fall while there is something to lose; every fifth freezes, as long as any is left.
    while !scene.look() {
        let is_freeze = dealt[1] < freezes && (dealt[0] + dealt[1]) % 5 == 1;
        let blow = if is_freeze { Blow::Freeze } else { Blow::Kill };
        if dealt[0] >= kills && !is_freeze {
            std::thread::sleep(Duration::from_millis(200));
            continue;
        }
        std::thread::sleep(moments.next(Duration::from_secs(3)));
        let index = usize::from(moments.next(Duration::from_secs(2)) > Duration::from_secs(1));
        match blow {
            Blow::Kill => {
                dealt[0] += 1;
                workers.remove(index).kill();
                let home = &machines[index];
                workers.insert(index, home.start(home.worker()));
            }
            Blow::Freeze => {
                dealt[1] += 1;
                workers[index].running.signal(Signal::SIGSTOP);
                std::thread::sleep(LEASE + Duration::from_secs(2));
                workers[index].running.signal(Signal::SIGCONT);
            }
        }
    }
    let mut twice = 0;
    for task in &scene.tasks {
        let status = scene.database.task(*task).summary.status;
        assert_eq!(status, TaskStatus::Completed, "task {task}");
        let experiments = scene.database.experiments(*task);
        twice += measured_twice(&experiments);
        assert_eq!(best(&experiments), BEST, "task {task}");
    }
    for (home, worker) in machines.iter().zip(workers) {
        late += worker.running.stderr().matches(TOO_LATE).count();
        home.end(worker);
    }
    wait_for("the end of all engines", || {
        machines
            .iter()
            .all(|home| home.sandbox.engines().is_empty())
            .then_some(())
    });
    let unsound = check_database(&scene.database);
    say(&format!(
        "two workers, {} tasks of {EXPERIMENTS} configurations, {} kills, {} freezes: {} lost, {twice} twice, \
         {unsound} unsound, {late} came back too late",
        scene.tasks.len(),
        dealt[0],
        dealt[1],
        scene.lost
    ));
    assert_eq!((scene.lost, twice, unsound), (0, 0, 0));
}

/// What a server answers to a GET, as text.
fn text_of(server: &Server, path: &str) -> String {
    let mut answer = ureq::get(server.url() + path).call().expect("it answers");
    answer.body_mut().read_to_string().expect("text")
}

fn log_of(server: &Server, path: &str) -> String {
    let answer = server.get(path);
    answer["logs"].as_str().expect("a log").to_owned()
}

#[test]
fn what_another_machine_runs_is_seen_as_if_it_ran_here() {
    let Some(here) = Home::on_postgres() else { return };
    let there = here.beside();
    let mut command = here.command();
    command.arg("--no-worker");
    let mut server = here.start_serving(command);
    // Follows from before the first line on, until the end is told.
    let events = {
        let url = server.url() + "/api/events";
        std::thread::spawn(move || {
            let answer = ureq::get(url).call().expect("it answers");
            let mut kinds = Vec::new();
            for line in BufReader::new(answer.into_body().into_reader()).lines() {
                let line = line.expect("readable");
                let Some(event) = line.strip_prefix("data: ") else {
                    continue;
                };
                let event: Value = serde_json::from_str(event).expect("JSON");
                let kind = event["type"].as_str().expect("a type").to_owned();
                let is_last = kind == "task_completed";
                kinds.push(kind);
                if is_last {
                    break;
                }
            }
            kinds
        })
    };
    let status = || server.get("/api/dashboard/worker-status");
    assert_eq!(status()["worker_running"], false, "nobody works yet");
    let worker = there.start(there.worker());
    wait_for("a worker's sign of life", || {
        (status()["worker_running"] == true).then_some(())
    });
    assert_eq!(status()["workers"][0]["places"], 3);
    let task = here.create(&long_task(6));
    wait_for("the run on the board", || {
        let live = server.get("/api/live");
        let phase = &live["tasks"][0]["experiments"][0]["phase"];
        (phase.is_string() && live["queue"] == json!([])).then_some(())
    });
    let engine = wait_for("an engine", || there.sandbox.engines().pop());
    let ours_alone = ["AUTOTUNER_DATABASE=", "AUTOTUNER_TOKEN="];
    let leaked = engine
        .environment
        .iter()
        .filter(|variable| ours_alone.iter().any(|name| variable.starts_with(name)));
    assert_eq!(leaked.count(), 0, "{:?}", engine.environment);
    assert_eq!(here.wait_for_end(&mut server, task), TaskStatus::Completed);
    let kinds = events.join().expect("no panic");
    for kind in [
        "task_started",
        "experiment_started",
        "benchmark_progress",
        "experiment_completed",
    ] {
        assert!(kinds.iter().any(|other| other == kind), "{kind}: {kinds:?}");
    }
    // The end is on record a moment before the last of the log is where others can read it.
    let logs = there.sandbox.data_dir().join("logs");
    let mut folders = std::fs::read_dir(&logs).expect("a folder").flatten();
    // One for each database.
    let logs = folders.next().expect("the shared one").path().join("own");
    let written = |name: String| std::fs::read_to_string(logs.join(name)).expect("the worker's own file");
    wait_for("the end of the log", || {
        let log = log_of(&server, &format!("/api/tasks/{task}/logs"));
        log.contains("Task ended").then_some(())
    });
    assert_eq!(
        text_of(&server, &format!("/api/tasks/{task}/logs/download")),
        written(format!("task_{task}.log"))
    );
    assert_eq!(
        text_of(&server, &format!("/api/tasks/{task}/experiments/2/logs/download")),
        written(format!("task_{task}_run_1_exp_2.log"))
    );
    // The machine that ran it may be gone by then.
    there.end(worker);
    let cleared = ureq::delete(server.url() + &format!("/api/tasks/{task}/logs")).call();
    assert!(cleared.expect("it answers").status().is_success());
    let log = log_of(&server, &format!("/api/tasks/{task}/logs"));
    assert!(!log.contains("Task"), "{log}");
    let engine = log_of(&server, &format!("/api/tasks/{task}/experiments/2/logs"));
    assert!(engine.contains("ready"), "{engine}");
    here.end(server);
}

#[test]
fn a_database_moves_to_a_server_by_command_and_is_served_there() {
    let Some(server) = Home::on_postgres() else { return };
    let file = Home::new();
    let mut serving = file.serve();
    let task = file.create(&long_task(4));
    file.wait_for_end(&mut serving, task);
    let before = file.finished(task);
    let copy = |home: &Home| home.sandbox.run(&["db", "copy", server.url()]);
    let refused = copy(&file).expect(2).stderr;
    assert!(
        refused.contains("a service runs on the data directory"),
        "{refused}"
    );
    file.end(serving);
    copy(&file).expect(0);
    assert_eq!(server.finished(task), before);
    // A second time something is there, and it stays.
    copy(&file).expect(2);
    let asked = |arguments: &[&str]| {
        let command = server.on_database(server.sandbox.command(arguments));
        server.sandbox.start_command(command).wait()
    };
    asked(&["db", "check"]).expect(0);
    let refused = asked(&["db", "copy", server.url()]).expect(2).stderr;
    assert!(refused.contains("is the database itself"), "{refused}");
    // It goes on there, with the next number.
    let mut document = long_task(2);
    document["task_name"] = "next".into();
    let mut serving = server.serve();
    let next = server.create(&document);
    assert_eq!(next, TaskId(task.0 + 1));
    assert_eq!(server.wait_for_end(&mut serving, next), TaskStatus::Completed);
    server.end(serving);
}
