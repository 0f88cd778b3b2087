//! What is seen beside the requests while a window is open: how the load generator itself
//! fares, and what the engine says of itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use autotuner_core::measure::{ClientHealth, EngineFigures};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lag::LagWatch;
use crate::phase::Phase;
use crate::scrape;
use crate::threads::LoadThreads;

/// How long an engine's metrics may take.
const METRICS_DEADLINE: Duration = Duration::from_secs(2);

/// What was seen.
pub(crate) struct Watched {
    pub(crate) client: ClientHealth,
    pub(crate) engine: Option<EngineFigures>,
}

/// Watches from the moment the window opens to its end, or until `done`.
pub(crate) async fn watch(window: Arc<Phase>, threads: Arc<LoadThreads>, done: CancellationToken) -> Watched {
    let shared = &window.shared;
    let lag = LagWatch::start(&threads, shared.clock);
    window.when_open().await;
    let mut health = ClientHealth {
        threads: u32::try_from(threads.count()).unwrap_or(u32::MAX),
        ..ClientHealth::default()
    };
    if let Ok(lag) = &lag {
        lag.take(&mut ClientHealth::default());
    }
    let reads = || shared.reads.load(Ordering::Relaxed);
    let reads_of_several = || shared.reads_of_several.load(Ordering::Relaxed);
    let (reads_before, several_before) = (reads(), reads_of_several());
    shared.health.take_most_open();
    let began = Instant::now();
    let before = threads.processor_ns().await;
    let engine_before = scrape::read::read(&shared.target, METRICS_DEADLINE).await;
    tokio::select! {
        () = tokio::time::sleep_until(window.stop_at()) => (),
        () = done.cancelled() => (),
    }
    let after = threads.processor_ns().await;
    let took = began.elapsed().as_secs_f64();
    if let Ok(lag) = &lag {
        lag.take(&mut health);
    }
    health.cpu_share = before
        .into_iter()
        .zip(after)
        .filter_map(|(before, after)| Some(after?.saturating_sub(before?)))
        .map(|used| Duration::from_nanos(used).as_secs_f64() / took.max(1e-9))
        .fold(0.0, f64::max);
    health.reads = reads() - reads_before;
    health.reads_of_several = reads_of_several() - several_before;
    health.peak_in_flight = shared.health.take_most_open();
    // The engine counts a request when it ends, so the drain is waited for.
    done.cancelled().await;
    let engine = match engine_before {
        Some(before) => {
            let after = scrape::read::read(&shared.target, METRICS_DEADLINE).await;
            after.map(|after| after.since(&before))
        }
        None => None,
    };
    Watched {
        client: health,
        engine,
    }
}
