//! Signals: the first asks for an orderly end, the second for a quick one.
//!
//! Both tear engines down; the second only stops waiting politely for them. A terminal that is
//! closed asks like Ctrl-C, unless we were told not to mind (`nohup`).

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
    /// Listens for SIGINT, SIGTERM and SIGHUP until the runtime ends. `told` is called at each
    /// signal with what it means.
    ///
    /// # Errors
    /// The handlers could not be installed.
    pub(crate) fn listen(told: impl Fn(&'static str) + Send + 'static) -> io::Result<Self> {
        let shutdown = Self::default();
        let mut signals = Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: match is_ignored(SignalKind::hangup()) {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        };
        let tokens = shutdown.clone();
        // It ends with the runtime: there is nothing to wait for.
        drop(tokio::spawn(async move {
            signals.next().await;
            told("stopping: load ends, the engine is torn down (once more to hurry)");
            tokens.soft.cancel();
            signals.next().await;
            told("stopping now");
            tokens.hard.cancel();
        }));
        Ok(shutdown)
    }
}

/// What we listen to.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where whoever started us wants us to live on.
    hangup: Option<Signal>,
}

impl Signals {
    async fn next(&mut self) {
        let Self {
            interrupt,
            terminate,
            hangup,
        } = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            Some(()) = async { hangup.as_mut()?.recv().await } => {}
        }
    }
}

/// Whether this process was started with a signal ignored. Where that cannot be told, it was
/// not.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let bit = u32::try_from(kind.as_raw_value() - 1).unwrap_or(u32::MAX);
    mask.is_some_and(|mask| mask.checked_shr(bit).is_some_and(|rest| rest & 1 == 1))
}
