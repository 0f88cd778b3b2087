//! The life of one engine: check the flags, listen, load, serve, stop.
//!
//! It listens before it loads, so that `/health` can say 503 meanwhile, and does both in one
//! task; only connections have tasks of their own, and they end with it.

use std::net::SocketAddr;
use std::sync::Arc;

use nix::sys::signal::Signal;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::api::{self, Links, Shared};
use crate::clock::Clock;
use crate::driver::{Driver, Noise, Statistics, Submission, drive};
use crate::fault::Fault;
use crate::identity::Identity;
use crate::journal::{Journal, announce};
use crate::loading::{Loaded, load};
use crate::model::{Hazards, StepTimer, check, report_under_load};
use crate::options::Options;
use crate::process::{die_by, run_away, start_runaway};
use crate::scheduler::{Limits, Scheduler};
use crate::truth::{RequestTruth, TruthRing};
use crate::{SimError, connections};

/// Requests between their handler and the scheduler. The driver empties the channel at every
/// step; when it is full, handlers wait, and so do their clients.
const SUBMISSIONS: usize = 1024;

/// Runs an engine until `shutdown` is cancelled or it ends by itself.
///
/// It prints `listening on http://ADDRESS` on stdout as soon as it listens, which is before it
/// has loaded; `GET /health` answers 503 until it has. Answers under way are cut on shutdown.
/// With the fault `ignore-sigterm`, `shutdown` is not listened to. Faults that need a process of
/// their own act on this one: `forks-children` starts the running program once more, with the
/// same arguments and one more; `crash-under-load` and `abort-under-load` kill it by a signal.
///
/// # Errors
/// Any [`SimError`]: a program should print its chain on stderr and exit with code 1.
pub async fn run(options: Options, shutdown: CancellationToken) -> Result<(), SimError> {
    if options.fault.contains(&Fault::RunawayChild) {
        run_away().await;
        return Ok(());
    }
    let journal = Journal::new(options.log_level);
    let forks_children = options.fault.contains(&Fault::ForksChildren);
    let engine = Engine::bind(options).await?;
    announce(engine.address);
    if forks_children {
        start_runaway(journal).await?;
    }
    let result = engine.serve(shutdown).await;
    match &result {
        Err(SimError::SegmentationFault) => die_by(Signal::SIGSEGV),
        Err(SimError::Abort) => die_by(Signal::SIGABRT),
        _ => result,
    }
}

/// Runs an engine inside this process, for tests of whatever talks to engines.
///
/// It returns once the engine is ready, or with the fault `never-ready` once it listens. The
/// engine ends when the returned [`RunningSim`] is dropped. Faults that need a process of their
/// own spare this one: no child is started, and what would kill it is an error.
///
/// # Errors
/// As [`run`], for all that can go wrong until the engine is ready.
pub async fn spawn_in_process(options: Options) -> Result<RunningSim, SimError> {
    let never_ready = options.fault.contains(&Fault::NeverReady);
    let engine = Engine::bind(options).await?;
    let (identity, address, clock, truth, mut readiness) = (
        engine.identity.clone(),
        engine.address,
        engine.clock,
        Arc::clone(&engine.truth),
        engine.readiness.subscribe(),
    );
    let shutdown = CancellationToken::new();
    let task = AbortOnDropHandle::new(tokio::spawn(engine.serve(shutdown.clone())));
    let sim = RunningSim {
        identity,
        address,
        epoch: clock.epoch(),
        truth,
        shutdown,
        task,
    };
    if never_ready || readiness.wait_for(|is_ready| *is_ready).await.is_ok() {
        return Ok(sim);
    }
    // The sender is gone, so the task is over.
    match sim.ended().await {
        Err(error) => Err(error),
        Ok(()) => unreachable!("nobody could ask it to stop"),
    }
}

/// An engine that runs inside this process.
#[derive(Debug)]
pub struct RunningSim {
    identity: Identity,
    address: SocketAddr,
    epoch: Instant,
    truth: Arc<TruthRing>,
    shutdown: CancellationToken,
    task: AbortOnDropHandle<Result<(), SimError>>,
}

impl RunningSim {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The name that it has given itself, as in `system_fingerprint` of its answers.
    pub fn identity(&self) -> &str {
        self.identity.as_str()
    }

    /// Its address as a base URL, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The instant from which all times in its truth count.
    pub fn epoch(&self) -> Instant {
        self.epoch
    }

    /// What really happened to its latest requests, oldest first.
    pub fn truth(&self) -> Vec<RequestTruth> {
        self.truth.all()
    }

    /// Forgets what happened so far.
    pub fn clear_truth(&self) {
        self.truth.clear();
    }

