//! A daemon that dies and is started again while its containers are looked at: one of the test's
//! own, which has a network of its own and touches nobody else's.

use std::io::BufRead as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use autotuner_deploy::containers::{
    Change, ContainerError, Containers, ImageReference, Item, Life, Line, LogStream, PullNews, Surroundings,
    Viewer,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::{StreamExt as _, TryStreamExt as _};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::image::engine_image;
use crate::logs::{Talker, everything, from_the_start, next, numbers};
use crate::support::PATIENCE;

/// Lines that the container prints, each half a millisecond after the one before.
const LINES: usize = 30_000;

/// A daemon below a folder of its own.
struct OwnDaemon {
    folder: TempDir,
    child: Child,
    options: Vec<&'static str>,
}

impl OwnDaemon {
    /// Starts it; nothing where this user may not, or there is no such program.
    async fn start(options: &[&'static str]) -> Option<Self> {
        crate::support::docker().await?;
        if std::fs::metadata("/proc/self").unwrap().uid() != 0
            || Command::new("dockerd").arg("--version").output().is_err()
        {
            eprintln!("NOT TESTED: a daemon of the test's own takes root and dockerd");
            return None;
        }
        let folder = tempfile::Builder::new()
            .prefix("autotuner-dockerd-")
            .tempdir()
            .unwrap();
        let child = spawn(&folder, options);
        let daemon = Self {
            folder,
            child,
            options: options.to_vec(),
        };
        daemon.answers().await;
        Some(daemon)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    fn client(&self) -> Option<Docker> {
        Docker::connect_with_unix(self.socket().to_str().unwrap(), 30, API_DEFAULT_VERSION).ok()
    }

    async fn docker(&self) -> Docker {
        self.client().unwrap().negotiate_version().await.unwrap()
    }

    async fn is_there(&self) -> bool {
        match self.client() {
            Some(client) => client.ping().await.is_ok(),
            None => false,
        }
    }

    fn containers(&self) -> Containers {
        Containers::new(Surroundings {
            host: Some(format!("unix://{}", self.socket().display())),
            ..Surroundings::default()
        })
    }

    async fn answers(&self) {
        let begun = Instant::now();
        while !self.is_there().await {
            assert!(
                begun.elapsed() < PATIENCE,
                "the daemon does not answer: {}",
                self.log()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Runs a command in the daemon's own network.
    fn beside(&self, command: &[&str]) -> Command {
        let mut beside = Command::new("nsenter");
        beside
            .arg(format!("--net=/proc/{}/ns/net", self.child.id()))
            .args(command);
        beside
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn start_again(&mut self) {
        // Of a killed daemon and its containerd, which dies with it: the next one believes them.
        for left in ["docker.pid", "exec/containerd/containerd.pid"] {
            let _ = std::fs::remove_file(self.folder.path().join(left));
        }
        self.child = spawn(&self.folder, &self.options);
        self.answers().await;
    }

    /// A container that prints numbers for a while.
    async fn talker(&self) -> Talker {
        let docker = self.docker().await;
        let image = engine_image(&docker).await;
        let talker = Talker::at(docker, &image, &[&format!("both:{LINES}:500")], false).await;
        talker.go().await;
        talker
    }
}

impl Drop for OwnDaemon {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let _ = kill(pid, Signal::SIGTERM);
        for _ in 0..150 {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What a killed one has left, known by the name of the folder.
        let pattern = self.folder.path().display().to_string();
        let _ = Command::new("pkill").args(["-KILL", "-f", &pattern]).status();
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let left = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let mut left: Vec<&str> = left.filter(|place| place.starts_with(&pattern)).collect();
        // What is mounted in another comes later.
        left.reverse();
        if !left.is_empty() {
            let _ = Command::new("umount").arg("--lazy").args(left).status();
        }
    }
}

fn spawn(folder: &TempDir, options: &[&str]) -> Child {
    let below = |name: &str| folder.path().join(name).display().to_string();
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(folder.path().join("log"))
        .unwrap();
    Command::new("unshare")
        .args([
            "--net",
            "dockerd",
            "--bridge",
            "none",
            "--iptables=false",
            "--ip6tables=false",
        ])
        .args(["--data-root", &below("data"), "--exec-root", &below("exec")])
        .args([
            "--pidfile",
            &below("docker.pid"),
            "--host",
            &format!("unix://{}", below("docker.sock")),
        ])
        .args(options)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// What a viewer was given.
#[derive(Default)]
struct Seen {
    lines: Vec<Line>,
    lives: Vec<Life>,
}

impl Seen {
    /// Reads on until this has come.
    async fn until(&mut self, viewer: &mut Viewer, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            let items = next(viewer).await.expect("the log goes on");
            for item in items {
                match item {
                    Item::Line(line) => self.lines.push(line),
                    Item::Life(life) => self.lives.push(life),
                    Item::Gap(why) => panic!("{why}"),
                }
            }
        }
    }

    fn has(&self, wanted: impl Fn(&Life) -> bool) -> bool {
        self.lives.iter().any(wanted)
    }
}

/// Checks that no line came twice or out of order.
#[track_caller]
fn assert_in_order(lines: &[Line]) {
    for stream in [LogStream::Output, LogStream::Errors] {
        let numbers = numbers(lines, stream);
        assert!(numbers.is_sorted_by(|one, next| one < next), "{stream:?}");
    }
}

#[tokio::test]
async fn a_daemon_that_dies_takes_its_container_with_it_and_nothing_that_it_has_is_lost() {
    let Some(mut daemon) = OwnDaemon::start(&[]).await else {
        return;
    };
    let talker = daemon.talker().await;
    let containers = daemon.containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    let mut seen = Seen::default();
    seen.until(&mut viewer, |seen| seen.lines.len() > 1_000).await;
    daemon.kill();
    seen.until(&mut viewer, |seen| {
        seen.has(|life| matches!(life, Life::DaemonAway { .. }))
    })
    .await;
    let refused = containers
        .find_in_log(&container, &everything())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.starts_with("Unable to connect to Docker daemon: "),
        "{refused}"
    );
    daemon.start_again().await;
    let back = Instant::now();
    seen.until(&mut viewer, |seen| seen.has(|life| *life == Life::DaemonBack))
        .await;
    println!(
        "the log goes on {} ms after the daemon answers",
        back.elapsed().as_millis()
    );
    seen.until(&mut viewer, |seen| {
        seen.has(|life| matches!(life, Life::Stopped { .. }))
    })
    .await;
    let stopped = Life::Stopped {
        exit_code: Some(137),
        out_of_memory: false,
    };
    assert_eq!(seen.lives.last(), Some(&stopped), "{:?}", seen.lives);
    let kept = containers
        .find_in_log(&container, &everything())
        .await
        .unwrap()
        .lines;
    assert_eq!(seen.lines.len(), kept.len());
    assert!(seen.lines == kept);
    assert_in_order(&seen.lines);
}

#[tokio::test]
async fn a_container_that_outlives_its_daemon_is_followed_to_its_end() {
    let Some(mut daemon) = OwnDaemon::start(&["--live-restore"]).await else {
        return;
    };
    let talker = daemon.talker().await;
    let containers = daemon.containers();
    let container = talker.seen_by(&containers).await;
    let mut viewer = containers.follow_log(&container, from_the_start()).await.unwrap();
    let mut seen = Seen::default();
    for round in 1..=2 {
        let wanted = seen.lines.len() + 1_000;
        seen.until(&mut viewer, |seen| seen.lines.len() > wanted).await;
        daemon.kill();
        let count = |seen: &Seen| {
            seen.lives
                .iter()
                .filter(|life| matches!(life, Life::DaemonAway { .. }))
                .count()
        };
        seen.until(&mut viewer, |seen| count(seen) == round).await;
        daemon.start_again().await;
        let back = Instant::now();
        let wanted = seen.lines.len() + 1;
        seen.until(&mut viewer, |seen| seen.lines.len() > wanted).await;
        println!(
            "lines come again {} ms after the daemon answers",
            back.elapsed().as_millis()
        );
    }
    seen.until(&mut viewer, |seen| {
        seen.has(|life| matches!(life, Life::Stopped { .. }))
    })
    .await;
    // A daemon that is killed may take with it what it had read and not written down: what it has is
    // what counts, to the line.
    let kept = containers.find_in_log(&container, &everything()).await.unwrap();
    println!(
        "the daemon has {} lines of {LINES}, followed were {}",
        kept.lines.len(),
        seen.lines.len()
    );
    assert!(seen.lines == kept.lines);
    assert_in_order(&seen.lines);
}

/// The next change of which this is true.
async fn change(changes: &mut broadcast::Receiver<Change>, wanted: impl Fn(&Change) -> bool) -> Change {
    let heard = async {
        loop {
            match changes.recv().await {
                Ok(change) if wanted(&change) => return change,
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => panic!("nobody tells of changes any more"),
            }
        }
    };
    timeout(PATIENCE, heard).await.expect("a change in time")
}

#[tokio::test]
async fn stats_and_events_end_with_the_daemon_and_come_again_with_it() {
    let Some(mut daemon) = OwnDaemon::start(&["--live-restore"]).await else {
        return;
    };
    let talker = daemon.talker().await;
    let containers = daemon.containers();
    let end = CancellationToken::new();
    let _guard = end.clone().drop_guard();
    let (watching, mut changes) = (containers.clone(), containers.changes());
    let _watch = AbortOnDropHandle::new(tokio::spawn(async move { watching.watch(end).await }));
    crate::support::until("the events are listened to", async || containers.is_watched()).await;
    let container = talker.seen_by(&containers).await;
    let mut usage = containers.watch_usage(&container.id).unwrap();
    let first = timeout(PATIENCE, usage.next()).await.unwrap().unwrap();
    assert!(first.is_ok(), "{first:?}");
    daemon.kill();
    let away = change(&mut changes, |change| matches!(change, Change::Away { .. })).await;
    let Change::Away { reason } = &away else {
        unreachable!()
    };
    assert!(!reason.is_empty());
    let broken = async {
        loop {
            if let Some(Err(error)) = usage.next().await {
                return error;
            }
        }
    };
    let broken = timeout(PATIENCE, broken).await.unwrap();
    assert!(matches!(broken, ContainerError::Unreachable { .. }), "{broken:?}");
    daemon.start_again().await;
    let back = Instant::now();
    change(&mut changes, |change| *change == Change::Back).await;
    println!(
        "events come again {} ms after the daemon answers",
        back.elapsed().as_millis()
    );
    let again = timeout(PATIENCE, containers.usage(&container.id)).await.unwrap();
    assert!(again.is_ok(), "{again:?}");
    println!("stats come again {} ms after it", back.elapsed().as_millis());
    // What happens now is heard, and what a list says is of now.
    talker.docker.stop_container(&talker.name, None).await.unwrap();
    let is_its_end = |change: &Change| matches!(change, Change::Container(told) if told.id == container.id && told.action == "die");
    change(&mut changes, is_its_end).await;
    let listed = containers.list(true).await.unwrap();
    let listed = listed.iter().find(|listed| listed.id == container.id).unwrap();
    assert_eq!(listed.state, "exited");
}

#[tokio::test]
async fn a_log_that_is_given_away_breaks_off_with_the_daemon_and_is_whole_afterwards() {
    let Some(mut daemon) = OwnDaemon::start(&[]).await else {
        return;
    };
    let docker = daemon.docker().await;
    let image = engine_image(&docker).await;
    let talker = Talker::at(docker, &image, &["flood:100000"], false).await;
    talker.go().await;
    talker.ended().await;
    let containers = daemon.containers();
    let container = talker.seen_by(&containers).await;
    let whole = containers
        .whole_log(&container, &everything(), false)
        .await
        .unwrap();
    let mut whole = std::pin::pin!(whole);
    whole.next().await.unwrap().unwrap();
    daemon.kill();
    let rest = timeout(PATIENCE, whole.try_collect::<Vec<_>>()).await.unwrap();
    let broken = rest.unwrap_err().to_string();
    assert!(
        broken.starts_with("Unable to connect to Docker daemon: "),
        "{broken}"
    );
    daemon.start_again().await;
    // The first to ask finds a connection that is new.
    let whole = containers
        .whole_log(&container, &everything(), false)
        .await
        .unwrap();
    let whole: Vec<_> = whole.try_collect().await.unwrap();
    let lines = whole.concat().iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, 100_000);
}

/// Takes connections and never answers; says so when there is one. The network that it is in is new,
/// so its loopback has to be switched on first.
const SILENT_REGISTRY: &str = "
import fcntl, socket, struct
SET_FLAGS, UP = 0x8914, 1
fcntl.ioctl(socket.socket(), SET_FLAGS, struct.pack('16sh14x', b'lo', UP))
server = socket.create_server(('127.0.0.1', 5000))
print('listening', flush=True)
asked = [server.accept()]
print('asked', flush=True)
while True:
    asked.append(server.accept())
";

#[tokio::test]
async fn an_image_that_is_fetched_when_the_daemon_dies_is_told_as_lost_and_can_be_fetched_again() {
    let Some(mut daemon) = OwnDaemon::start(&[]).await else {
        return;
    };
    let mut registry = daemon
        .beside(&["python3", "-c", SILENT_REGISTRY])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = std::io::BufReader::new(registry.stdout.take().unwrap()).lines();
    assert_eq!(told.next().unwrap().unwrap(), "listening");
    let containers = daemon.containers();
    let reference = "127.0.0.1:5000/never/comes:1".parse::<ImageReference>().unwrap();
    let mut pull = containers.pull_image(&reference).await.unwrap();
    let pulling = AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            match pull.next().await {
                Some(Ok(PullNews::Progress(_))) => {}
                end => return end,
            }
        }
    }));
    let asked = tokio::task::spawn_blocking(move || told.next().unwrap().unwrap());
    assert_eq!(timeout(PATIENCE, asked).await.unwrap().unwrap(), "asked");
    daemon.kill();
    let end = timeout(PATIENCE, pulling).await.unwrap().unwrap();
    registry.kill().unwrap();
    registry.wait().unwrap();
    let error = end.unwrap().unwrap_err();
    assert!(matches!(error, ContainerError::Unreachable { .. }), "{error:?}");
    daemon.start_again().await;
    // The daemon has a network without a registry now, and says so itself.
    let mut again = containers.pull_image(&reference).await.unwrap();
    let error = timeout(PATIENCE, async {
        loop {
            match again.next().await {
                Some(Ok(PullNews::Progress(_))) => {}
                end => return end,
            }
        }
    });
    let error = error.await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, ContainerError::Refused { .. }), "{error:?}");
}
