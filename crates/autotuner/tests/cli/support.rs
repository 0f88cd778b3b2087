//! A place of its own for each test, and the program started in it.
//!
//! The one idea: every process that a test starts, however indirectly, inherits an environment
//! that names the test's own temporary folder. So `/proc` tells exactly what is left behind.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

/// Far more than anything here takes; reached only when something is wrong.
const DEADLINE: Duration = Duration::from_secs(300);

/// Pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(20);

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_autotuner");

/// Waits until `look` finds something, asking again and again.
pub(crate) fn wait_for<Found>(what: &str, mut look: impl FnMut() -> Option<Found>) -> Found {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "waited too long for {what}");
        std::thread::sleep(PAUSE);
    }
}

/// A home, a data directory and a current directory for one test. Dropped, it ends what is
/// left of the test's processes, so that a failed test leaves nothing.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: TempDir,
    started: AtomicUsize,
}

/// A process whose environment names a sandbox.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: i32,
    pub(crate) command: String,
    pub(crate) environment: Vec<String>,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("autotuner-test-")
            .tempdir()
            .expect("a temporary folder");
        for name in ["home", "work"] {
            std::fs::create_dir(folder.path().join(name)).expect("made");
        }
        Self {
            folder,
            started: AtomicUsize::new(0),
        }
    }

    /// A path below the directory in which the program runs.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder
            .path()
            .join("home/.config/inference-autotuner/config.toml")
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the sandbox")).expect("made");
        std::fs::write(&path, text).expect("written");
        path
    }

    pub(crate) fn write_program(&self, name: &str, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.write(name, script);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("ours");
        path
    }

    /// Text with this sandbox's folder replaced by `SANDBOX`, and the program's by `PROGRAM`.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "SANDBOX")
            .replace(PROGRAM, "PROGRAM")
    }

    /// The program with nothing in its environment but what it needs.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let root = self.folder.path();
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments)
            .current_dir(root.join("work"))
            .env_clear()
            .env("PATH", search_path())
            .env("HOME", root.join("home"))
            .env("XDG_CONFIG_HOME", root.join("home/.config"))
            .env("XDG_DATA_HOME", root.join("home/.local/share"))
            .env("XDG_CACHE_HOME", root.join("home/.cache"))
            .env("XDG_STATE_HOME", root.join("home/.local/state"))
            .env("AUTOTUNER_DATA_DIR", self.data_dir())
            .env("AUTOTUNER_STOP_GRACE_SECONDS", "1")
            .stdin(Stdio::null());
        command
    }

    /// Starts the program and goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_command(self.command(arguments))
    }

    pub(crate) fn start_command(&self, mut command: Command) -> Running {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let stdout = self.folder.path().join(format!("stdout-{number}"));
        let stderr = self.folder.path().join(format!("stderr-{number}"));
        let child = command
            .stdout(File::create(&stdout).expect("a file for the output"))
            .stderr(File::create(&stderr).expect("a file for the talk"))
            .spawn()
            .expect("the program starts");
        Running {
            child,
            stdout,
            stderr,
        }
    }

    /// Starts the program and waits for its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        self.start(arguments).wait()
    }

    /// Runs a task; its results go to `results.json`.
    pub(crate) fn run_task(&self, task: &Value) -> Finished {
        self.start_task(task).wait()
    }

    /// Starts a task; its results go to `results.json`.
    pub(crate) fn start_task(&self, task: &Value) -> Running {
        self.write("task.json", &task.to_string());
        self.start(&["run", "task.json", "--output", "results.json"])
    }

    /// The results file, once there is one.
    pub(crate) fn try_results(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.path("results.json")).ok()?;
        Some(serde_json::from_str(&text).expect("a results file is always whole"))
    }

    pub(crate) fn results(&self) -> Value {
        self.try_results().expect("a results file")
    }

    /// Everything that runs in this sandbox.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let mark = self.folder.path().display().to_string();
        let entries = std::fs::read_dir("/proc").expect("there is /proc");
        entries
            .flatten()
            .filter_map(|entry| process(&entry.path()))
            .filter(|process| {
                process
                    .environment
                    .iter()
                    .any(|variable| variable.contains(&mark))
            })
            .collect()
    }

    /// The engines of runs: what carries a deployment's mark.
    pub(crate) fn engines(&self) -> Vec<Process> {
        let is_engine = |process: &Process| {
            let is_marked = |variable: &String| variable.starts_with("AUTOTUNER_INSTANCE=");
            process.environment.iter().any(is_marked)
        };
        self.processes().into_iter().filter(is_engine).collect()
    }

    pub(crate) fn assert_nothing_left(&self) {
        let left = self.processes();
        assert!(left.is_empty(), "left behind: {left:#?}");
        let instances: Vec<_> = std::fs::read_dir(self.data_dir().join("instances"))
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.path())
            .collect();
        assert!(instances.is_empty(), "records left behind: {instances:?}");
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for process in self.processes() {
            // One that has ended meanwhile is what is wanted.
            let _ = kill(Pid::from_raw(process.id), Signal::SIGKILL);
        }
    }
}

