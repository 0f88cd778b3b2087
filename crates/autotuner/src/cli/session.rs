//! One run of one task from the terminal: everything between a checked task and an exit code.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use autotuner_core::experiment::Experiment;
use autotuner_core::lifecycle::TaskStatus;
use autotuner_core::spec::TaskSpec;
use autotuner_core::task::Task;
use autotuner_core::verdict::verdict;
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_store::{MemoryStore, Store};
use serde_json::Value;

use tracing::Instrument as _;

use super::output::{check_writable, file_name, keep_earlier, results_path};
use super::progress::Shown;
use super::targets::{Target, clear_orphans};
use super::{CANCELLED, NOTHING, Refusal, WRONG, print, runtime, say};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::datasets::Library;
use crate::host::Host;
use crate::report::command;
use crate::report::files::is_device;
use crate::report::package::Containers;
use crate::report::results::{RunFacts, TaskFacts, document, write};
use crate::report::{claims, pareto, table};
use crate::shutdown::Shutdown;
use crate::targets::gpu_pool;
use crate::worker::logs::TaskLogs;
use crate::worker::preflight::{Places, Prepared, alike, own_program, prepare, unheeded};
use crate::worker::site::Ground;
use crate::worker::slots::CpuSlots;
use crate::worker::stop::RunStop;
use crate::worker::{Event, GPU_PATIENCE, Reporter, Stuck, Worker, run_task};

/// A run to be made.
pub(super) struct Session {
    /// Whose task it is, for error texts.
    pub(super) of: String,
    /// The task.
    pub(super) task: Task,
    /// The task as it was written.
    pub(super) document: Value,
    /// Where the results go.
    pub(super) output: PathBuf,
    /// Whether the results go to standard output as JSON, too.
    pub(super) is_json: bool,
    /// Whether progress is left out.
    pub(super) is_quiet: bool,
}

/// How a run tells of itself.
#[derive(Debug, clap::Args)]
pub(super) struct Telling {
    /// Print the results as JSON on standard output instead of the table
    #[arg(long)]
    pub(super) json: bool,
    /// Where to write the results [default: results/<task_name>_results.json]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// No progress, only warnings and the result
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Telling {
    /// The run of a task that is told so.
    pub(super) fn session(&self, of: String, spec: &TaskSpec, task: Task) -> Session {
        let output = self.output.clone().unwrap_or_else(|| results_path(&task.name));
        Session {
            of,
            task,
            document: spec.to_value(),
            output,
            is_json: self.json,
            is_quiet: self.quiet,
        }
    }
}

pub(super) fn run(session: Session, config: &Config) -> Result<ExitCode, Refusal> {
    runtime()?.block_on(run_session(session, config))
}

async fn run_session(session: Session, config: &Config) -> Result<ExitCode, Refusal> {
    check_writable(&session.output)?;
    let shutdown = Shutdown::listen(say).map_err(context("cannot listen for signals"))?;
    clear_orphans(config, &shutdown).await?;
    let target = tokio::select! {
        biased;
        () = shutdown.soft.cancelled() => return Err(Refusal::Cancelled),
        target = Target::reach(config, &session, &shutdown) => target?,
    };
    let ground = target.ground.clone();
    let hard = shutdown.hard.clone();
    let code = run_on(session, config, ground, shutdown).await;
    target.leave(&hard).await;
    code
}

async fn run_on(
    session: Session,
    config: &Config,
    ground: Ground,
    shutdown: Shutdown,
) -> Result<ExitCode, Refusal> {
    let current_dir = std::env::current_dir().map_err(context("cannot tell the current directory"))?;
    let places = Places {
        model_dir: config.model_dir.clone(),
        library: Library::of_this_user(&config.data_dir, &current_dir),
        current_dir,
        own_program: own_program().map_err(context("cannot tell our own program's path"))?,
    };
    let Session { of, task, output, .. } = &session;
    let shown = Arc::new(Shown::new(task.search.max_iterations, session.is_quiet));
    let prepared = prepare(
        task.clone(),
        &places,
        &ground,
        &gpu_pool(config),
        shown.as_ref(),
        &shutdown.soft,
    )
    .await;
    let prepared = prepared.map_err(|problems| match shutdown.soft.is_cancelled() {
        // What was given up is nobody's mistake.
        true => Refusal::Cancelled,
        false => Refusal::Problems {
            of: of.clone(),
            problems,
        },
    })?;
    for note in [unheeded(task), alike(&prepared)].into_iter().flatten() {
        shown.insist(&format!("note: {note}"));
    }
    keep_earlier(output)?;
    let (worker, recorder) = staff(prepared, &session, config, ground, shutdown, &shown).await?;
    let span = tracing::info_span!("task", task.name = worker.task.name);
    let finish = run_task(Arc::clone(&worker))
        .instrument(span)
        .await
        .map_err(anyhow::Error::from)?;
    shown.clear();
    let experiments = worker
        .store
        .history(worker.task_id)
        .await
        .map_err(anyhow::Error::from)?;
    let status = worker
        .store
        .task_status(worker.task_id)
        .await
        .map_err(anyhow::Error::from)?;
    let because = finish.to_string();
    let results = recorder.document(status, Some(because.clone()), &experiments);
    let written = write(output, &results);
    if session.is_json {
        print(&format!("{results:#}"));
    } else {
        let containers = Containers {
            shm_bytes: config.container_shm,
            hub_cache: config.hub_cache.clone(),
        };
        tell(&worker, &containers, &experiments, &because);
    }
    match written {
        Ok(()) if session.is_json => {}
        Ok(()) => say(&format!("results: {}", output.display())),
        // What was measured has been told; only the file is missing.
        Err(error) => {
            say(&format!(
                "error: cannot write the results to {}: {error}",
                output.display()
            ));
            return Ok(ExitCode::from(NOTHING));
        }
    }
    Ok(exit_code(status))
}

/// The worker of a prepared task, and who keeps its results.
async fn staff(
    prepared: Prepared,
    session: &Session,
    config: &Config,
    ground: Ground,
    shutdown: Shutdown,
    shown: &Arc<Shown>,
) -> Result<(Arc<Worker>, Arc<Recorder>), Refusal> {
    let Prepared {
        task,
        engine,
        strategy,
        facts,
    } = prepared;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let started_at_ms = clock.now_ms();
    let logs = open_logs(config, &task, &clock)?;
    let version = facts.version.as_deref().unwrap_or("version unknown");
    shown.line(&format!(
        "{} ({version}), logs in {}",
        task.engine.as_str(),
        logs.directory().display()
    ));
    let store = MemoryStore::new();
    let task_id = store.begin_task(&task.name).map_err(anyhow::Error::from)?;
    let store: Arc<dyn Store> = Arc::new(store);
    let recorder = Arc::new(Recorder {
        shown: Arc::clone(shown),
        output: session.output.clone(),
        task: task.clone(),
        host: Host::inspect(&config.gpus),
        engine_version: facts.version.clone(),
        logs: logs.directory().to_owned(),
        started_at_ms,
        clock: Arc::clone(&clock),
        ended: Mutex::default(),
    });
    let worker = Worker {
        task,
        task_id,
        engine,
        strategy,
        ground,
        document: session.document.clone(),
        bench: Arc::new(LoadGenerator::new(LoadOptions::default())),
        store,
        clock,
        reporter: Arc::clone(&recorder) as Arc<dyn Reporter>,
        logs,
        facts,
        stop_grace: config.stop_grace,
        stop: RunStop::on(shutdown),
        stuck: Stuck::default(),
        gpus: gpu_pool(config),
        gpu_patience: GPU_PATIENCE,
        slots: CpuSlots::of_machine(config.cpu_slots),
        gpu_model: OnceLock::new(),
        image: OnceLock::new(),
        earlier: tokio::sync::OnceCell::new(),
    };
    Ok((Arc::new(worker), recorder))
}

pub(super) fn context<E: std::error::Error + Send + Sync + 'static>(
    text: &'static str,
) -> impl Fn(E) -> Refusal {
    move |error| Refusal::Error(anyhow::Error::new(error).context(text))
}

