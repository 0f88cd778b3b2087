//! When a level may end before its time: once its figures are known well enough.

/// How precisely a level's figures must be known for it to end.
#[derive(Debug, Clone, PartialEq)]
pub struct Precision {
    /// How far a figure may be off, as a ratio of it, above 0.
    pub ratio: f64,
    /// The figures that must be known so well, at least one.
    pub figures: Vec<Figure>,
    /// Fewest requests that must have ended well.
    pub least_requests: u32,
}

/// A figure of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Tokens per second, of prompts and answers.
    Tokens,
    /// Mean time to first token, from the schedule where there is one.
    Ttft,
    /// Mean time per output token.
    Tpot,
    /// Mean end-to-end latency, from the schedule where there is one.
    Latency,
}
