//! What is stored as a word.

use autotuner_core::failure::FailureKind;
use autotuner_core::gpu::GpuVendor;
use autotuner_core::lifecycle::{ExperimentStatus, TaskStatus};
use autotuner_core::measure::{RequestError, TokenSource};
use autotuner_core::score::{Objective, Percentile, SloMetric, Statistic};
use autotuner_core::search;

use super::{Kept, Strange, spelt};
use crate::records;

spelt!(
    TaskStatus,
    "status of a task",
    |status: &TaskStatus| status.as_str(),
    TaskStatus::from_word
);
spelt!(
    ExperimentStatus,
    "status of an experiment",
    |status: &ExperimentStatus| status.as_str(),
    ExperimentStatus::from_word
);
spelt!(
    search::Role,
    "role of an experiment",
    |role: &search::Role| role.as_str(),
    search::Role::from_word
);
spelt!(
    records::Role,
    "role",
    |role: &records::Role| role.as_str(),
    records::Role::from_word
);
spelt!(
    FailureKind,
    "kind of failure",
    |kind: &FailureKind| kind.as_str(),
    FailureKind::from_word
);
spelt!(
    GpuVendor,
    "vendor of GPUs",
    |vendor: &GpuVendor| vendor.as_str(),
    GpuVendor::from_word
);
spelt!(
    Objective,
    "objective",
    |objective: &Objective| objective.as_str(),
    Objective::from_word
);
spelt!(
    TokenSource,
    "counter of tokens",
    |source: &TokenSource| match source {
        TokenSource::Usage => "usage",
        TokenSource::Chunks => "chunks",
        TokenSource::Requested => "requested",
    },
    |word: &str| match word {
        "usage" => Some(TokenSource::Usage),
        "chunks" => Some(TokenSource::Chunks),
        "requested" => Some(TokenSource::Requested),
        _ => None,
    }
);

/// `connect`, `status 503`.
impl Kept for RequestError {
    type Row = String;
    fn keep(&self) -> String {
        match self {
            Self::Connect => "connect".into(),
            Self::Status(status) => format!("status {status}"),
            Self::Timeout => "timeout".into(),
            Self::Truncated => "truncated".into(),
            Self::InBand => "in_band".into(),
            Self::Empty => "empty".into(),
            Self::Parse => "parse".into(),
        }
    }
    fn recall(row: String) -> Result<Self, Strange> {
        let status = |row: &str| row.strip_prefix("status ")?.parse().ok().map(Self::Status);
        match row.as_str() {
            "connect" => Ok(Self::Connect),
            "timeout" => Ok(Self::Timeout),
            "truncated" => Ok(Self::Truncated),
            "in_band" => Ok(Self::InBand),
            "empty" => Ok(Self::Empty),
            "parse" => Ok(Self::Parse),
            _ => status(&row).ok_or_else(|| Strange(format!("{row:?} is no class of errors"))),
        }
    }
}

/// `latency.p99`, `ttft.mean`.
impl Kept for SloMetric {
    type Row = String;
    fn keep(&self) -> String {
        let (name, statistic) = match self {
            Self::Latency(percentile) => ("latency", Statistic::At(*percentile)),
            Self::Ttft(statistic) => ("ttft", *statistic),
            Self::Tpot(statistic) => ("tpot", *statistic),
        };
        let statistic = match statistic {
            Statistic::Mean => "mean",
            Statistic::At(percentile) => percentile.as_str(),
        };
        format!("{name}.{statistic}")
    }
    fn recall(row: String) -> Result<Self, Strange> {
        let read = || {
            let (name, word) = row.split_once('.')?;
            let statistic = match word {
                "mean" => Statistic::Mean,
                _ => Statistic::At(Percentile::from_word(word)?),
            };
            match (name, statistic) {
                ("latency", Statistic::At(percentile)) => Some(Self::Latency(percentile)),
                ("ttft", statistic) => Some(Self::Ttft(statistic)),
                ("tpot", statistic) => Some(Self::Tpot(statistic)),
                _ => None,
            }
        };
        read().ok_or_else(|| Strange(format!("{row:?} is no metric of an SLO")))
    }
}
