//! One stream for everybody, with a daemon that says what a test wants.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::{advance, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::super::hub::{self, End};
use crate::containers::{ContainerError, ContainerId, Containers, Surroundings};

const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon of one container. Dropped, it is gone.
struct Stub {
    lines: broadcast::Sender<String>,
    told: Arc<Told>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Told {
    /// Streams that were ever asked for.
    streams: AtomicUsize,
    is_removed: std::sync::atomic::AtomicBool,
}

fn container() -> ContainerId {
    ContainerId::read(&"0f".repeat(32)).unwrap()
}

impl Stub {
    fn listen(socket: &Path) -> Self {
        let _ = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket).unwrap();
        let (lines, _) = broadcast::channel(64);
        let told = Arc::new(Told::default());
        let (sender, shared) = (lines.clone(), Arc::clone(&told));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(answer(client, sender.clone(), Arc::clone(&shared)));
            }
        });
        Self {
            lines,
            told,
            _task: AbortOnDropHandle::new(task),
        }
    }

    fn streams(&self) -> usize {
        self.told.streams.load(Ordering::SeqCst)
    }

    /// Says something to everybody who listens.
    fn say(&self, message: &Value) {
        let _ = self.lines.send(message.to_string());
    }

    /// Waits until somebody listens.
    async fn heard(&self, listeners: usize) {
        until("somebody listens", || self.lines.receiver_count() == listeners).await;
    }

    /// The container is gone.
    fn remove(&self) {
        self.told.is_removed.store(true, Ordering::SeqCst);
        self.say(&Value::Null);
    }
}

/// Answers one request. A stream ends with the word for nothing.
async fn answer(client: UnixStream, lines: broadcast::Sender<String>, told: Arc<Told>) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut first = String::new();
    client.read_line(&mut first).await?;
    let mut line = String::new();
    while client.read_line(&mut line).await? > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let head = |status: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")
    };
    let is_removed = told.is_removed.load(Ordering::SeqCst);
    let client = client.get_mut();
    if path.ends_with("/version") {
        client
            .write_all((head("200 OK") + "{\"ApiVersion\": \"1.41\"}").as_bytes())
            .await?;
    } else if path.ends_with("/info") {
        client
            .write_all((head("200 OK") + "{\"MemTotal\": 1000}").as_bytes())
            .await?;
    } else if is_removed || !path.contains(container().as_str()) {
        let body = "{\"message\": \"No such container: x\"}";
        client
            .write_all((head("404 Not Found") + body).as_bytes())
            .await?;
    } else if path.contains("/stats") {
        told.streams.fetch_add(1, Ordering::SeqCst);
        let mut lines = lines.subscribe();
        client.write_all(head("200 OK").as_bytes()).await?;
        while let Ok(line) = lines.recv().await {
            if line == "null" {
                break;
            }
            client.write_all((line + "\n").as_bytes()).await?;
        }
    } else {
        let body = json!({"Id": container().as_str(), "HostConfig": {"NetworkMode": "default"}});
        client
            .write_all((head("200 OK") + &body.to_string()).as_bytes())
            .await?;
    }
    client.shutdown().await
}

/// A second of the container's life.
fn message(second: u64, cpu_ns: u64) -> Value {
    json!({
        "read": jiff::Timestamp::from_second(1_700_000_000 + second.cast_signed()).unwrap().to_string(),
        "cpu_stats": {"cpu_usage": {"total_usage": cpu_ns}, "system_cpu_usage": second * 1000, "online_cpus": 1},
        "memory_stats": {"usage": 100, "limit": 500},
    })
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting)
        .await
        .unwrap_or_else(|_| panic!("never came true: {what}"));
}

struct Place {
    folder: tempfile::TempDir,
    containers: Containers,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let containers = Containers::new(Surroundings {
            host: Some(format!("unix://{}", folder.path().join("d.sock").display())),
            instances: folder.path().join("instances"),
            secrets: Vec::new(),
        });
        Self { folder, containers }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("d.sock")
    }
}

