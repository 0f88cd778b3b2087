//! Keeps a claim alive while its run goes on, and hears through it what people want of the run.
//!
//! The one idea: there is one way in. The database says that a run was cancelled or is another
//! worker's; the bell only makes us ask sooner. Only what could not be written there waits as a
//! wish beside it.

use std::time::Duration;

use autotuner_store::{Claim, StoreError};
use tokio::sync::watch;
use tokio::time::sleep;

use super::Supervisor;
use crate::fault::{FaultPoint, around};
use crate::worker::chain;
use crate::worker::stop::{RunStop, StopCause};

/// Longest pause between two times that a claim is lengthened.
const PAUSE: Duration = Duration::from_secs(10);

/// Renews a claim until it is lost. Stops the run when somebody wants that, when the server
/// ends, or when the run is another worker's.
pub(super) async fn keep(
    supervisor: &Supervisor,
    claim: &Claim,
    stop: &RunStop,
    mut rung: watch::Receiver<()>,
) {
    let end = &supervisor.service.shutdown.soft;
    let lease = supervisor.service.config.lease_ms.unsigned_abs();
    let sixth = Duration::from_millis(lease) / 6;
    loop {
        if supervisor.service.wishes.is_cancelled(claim.task, claim.run) {
            stop.stop(StopCause::Person);
        }
        let renewing = async {
            let now = supervisor.now_ms().await?;
            let service = &supervisor.service;
            service.database.renew(claim, now, service.config.lease_ms).await
        };
        match around(FaultPoint::Renew, renewing).await {
            Ok(renewal) if renewal.is_cancel_requested => stop.stop(StopCause::Person),
            Ok(_) => {}
            Err(StoreError::LeaseLost(_) | StoreError::NoSuchTask(_)) => {
                stop.stop(StopCause::GivenUp);
                return;
            }
            Err(error) => tracing::warn!(
                task.id = claim.task.0,
                "a claim is not renewed: {}",
                chain(&error)
            ),
        }
        tokio::select! {
            () = sleep(PAUSE.min(sixth)) => {}
            // Its sender lives as long as the supervisor.
            _ = rung.changed() => {}
            () = end.cancelled(), if stop.cause().is_none() => stop.stop(StopCause::ServerEnds),
        }
    }
}
