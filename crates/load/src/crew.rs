//! Many slots at work at once, each on its load thread.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::BenchError;
use crate::shared::Shared;
use crate::slot::Slot;
use crate::threads::LoadThreads;

/// Connections that are being opened at once, so that a server's queue of new connections
/// (128 at many) does not overflow.
const OPENING_AT_ONCE: usize = 64;

/// Tasks on load threads, each of which gives slots back. Dropping it ends them.
pub(crate) type Crew = JoinSet<Result<Vec<Slot>, BenchError>>;

/// Waits until every task has ended, and gives the slots back. `report` is called every so
/// often, and at the end.
///
/// # Errors
/// [`BenchError::Cancelled`], or the first error of a task. All connections are closed then.
pub(crate) async fn finish(
    mut crew: Crew,
    cancel: &CancellationToken,
    report_every: Duration,
    mut report: impl FnMut() + Send,
) -> Result<Vec<Slot>, BenchError> {
    let mut ticks = tokio::time::interval(report_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut finished = Vec::new();
    let ended = loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break Err(BenchError::Cancelled),
            _ = ticks.tick() => report(),
            joined = crew.join_next() => match joined.map(flatten) {
                Some(Ok(slots)) => finished.extend(slots),
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            },
        }
    };
    crew.shutdown().await;
    report();
    ended.map(|()| finished)
}

/// Gives every slot a connection that is ready, as far as the server lets it.
///
/// # Errors
/// [`BenchError::Cancelled`].
pub(crate) async fn connect_all(
    slots: Vec<Slot>,
    shared: &Arc<Shared>,
    threads: &LoadThreads,
    cancel: &CancellationToken,
) -> Result<Vec<Slot>, BenchError> {
    let mut connecting = JoinSet::new();
    let all = async {
        let mut connected = Vec::with_capacity(slots.len());
        for mut slot in slots {
            if connecting.len() >= OPENING_AT_ONCE {
                connected.extend(connecting.join_next().await.map(flatten));
            }
            let shared = Arc::clone(shared);
            let thread = threads.handle(slot.number);
            let connect = async move {
                // A slot that gets no connection now tries again with its first request,
                // where the failure is counted.
                drop(slot.connection(&shared).await);
                Ok(slot)
            };
            connecting.spawn_on(connect, thread);
        }
        while let Some(joined) = connecting.join_next().await {
            connected.push(flatten(joined));
        }
        connected.into_iter().collect()
    };
    let connected = cancel.run_until_cancelled(all).await;
    connecting.shutdown().await;
    connected.unwrap_or(Err(BenchError::Cancelled))
}

/// Starts one task for each slot, on the slot's thread.
pub(crate) fn each<F>(slots: Vec<Slot>, threads: &LoadThreads, work: impl Fn(Slot) -> F) -> Crew
where
    F: Future<Output = Result<Vec<Slot>, BenchError>> + Send + 'static,
{
    let mut crew = Crew::new();
    for slot in slots {
        let thread = threads.handle(slot.number);
        crew.spawn_on(work(slot), thread);
    }
    crew
}

/// What a task came to; its panic is a panic here.
pub(crate) fn flatten<T>(
    joined: Result<Result<T, BenchError>, tokio::task::JoinError>,
) -> Result<T, BenchError> {
    match joined {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Nobody else aborts these tasks: the runtime is being shut down.
            Err(_) => Err(BenchError::Cancelled),
        },
    }
}
