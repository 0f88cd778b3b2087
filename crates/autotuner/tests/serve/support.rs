//! A server in a sandbox, tasks for it, and a look into its database.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::experiment::Experiment;
use autotuner_core::ids::TaskId;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_store::{Act, Database, NewTask, Page, Role, TaskRecord};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harbour::Harbour;
use crate::sandbox::Running;
pub(crate) use crate::sandbox::{Sandbox, sim_task, wait_for};
use crate::schema::Schema;

/// How long a worker on a shared database has a task without saying that it is alive.
pub(crate) const LEASE: Duration = Duration::from_secs(4);

/// A sandbox in which a server runs, one after another.
pub(crate) struct Home {
    pub(crate) sandbox: Harbour,
    runtime: tokio::runtime::Runtime,
    /// Where the database is, if it is no file of the sandbox.
    schema: Option<Arc<Schema>>,
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) id: u32,
}

/// What of an experiment must never change once it has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finished {
    pub(crate) parameters: String,
    pub(crate) score: Option<f64>,
    pub(crate) failure: Option<&'static str>,
    pub(crate) ended_at_ms: Option<i64>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::in_sandbox(Harbour::new())
    }

    pub(crate) fn in_sandbox(sandbox: Harbour) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Self {
            sandbox,
            runtime,
            schema: None,
        }
    }

    /// One whose database is on the server for tests; `None` where there is none.
    pub(crate) fn on_postgres() -> Option<Self> {
        let home = Self::new();
        let schema = home.runtime.block_on(Schema::new())?;
        Some(Self {
            schema: Some(Arc::new(schema)),
            ..home
        })
    }

    /// Another machine, as far as its files go, on the same database.
    pub(crate) fn beside(&self) -> Self {
        Self {
            schema: self.schema.clone(),
            ..Self::new()
        }
    }

    /// Where its database is, if that is on a server.
    pub(crate) fn url(&self) -> &str {
        &self.schema.as_ref().expect("it is on a server").url
    }

    /// The command of a worker without a server.
    pub(crate) fn worker(&self) -> Command {
        let mut command = self.on_database(self.sandbox.command(&["worker"]));
        command.env("AUTOTUNER_MAX_TASKS", "3");
        command
    }

    pub(crate) fn on_database(&self, mut command: Command) -> Command {
        // Processors of the machine under test are no subject of these tests.
        command.env("AUTOTUNER_CPU_SLOTS", "4");
        command.env("AUTOTUNER_TOKEN", "none-of-an-engines-business");
        if let Some(schema) = &self.schema {
            command.env("AUTOTUNER_DATABASE", &schema.url);
            command.env("AUTOTUNER_LEASE_SECONDS", LEASE.as_secs().to_string());
        }
        command
    }

    /// The command of a server, for one who wants to change its environment.
    pub(crate) fn command(&self) -> Command {
        self.on_database(self.sandbox.command(&["serve", "--port", "0", "--no-auth"]))
    }

    /// Starts a server and waits until it says where it answers.
    pub(crate) fn serve(&self) -> Server {
        self.start_serving(self.command())
    }

    pub(crate) fn start_serving(&self, command: Command) -> Server {
        let mut server = self.start(command);
        server.running.wait_for("the address", |running| {
            running.stderr().contains("listening on").then_some(())
        });
        server
    }

    /// Starts a server that kills itself at a fault point.
    pub(crate) fn serve_with(&self, fault: &str) -> Server {
        let mut command = self.command();
        command.env("AUTOTUNER_FAULT", fault);
        self.start(command)
    }

    pub(crate) fn start(&self, command: Command) -> Server {
        let running = self.sandbox.start_command(command);
        let id = running.id();
        Server { running, id }
    }

    /// What an experiment's engine has printed.
    pub(crate) fn log(&self, task: TaskId, number: u32) -> String {
        let name = format!("logs/task_{task}_run_1_exp_{number}.log");
        let bytes = std::fs::read(self.sandbox.data_dir().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Where the records of an experiment's requests are.
    pub(crate) fn requests(&self, task: TaskId, number: u32) -> PathBuf {
        let name = format!("logs/task_{task}_run_1_exp_{number}_requests.jsonl.zst");
        self.sandbox.data_dir().join(name)
    }

    fn database_file(&self) -> PathBuf {
        self.sandbox.data_dir().join("autotuner.db")
    }

    /// Does something with the database, beside whoever else has it open.
    pub(crate) fn with_database<T>(&self, act: impl AsyncFnOnce(&Database) -> T) -> T {
        self.runtime.block_on(async {
            let opened = match &self.schema {
                Some(schema) => Database::connect(&schema.url).await,
                None => Database::open(&self.database_file(), 0).await,
            };
            let database = opened.expect("the database opens");
            let done = act(&database).await;
            database.close().await;
            done
        })
    }

    /// Puts a task on record, and starts it.
    pub(crate) fn create(&self, document: &Value) -> TaskId {
        self.with_database(async |database| {
            let created = database.create_task(&act(), new_task(document)).await;
            let id = created.expect("a new task").summary.id;
            database.start_task(&act(), id).await.expect("it is pending");
            id
        })
    }

    pub(crate) fn task(&self, id: TaskId) -> TaskRecord {
        self.with_database(async |database| database.task(id).await.expect("it is there"))
    }

    /// Every experiment of the task's current run.
    pub(crate) fn experiments(&self, id: TaskId) -> Vec<Experiment> {
        let page = Page { skip: 0, limit: 1000 };
        self.with_database(async |database| {
            let listed = database.experiments_of(id, None, page).await;
            let rows = listed.expect("readable").rows;
            rows.into_iter().map(|row| row.experiment).collect()
        })
    }

    /// Every experiment of the current runs of some tasks, and whether all of them have ended.
    pub(crate) fn all_experiments(&self, tasks: &[TaskId]) -> (Vec<(TaskId, Experiment)>, bool) {
        let page = Page { skip: 0, limit: 1000 };
        self.with_database(async |database| {
            let (mut all, mut has_ended) = (Vec::new(), true);
            for task in tasks {
                let record = database.task(*task).await.expect("it is there");
                has_ended &= record.summary.status.is_ended();
                let listed = database.experiments_of(*task, None, page).await;
                let rows = listed.expect("readable").rows;
                all.extend(rows.into_iter().map(|row| (*task, row.experiment)));
            }
            (all, has_ended)
        })
    }

    /// What has ended so far, by number.
    pub(crate) fn finished(&self, id: TaskId) -> BTreeMap<u32, Finished> {
        let experiments = self.experiments(id);
        let ended = experiments.iter().filter(|one| one.status.is_ended());
        ended.map(|one| (one.number.0, finished(one))).collect()
    }

    /// Waits until the task has ended, while this server runs.
    pub(crate) fn wait_for_end(&self, server: &mut Server, id: TaskId) -> TaskStatus {
        server.running.wait_for("the task's end", |_| {
            let status = self.task(id).summary.status;
            status.is_ended().then_some(status)
        })
    }

    /// Asks for the end of a server, and sees that it ends as it should.
    pub(crate) fn end(&self, server: Server) {
        server.running.signal(Signal::SIGTERM);
        server.running.wait().expect(0);
        self.sandbox.assert_nothing_left();
    }

    /// How long anything of this dead server is still there: an engine, or its record.
    pub(crate) fn orphans_gone_after(&self, server: u32) -> Duration {
        let begun = Instant::now();
        let name = format!("serve-{server}-");
        let mark = format!("AUTOTUNER_INSTANCE={name}");
        let instances = self.sandbox.data_dir().join("instances");
        wait_for("the end of what a dead server left", || {
            let is_its = |variable: &String| variable.starts_with(&mark);
            let engines = self.sandbox.engines();
            let mut records = std::fs::read_dir(&instances).into_iter().flatten().flatten();
            let has_record = records.any(|entry| entry.file_name().to_string_lossy().starts_with(&name));
            let has_engine = engines.iter().any(|engine| engine.environment.iter().any(is_its));
            (!has_engine && !has_record).then_some(())
        });
        begun.elapsed()
    }
}

impl Server {
    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        let said = self.running.stderr();
        let (_, rest) = said.split_once("listening on ").expect("it says where");
        rest.lines().next().expect("a line").to_owned()
    }

    pub(crate) fn port(&self) -> u16 {
        let url = self.url();
        let (_, port) = url.rsplit_once(':').expect("a port");
        port.parse().expect("a number")
    }

    /// What it answers to a GET that goes well.
    pub(crate) fn get(&self, path: &str) -> Value {
        let mut answer = ureq::get(self.url() + path).call().expect("it answers");
        answer.body_mut().read_json().expect("JSON")
    }

    /// What it answers to a POST without a body.
    ///
    /// # Errors
    /// Anything but a success.
    pub(crate) fn post(&self, path: &str) -> Result<Value, ureq::Error> {
        let mut answer = ureq::post(self.url() + path).send_empty()?;
        answer.body_mut().read_json()
    }

    /// Waits until it has killed itself, and says which process it was.
    pub(crate) fn wait_for_death(self) -> u32 {
        let finished = self.running.wait();
        assert_eq!(finished.signal, Some(Signal::SIGKILL as i32), "{finished:#?}");
        self.id
    }

    pub(crate) fn kill(self) -> u32 {
        self.running.signal(Signal::SIGKILL);
        self.wait_for_death()
    }
}

