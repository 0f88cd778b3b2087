//! `autotuner worker`: runs the tasks of a database that several machines share.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use autotuner_load::generator::{LoadGenerator, LoadOptions};

use super::{Refusal, runtime, say};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::fault;
use crate::service::access::Access;
use crate::service::data_dir::DataDir;
use crate::service::supervisor::{Machine, Supervisor};
use crate::service::{Service, database, relay};
use crate::shutdown::Shutdown;
use crate::worker::preflight::Places;

/// Run tasks of a database that several machines share
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  AUTOTUNER_DATABASE=postgres://tuner:secret@db.example/tuner autotuner worker
  autotuner worker --database postgres://tuner@db.example/tuner --data-dir /srv/autotuner

Any number of workers may share a database, each with a data directory of its own, beside one or more
`autotuner serve`. Each takes on up to max_tasks tasks, oldest first, with the GPUs and engines of its
machine. A task whose worker has died goes on with another after a minute. The first SIGTERM or
Ctrl-C stops the load and tears engines down, the second hurries.
Exit codes: 0 it was ended, 2 it could not begin")]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: &Arguments, config: &Config) -> Result<ExitCode, Refusal> {
    if config.database.is_none() {
        return Err(Refusal::message(
            "a worker needs a database that others share: name it with --database or in \
             AUTOTUNER_DATABASE; on one machine, autotuner serve runs tasks itself",
        ));
    }
    if let Some(text) = &config.fault {
        fault::arm(text).map_err(Refusal::message)?;
    }
    let runtime = runtime()?;
    runtime.block_on(work(config))?;
    // What still looks at a target or a file is nobody's concern any more.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}

async fn work(config: &Config) -> anyhow::Result<()> {
    let shutdown = Shutdown::listen(say).context("cannot listen for signals")?;
    let data = DataDir::open(&config.data_dir)?;
    let machine = Machine::open(config)?;
    let places = Places::of_server(config).context("cannot tell our own program's path")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = database::open(config, &data, clock.now_ms()).await?;
    let access = Access::default();
    let service = Service::new(
        config.clone(),
        data.id()?,
        database.clone(),
        clock,
        access,
        shutdown,
    );
    let service = Arc::new(service.context("cannot empty the folder of fetched logs")?);
    let bench = Arc::new(LoadGenerator::new(LoadOptions::default()));
    let supervisor = Supervisor::new(Arc::clone(&service), Arc::new(machine), bench, places);
    say(&format!(
        "working on {}, up to {} tasks at once",
        database.place(),
        config.max_tasks
    ));
    tokio::select! {
        () = supervisor.supervise() => {}
        never = relay::relay(Arc::clone(&service)) => match never {},
    }
    database::close(&database, &service.owner).await;
    Ok(())
}
