//! How fast answers are read: what `examples/parse-speed.rs` calls.
//!
//! It is the very code that reads answers in a benchmark, without a network. Nothing of the
//! program uses it.

use autotuner_core::workload::Api;

use crate::transcript::Transcript;

/// Reads one answer that comes in these reads, and says how many chunks of content it had.
///
/// # Errors
/// Why the answer is none, for reading.
pub fn read_answer<'a>(
    api: Api,
    chunks: u32,
    reads: impl IntoIterator<Item = &'a [u8]>,
) -> Result<u32, String> {
    let mut transcript = Transcript::new(api, chunks);
    let mut heard = 0;
    for (stamp, read) in (0..).zip(reads) {
        heard += transcript.feed(read, stamp).map_err(|failure| failure.detail)?;
    }
    Ok(heard)
}
