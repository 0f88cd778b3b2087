//! A daemon that goes away and comes back: what was disturbed is measured again.
//!
//! The daemon itself is everybody's, so it is left alone: runs speak to it through a socket of
//! the test's own, which can be cut.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::Instant;

use crate::harbour::{Harbour, assert_nothing_left, sim_image, sim_task, task_log, wait_for_container};
use crate::support::{Finished, Running, experiments, wait_for};

const DAEMON: &str = "/var/run/docker.sock";

/// A way to the daemon that can be cut.
struct Cable {
    path: PathBuf,
    ends: Arc<Mutex<Vec<UnixStream>>>,
    silence: Arc<Silence>,
}

/// From when on nothing comes back: the daemon hangs, as its client sees it.
#[derive(Default)]
struct Silence {
    /// What a request has in it that the daemon still gets, and never answers.
    sign: Mutex<Option<&'static str>>,
    has_begun: AtomicBool,
}

impl Silence {
    /// Sees a part of a request.
    fn heed(&self, part: &[u8]) {
        let sign = *self.sign.lock().expect("nobody panics with it");
        let is_it = |sign: &str| part.windows(sign.len()).any(|words| words == sign.as_bytes());
        if sign.is_some_and(is_it) {
            self.has_begun.store(true, Ordering::SeqCst);
        }
    }
}

impl Cable {
    fn new(path: PathBuf) -> Self {
        let cable = Self {
            path,
            ends: Arc::default(),
            silence: Arc::default(),
        };
        cable.restore();
        cable
    }

    /// The daemon hangs from the next request on that has this in it.
    fn hang_at(&self, sign: &'static str) {
        *self.silence.sign.lock().expect("nobody panics with it") = Some(sign);
    }

    fn hangs(&self) -> bool {
        self.silence.has_begun.load(Ordering::SeqCst)
    }

    /// The daemon answers again.
    fn recover(&self) {
        *self.silence.sign.lock().expect("nobody panics with it") = None;
        self.silence.has_begun.store(false, Ordering::SeqCst);
    }

    /// Listens where nobody did.
    fn restore(&self) {
        let listener = UnixListener::bind(&self.path).expect("a socket of our own");
        let (ends, silence) = (Arc::clone(&self.ends), Arc::clone(&self.silence));
        std::thread::spawn(move || {
            // Ends with the process: a listener whose path is gone hears nothing more.
            while let Ok((near, _)) = listener.accept() {
                let Ok(far) = UnixStream::connect(DAEMON) else {
                    continue;
                };
                let mut ends = ends.lock().expect("nobody panics with it");
                for end in [&near, &far] {
                    ends.push(end.try_clone().expect("a descriptor"));
                }
                let (heeded, kept) = (Arc::clone(&silence), Arc::clone(&silence));
                pass(&near, &far, move |part| {
                    heeded.heed(part);
                    true
                });
                pass(&far, &near, move |_| !kept.has_begun.load(Ordering::SeqCst));
            }
        });
    }

