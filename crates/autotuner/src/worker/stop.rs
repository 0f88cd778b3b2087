//! Who ends a run before its own end, and what that makes of the experiments it cuts off.

use std::sync::{Arc, OnceLock};

use autotuner_core::failure::{Failure, FailureKind};

use crate::shutdown::Shutdown;

/// Why a run is to end before its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// A person has cancelled it.
    Person,
    /// The server ends; its next start goes on with the run.
    ServerEnds,
    /// It is another worker's by now, or cannot be recorded any more: nothing of it counts.
    GivenUp,
}

/// What ends a run from outside. The first who does says why.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunStop {
    /// Soft: the load ends, engines are torn down. Hard: they are given no more time.
    pub(crate) tokens: Shutdown,
    cause: Arc<OnceLock<StopCause>>,
}

impl RunStop {
    /// Ends when these tokens say so, on a person's word unless somebody gave another cause.
    pub(crate) fn on(tokens: Shutdown) -> Self {
        Self {
            tokens,
            cause: Arc::default(),
        }
    }

    /// Ends the run.
    pub(crate) fn stop(&self, cause: StopCause) {
        let _ = self.cause.set(cause);
        self.tokens.soft.cancel();
    }

    /// Why it ends, once it does.
    pub(crate) fn cause(&self) -> Option<StopCause> {
        let is_ending = self.tokens.soft.is_cancelled();
        is_ending.then(|| self.cause.get().copied().unwrap_or(StopCause::Person))
    }

    /// What is put on record of an experiment that ended so. What nobody has cancelled is lost,
    /// and is tried again.
    pub(crate) fn on_record(&self, failure: Failure) -> Failure {
        match self.cause() {
            Some(StopCause::ServerEnds) if failure.kind == FailureKind::Cancelled => {
                Failure::new(FailureKind::WorkerLost, "the server was stopped meanwhile")
            }
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_counts() {
        let stop = RunStop::default();
        assert_eq!(stop.cause(), None);
        stop.stop(StopCause::ServerEnds);
        stop.stop(StopCause::Person);
        assert_eq!(stop.cause(), Some(StopCause::ServerEnds));
        let terminal = RunStop::default();
        terminal.tokens.soft.cancel();
        assert_eq!(terminal.cause(), Some(StopCause::Person));
    }

    #[test]
    fn what_the_servers_end_cuts_off_is_lost_and_not_cancelled() {
        let check = |cause, kind, expected: FailureKind| {
            let stop = RunStop::default();
            stop.stop(cause);
            let recorded = stop.on_record(Failure::new(kind, "x"));
            assert_eq!(recorded.kind, expected, "{cause:?} {kind}");
        };
        check(StopCause::Person, FailureKind::Cancelled, FailureKind::Cancelled);
        check(
            StopCause::ServerEnds,
            FailureKind::Cancelled,
            FailureKind::WorkerLost,
        );
        check(
            StopCause::ServerEnds,
            FailureKind::OutOfMemory,
            FailureKind::OutOfMemory,
        );
    }
}