fn open_logs(config: &Config, task: &Task, clock: &Arc<dyn Clock>) -> Result<TaskLogs, Refusal> {
    let stamp = crate::clock::log_stamp(clock.now_ms()).replace([' ', ':'], "-");
    let name = format!("{}_{stamp}_{}", file_name(&task.name), std::process::id());
    let logs = TaskLogs::open(config.logs_dir().join(name), Arc::clone(clock))
        .map_err(context("cannot open the task log"))?;
    logs.line("INFO", &format!("Task {} begins", task.name));
    Ok(logs)
}

fn tell(worker: &Worker, containers: &Containers, experiments: &[Experiment], because: &str) {
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    let width = if is_terminal { None } else { Some(160) };
    print(&table::table(&worker.task, experiments, width));
    let verdict = verdict(experiments);
    print(&claims::sentence(&verdict));
    if let Some(lines) = pareto::lines(&worker.task, experiments) {
        print(&lines);
    }
    let best = verdict
        .best
        .and_then(|best| experiments.iter().find(|each| each.number == best.number));
    if let Some(best) = best
        && let (Some(launch), Ok(plan)) = (&best.launch, worker.plan(&best.candidate))
    {
        print(&format!(
            "Best command: {}",
            command::line(launch, &plan, containers)
        ));
    }
    say(&format!("ended because {because}"));
}

fn exit_code(status: TaskStatus) -> ExitCode {
    match status {
        TaskStatus::Completed => ExitCode::SUCCESS,
        TaskStatus::Cancelled => ExitCode::from(CANCELLED),
        TaskStatus::Failed => ExitCode::from(NOTHING),
        TaskStatus::Pending | TaskStatus::Running => ExitCode::from(WRONG),
    }
}

/// Shows what happens, and writes the results after every experiment, so that a run that is
/// killed loses nothing it has finished.
struct Recorder {
    shown: Arc<Shown>,
    output: PathBuf,
    task: Task,
    host: Host,
    engine_version: Option<String>,
    logs: PathBuf,
    started_at_ms: i64,
    clock: Arc<dyn Clock>,
    ended: Mutex<Vec<Experiment>>,
}

impl Recorder {
    fn document(
        &self,
        status: TaskStatus,
        ended_because: Option<String>,
        experiments: &[Experiment],
    ) -> Value {
        let facts = RunFacts {
            task: TaskFacts::from(&self.task),
            status,
            ended_because,
            host: Some(&self.host),
            engine_version: self.engine_version.as_deref(),
            logs: &self.logs,
            log_file: &|number| self.logs.join(format!("experiment_{number}.log")),
            started_at_ms: self.started_at_ms,
            ended_at_ms: self.clock.now_ms(),
        };
        document(&facts, experiments)
    }
}

impl Reporter for Recorder {
    fn report(&self, event: Event<'_>) {
        if let Event::Ended { experiment } = &event {
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.push((*experiment).clone());
            ended.sort_by_key(|experiment| experiment.number);
            let document = self.document(TaskStatus::Running, None, &ended);
            // What is written to a device stays: it gets the whole results, once.
            if !is_device(&self.output)
                && let Err(error) = write(&self.output, &document)
            {
                let message = format!("cannot write the results to {}: {error}", self.output.display());
                self.shown.report(Event::Warned { message: &message });
            }
        }
        self.shown.report(event);
    }
}
