//! Which moves of status are legal. No other code assigns a status.
//!
//! ```text
//! Task        pending → running → completed | failed | cancelled
//!             completed | failed | cancelled → pending
//! Experiment  pending → deploying → benchmarking → success
//!             any unfinished status → failed
//! ```

use std::fmt;

/// Where a task is. The words are those of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskStatus {
    /// Stored, not started.
    Pending,
    /// Started, whether or not a worker holds it at the moment.
    Running,
    /// Ended, at least one experiment succeeded.
    Completed,
    /// Ended without any success, or could not begin.
    Failed,
    /// Stopped by a person.
    Cancelled,
}

/// Where an experiment is. The words are those of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExperimentStatus {
    /// Decided, not begun.
    Pending,
    /// The engine is being started.
    Deploying,
    /// The engine is ready and under load.
    Benchmarking,
    /// Measured and scored.
    Success,
    /// Ended without a score; the failure's kind says why.
    Failed,
}

/// What may happen to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskMove {
    /// Begin.
    Start,
    /// End, with at least one success.
    Complete,
    /// End without one.
    Fail,
    /// Stop on a person's word.
    Cancel,
    /// Make ready for another run.
    Restart,
}

/// What may happen to an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExperimentMove {
    /// Start the engine.
    Deploy,
    /// The engine is ready.
    Benchmark,
    /// It was measured and scored.
    Succeed,
    /// It ended without a score.
    Fail,
}

/// A move that the current status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot {wanted} {what} that is {status}")]
pub struct IllegalMove {
    /// What was to be moved: a task or an experiment.
    pub what: &'static str,
    /// The move, as a verb.
    pub wanted: &'static str,
    /// The status that forbids it.
    pub status: &'static str,
}

impl TaskStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The status with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a run has ended.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The status after a move.
    ///
    /// # Errors
    /// The move is not legal from here.
    pub fn after(self, wanted: TaskMove) -> Result<Self, IllegalMove> {
        match (self, wanted) {
            (Self::Pending, TaskMove::Start) => Ok(Self::Running),
            (Self::Running, TaskMove::Complete) => Ok(Self::Completed),
            (Self::Running, TaskMove::Fail) => Ok(Self::Failed),
            (Self::Running, TaskMove::Cancel) => Ok(Self::Cancelled),
            (Self::Completed | Self::Failed | Self::Cancelled, TaskMove::Restart) => Ok(Self::Pending),
            _ => Err(IllegalMove {
                what: "a task",
                wanted: wanted.verb(),
                status: self.as_str(),
            }),
        }
    }
}

impl TaskMove {
    fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Complete => "complete",
            Self::Fail => "fail",
            Self::Cancel => "cancel",
            Self::Restart => "restart",
        }
    }
}

impl ExperimentStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Deploying,
        Self::Benchmarking,
        Self::Success,
        Self::Failed,
    ];

    /// The status with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Deploying => "deploying",
            Self::Benchmarking => "benchmarking",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }

    /// Whether it has ended.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Success | Self::Failed)
    }

    /// The status after a move.
    ///
    /// # Errors
    /// The move is not legal from here.
    pub fn after(self, wanted: ExperimentMove) -> Result<Self, IllegalMove> {
        match (self, wanted) {
            (Self::Pending, ExperimentMove::Deploy) => Ok(Self::Deploying),
            (Self::Deploying, ExperimentMove::Benchmark) => Ok(Self::Benchmarking),
            (Self::Benchmarking, ExperimentMove::Succeed) => Ok(Self::Success),
            (Self::Pending | Self::Deploying | Self::Benchmarking, ExperimentMove::Fail) => Ok(Self::Failed),
            _ => Err(IllegalMove {
                what: "an experiment",
                wanted: wanted.verb(),
                status: self.as_str(),
            }),
        }
    }
}

impl ExperimentMove {
    fn verb(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Benchmark => "benchmark",
            Self::Succeed => "succeed",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ExperimentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every legal move, written out; all others must be refused.
    #[test]
    fn exactly_these_task_moves_are_legal() {
        use TaskMove as M;
        use TaskStatus as S;
        let legal = [
            (S::Pending, M::Start, S::Running),
            (S::Running, M::Complete, S::Completed),
            (S::Running, M::Fail, S::Failed),
            (S::Running, M::Cancel, S::Cancelled),
            (S::Completed, M::Restart, S::Pending),
            (S::Failed, M::Restart, S::Pending),
            (S::Cancelled, M::Restart, S::Pending),
        ];
        for from in [S::Pending, S::Running, S::Completed, S::Failed, S::Cancelled] {
            for wanted in [M::Start, M::Complete, M::Fail, M::Cancel, M::Restart] {
                let expected = legal
                    .iter()
                    .find(|(f, w, _)| (*f, *w) == (from, wanted))
                    .map(|(_, _, to)| *to);
                assert_eq!(from.after(wanted).ok(), expected, "{from} {wanted:?}");
            }
        }
        let refused = S::Pending.after(M::Cancel).expect_err("illegal");
        assert_eq!(refused.to_string(), "cannot cancel a task that is pending");
    }

    #[test]
    fn exactly_these_experiment_moves_are_legal() {
        use ExperimentMove as M;
        use ExperimentStatus as S;
        let legal = [
            (S::Pending, M::Deploy, S::Deploying),
            (S::Deploying, M::Benchmark, S::Benchmarking),
            (S::Benchmarking, M::Succeed, S::Success),
            (S::Pending, M::Fail, S::Failed),
            (S::Deploying, M::Fail, S::Failed),
            (S::Benchmarking, M::Fail, S::Failed),
        ];
        for from in [S::Pending, S::Deploying, S::Benchmarking, S::Success, S::Failed] {
            for wanted in [M::Deploy, M::Benchmark, M::Succeed, M::Fail] {
                let expected = legal
                    .iter()
                    .find(|(f, w, _)| (*f, *w) == (from, wanted))
                    .map(|(_, _, to)| *to);
                assert_eq!(from.after(wanted).ok(), expected, "{from} {wanted:?}");
            }
        }
    }
}