/// What `/proc` tells of a process; none of one that has ended or is another user's.
fn process(directory: &Path) -> Option<Process> {
    let id = directory.file_name()?.to_str()?.parse().ok()?;
    let parts = |name: &str| -> Option<Vec<String>> {
        let bytes = std::fs::read(directory.join(name)).ok()?;
        let parts = bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty());
        Some(
            parts
                .map(|part| String::from_utf8_lossy(part).into_owned())
                .collect(),
        )
    };
    Some(Process {
        id,
        command: parts("cmdline")?.join(" "),
        environment: parts("environ")?,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox's environment is empty but for where programs are"
)]
fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_default()
}

/// A program that runs. Dropped before its end, it is killed.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// How a program ended and what it printed.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    pub(crate) fn stdout(&self) -> String {
        read(&self.stdout)
    }

    pub(crate) fn stderr(&self) -> String {
        read(&self.stderr)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.id()).expect("process ids are small");
        kill(Pid::from_raw(id), signal).expect("it runs, or has not been waited for");
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_some()
    }

    /// Waits until `look` finds something. A program that ends before is a failed test.
    pub(crate) fn wait_for<Found>(
        &mut self,
        what: &str,
        mut look: impl FnMut(&Self) -> Option<Found>,
    ) -> Found {
        wait_for(what, || {
            let has_ended = self.has_ended();
            let found = look(self);
            assert!(
                found.is_some() || !has_ended,
                "ended before {what}: {}",
                self.stderr()
            );
            found
        })
    }

    pub(crate) fn wait(mut self) -> Finished {
        let status = wait_for("the program's end", || {
            self.child.try_wait().expect("a child of ours")
        });
        Finished {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// Checks the exit code, showing all that was printed where it is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Checks that the talk contains each of these.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {}", self.stderr);
        }
        self
    }
}

fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A task for the simulated engine that is over in a moment, with these parameters. The grid's
/// order is the parameters' own.
pub(crate) fn sim_task(parameters: &Value) -> Value {
    json!({
        "task_name": "sim-test",
        "deployment_mode": "local",
        "base_runtime": "sim",
        "model": {"id_or_path": "sim-model"},
        "parameters": parameters,
        "optimization": {
            "strategy": "grid_search",
            "objective": "maximize_throughput",
            "timeout_per_iteration": 120,
            "max_replicates": 0,
        },
        "benchmark": {
            "traffic_scenarios": ["D(8,4)"],
            "num_concurrency": [2],
            "max_requests_per_iteration": 8,
            "max_time_per_iteration": 20,
            "drain_seconds": 5,
        },
        "engine": {"args": ["--time-scale", "0.05", "--startup-seconds", "0"], "start_timeout": 60},
    })
}

/// The experiments of a results file.
#[track_caller]
pub(crate) fn experiments(results: &Value) -> &Vec<Value> {
    results["all_results"].as_array().expect("a list of results")
}
