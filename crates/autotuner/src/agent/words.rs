//! How an agent says how a request ended, and who counted its tokens.

use autotuner_core::measure::{RequestError, RequestOutcome, TokenCount, TokenSource};
use serde::{Deserialize, Serialize};

/// See [`TokenCount`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TokensSaid {
    count: u32,
    source: SourceSaid,
}

/// See [`TokenSource`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SourceSaid {
    Usage,
    Chunks,
    Requested,
}

/// See [`RequestOutcome`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeSaid {
    Success,
    Failed { error: ErrorSaid, detail: String },
    CutOff,
}

/// See [`RequestError`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorSaid {
    Connect,
    Status(u16),
    Timeout,
    Truncated,
    InBand,
    Empty,
    Parse,
}

impl From<TokenCount> for TokensSaid {
    fn from(records: TokenCount) -> Self {
        let TokenCount { count, source } = records;
        Self {
            count,
            source: source.into(),
        }
    }
}

impl From<TokensSaid> for TokenCount {
    fn from(said: TokensSaid) -> Self {
        let TokensSaid { count, source } = said;
        Self {
            count,
            source: source.into(),
        }
    }
}

impl From<TokenSource> for SourceSaid {
    fn from(source: TokenSource) -> Self {
        match source {
            TokenSource::Usage => Self::Usage,
            TokenSource::Chunks => Self::Chunks,
            TokenSource::Requested => Self::Requested,
        }
    }
}

impl From<SourceSaid> for TokenSource {
    fn from(source: SourceSaid) -> Self {
        match source {
            SourceSaid::Usage => Self::Usage,
            SourceSaid::Chunks => Self::Chunks,
            SourceSaid::Requested => Self::Requested,
        }
    }
}

impl From<RequestOutcome> for OutcomeSaid {
    fn from(outcome: RequestOutcome) -> Self {
        match outcome {
            RequestOutcome::Success => Self::Success,
            RequestOutcome::CutOff => Self::CutOff,
            RequestOutcome::Failed { error, detail } => Self::Failed {
                error: error.into(),
                detail,
            },
        }
    }
}

impl From<OutcomeSaid> for RequestOutcome {
    fn from(outcome: OutcomeSaid) -> Self {
        match outcome {
            OutcomeSaid::Success => Self::Success,
            OutcomeSaid::CutOff => Self::CutOff,
            OutcomeSaid::Failed { error, detail } => Self::Failed {
                error: error.into(),
                detail,
            },
        }
    }
}

impl From<RequestError> for ErrorSaid {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Status(status) => Self::Status(status),
            RequestError::Connect => Self::Connect,
            RequestError::Timeout => Self::Timeout,
            RequestError::Truncated => Self::Truncated,
            RequestError::InBand => Self::InBand,
            RequestError::Empty => Self::Empty,
            RequestError::Parse => Self::Parse,
        }
    }
}

impl From<ErrorSaid> for RequestError {
    fn from(error: ErrorSaid) -> Self {
        match error {
            ErrorSaid::Status(status) => Self::Status(status),
            ErrorSaid::Connect => Self::Connect,
            ErrorSaid::Timeout => Self::Timeout,
            ErrorSaid::Truncated => Self::Truncated,
            ErrorSaid::InBand => Self::InBand,
            ErrorSaid::Empty => Self::Empty,
            ErrorSaid::Parse => Self::Parse,
        }
    }
}
