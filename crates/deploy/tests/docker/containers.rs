//! The daemon's containers as people see them and act on them.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use autotuner_deploy::containers::{
    Action, Change, Container, ContainerError, ContainerId, ContainerName, Containers, Surroundings,
};
use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, RestartPolicy, RestartPolicyNameEnum};
use bollard::query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions, StopContainerOptions};
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::image::engine_image;
use crate::support::{docker, host, remove, unique_name, until};

/// Containers that are acted on at once, and beside them so many that end again and again: a daemon
/// that was made to start twenty at a time has been seen to start none any more.
const TOGETHER: usize = 4;

/// How often a container has been restarted when the pause before the next time is long enough for
/// a test.
const RESTARTS: i64 = 5;

/// The daemon's containers, and an image for more of them.
struct Place {
    docker: Docker,
    image: String,
    containers: Containers,
}

impl Place {
    async fn new() -> Option<Self> {
        let docker = docker().await?;
        let image = engine_image(&docker).await;
        let containers = Containers::new(Surroundings {
            host: host(),
            instances: PathBuf::new(),
            secrets: Vec::new(),
        });
        Some(Self {
            docker,
            image,
            containers,
        })
    }

    async fn create(&self, arguments: &[&str], policy: Option<RestartPolicyNameEnum>) -> Made {
        let body = ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(arguments.iter().map(|word| (*word).to_owned()).collect()),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                restart_policy: policy.map(|name| RestartPolicy {
                    name: Some(name),
                    maximum_retry_count: None,
                }),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let name = format!("deploy-test-{}", unique_name());
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let created = self.docker.create_container(Some(options), body).await.unwrap();
        Made::new(&self.docker, &created.id, name)
    }

    async fn start(&self, made: &Made) {
        let none = None::<StartContainerOptions>;
        self.docker.start_container(made.id.as_str(), none).await.unwrap();
    }

    async fn find(&self, made: &Made) -> Result<Container, ContainerError> {
        let name: ContainerName = made.id.as_str().parse().unwrap();
        self.containers.resolve(&name).await
    }

    async fn state(&self, made: &Made) -> String {
        match self.find(made).await {
            Ok(container) => container.state,
            Err(ContainerError::NotFound { .. }) => "gone".to_owned(),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// A container that goes with its test.
struct Made {
    docker: Docker,
    id: ContainerId,
    name: String,
    is_gone: bool,
}

impl Made {
    fn new(docker: &Docker, id: &str, name: String) -> Self {
        Self {
            docker: docker.clone(),
            id: ContainerId::read(id).unwrap(),
            name,
            is_gone: false,
        }
    }

    async fn clear_away(mut self) {
        remove(&self.docker, self.id.as_str()).await;
        self.is_gone = true;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.is_gone {
            return;
        }
        let (docker, id) = (self.docker.clone(), self.id.clone());
        let clean = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(remove(&docker, id.as_str()));
        });
        let _ = clean.join();
    }
}

/// What a container is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Created,
    Running,
    Paused,
    Exited,
    Restarting,
    Gone,
}

const STATES: [State; 6] = [
    State::Created,
    State::Running,
    State::Paused,
    State::Exited,
    State::Restarting,
    State::Gone,
];

fn actions() -> [Action; 7] {
    let timeout = Duration::from_secs(20);
    [
        Action::Start,
        Action::Stop { timeout },
        Action::Restart { timeout },
        Action::Remove { force: false },
        Action::Remove { force: true },
        Action::Pause,
        Action::Unpause,
    ]
}

/// What comes of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Conflict,
    Missing,
}

/// What is to come of it, and what the container is at then.
fn expected(state: State, action: Action) -> (Outcome, &'static str) {
    use Outcome::{Conflict, Done, Missing};
    match (state, action) {
        (State::Gone, Action::Remove { .. }) => (Done, "gone"),
        (State::Gone, _) => (Missing, "gone"),
        (_, Action::Remove { force: true }) => (Done, "gone"),
        (State::Created | State::Exited, Action::Remove { .. }) => (Done, "gone"),
        (State::Running, Action::Remove { .. } | Action::Unpause) => (Conflict, "running"),
        (State::Paused, Action::Remove { .. } | Action::Pause | Action::Start) => (Conflict, "paused"),
        (State::Restarting, Action::Remove { .. } | Action::Pause | Action::Unpause) => {
            (Conflict, "restarting")
        }
        (State::Created, Action::Stop { .. }) => (Done, "created"),
        (State::Created, Action::Pause | Action::Unpause) => (Conflict, "created"),
        (State::Exited, Action::Pause | Action::Unpause) => (Conflict, "exited"),
        (State::Restarting, Action::Start) => (Done, "restarting"),
        (State::Restarting, Action::Restart { .. }) => (Done, "restarting"),
        (_, Action::Stop { .. }) => (Done, "exited"),
        (State::Running, Action::Pause) => (Done, "paused"),
        (_, Action::Start | Action::Restart { .. } | Action::Unpause) => (Done, "running"),
    }
}

