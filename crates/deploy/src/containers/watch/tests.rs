//! Watching a daemon that a test plays: one that goes, comes back, forbids to listen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::containers::{Action, Surroundings};

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a daemon has and was asked.
#[derive(Default)]
struct Yard {
    /// Names and states of containers by their numbers.
    containers: Mutex<BTreeMap<u8, (&'static str, u32)>>,
    asked: Mutex<Vec<String>>,
    is_mute: std::sync::atomic::AtomicBool,
}

/// A daemon on a socket; dropped, it is gone with every connection.
struct Played {
    events: broadcast::Sender<String>,
    socket: PathBuf,
    _task: AbortOnDropHandle<()>,
}

impl Drop for Played {
    fn drop(&mut self) {
        std::fs::remove_file(&self.socket).unwrap();
    }
}

fn id(number: u8) -> String {
    format!("{number:064x}")
}

impl Yard {
    fn set(&self, number: u8, state: &'static str, life: u32) {
        self.containers.lock().unwrap().insert(number, (state, life));
    }

    fn asked(&self, words: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|path| path.contains(words)).count()
    }

    fn inspected(&self, number: u8) -> Option<Value> {
        let (state, life) = *self.containers.lock().unwrap().get(&number)?;
        Some(json!({
            "Id": id(number), "Name": format!("/c{number}"), "Created": "2026-01-01T00:00:00Z",
            "State": {"Status": state, "StartedAt": format!("2026-01-01T00:00:{life:02}Z"),
                      "FinishedAt": "2026-01-01T00:01:00Z", "ExitCode": 3},
            "Config": {"Image": "i", "Labels": {}},
        }))
    }

    fn listed(&self) -> Value {
        let containers = self.containers.lock().unwrap();
        let one = |(number, (state, _)): (&u8, &(&str, u32))| json!({"Id": id(*number), "Names": [format!("/c{number}")], "State": state});
        containers.iter().map(one).collect()
    }

    fn answer(&self, path: &str) -> (u16, Value) {
        self.asked.lock().unwrap().push(path.to_owned());
        let path = path.split('?').next().unwrap_or_default();
        let path = path.trim_start_matches("/v1.41");
        match path.split('/').collect::<Vec<_>>()[..] {
            ["", "version"] => (200, json!({"ApiVersion": "1.41", "Version": "1"})),
            ["", "info"] => (
                200,
                json!({"SystemTime": "2026-01-01T00:00:00Z", "Containers": 1}),
            ),
            ["", "_ping"] => (200, json!("OK")),
            ["", "containers", "json"] => (200, self.listed()),
            ["", "containers", moved, ..] if moved == "moved" || moved.starts_with("ff") => {
                (301, json!({"message": "elsewhere"}))
            }
            ["", "containers", asked, "json"] => {
                let number = u8::from_str_radix(asked.trim_start_matches('0'), 16).unwrap_or_default();
                match self.inspected(number) {
                    Some(found) => (200, found),
                    None => (404, json!({"message": "No such container"})),
                }
            }
            ["", "events"] => (403, json!({"message": "no events here"})),
            _ => (404, json!({"message": "page not found"})),
        }
    }
}

impl Played {
    fn start(socket: &Path, yard: Arc<Yard>) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let (events, _) = broadcast::channel(64);
        let task = tokio::spawn({
            let events = events.clone();
            async move {
                let mut set = tokio::task::JoinSet::new();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    set.spawn(serve(stream, events.clone(), Arc::clone(&yard)));
                }
            }
        });
        Self {
            events,
            socket: socket.to_owned(),
            _task: AbortOnDropHandle::new(task),
        }
    }

    fn tell(&self, number: u8, action: &str, at: i64) {
        let event = json!({
            "Type": "container", "Action": action, "scope": "local", "timeNano": at,
            "Actor": {"ID": id(number), "Attributes": {"name": format!("c{number}"), "exitCode": "3"}},
        });
        self.events.send(format!("{event}\n")).unwrap();
    }
}