/// A figure for whoever reads the tests' output.
#[expect(clippy::print_stdout, reason = "the figures are what these tests are for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

pub(crate) fn act() -> Act {
    Act {
        actor: "test".into(),
        role: Role::Admin,
        address: None,
        at_ms: 1,
    }
}

fn new_task(document: &Value) -> NewTask {
    let text = |name: &str| document[name].as_str().expect("a text").to_owned();
    NewTask {
        name: text("task_name"),
        description: None,
        base_runtime: text("base_runtime"),
        deployment_mode: text("deployment_mode"),
        document: document.clone(),
        slo: None,
        max_iterations: 100,
    }
}

pub(crate) fn finished(experiment: &Experiment) -> Finished {
    Finished {
        parameters: experiment.candidate.to_string(),
        score: experiment.score().map(|score| score.objective_value()),
        failure: experiment.failure().map(|failure| failure.kind.as_str()),
        ended_at_ms: experiment.ended_at_ms,
    }
}

/// A task for the simulated engine whose configurations differ in speed, and in nothing else:
/// the lower the scale, the faster.
pub(crate) fn task_of_scales(scales: &[f64]) -> Value {
    json!({
        "task_name": "killed",
        "deployment_mode": "local",
        "base_runtime": "sim",
        "model": {"id_or_path": "sim-model"},
        "parameters": {"time-scale": scales},
        "optimization": {
            "strategy": "grid_search",
            "objective": "maximize_throughput",
            "timeout_per_iteration": 120,
            "max_iterations": 100,
            "max_replicates": 0,
        },
        "benchmark": {
            "traffic_scenarios": ["D(8,4)"],
            "num_concurrency": [2],
            "max_requests_per_iteration": 8,
            "max_time_per_iteration": 20,
            "drain_seconds": 5,
        },
        "engine": {"args": ["--time-scale", "3", "--startup-seconds", "0"], "start_timeout": 60},
    })
}

/// The parameters of the best experiment.
pub(crate) fn best(experiments: &[Experiment]) -> String {
    let scored = experiments.iter().filter(|one| one.score().is_some());
    let best = scored.max_by(|one, other| one.score().cmp(&other.score()));
    best.map(|best| best.candidate.to_string()).unwrap_or_default()
}
