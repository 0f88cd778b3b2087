//! `autotuner serve`: everything between the command line and a server that answers.

use std::io::{IsTerminal as _, stderr};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use autotuner_deploy::kubernetes::is_in_pod;
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use tokio::net::TcpListener;

use super::{Refusal, runtime, say};
use crate::api::{self, presets};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::fault;
use crate::service::Service;
use crate::service::access::first_token::{FirstToken, Reader};
use crate::service::access::hosts::Authority;
use crate::service::access::{self, Access, Settings};
use crate::service::data_dir::DataDir;
use crate::service::docker_watch;
use crate::service::supervisor::{Machine, Supervisor};
use crate::service::{database, relay};
use crate::shutdown::Shutdown;
use crate::worker::preflight::Places;

/// Keep tasks, run them, and answer the REST API
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner serve
  autotuner serve --port 0 --data-dir /srv/autotuner
  autotuner serve --database postgres://tuner@db.example/tuner --no-worker

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
    /// Ask nobody who they are; only where no other machine reaches the server
    #[arg(long)]
    no_auth: bool,
    /// A proxy in front of the server encrypts, and says in `X-Forwarded-For` who asks
    #[arg(long)]
    behind_proxy: bool,
    /// Run no tasks here: `autotuner worker` does elsewhere, on the same database
    #[arg(long)]
    no_worker: bool,
    /// Answer to this name, too: `tuner.example`, `tuner.example:8443`; may be given more than once
    #[arg(long = "allowed-host", value_name = "NAME")]
    allowed_hosts: Vec<Authority>,
    /// Changes that each caller may make a second; ten seconds' worth may come at once
    #[arg(long, default_value_t = access::CHANGES_PER_SECOND, value_name = "CHANGES")]
    rate_limit: NonZeroU32,
    /// Let administrators start, stop and remove containers that the service has not made
    #[arg(long)]
    manage_all_containers: bool,
}

impl Arguments {
    /// Who may ask, once it is known where the server listens.
    fn access(&self, bound: SocketAddr) -> Settings {
        Settings {
            bound,
            host: self.host.clone(),
            allowed_hosts: self.allowed_hosts.clone(),
            is_behind_proxy: self.behind_proxy,
            is_open: self.no_auth,
            changes_per_second: self.rate_limit,
        }
    }
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
    let Arguments {
        host,
        no_auth,
        behind_proxy,
        ..
    } = arguments;
    if arguments.no_worker && config.database.is_none() {
        anyhow::bail!(
            "nobody would run tasks: with --no-worker, name a database that workers share (--database)"
        );
    }
    let notice = access::bind::decide(host, *no_auth, *behind_proxy)?;
    let shutdown = Shutdown::listen(say).context("cannot listen for signals")?;
    let data = DataDir::open(&config.data_dir)?;
    let listener = listen(arguments).await?;
    let bound = listener.local_addr().context("cannot tell where we listen")?;
    let machine = Machine::open(config)?;
    let places = Places::of_server(config).context("cannot tell our own program's path")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let started_at_ms = clock.now_ms();
    let database = database::open(config, &data, started_at_ms).await?;
    database.seed_presets(presets::seeds(), started_at_ms).await?;
    // Made even where nobody is asked for it: commands of this machine find it in its file.
    let token = FirstToken::ensure(&database, &config.data_dir, started_at_ms).await?;
    let mut config = config.clone();
    if arguments.manage_all_containers {
        config.let_all_containers_be_managed();
    }
    let access = Access::new(arguments.access(bound));
    let service = Service::new(config, data.id()?, database.clone(), clock, access, shutdown);
    let service = Arc::new(service.context("cannot empty the folder of fetched logs")?);
    let bench = Arc::new(LoadGenerator::new(LoadOptions::default()));
    let supervisor = Supervisor::new(Arc::clone(&service), Arc::new(machine), bench, places);
    let announced = data.announce(&url(bound), started_at_ms)?;
    say(&format!("listening on http://{bound}"));
    if database.is_shared() {
        say(&format!("the database is {}", database.place()));
    }
    if let Some(text) = notice.text() {
        say(&format!("warning: {text}"));
    }
    match no_auth {
        true => say("nobody is asked for a token (--no-auth)"),
        false => say(&token.welcome(bound, reader())),
    }
    let everything = async {
        tokio::join!(
            answer(Arc::clone(&service), listener),
            supervised(arguments, supervisor, &service),
            docker_watch::watch(Arc::clone(&service)),
        )
    };
    let answered = tokio::select! {
        (answered, (), ()) = everything => answered,
        never = relay::relay(Arc::clone(&service)) => match never {},
    };
    drop(announced);
    database::close(&database, &service.owner).await;
    answered
}

/// Runs tasks, where any are to be run here, until the server is to end.
async fn supervised(arguments: &Arguments, supervisor: Supervisor, service: &Service) {
    match arguments.no_worker {
        true => service.shutdown.soft.cancelled().await,
        false => supervisor.supervise().await,
    }
}

async fn listen(arguments: &Arguments) -> anyhow::Result<TcpListener> {
    let Arguments { host, port, .. } = arguments;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    TcpListener::bind((bare, *port)).await.with_context(|| {
        format!("cannot listen on {host} port {port}; name another with --host or --port (0 for any)")
    })
}

/// Answers until the server is to end. One that breaks takes the server with it.
async fn answer(service: Arc<Service>, listener: TcpListener) -> anyhow::Result<()> {
    let end = service.shutdown.soft.clone();
    let answered = api::serve::serve(service, listener).await;
    end.cancel();
    answered.context("cannot answer any more")
}

/// Where this machine's own programs find the server.
fn url(bound: SocketAddr) -> String {
    let own = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(own, bound.port()))
}

/// Who reads what we say.
fn reader() -> Reader {
    match (stderr().is_terminal(), is_in_pod()) {
        (true, _) => Reader::Terminal,
        (false, false) => Reader::Unknown,
        (false, true) => Reader::Log,
    }
}
