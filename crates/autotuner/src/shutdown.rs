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
    /// Listens until the runtime ends: for SIGINT and SIGTERM, for SIGQUIT, which a terminal
    /// sends to who does not hear, and for SIGHUP, with which a terminal or a connection that
    /// closes takes us along, unless whoever started us had it ignored (`nohup`). `told` is
    /// called at each signal with what it means.
    ///
    /// # Errors
    /// The handlers could not be installed.
    pub(crate) fn listen(told: impl Fn(&'static str) + Send + 'static) -> io::Result<Self> {
        let shutdown = Self::default();
        let mut signals = Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: match is_ignored(SignalKind::hangup()) {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        };
        let tokens = shutdown.clone();
        // It ends with the runtime: there is nothing to wait for.
        drop(tokio::spawn(async move {
            // Acted upon before it is told of: telling may take for ever on a stopped terminal.
            signals.next().await;
            tokens.soft.cancel();
            told("stopping: load ends, the engine is torn down (once more to hurry)");
            signals.next().await;
            tokens.hard.cancel();
            told("stopping now");
        }));
        Ok(shutdown)
    }
}

/// The signals that end a run.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    hangup: Option<Signal>,
}

impl Signals {
    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.quit.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether this process was started with a signal ignored.
fn is_ignored(kind: SignalKind) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, kind.as_raw_value()))
}

/// Whether the mask of ignored signals in the text of `/proc/<pid>/status` has this one.
fn ignores(status: &str, number: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or(0) >> (number - 1) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_mask() {
        let check = |mask: &str, number: i32, expected: bool| {
            let status = format!("Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t{mask}\nSigCgt:\t0\n");
            assert_eq!(ignores(&status, number), expected, "{mask} {number}");
        };
        check("0000000000000001", 1, true);
        check("0000000000001000", 1, false);
        check("0000000000001000", 13, true);
        check("8000000000000000", 64, true);
        check("nonsense", 1, false);
        assert!(!ignores("", 1));
    }
}
