//! `autotuner serve`: everything between the command line and a server that answers.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_store::Database;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Refusal, runtime, say};
use crate::api;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::fault;
use crate::service::Service;
use crate::service::access::Access;
use crate::service::data_dir::DataDir;
use crate::service::events::Hub;
use crate::service::log_files::LogFiles;
use crate::service::metrics::Metrics;
use crate::service::supervisor::{Board, Machine, Supervisor};
use crate::shutdown::Shutdown;
use crate::targets::gpu_pool;
use crate::worker::preflight::{Places, own_program};

/// How long what is being answered may take once the server is to end.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Keep tasks, run them, and answer the REST API
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner serve
  autotuner serve --port 0 --data-dir /srv/autotuner

Tasks that run when the server ends go on at its next start. The first SIGTERM or Ctrl-C stops the
load and tears engines down, the second hurries.
Exit codes: 0 it was ended, 2 it could not begin")]
pub(super) struct Arguments {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: String,
    /// Port to listen on; 0 for any that is free
    #[arg(long, default_value_t = 8000, value_name = "PORT")]
    port: u16,
    /// Ask nobody who they are
    #[arg(long)]
    no_auth: bool,
}

pub(super) fn run(arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if let Some(text) = &config.fault {
        fault::arm(text).map_err(Refusal::message)?;
    }
    let runtime = runtime()?;
    runtime.block_on(serve(arguments, config))?;
    // What still looks at a target or a file is nobody's concern any more.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: &Arguments, config: &Config) -> anyhow::Result<()> {
    let shutdown = Shutdown::listen(say).context("cannot listen for signals")?;
    let data = DataDir::open(&config.data_dir)?;
    let listener = listen(arguments).await?;
    let bound = listener.local_addr().context("cannot tell where we listen")?;
    let machine = Machine::open(config)?;
    let places = Places {
        model_dir: config.model_dir.clone(),
        current_dir: std::env::current_dir().context("cannot tell the current directory")?,
        own_program: own_program().context("cannot tell our own program's path")?,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let started_at_ms = clock.now_ms();
    let database = Database::open(&data.database(), started_at_ms).await?;
    // Whoever claimed a task before is dead: this directory is ours alone.
    database.forget_claims().await?;
    let service = Arc::new(Service {
        database: database.clone(),
        clock,
        config: config.clone(),
        events: Hub::default(),
        logs: LogFiles::new(&config.logs_dir()),
        access: Access::default(),
        gpus: gpu_pool(config),
        bell: Notify::new(),
        board: Board::default(),
        metrics: Metrics::default(),
        shutdown,
        started_at_ms,
    });
    let bench = Arc::new(LoadGenerator::new(LoadOptions::default()));
    let supervisor = Supervisor::new(Arc::clone(&service), Arc::new(machine), bench, places);
    let announced = data.announce(&url(bound), started_at_ms)?;
    say(&format!("listening on {}", url(bound)));
    let (answered, ()) = tokio::join!(answer(Arc::clone(&service), listener), supervisor.supervise());
    drop(announced);
    database.close().await;
    answered
}

async fn listen(arguments: &Arguments) -> anyhow::Result<TcpListener> {
    let Arguments { host, port, .. } = arguments;
    TcpListener::bind((host.as_str(), *port)).await.with_context(|| {
        format!("cannot listen on {host} port {port}; name another with --host or --port (0 for any)")
    })
}

/// Answers until the server is to end. One that breaks takes the server with it.
async fn answer(service: Arc<Service>, listener: TcpListener) -> anyhow::Result<()> {
    let end = service.shutdown.soft.clone();
    let (router, _) = api::routes().split_for_parts();
    let serving = axum::serve(listener, router.with_state(Arc::clone(&service)))
        .with_graceful_shutdown(end.clone().cancelled_owned());
    let last_answers = async {
        end.cancelled().await;
        drop(timeout(LAST_ANSWERS, std::future::pending::<()>()).await);
    };
    let answered = tokio::select! {
        answered = async { serving.await } => answered.context("cannot answer any more"),
        () = last_answers => Ok(()),
    };
    end.cancel();
    answered
}

fn url(bound: SocketAddr) -> String {
    format!("http://{bound}")
}
