//! What the workers of all machines on a database do, on everybody's board.

use std::convert::Infallible;
use std::time::Duration;

use autotuner_store::StoreError;
use tokio::time::sleep;

use super::Service;
use super::supervisor::Snapshot;
use crate::host::hostname;
use crate::worker::chain;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// A worker that gave no sign of life for so long is not shown.
const WITHIN_MS: i64 = 15_000;

/// Tells what this process' worker does, and shows what those of others do, for as long as it is let.
/// Where nobody else is on the database, it does nothing.
pub(crate) async fn share(service: &Service) -> Infallible {
    if !service.database.is_shared() {
        return std::future::pending().await;
    }
    let mut is_told = false;
    loop {
        match look(service).await {
            Ok(()) => is_told = false,
            Err(error) if !std::mem::replace(&mut is_told, true) => {
                tracing::warn!("what other workers do is not known: {}", chain(&error));
                service.board.show_others(Vec::new());
            }
            Err(_) => {}
        }
        sleep(PAUSE).await;
    }
}

async fn look(service: &Service) -> Result<(), StoreError> {
    let own = service.board.own();
    let database = &service.database;
    // A server without a worker has nothing to tell.
    if own.last_tick_ms.is_some() {
        let board = serde_json::to_string(&own).unwrap_or_default();
        database.tell_worker(&service.owner, &hostname(), &board).await?;
    }
    let now_ms = service.clock.now_ms();
    let workers = database.workers(WITHIN_MS).await?.into_iter();
    let others = workers
        .filter(|worker| worker.owner != service.owner)
        .filter_map(|worker| {
            let board: Snapshot = serde_json::from_str(&worker.board).ok()?;
            // By our clock, which its machine's need not agree with.
            let last_tick_ms = Some(now_ms - worker.age_ms);
            Some((
                worker.name,
                Snapshot {
                    last_tick_ms,
                    ..board
                },
            ))
        });
    service.board.show_others(others.collect());
    Ok(())
}