    /// The daemon is gone, as its client sees it: open connections break, new ones are refused.
    fn cut(&self) {
        std::fs::remove_file(&self.path).expect("it is there");
        for end in self.ends.lock().expect("nobody panics with it").drain(..) {
            // One that has closed already is what is wanted.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

/// Copies what may pass of one direction of a connection.
fn pass(from: &UnixStream, to: &UnixStream, may_pass: impl Fn(&[u8]) -> bool + Send + 'static) {
    let mut from = from.try_clone().expect("a descriptor");
    let mut to = to.try_clone().expect("a descriptor");
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if may_pass(&buffer[..length]) && to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn start(harbour: &Harbour, socket: &Path, task: &serde_json::Value) -> Running {
    harbour.write("task.json", &task.to_string());
    let mut command = harbour.command(&["run", "task.json", "--output", "results.json"]);
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    harbour.start_command(command)
}

#[test]
fn what_is_measured_while_the_daemon_goes_is_measured_again() {
    let Some(image) = sim_image() else { return };
    let harbour = Harbour::new();
    let cable = Cable::new(harbour.path("docker.sock"));
    // Long enough to be cut in the middle.
    let mut task = sim_task(&image, &json!({"max-num-seqs": [8]}));
    task["engine"]["args"] = json!(["--time-scale", "1", "--startup-seconds", "0"]);
    task["benchmark"]["traffic_scenarios"] = json!(["D(64,32)"]);
    task["benchmark"]["max_requests_per_iteration"] = 12.into();
    let mut running = start(&harbour, &cable.path, &task);
    let container = wait_for_container(&harbour);
    running.wait_for("the benchmark", |_| {
        let log = first_log(&harbour)?;
        std::fs::read_to_string(log).ok()?.contains("ready").then_some(())
    });
    cable.cut();
    // Long enough to be noticed by whoever looks every quarter of a second.
    std::thread::sleep(Duration::from_secs(2));
    cable.restore();
    wait_for("another attempt", || {
        let next = crate::harbour::containers(&harbour, false).pop()?;
        (next != container).then_some(())
    });
    running.wait().expect(0);
    assert_nothing_left(&harbour);
    let results = harbour.results();
    let experiments = experiments(&results);
    assert_eq!(experiments[0]["failure_kind"], "infrastructure", "{results:#}");
    assert!(experiments[0]["objective_score"].is_null());
    assert_eq!(experiments.last().expect("some")["status"], "success");
    assert!(
        experiments.len() == 3,
        "nothing else was tried again: {results:#}"
    );
    assert!(task_log(&results).contains("========== End Container Logs"));
}

/// The engine log of the first experiment.
fn first_log(harbour: &Harbour) -> Option<PathBuf> {
    let runs = std::fs::read_dir(harbour.data_dir().join("logs")).ok()?;
    let run = runs.flatten().next()?.path();
    Some(run.join("experiment_1.log"))
}

/// What a run comes to that is cancelled, twice, while the daemon hangs; then what it left is
/// swept.
fn cancelled_at(sign: &'static str) -> Option<(Harbour, Finished)> {
    let image = sim_image()?;
    let harbour = Harbour::new();
    let cable = Cable::new(harbour.path("docker.sock"));
    cable.hang_at(sign);
    let mut running = start(
        &harbour,
        &cable.path,
        &sim_task(&image, &json!({"max-num-seqs": [8]})),
    );
    running.wait_for(sign, |_| cable.hangs().then_some(()));
    running.signal(Signal::SIGINT);
    // Two signals at once may be one.
    wait_for("the first to be heard", || {
        (running.has_ended() || running.stderr().contains("stopping")).then_some(())
    });
    if !running.has_ended() {
        running.signal(Signal::SIGINT);
    }
    // Far less than the daemon is given for what it is asked.
    let begun = Instant::now();
    wait_for("the end, or too long", || {
        (running.has_ended() || begun.elapsed() > Duration::from_secs(40)).then_some(())
    });
    assert!(running.has_ended(), "{sign}: {}", running.stderr());
    let finished = running.wait();
    cable.recover();
    let swept = harbour.run(&["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(swept["problems"], json!([]), "{sign}");
    assert_nothing_left(&harbour);
    Some((harbour, finished))
}

#[test]
fn a_run_is_cancelled_while_the_daemon_hangs_before_the_first_experiment() {
    for sign in [
        "/version",
        "/_ping",
        "/images/",
        "/containers/create",
        "/wait",
        "DELETE",
    ] {
        let Some((harbour, finished)) = cancelled_at(sign) else {
            return;
        };
        finished.expect(130).says(&["cancelled"]);
        let results = harbour.try_results();
        assert!(
            results.is_none_or(|results| results["status"] == "cancelled"),
            "{sign}"
        );
    }
}

#[test]
fn a_run_is_cancelled_while_the_daemon_hangs_in_an_experiment() {
    for sign in ["/containers/create?name=", "/archive", "follow=true", "/stop?t=1"] {
        let Some((harbour, finished)) = cancelled_at(sign) else {
            return;
        };
        finished.expect(130);
        assert_eq!(harbour.results()["status"], "cancelled", "{sign}");
    }
}
