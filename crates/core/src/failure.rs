//! Why an experiment failed. The kind decides what happens next; nobody reads messages.

use std::fmt;

use crate::metrics::ExperimentMetrics;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The engine refuses this configuration: a bad flag, a bad value, an impossible combination.
    InvalidCandidate,
    /// The engine ran out of device or host memory.
    OutOfMemory,
    /// The engine ended by itself, while loading or under load.
    EngineCrashed,
    /// The engine lived but did not answer in time.
    NotReadyInTime,
    /// The engine answered, but too many requests failed.
    BenchmarkFailed,
    /// Its first levels showed that it all but certainly does not beat the best, so the rest was
    /// not measured.
    EarlyAborted,
    /// The load generator, and not the engine, has limited what was measured.
    ClientLimited,
    /// The world failed, not the candidate: no disk, no daemon, no image, or a fault of our own.
    Infrastructure,
    /// The whole program was killed or stopped while the experiment ran.
    WorkerLost,
    /// A person stopped it.
    Cancelled,
}

/// What the search should make of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// Keep away from configurations like this one.
    KeepAway,
    /// It works; what was measured of it is in [`Failure::partial`].
    Partial,
    /// It says nothing about the configuration.
    Nothing,
}

/// Why one experiment failed, for people and for the planner.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The kind, which decides what happens next.
    pub kind: FailureKind,
    /// One sentence: what happened, to what.
    pub message: String,
    /// What to do about it, where we know.
    pub advice: Option<String>,
    /// The last lines of the engine's output, oldest first, at most a hundred.
    pub log_tail: Vec<String>,
    /// What was measured of it, where it was given up: the first levels, which are too few for a
    /// score.
    pub partial: Option<Box<ExperimentMetrics>>,
}

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::InvalidCandidate,
        Self::OutOfMemory,
        Self::EngineCrashed,
        Self::NotReadyInTime,
        Self::BenchmarkFailed,
        Self::EarlyAborted,
        Self::ClientLimited,
        Self::Infrastructure,
        Self::WorkerLost,
        Self::Cancelled,
    ];

    /// The word used in files and APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCandidate => "invalid_candidate",
            Self::OutOfMemory => "out_of_memory",
            Self::EngineCrashed => "engine_crashed",
            Self::NotReadyInTime => "not_ready_in_time",
            Self::BenchmarkFailed => "benchmark_failed",
            Self::EarlyAborted => "early_aborted",
            Self::ClientLimited => "client_limited",
            Self::Infrastructure => "infrastructure",
            Self::WorkerLost => "worker_lost",
            Self::Cancelled => "cancelled",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What the search learns from it.
    pub fn lesson(self) -> Lesson {
        match self {
            Self::InvalidCandidate
            | Self::OutOfMemory
            | Self::EngineCrashed
            | Self::NotReadyInTime
            | Self::BenchmarkFailed => Lesson::KeepAway,
            Self::EarlyAborted => Lesson::Partial,
            Self::ClientLimited | Self::Infrastructure | Self::WorkerLost | Self::Cancelled => {
                Lesson::Nothing
            }
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Failure {
    /// A failure with neither advice nor log.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            advice: None,
            log_tail: Vec::new(),
            partial: None,
        }
    }
}
