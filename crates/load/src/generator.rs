//! The load generator: a whole benchmark, level by level.
//!
//! It checks what it is given, learns what it must know of the server, and runs the levels
//! in their order. It summarises nothing: records go out as they were made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use autotuner_core::engine::Endpoint;
use autotuner_core::workload::{Load, Workload};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::level::Level;
use crate::origins::Origins;
use crate::shared::{Health, Shared};
use crate::target::Target;
use crate::threads::LoadThreads;
use crate::{Bench, BenchError, Observer, Recording, Verdict, probe};

/// How a [`LoadGenerator`] behaves, whatever the workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Longest time that opening a connection, or looking up the host, may take.
    pub connect_timeout: Duration,
    /// How often progress is reported while a level runs; more than zero.
    pub progress_interval: Duration,
    /// Threads that drive the load; as many as it is worth on this machine where it is `None`.
    pub threads: Option<usize>,
}

/// Drives streaming requests, in a closed loop or by a clock, against an OpenAI-compatible endpoint.
///
/// It speaks HTTP/1.1, plain or under TLS, on one connection for each request in flight, and
/// uses no proxy. The load is driven by threads of its own, none of which outlives the call.
#[derive(Debug, Clone)]
pub struct LoadGenerator {
    options: LoadOptions,
}

impl Default for LoadOptions {
    /// Five seconds to connect, progress four times a second.
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            progress_interval: Duration::from_millis(250),
            threads: None,
        }
    }
}

impl LoadGenerator {
    /// A load generator with these options.
    pub fn new(options: LoadOptions) -> Self {
        Self { options }
    }

    async fn prepare(&self, endpoint: &Endpoint, workload: &Workload) -> Result<Prepared, BenchError> {
        let clock = Clock::start();
        let target = Target::resolve(endpoint, workload.api, self.options.connect_timeout).await?;
        let first_concurrency = match workload.levels().first().map(|level| &level.load) {
            Some(Load::InFlight(count)) => *count,
            _ => workload.concurrency.first().copied().unwrap_or(1),
        };
        let shared = Arc::new(Shared {
            target,
            clock,
            connect_timeout: self.options.connect_timeout,
            silence: workload.request_timeout.min(LONGEST_SILENCE),
            health: Health::new(first_concurrency),
            origins: Origins::new(&endpoint.model),
            closes_unannounced: AtomicBool::new(false),
            sent_again: AtomicU32::new(0),
            reads: AtomicU64::new(0),
            reads_of_several: AtomicU64::new(0),
        });
        let (recipe, notes) = probe::learn(&shared, endpoint, workload).await?;
        Ok(Prepared {
            shared,
            recipe: Arc::new(recipe),
            notes,
        })
    }
}

/// A silence beyond all measure counts as a day.
const LONGEST_SILENCE: Duration = Duration::from_secs(24 * 3600);

struct Prepared {
    shared: Arc<Shared>,
    recipe: Arc<crate::requests::Recipe>,
    notes: Vec<String>,
}

#[async_trait]
impl Bench for LoadGenerator {
    async fn measure(
        &self,
        endpoint: &Endpoint,
        workload: &Workload,
        cancel: CancellationToken,
        observer: &mut dyn Observer,
    ) -> Result<Recording, BenchError> {
        let sound = workload.check();
        sound.map_err(|reason| BenchError::BadWorkload { reason })?;
        let Prepared {
            shared,
            recipe,
            notes,
        } = cancel
            .run_until_cancelled(self.prepare(endpoint, workload))
            .await
            .unwrap_or(Err(BenchError::Cancelled))?;
        let mut recording = Recording {
            levels: Vec::with_capacity(workload.level_count()),
            notes,
            fingerprints: Vec::new(),
            clock_zero_ns: shared.clock.monotonic_zero_ns(),
        };
        let most = workload.loads().iter().map(Load::most_in_flight).max();
        let count = self
            .options
            .threads
            .unwrap_or_else(|| LoadThreads::enough_for(most.unwrap_or(1)));
        let threads = LoadThreads::start(count).map_err(|error| BenchError::BadWorkload {
            reason: format!("the system gives no thread to send it from: {error}"),
        })?;
        let threads = Arc::new(threads);
        for (number, plan) in workload.levels().iter().enumerate() {
            let level = Level {
                shared: &shared,
                threads: &threads,
                recipe: &recipe,
                workload,
                number,
                plan,
                progress_interval: self.options.progress_interval,
                cancel: &cancel,
            };
            let (records, ended_early) = level.run(observer).await?;
            if let (Some(after), Some(wanted)) = (ended_early, &workload.precision) {
                recording.notes.push(format!(
                    "{} under {} ended after {:.1} s: by then what is scored was known to {:.1} %",
                    plan.scenario,
                    plan.load,
                    after.as_secs_f64(),
                    100.0 * wanted.ratio
                ));
            }
            let verdict = observer.level_done(&records).await;
            recording.levels.push(records);
            if verdict == Verdict::Stop {
                break;
            }
        }
        recording.fingerprints = shared.origins.fingerprints();
        recording.notes.extend(shared.origins.notes());
        if shared.closes_unannounced.load(Ordering::Relaxed) {
            let sent_again = shared.sent_again.load(Ordering::Relaxed);
            recording.notes.push(format!(
                "the server closes connections without saying so: {sent_again} requests were sent twice, \
                 timed from the first time, and later ones got connections of their own"
            ));
        }
        Ok(recording)
    }
}
