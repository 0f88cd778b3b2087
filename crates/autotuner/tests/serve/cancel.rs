//! Cancel means cancel: in every state, of an engine that does not listen, the load ends, the
//! engine goes, and what was measured is kept.
//!
//! How long each took is printed beside its goal; only a deadline far beyond it fails a test.

use std::collections::BTreeSet;
use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harbour::{Harbour, containers, sim_image};
use crate::sandbox::wait_for;
use crate::support::{Home, Server, say, task_of_scales};

/// What the product promises, on a machine that has time for it.
const LOAD_GOAL: Duration = Duration::from_secs(1);
const ENGINE_GOAL: Duration = Duration::from_secs(8);

/// The least that is asked of a machine that has not.
const DEADLINE: Duration = Duration::from_secs(60);

/// Where a task is when it is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Deploying,
    WarmingUp,
    Benchmarking,
    Stopping,
}

/// A task that stays in this state, with an engine that only a kill ends.
fn task(state: State, image: Option<&str>) -> Value {
    let mut task = task_of_scales(&[2.0]);
    let mut args = vec![
        "--time-scale",
        "0.5",
        "--startup-seconds",
        "0",
        "--fault",
        "ignore-sigterm",
    ];
    let benchmark = &mut task["benchmark"];
    benchmark["max_time_per_iteration"] = 3600.into();
    benchmark["max_requests_per_iteration"] = 100_000.into();
    benchmark["warmup_requests"] = 0.into();
    match state {
        State::Deploying => args.extend(["--fault", "never-ready"]),
        State::WarmingUp => benchmark["warmup_requests"] = 100_000.into(),
        State::Benchmarking => {}
        State::Stopping => benchmark["max_requests_per_iteration"] = 8.into(),
    }
    task["optimization"]["timeout_per_iteration"] = 3600.into();
    task["engine"] = json!({"args": args, "start_timeout": 3600});
    if let Some(image) = image {
        task["deployment_mode"] = "docker".into();
        task["engine"]["image"] = image.into();
    }
    task
}

/// Whether the task is where it is to be cancelled.
fn is_there(home: &Home, server: &Server, id: TaskId, state: State, image: Option<&str>) -> bool {
    let experiments = home.experiments(id);
    let Some(first) = experiments.first() else {
        return false;
    };
    match state {
        State::Deploying => {
            first.status == ExperimentStatus::Deploying
                && has_engine(home, image)
                && home.log(id, 1).contains("listening on")
        }
        State::WarmingUp | State::Benchmarking => {
            first.status == ExperimentStatus::Benchmarking && load(server) > 0
        }
        State::Stopping => home.requests(id, 1).exists() && has_engine(home, image),
    }
}

fn has_engine(home: &Home, image: Option<&str>) -> bool {
    match image {
        Some(_) => !containers(&home.sandbox, true).is_empty(),
        None => !home.sandbox.engines().is_empty(),
    }
}

