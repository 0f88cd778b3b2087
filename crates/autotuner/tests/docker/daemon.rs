//! A daemon that goes away and comes back: what was disturbed is measured again.
//!
//! The daemon itself is everybody's, so it is left alone: runs speak to it through a socket of
//! the test's own, which can be cut.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::harbour::{Harbour, assert_nothing_left, sim_image, sim_task, task_log, wait_for_container};
use crate::support::{Running, experiments, wait_for};

const DAEMON: &str = "/var/run/docker.sock";

/// A way to the daemon that can be cut.
struct Cable {
    path: PathBuf,
    ends: Arc<Mutex<Vec<UnixStream>>>,
}

impl Cable {
    fn new(path: PathBuf) -> Self {
        let cable = Self {
            path,
            ends: Arc::default(),
        };
        cable.restore();
        cable
    }

    /// Listens where nobody did.
    fn restore(&self) {
        let listener = UnixListener::bind(&self.path).expect("a socket of our own");
        let ends = Arc::clone(&self.ends);
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
                pass(&near, &far);
                pass(&far, &near);
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

/// Copies one direction of a connection.
fn pass(from: &UnixStream, to: &UnixStream) {
    let mut from = from.try_clone().expect("a descriptor");
    let mut to = to.try_clone().expect("a descriptor");
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..length]).is_err() {
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
    std::thread::sleep(std::time::Duration::from_secs(2));
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