/// Of two at once, what comes of the second where the first has made the state another one.
fn expected_second(state: State, action: Action) -> Outcome {
    match (state, action) {
        (State::Running, Action::Pause) | (State::Paused, Action::Unpause) => Outcome::Conflict,
        _ => expected(state, action).0,
    }
}

async fn at(place: &Place, state: State) -> Made {
    let made = match state {
        State::Restarting => {
            place
                .create(&["exit", "3"], Some(RestartPolicyNameEnum::ALWAYS))
                .await
        }
        _ => place.create(&["polite"], None).await,
    };
    if !matches!(state, State::Created | State::Gone) {
        place.start(&made).await;
    }
    match state {
        State::Created | State::Running => {}
        State::Paused => place.docker.pause_container(made.id.as_str()).await.unwrap(),
        State::Exited => {
            let none = None::<StopContainerOptions>;
            place.docker.stop_container(made.id.as_str(), none).await.unwrap();
        }
        State::Restarting => {
            let waits = async || {
                let found = place.find(&made).await.unwrap();
                found.state == "restarting" && found.restarts >= RESTARTS
            };
            until("a long pause before it is started again", waits).await;
        }
        State::Gone => remove(&place.docker, made.id.as_str()).await,
    }
    made
}

async fn outcome(place: &Place, made: &Made, action: Action) -> Result<Outcome, ContainerError> {
    match place.containers.act(&made.id, action).await {
        Ok(()) => Ok(Outcome::Done),
        Err(ContainerError::Conflict { .. }) => Ok(Outcome::Conflict),
        Err(ContainerError::NotFound { .. }) => Ok(Outcome::Missing),
        Err(error) => Err(error),
    }
}

