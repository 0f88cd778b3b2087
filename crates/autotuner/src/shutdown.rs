//! Signals: the first asks for an orderly end, the second for a quick one.
//!
//! Both tear engines down; the second only stops waiting politely for them.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What signals set in motion.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    /// Stop the load, tear down, end.
    pub(crate) soft: CancellationToken,
    /// Give engines no more time to end by themselves.
    pub(crate) hard: CancellationToken,
}

impl Shutdown {
    /// Listens for SIGINT and SIGTERM until the runtime ends. `told` is called at each signal
    /// with what it means.
    ///
    /// # Errors
    /// The handlers could not be installed.
    pub(crate) fn listen(told: impl Fn(&'static str) + Send + 'static) -> io::Result<Self> {
        let shutdown = Self::default();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let tokens = shutdown.clone();
        // It ends with the runtime: there is nothing to wait for.
        drop(tokio::spawn(async move {
            next(&mut interrupt, &mut terminate).await;
            told("stopping: load ends, the engine is torn down (once more to hurry)");
            tokens.soft.cancel();
            next(&mut interrupt, &mut terminate).await;
            told("stopping now");
            tokens.hard.cancel();
        }));
        Ok(shutdown)
    }
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