    /// Asks it to stop and waits until it has. With the fault `ignore-sigterm` this waits for
    /// ever; drop it instead.
    ///
    /// # Errors
    /// As [`RunningSim::ended`].
    pub async fn shutdown(self) -> Result<(), SimError> {
        self.shutdown.cancel();
        self.ended().await
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn ended(self) -> Result<(), SimError> {
        self.task.await.map_err(|source| SimError::JoinTask { source })?
    }
}

/// An engine that listens and has yet to load.
#[derive(Debug)]
struct Engine {
    options: Options,
    identity: Identity,
    clock: Clock,
    listener: TcpListener,
    address: SocketAddr,
    truth: Arc<TruthRing>,
    readiness: watch::Sender<bool>,
}

impl Engine {
    async fn bind(options: Options) -> Result<Self, SimError> {
        check(&options)?;
        let host = options.host.clone();
        let mut addresses = tokio::net::lookup_host((host.as_str(), options.port))
            .await
            .map_err(|source| SimError::ResolveHost {
                host: host.clone(),
                source,
            })?;
        let wanted = addresses.next().ok_or_else(|| SimError::ResolveHost {
            host: host.clone(),
            source: std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address"),
        })?;
        let bind_failed = |source| SimError::BindAddress {
            address: wanted,
            source,
        };
        let listener = TcpListener::bind(wanted).await.map_err(bind_failed)?;
        let address = listener.local_addr().map_err(bind_failed)?;
        let (readiness, _) = watch::channel(false);
        Ok(Self {
            options,
            identity: Identity::draw(),
            clock: Clock::start(),
            listener,
            address,
            truth: Arc::default(),
            readiness,
        })
    }

    async fn serve(self, shutdown: CancellationToken) -> Result<(), SimError> {
        let Self {
            options,
            identity,
            clock,
            listener,
            address: _,
            truth,
            readiness,
        } = self;
        let journal = Journal::new(options.log_level);
        journal.info(format_args!("engine identity {identity}"));
        let (sender, submissions) = mpsc::channel(SUBMISSIONS);
        let (statistics, seen_statistics) = watch::channel(Statistics::default());
        let links = Links {
            identity,
            clock,
            truth,
            submissions: sender,
            statistics: seen_statistics,
            readiness: readiness.subscribe(),
        };
        let shared = Shared::new(&options, links);
        let stop = CancellationToken::new();
        let connections = connections::serve(listener, api::router(shared), stop.clone(), journal);
        let ignores_shutdown = options.fault.contains(&Fault::IgnoreSigterm);
        let controls = Controls {
            clock,
            readiness,
            statistics,
        };
        let engine = async {
            let result = tokio::select! {
                () = shutdown.cancelled(), if !ignores_shutdown => Ok(()),
                result = load_and_drive(&options, journal, controls, submissions) => result,
            };
            stop.cancel();
            result
        };
        let (result, ()) = tokio::join!(engine, connections);
        match &result {
            Ok(()) => journal.info("stopped"),
            Err(error) => report(error, journal),
        }
        result
    }
}

/// Leaves the lines that a real engine would, for those errors that have some. Whoever runs the
/// engine reports the error itself.
fn report(error: &SimError, journal: Journal) {
    match error {
        SimError::OutOfMemoryUnderLoad { needed, available } => {
            journal.error(report_under_load(*needed, *available));
        }
        SimError::BrokenKernel { .. } => journal.error(
            "torch.AcceleratorError: CUDA error: an illegal memory access was encountered\n\
             EngineCore encountered a fatal error while executing a step.",
        ),
        SimError::SegmentationFault => {
            journal.error("!!!!!!! Segfault encountered !!!!!!!\nSegmentation fault");
        }
        SimError::Abort => {
            journal.error("terminate called after throwing an instance of 'c10::DistBackendError'");
        }
        _ => {}
    }
}

/// What loading and driving report to.
#[derive(Debug)]
struct Controls {
    clock: Clock,
    readiness: watch::Sender<bool>,
    statistics: watch::Sender<Statistics>,
}

async fn load_and_drive(
    options: &Options,
    journal: Journal,
    controls: Controls,
    submissions: mpsc::Receiver<Submission>,
) -> Result<(), SimError> {
    let Controls {
        clock,
        readiness,
        statistics,
    } = controls;
    let Loaded { memory, _ballast } = load(options, journal).await?;
    if options.fault.contains(&Fault::NeverReady) {
        std::future::pending::<()>().await;
    }
    readiness.send_replace(true);
    journal.info("ready");
    let driver = Driver {
        scheduler: Scheduler::new(Limits::new(options, &memory)),
        hazards: Hazards::new(options, memory),
        timer: StepTimer::new(options),
        time_scale: options.time_scale,
        noise: Noise::new(ChaCha8Rng::seed_from_u64(options.seed), options.noise),
        clock,
        statistics,
        faults: options.fault.clone(),
    };
    drive(driver, submissions).await
}