async fn serve(mut stream: UnixStream, events: broadcast::Sender<String>, yard: Arc<Yard>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut part = [0; 2048];
        match stream.read(&mut part).await {
            Ok(length @ 1..) => request.extend_from_slice(&part[..length]),
            _ => return,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap();
    let is_mute = yard.is_mute.load(std::sync::atomic::Ordering::SeqCst);
    if path.contains("/events") && !is_mute {
        let mut told = events.subscribe();
        yard.asked.lock().unwrap().push(path.to_owned());
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        while let Ok(event) = told.recv().await {
            if stream.write_all(event.as_bytes()).await.is_err() {
                return;
            }
        }
        return;
    }
    let (status, body) = yard.answer(path);
    let (body, to) = (body.to_string(), "/v1.41/containers/json");
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nlocation: {to}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
}

/// A watched daemon.
struct World {
    _folder: TempDir,
    socket: PathBuf,
    yard: Arc<Yard>,
    containers: Containers,
    changes: broadcast::Receiver<Change>,
    _watch: AbortOnDropHandle<()>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("d.sock");
        let containers = Containers::new(Surroundings {
            host: Some(format!("unix://{}", socket.display())),
            ..Surroundings::default()
        });
        let changes = containers.changes();
        let watched = containers.clone();
        let watch = tokio::spawn(async move { watched.watch(CancellationToken::new()).await });
        Self {
            _folder: folder,
            socket,
            yard: Arc::default(),
            containers,
            changes,
            _watch: AbortOnDropHandle::new(watch),
        }
    }

    fn daemon(&self) -> Played {
        Played::start(&self.socket, Arc::clone(&self.yard))
    }

    async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let wait = async {
            while !condition().await {
                sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(timeout(PATIENCE, wait).await.is_ok(), "{what} does not come true");
    }

    async fn watched(&self) {
        self.until("watching", async || self.containers.is_watched())
            .await;
    }

    async fn next(&mut self) -> Change {
        timeout(PATIENCE, self.changes.recv())
            .await
            .expect("something happens")
            .unwrap()
    }

    /// The next change, as name, word and state.
    async fn next_words(&mut self) -> (String, String, Option<String>) {
        match self.next().await {
            Change::Container(change) => (change.name, change.action, change.state),
            other => panic!("{other:?}"),
        }
    }
}

fn words(name: &str, action: &str, state: Option<&str>) -> (String, String, Option<String>) {
    (name.into(), action.into(), state.map(str::to_owned))
}

#[tokio::test]
async fn what_is_known_is_not_asked_for_until_something_happens() {
    let mut world = World::new();
    world.yard.set(1, "running", 1);
    world.yard.set(2, "exited", 1);
    let daemon = world.daemon();
    world.watched().await;
    let looks = || world.yard.asked("/containers/0");
    let before = looks();
    for _ in 0..5 {
        assert_eq!(world.containers.list(true).await.unwrap().len(), 2);
    }
    assert_eq!(looks(), before, "nothing has happened");
    // Restarted between two lists, which show the same state.
    world.yard.set(1, "running", 2);
    daemon.tell(1, "start", 5);
    assert_eq!(world.next_words().await, words("c1", "start", Some("running")));
    let listed = world.containers.list(true).await.unwrap();
    let one = listed.iter().find(|container| container.name == "c1").unwrap();
    assert_eq!(one.started_at.as_deref(), Some("2026-01-01T00:00:02Z"));
    for action in ["exec_create: true", "exec_start: true", "exec_die", "top"] {
        daemon.tell(1, action, 6);
    }
    // Nothing new in it.
    daemon.tell(1, "health_status: healthy", 7);
    world.yard.containers.lock().unwrap().remove(&2);
    daemon.tell(2, "destroy", 8);
    assert_eq!(world.next_words().await, words("c2", "destroy", None));
    assert_eq!(world.containers.list(true).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_daemon_that_goes_is_told_once_and_one_that_comes_back_is_listed_again() {
    let mut world = World::new();
    assert!(
        matches!(world.next().await, Change::Away { reason } if reason.contains("install and start Docker"))
    );
    for (number, state) in [(1, "running"), (2, "running"), (3, "exited")] {
        world.yard.set(number, state, 1);
    }
    let daemon = world.daemon();
    assert_eq!(world.next().await, Change::Back);
    world.watched().await;
    daemon.tell(3, "start", 7_000_000_001);
    assert_eq!(world.next_words().await, words("c3", "start", Some("exited")));
    drop(daemon);
    assert!(matches!(world.next().await, Change::Away { .. }));
    assert!(!world.containers.is_watched());
    let gone = world.containers.list(true).await.unwrap_err();
    assert!(matches!(gone, ContainerError::Unreachable { .. }), "{gone:?}");
    // What happens now nobody is told of.
    world.yard.set(1, "running", 2);
    world.yard.set(2, "exited", 1);
    world.yard.set(4, "created", 1);
    world.yard.containers.lock().unwrap().remove(&3);
    let daemon = world.daemon();
    assert_eq!(world.next().await, Change::Back);
    let mut missed = Vec::new();
    for _ in 0..4 {
        missed.push(world.next_words().await);
    }
    missed.sort();
    assert_eq!(
        missed,
        [
            words("c1", "start", Some("running")),
            words("c2", "die", Some("exited")),
            words("c3", "destroy", None),
            words("c4", "create", Some("created")),
        ]
    );
    world.watched().await;
    let since = |words: &str| world.yard.asked(words);
    assert_eq!(
        since("since=7.000000001"),
        1,
        "{:?}",
        world.yard.asked.lock().unwrap()
    );
    // The same again is no news, and what follows is.
    daemon.tell(3, "start", 7_000_000_001);
    world.yard.set(4, "running", 1);
    daemon.tell(4, "start", 7_000_000_002);
    assert_eq!(world.next_words().await, words("c4", "start", Some("running")));
}

#[tokio::test]
async fn where_nobody_may_listen_everything_is_asked_for() {
    let mut world = World::new();
    assert!(matches!(world.next().await, Change::Away { .. }));
    world
        .yard
        .is_mute
        .store(true, std::sync::atomic::Ordering::SeqCst);
    world.yard.set(1, "running", 1);
    let _daemon = world.daemon();
    assert_eq!(world.next().await, Change::Back);
    assert!(!world.containers.is_watched());
    world.yard.set(1, "running", 2);
    let listed = world.containers.list(true).await.unwrap();
    assert_eq!(listed[0].started_at.as_deref(), Some("2026-01-01T00:00:02Z"));
    // And it is looked at now and then.
    assert_eq!(world.next_words().await, words("c1", "start", Some("running")));
}

#[tokio::test]
async fn nothing_is_kept_once_nobody_watches() {
    let mut world = World::new();
    world.yard.set(1, "running", 1);
    let _daemon = world.daemon();
    world.watched().await;
    world._watch = AbortOnDropHandle::new(tokio::spawn(async {}));
    world
        .until("the end of watching", async || !world.containers.is_watched())
        .await;
    world.yard.set(1, "running", 2);
    let listed = world.containers.list(true).await.unwrap();
    assert_eq!(listed[0].started_at.as_deref(), Some("2026-01-01T00:00:02Z"));
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    let world = World::new();
    let _daemon = world.daemon();
    let led = world.containers.resolve(&"moved".parse().unwrap()).await;
    let expected = matches!(&led, Err(ContainerError::Refused { status: 301, .. }));
    assert!(expected, "{led:?}");
    assert_eq!(world.yard.asked("/containers/moved"), 1);
    let id = ContainerId::read(&"ff".repeat(32)).unwrap();
    for action in [Action::Start, Action::Remove { force: true }] {
        let led = world.containers.act(&id, action).await;
        let expected = matches!(&led, Err(ContainerError::Refused { status: 301, .. }));
        assert!(expected, "{led:?}");
    }
    assert_eq!(world.yard.asked("/containers/ff"), 2);
}

/// Time passes here as soon as everybody waits.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_daemon_that_hangs_waits_for_one_attempt_with_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("d.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let containers = Containers::new(Surroundings {
        host: Some(format!("unix://{}", socket.display())),
        ..Surroundings::default()
    });
    let mut attempts = Vec::new();
    let hangs = async {
        loop {
            attempts.push(listener.accept().await.unwrap());
        }
    };
    let asked = futures_util::future::join_all((0..5).map(|_| containers.info()));
    let answers = tokio::select! {
        never = hangs => never,
        answers = asked => answers,
    };
    for answer in answers {
        let is_told =
            matches!(&answer, Err(ContainerError::Unreachable { reason }) if reason.contains("hangs"));
        assert!(is_told, "{answer:?}");
    }
    assert_eq!(attempts.len(), 1);
}

#[test]
fn a_time_has_all_its_digits() {
    assert_eq!(time(7_000_000_001), "7.000000001");
    assert_eq!(time(0), "0.000000000");
}