/// Connections of the server's that it has opened itself.
fn load(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.id);
    let links = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sockets: BTreeSet<String> = links
        .filter_map(|link| {
            let target = std::fs::read_link(link.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect();
    let own = format!(":{:04X}", server.port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("there is /proc");
    let is_load = |line: &&str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, "01", ..] = fields[..] else {
            return false;
        };
        !local.ends_with(&own) && fields.get(9).is_some_and(|inode| sockets.contains(*inode))
    };
    table.lines().filter(is_load).count()
}

/// How long it took.
#[derive(Debug, Clone, Copy, Default)]
struct Took {
    load: Duration,
    engine: Duration,
    status: Duration,
}

fn cancel_in(home: &Home, state: State, image: Option<&str>) -> Took {
    let id = home.create(&task(state, image));
    let mut command = home.command();
    command.env("AUTOTUNER_STOP_GRACE_SECONDS", "5");
    let mut server = home.start_serving(command);
    wait_for("the state", || {
        is_there(home, &server, id, state, image).then_some(())
    });
    let (begun, mut took) = (Instant::now(), Took::default());
    server.post(&format!("/api/tasks/{id}/cancel")).expect("it runs");
    wait_for("the load's end", || (load(&server) == 0).then_some(()));
    took.load = begun.elapsed();
    wait_for("the engine's end", || (!has_engine(home, image)).then_some(()));
    took.engine = begun.elapsed();
    let status = home.wait_for_end(&mut server, id);
    took.status = begun.elapsed();
    assert_eq!(status, TaskStatus::Cancelled, "{state:?}");
    let experiments = home.experiments(id);
    assert_eq!(experiments.len(), 1, "nothing new is begun: {state:?}");
    match (state, experiments[0].failure()) {
        (State::Stopping, None) => assert!(experiments[0].score().is_some(), "what was measured is kept"),
        (_, Some(failure)) => assert_eq!(failure.kind.as_str(), "cancelled", "{state:?}"),
        (_, None) => panic!("it was not measured: {state:?}"),
    }
    home.end(server);
    took
}

const STATES: [State; 4] = [
    State::Deploying,
    State::WarmingUp,
    State::Benchmarking,
    State::Stopping,
];

#[track_caller]
fn tell(place: &str, state: State, took: Took) {
    say(&format!(
        "cancelled while {state:?} ({place}): load ended after {} ms (goal {} ms), engine gone after {} ms \
         (goal {} ms), on record after {} ms",
        took.load.as_millis(),
        LOAD_GOAL.as_millis(),
        took.engine.as_millis(),
        ENGINE_GOAL.as_millis(),
        took.status.as_millis()
    ));
    assert!(took.load < DEADLINE && took.engine < DEADLINE && took.status < DEADLINE);
}

#[test]
fn in_every_state_of_a_local_engine() {
    std::thread::scope(|scope| {
        for state in STATES {
            scope.spawn(move || tell("local", state, cancel_in(&Home::new(), state, None)));
        }
    });
}

#[test]
fn docker_engines_in_every_state() {
    let Some(image) = sim_image() else { return };
    std::thread::scope(|scope| {
        for state in STATES {
            let image = image.as_str();
            scope.spawn(move || {
                let home = Home::in_sandbox(Harbour::new());
                tell("docker", state, cancel_in(&home, state, Some(image)));
            });
        }
    });
}

#[test]
fn while_it_waits_for_a_place_or_for_processors() {
    for (variable, value, waits) in [
        (
            "AUTOTUNER_MAX_TASKS",
            "1",
            "waiting for one of 1 running tasks to end",
        ),
        (
            "AUTOTUNER_CPU_SLOTS",
            "1",
            "waiting for processors: needs 1 of 1, 0 free",
        ),
    ] {
        let home = Home::new();
        let mut first = task(State::Benchmarking, None);
        first["task_name"] = "first".into();
        let ids = [home.create(&first), home.create(&task(State::Benchmarking, None))];
        let mut command = home.command();
        command.env(variable, value);
        let mut server = home.start_serving(command);
        let waiting = wait_for("the wait", || {
            let waits_for = |id: &TaskId| server.get(&format!("/api/tasks/{id}"))["waiting_for"] == waits;
            ids.into_iter().find(waits_for)
        });
        server
            .post(&format!("/api/tasks/{waiting}/cancel"))
            .expect("it is started");
        assert_eq!(home.wait_for_end(&mut server, waiting), TaskStatus::Cancelled);
        wait_for("the other, which goes on", || (load(&server) > 0).then_some(()));
        home.end(server);
    }
}

#[test]
fn a_server_that_is_told_to_end_ends_with_an_engine_that_does_not_listen() {
    let home = Home::new();
    let id = home.create(&task(State::Benchmarking, None));
    let mut command = home.command();
    // The longest there is, and longer than this test waits.
    command.env("AUTOTUNER_STOP_GRACE_SECONDS", "600");
    let server = home.start_serving(command);
    wait_for("the load", || (load(&server) > 0).then_some(()));
    let begun = Instant::now();
    home.end(server);
    say(&format!(
        "the server ended after {} ms (goal 10000 ms)",
        begun.elapsed().as_millis()
    ));
    assert_eq!(
        home.task(id).summary.status,
        TaskStatus::Running,
        "the next start goes on with it"
    );
    let experiments = home.experiments(id);
    let failure = experiments[0].failure().expect("it was cut off");
    assert_eq!(failure.kind.as_str(), "worker_lost");
    assert_eq!(failure.message, "the server was stopped meanwhile");
}