#[tokio::test]
async fn twenty_viewers_are_one_stream() {
    let place = Place::new();
    let daemon = Stub::listen(&place.socket());
    let mut watches: Vec<_> = (0..20)
        .map(|_| place.containers.watch_usage(&container()).unwrap())
        .collect();
    let asked = tokio::spawn({
        let containers = place.containers.clone();
        async move { containers.usage(&container()).await }
    });
    daemon.heard(1).await;
    daemon.say(&message(1, 0));
    daemon.say(&message(2, 250));
    for watch in &mut watches {
        let usage = timeout(PATIENCE, watch.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(usage.cpu_percent, Some(25.0));
        assert_eq!(usage.is_memory_limited, Some(true));
        assert_eq!(usage.network.as_deref(), Some("bridge"));
    }
    assert_eq!(asked.await.unwrap().unwrap().cpu_percent, Some(25.0));
    // What is there is told at once.
    let latest = place.containers.usage(&container()).await.unwrap();
    assert_eq!(latest.cpu_percent, Some(25.0));
    assert_eq!(daemon.streams(), 1);
    assert_eq!(place.containers.usage_history(&container()).unwrap().len(), 1);
}

#[tokio::test]
async fn a_restart_begins_anew() {
    let place = Place::new();
    let daemon = Stub::listen(&place.socket());
    let mut watch = place.containers.watch_usage(&container()).unwrap();
    daemon.heard(1).await;
    for (second, cpu_ns) in [(1, 5000), (2, 5500), (3, 100), (4, 200)] {
        daemon.say(&message(second, cpu_ns));
    }
    // Between the second and the third it was restarted.
    until("two figures", || {
        place.containers.usage_history(&container()).unwrap().len() == 2
    })
    .await;
    let history = place.containers.usage_history(&container()).unwrap();
    let percents: Vec<_> = history.iter().map(|usage| usage.cpu_percent).collect();
    assert_eq!(percents, [Some(50.0), Some(10.0)]);
    // Who is late hears of the last.
    let usage = watch.next().await.unwrap().unwrap();
    assert_eq!(usage.cpu_percent, Some(10.0));
}

#[tokio::test]
async fn a_removal_ends_the_watch_and_a_stream_s_end_does_not() {
    let place = Place::new();
    let daemon = Stub::listen(&place.socket());
    let mut watch = place.containers.watch_usage(&container()).unwrap();
    daemon.heard(1).await;
    daemon.say(&Value::Null);
    until("it is opened again", || daemon.streams() == 2).await;
    daemon.heard(1).await;
    daemon.say(&message(1, 0));
    daemon.say(&message(2, 1000));
    assert_eq!(watch.next().await.unwrap().unwrap().cpu_percent, Some(100.0));
    daemon.remove();
    assert_eq!(timeout(PATIENCE, watch.next()).await.unwrap(), None);
    assert_eq!(watch.next().await, None);
    let gone = place.containers.usage(&container()).await;
    assert!(matches!(gone, Err(ContainerError::NotFound { .. })), "{gone:?}");
}

#[tokio::test]
async fn a_daemon_that_goes_ends_the_watch_and_is_found_back() {
    let place = Place::new();
    let daemon = Stub::listen(&place.socket());
    let mut watch = place.containers.watch_usage(&container()).unwrap();
    daemon.heard(1).await;
    drop(daemon);
    std::fs::remove_file(place.socket()).unwrap();
    let end = timeout(PATIENCE, watch.next()).await.unwrap();
    assert!(
        matches!(end, Some(Err(ContainerError::Unreachable { .. }))),
        "{end:?}"
    );
    assert_eq!(watch.next().await, None);
    let away = place.containers.usage(&container()).await;
    assert!(
        matches!(away, Err(ContainerError::Unreachable { .. })),
        "{away:?}"
    );

    let daemon = Stub::listen(&place.socket());
    let asked = tokio::spawn({
        let containers = place.containers.clone();
        async move { containers.usage(&container()).await }
    });
    daemon.heard(1).await;
    daemon.say(&message(1, 0));
    daemon.say(&message(2, 500));
    assert_eq!(asked.await.unwrap().unwrap().cpu_percent, Some(50.0));
}

#[tokio::test]
async fn one_that_is_not_there_is_not_found() {
    let place = Place::new();
    let _daemon = Stub::listen(&place.socket());
    let other = ContainerId::read(&"1e".repeat(32)).unwrap();
    let found = place.containers.usage(&other).await;
    assert!(matches!(found, Err(ContainerError::NotFound { .. })), "{found:?}");
}

#[tokio::test]
async fn a_watch_does_not_outlive_the_containers() {
    let place = Place::new();
    let daemon = Stub::listen(&place.socket());
    let mut watch = place.containers.watch_usage(&container()).unwrap();
    daemon.heard(1).await;
    drop(place);
    assert_eq!(timeout(PATIENCE, watch.next()).await.unwrap(), None);
    // The daemon hears of it when it says something.
    until("nobody listens", || {
        daemon.say(&message(1, 0));
        daemon.lines.receiver_count() == 0
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_looked_at_for_long_without_being_asked_for() {
    let place = Place::new();
    let shared = &place.containers.shared;
    // Never awaited from here on, so that nothing else happens.
    let (watched, states) = hub::join(shared, &container()).unwrap();
    let is_wanted = || shared.stats.is_wanted(&container(), &watched);
    advance(Duration::from_secs(100)).await;
    assert!(is_wanted(), "somebody holds it");
    drop(states);
    assert!(!is_wanted(), "it was asked for long ago");
    assert_eq!(shared.stats.len(), 0);

    let (watched, states) = hub::join(shared, &container()).unwrap();
    drop(states);
    assert!(
        shared.stats.is_wanted(&container(), &watched),
        "it was asked for just now"
    );
    shared.stats.end(&container(), &watched, End::Removed);
    assert_eq!(shared.stats.len(), 0);
}

#[tokio::test]
async fn no_more_than_so_many_are_looked_at() {
    let place = Place::new();
    let numbered = |number: u32| ContainerId::read(&format!("{number:064x}")).unwrap();
    let held: Vec<_> = (0..256)
        .map(|number| place.containers.watch_usage(&numbered(number)).unwrap())
        .collect();
    let refused = place.containers.watch_usage(&numbered(256));
    assert!(matches!(refused, Err(ContainerError::Conflict { .. })));
    drop(held);
    assert!(place.containers.watch_usage(&numbered(256)).is_ok());
}
