//! HTTP/1.1 as far as a load generator needs it: a request out of ready bytes, an answer's
//! pieces out of whatever a read brings.
//!
//! The one idea: nothing here waits or reads. Bytes go in with the call that has them, pieces
//! come out borrowed from them, and whoever reads the socket has stamped it before. `hyper` is
//! the oracle in tests; why it does not carry the load itself is told in
//! `docs/load-generator.md`.
//!
//! It knows no HTTP/2, no compression, no proxies and no redirects.

mod chunks;
mod head;
#[cfg(test)]
mod oracle;
mod response;

pub(crate) use head::RequestHead;
pub(crate) use response::{AnswerReader, Piece};

/// Why bytes are no HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    /// The head cannot be read.
    #[error("the head of the answer is no HTTP/1.1: {0}")]
    Head(String),
    /// The head goes on and on.
    #[error("the head of the answer is longer than {0} bytes")]
    LongHead(usize),
    /// The framing of the body is broken.
    #[error("the answer's chunked body is broken: {0}")]
    Chunk(&'static str),
    /// The body is in a coding that was not asked for.
    #[error("the answer is in the coding {0}, which was not asked for")]
    Coding(String),
}
