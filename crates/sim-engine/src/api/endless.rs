//! A line of a stream that does not end.
//!
//! It is handed out as the connection takes it and costs no memory. It is bounded after all,
//! so that a client without a bound of its own fails instead of taking the machine along.

use bytes::Bytes;

/// Length of the line; then the connection closes.
const LENGTH: usize = 32 * 1024 * 1024;

static FILLER: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// What is left of the line.
#[derive(Debug)]
pub(crate) struct EndlessLine {
    left: usize,
}

impl EndlessLine {
    /// The line's beginning, an event like any other, and the rest of it.
    pub(crate) fn begin() -> (Bytes, Self) {
        let beginning = Bytes::from_static(b"data: {\"choices\": [{\"index\": 0, \"text\": \"");
        (beginning, Self { left: LENGTH })
    }

    /// The next piece; none when the connection is to be closed.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let rest = self.left.checked_sub(FILLER.len())?;
        self.left = rest;
        Some(Bytes::from_static(&FILLER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_no_end_but_its_length() {
        let (_, mut line) = EndlessLine::begin();
        let pieces: Vec<Bytes> = std::iter::from_fn(|| line.next()).collect();
        assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), LENGTH);
        assert!(pieces.iter().all(|piece| !piece.contains(&b'\n')));
    }
}