/// How a container is. A busy daemon hears late of what it did itself, and may show for a moment what
/// was before: only what stays so is told.
async fn settled(place: &Place, made: &Made, expected: &str) -> String {
    let begun = Instant::now();
    loop {
        let now = place.state(made).await;
        if now == expected || begun.elapsed() > Duration::from_secs(5) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// How many are acted on at once. Those that have to wait long do so beside the others.
struct Permits {
    restarting: Semaphore,
    others: Semaphore,
}

/// Acts on a container of its own, once or twice at once; what is not as expected, in words.
async fn cell(place: &Place, permits: &Permits, state: State, action: Action, twice: bool) -> String {
    let permit = match state {
        State::Restarting => permits.restarting.acquire().await.unwrap(),
        _ => permits.others.acquire().await.unwrap(),
    };
    let made = at(place, state).await;
    let (first, after) = expected(state, action);
    let (mut found, mut wanted) = if twice {
        let (one, other) = tokio::join!(outcome(place, &made, action), outcome(place, &made, action));
        (vec![one, other], vec![first, expected_second(state, action)])
    } else {
        (vec![outcome(place, &made, action).await], vec![first])
    };
    let by_name = |outcome: &Outcome| format!("{outcome:?}");
    wanted.sort_by_key(by_name);
    found.sort_by_key(|found| format!("{:?}", found.as_ref().ok()));
    let is_expected = found
        .iter()
        .map(|found| found.as_ref().ok())
        .eq(wanted.iter().map(Some));
    // One that cannot live ends again and again, and is at this or that.
    let is_steady = state != State::Restarting || !matches!(action, Action::Restart { .. } | Action::Start);
    let mut wrong = String::new();
    if !is_expected {
        let _ = writeln!(
            wrong,
            "{state:?} {action:?} twice={twice}: {found:?}, not {wanted:?}"
        );
    }
    if is_steady && is_expected {
        // A removal that is under way takes its time.
        let is_going = after == "gone" && twice;
        if is_going {
            until("the end of a removal", async || place.state(&made).await == after).await;
        }
        let now = settled(place, &made, after).await;
        if now != after {
            let _ = writeln!(
                wrong,
                "{state:?} {action:?} twice={twice}: then {now}, not {after}"
            );
        }
    }
    made.clear_away().await;
    drop(permit);
    wrong
}

#[tokio::test]
async fn each_action_in_each_state_comes_to_what_it_should() {
    let Some(place) = Place::new().await else { return };
    let permits = Permits {
        restarting: Semaphore::new(TOGETHER),
        others: Semaphore::new(TOGETHER),
    };
    let mut cells = Vec::new();
    for state in STATES {
        for action in actions() {
            for twice in [false, true] {
                cells.push(cell(&place, &permits, state, action, twice));
            }
        }
    }
    let count = cells.len();
    let wrong: String = join_all(cells).await.into_iter().collect();
    assert_eq!(wrong, "");
    println!("{count} cells of the lifecycle table, each as expected");
}

#[tokio::test]
async fn what_cannot_be_started_says_whose_fault_it_is() {
    let Some(place) = Place::new().await else { return };
    let body = ContainerCreateBody {
        image: Some(place.image.clone()),
        entrypoint: Some(vec!["/nothing/here".to_owned()]),
        ..ContainerCreateBody::default()
    };
    let name = format!("deploy-test-{}", unique_name());
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    let created = place.docker.create_container(Some(options), body).await.unwrap();
    let broken = Made::new(&place.docker, &created.id, name);
    let refused = place.containers.act(&broken.id, Action::Start).await;
    let is_told =
        matches!(&refused, Err(ContainerError::Invalid { message }) if message.contains("/nothing/here"));
    assert!(is_told, "{refused:?}");
    let found = place.find(&broken).await.unwrap();
    assert_eq!((found.state.as_str(), found.exit_code), ("created", None));
    assert!(found.error.is_some());
}

fn run_docker(arguments: &[&str]) {
    let output = Command::new("docker").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// A container of the daemon's list.
async fn listed(place: &Place, made: &Made) -> Option<Container> {
    let listed = place.containers.list(true).await.unwrap();
    listed.into_iter().find(|container| container.id == made.id)
}

#[tokio::test]
async fn what_others_do_is_seen_by_events() {
    let Some(place) = Place::new().await else { return };
    let mut changes = place.containers.changes();
    let watched = place.containers.clone();
    let end = CancellationToken::new();
    let watch = tokio::spawn({
        let end = end.clone();
        async move { watched.watch(end).await }
    });
    let watch = AbortOnDropHandle::new(watch);
    until("watching", async || place.containers.is_watched()).await;
    let made = place.create(&["polite"], None).await;
    let name = made.name.as_str();
    let shows = async |state: &str| {
        let is_so = async || {
            listed(&place, &made)
                .await
                .is_some_and(|found| found.state == state)
        };
        until(state, is_so).await;
    };
    shows("created").await;
    for (words, state) in [
        (["start", name], "running"),
        (["pause", name], "paused"),
        (["unpause", name], "running"),
    ] {
        run_docker(&words);
        shows(state).await;
    }
    // The state is the same before and after: only an event tells.
    let before = listed(&place, &made).await.unwrap().started_at;
    run_docker(&["restart", name]);
    let is_another_life = async || listed(&place, &made).await.unwrap().started_at > before;
    until("another life", is_another_life).await;
    let renamed = format!("{name}-renamed");
    run_docker(&["rename", name, &renamed]);
    let is_renamed = async || listed(&place, &made).await.unwrap().name == renamed;
    until("the new name", is_renamed).await;
    run_docker(&["rm", "--force", &renamed]);
    until("its absence", async || listed(&place, &made).await.is_none()).await;
    assert!(place.containers.is_watched());
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "destroy") {
        match changes.recv().await.unwrap() {
            Change::Container(change) if change.id == made.id => told.push(change.action),
            _ => {}
        }
    }
    let told: HashSet<&str> = told.iter().map(String::as_str).collect();
    for action in ["create", "start", "pause", "unpause", "die", "rename", "destroy"] {
        assert!(told.contains(action), "{action} is missing: {told:?}");
    }
    end.cancel();
    watch.await.unwrap();
    assert!(!place.containers.is_watched());
}

#[tokio::test]
async fn the_daemon_describes_itself_and_lists_the_newest_first() {
    let Some(place) = Place::new().await else { return };
    let first = place.create(&["polite"], None).await;
    let second = place.create(&["exit", "3"], None).await;
    place.start(&second).await;
    until("its end", async || place.state(&second).await == "exited").await;
    let info = place.containers.info().await.unwrap();
    assert!(
        !info.version.is_empty() && info.api_version.contains('.'),
        "{info:?}"
    );
    assert!(
        info.containers >= 2 && info.images >= 1 && info.cpus >= 1,
        "{info:?}"
    );
    assert!(info.memory_bytes > 1 << 20, "{info:?}");
    let all = place.containers.list(true).await.unwrap();
    let place_of = |made: &Made| all.iter().position(|container| container.id == made.id).unwrap();
    assert!(place_of(&second) < place_of(&first));
    let found = &all[place_of(&second)];
    assert_eq!((found.exit_code, found.command.as_str()), (Some(3), "exit 3"));
    // Which of the two is later Docker does not always know of one that ends at once.
    assert!(found.finished_at.is_some() && found.started_at.is_some());
    let running = place.containers.list(false).await.unwrap();
    assert!(running.iter().all(|container| container.id != second.id));
}
