//! Finds the events in a stream of `text/event-stream` bytes.
//!
//! The one idea: however the same bytes are cut into reads, the same events come out, and
//! each is handed on in the call that completed it. Lines end in LF, CR or CRLF. It keeps
//! `data` and the one bit of `event` that matters (is it an error), and ignores the rest of
//! the format (`id`, `retry`, comments).
//!
//! It does not look into the data: no UTF-8 check, no JSON.

/// Longest line, and longest event, that is accepted.
pub(crate) const LONGEST_EVENT: usize = 1024 * 1024;

/// Most bytes of the first unreadable line that are kept for the error text.
const FOREIGN_KEPT: usize = 1024;

/// One event, borrowed from the read or from what was kept of earlier reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    /// The data lines, joined by LF.
    pub(crate) data: &'a [u8],
    /// Whether the stream itself named the event an error.
    pub(crate) is_error: bool,
}

/// Why bytes are no event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SseError {
    /// A line or an event goes on for too long.
    #[error("a line or event of more than {LONGEST_EVENT} bytes")]
    TooLong,
    /// Much was read and none of it was an event.
    #[error("more than {LONGEST_EVENT} bytes without any event")]
    NoEvent,
}

/// What scanning stopped for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ScanError<E> {
    /// The bytes are no event stream.
    Stream(SseError),
    /// The receiver of the events refused one.
    Receiver(E),
}

/// Splits bytes into events, across any number of calls.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// The line that has begun and not ended.
    line: Vec<u8>,
    /// Data lines of the event that has begun and not ended.
    data: Vec<u8>,
    has_data: bool,
    is_error: bool,
    /// The last byte was CR: an LF that follows belongs to it.
    after_carriage_return: bool,
    /// Whether the first line, which may begin with a byte order mark, is over.
    is_begun: bool,
    has_dispatched: bool,
    /// Bytes that were read before the first event.
    before_first_event: usize,
    /// The beginning of the first line that is no field of an event stream.
    foreign: Vec<u8>,
}

impl Scanner {
    /// Hands every event that `bytes` completes to `receive`, in order. An event that lies whole
    /// in `bytes` and has one data line is handed on where it lies: nothing is copied.
    ///
    /// # Errors
    /// [`ScanError::Stream`] when this is no event stream; whatever `receive` returns.
    pub(crate) fn feed<'b, E>(
        &mut self,
        mut bytes: &'b [u8],
        mut receive: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), ScanError<E>> {
        // The only data line so far of an event that has begun in these bytes.
        let mut lone: Option<&'b [u8]> = None;
        while !bytes.is_empty() {
            if self.after_carriage_return {
                self.after_carriage_return = false;
                if let [b'\n', rest @ ..] = bytes {
                    bytes = rest;
                    continue;
                }
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
                self.keep(bytes)?;
                break;
            };
            let (line, rest) = bytes.split_at(end);
            self.after_carriage_return = rest[0] == b'\r';
            bytes = &rest[1..];
            if !self.line.is_empty() {
                self.keep(line)?;
                self.take_kept_line(&mut lone, &mut receive)?;
                continue;
            }
            Self::check_length(line.len())?;
            match self.read_line(line)? {
                Line::Blank => self.dispatch(&mut lone, &mut receive)?,
                Line::Data(value) if lone.is_none() && !self.has_data => lone = Some(value),
                Line::Data(value) => {
                    self.add_lone(&mut lone)?;
                    self.add_data(value)?;
                }
                Line::Other => (),
            }
        }
        self.add_lone(&mut lone)
    }

    /// Ends the stream: an event whose closing blank line never came is handed on as it is.
    ///
    /// # Errors
    /// Whatever `receive` returns.
    pub(crate) fn finish<E>(
        &mut self,
        mut receive: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), ScanError<E>> {
        if !self.line.is_empty() {
            self.take_kept_line(&mut None, &mut receive)?;
        }
        self.dispatch(&mut None, &mut receive)
    }

    /// The beginning of the first line that was no field of an event stream, while no event
    /// has been seen: what a server says that does not stream.
    pub(crate) fn foreign(&self) -> Option<&[u8]> {
        (!self.has_dispatched && !self.foreign.is_empty()).then_some(&self.foreign)
    }

    /// Bytes of memory that it holds.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.line.capacity() + self.data.capacity() + self.foreign.capacity()
    }

    fn keep<E>(&mut self, part: &[u8]) -> Result<(), ScanError<E>> {
        Self::check_length(self.line.len() + part.len())?;
        self.line.extend_from_slice(part);
        Ok(())
    }

    fn check_length<E>(length: usize) -> Result<(), ScanError<E>> {
        if length > LONGEST_EVENT {
            return Err(ScanError::Stream(SseError::TooLong));
        }
        Ok(())
    }

    /// Takes the line that was kept of earlier reads and is now whole.
    fn take_kept_line<E>(
        &mut self,
        lone: &mut Option<&[u8]>,
        receive: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), ScanError<E>> {
        let mut whole = std::mem::take(&mut self.line);
        let taken = match self.read_line(&whole)? {
            Line::Blank => self.dispatch(lone, receive),
            Line::Data(value) => self.add_lone(lone).and_then(|()| self.add_data(value)),
            Line::Other => Ok(()),
        };
        whole.clear();
        self.line = whole;
        taken
    }

    /// What a line is, and all that it changes besides the data.
    fn read_line<'a, E>(&mut self, line: &'a [u8]) -> Result<Line<'a>, ScanError<E>> {
        let line = self.without_byte_order_mark(line);
        if !self.has_dispatched {
            self.before_first_event += line.len() + 1;
            if self.before_first_event > 2 * LONGEST_EVENT {
                return Err(ScanError::Stream(SseError::NoEvent));
            }
        }
        if line.is_empty() {
            return Ok(Line::Blank);
        }
        if let Some(value) = line.strip_prefix(b"data:") {
            return Ok(Line::Data(without_space(value)));
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(colon) => (&line[..colon], without_space(&line[colon + 1..])),
            None => (line, &line[line.len()..]),
        };
        match field {
            b"data" => return Ok(Line::Data(value)),
            b"event" => self.is_error = value == b"error",
            // An older llama.cpp names a field, not an event, after its errors.
            b"error" => {
                self.is_error = true;
                return Ok(Line::Data(value));
            }
            b"" | b"id" | b"retry" => (),
            _ => {
                if self.foreign.is_empty() {
                    self.foreign
                        .extend_from_slice(&line[..line.len().min(FOREIGN_KEPT)]);
                }
            }
        }
        Ok(Line::Other)
    }

    fn without_byte_order_mark<'a>(&mut self, line: &'a [u8]) -> &'a [u8] {
        if std::mem::replace(&mut self.is_begun, true) {
            return line;
        }
        line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
    }

    fn add_data<E>(&mut self, value: &[u8]) -> Result<(), ScanError<E>> {
        Self::check_length(self.data.len() + value.len() + 1)?;
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
        Ok(())
    }

    /// Copies a data line that does not stay alone, or whose event does not end in this read.
    fn add_lone<E>(&mut self, lone: &mut Option<&[u8]>) -> Result<(), ScanError<E>> {
        match lone.take() {
            Some(value) => self.add_data(value),
            None => Ok(()),
        }
    }

    fn dispatch<E>(
        &mut self,
        lone: &mut Option<&[u8]>,
        receive: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), ScanError<E>> {
        let is_error = std::mem::take(&mut self.is_error);
        if let Some(data) = lone.take() {
            self.has_dispatched = true;
            return receive(Event { data, is_error }).map_err(ScanError::Receiver);
        }
        if !std::mem::take(&mut self.has_data) {
            return Ok(());
        }
        self.has_dispatched = true;
        let received = receive(Event {
            data: &self.data,
            is_error,
        });
        self.data.clear();
        received.map_err(ScanError::Receiver)
    }
}

/// What one line of a stream is.
enum Line<'a> {
    /// The end of an event.
    Blank,
    /// A data line, without its name.
    Data(&'a [u8]),
    /// Nothing to hand on.
    Other,
}

fn without_space(value: &[u8]) -> &[u8] {
    value.strip_prefix(b" ").unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Data, and whether the event is an error.
    type Events = Vec<(Vec<u8>, bool)>;

    /// The events of `parts`, read one after the other, and how it ended.
    fn scan(parts: &[&[u8]]) -> (Events, Result<(), ScanError<()>>) {
        let mut scanner = Scanner::default();
        let mut events = Vec::new();
        let mut receive = |event: Event<'_>| {
            events.push((event.data.to_vec(), event.is_error));
            Ok(())
        };
        for part in parts {
            if let Err(error) = scanner.feed(part, &mut receive) {
                return (events, Err(error));
            }
        }
        let ended = scanner.finish(&mut receive);
        (events, ended)
    }

    #[track_caller]
    fn check(stream: &str, expected: &[&str]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|data| (data.as_bytes().to_vec(), false))
            .collect();
        assert_eq!(scan(&[stream.as_bytes()]), (expected.clone(), Ok(())), "whole");
        for at in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(at);
            assert_eq!(scan(&[head, tail]), (expected.clone(), Ok(())), "split at {at}");
        }
        let bytes: Vec<_> = stream.as_bytes().chunks(1).collect();
        assert_eq!(scan(&bytes), (expected, Ok(())), "byte by byte");
    }

    #[test]
    fn line_ends() {
        check("data: a\n\ndata: b\n\n", &["a", "b"]);
        check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
        check("data: a\r\rdata: b\r\r", &["a", "b"]);
        check("data: a\r\n\ndata: b\n\r\n", &["a", "b"]);
    }

    #[test]
    fn fields() {
        check("data:a\n\n", &["a"]);
        check("data:  a\n\n", &[" a"]);
        check("data: a\ndata: b\n\n", &["a\nb"]);
        check("data\n\n", &[""]);
        check("data:\n\n", &[""]);
        check("event: token\nid: 3\nretry: 10\ndata: a\n\n", &["a"]);
        check("databank: a\n\n", &[]);
        check("\u{feff}data: a\n\n", &["a"]);
        check("data: é✓\n\ndata: 漢字\n\n", &["é✓", "漢字"]);
    }

    #[test]
    fn what_is_no_event() {
        check("", &[]);
        check("\n\n\n", &[]);
        check(": ping\n\n", &[]);
        check(": ping\n\ndata: a\n\n: ping\n\n", &["a"]);
        check("event: nothing\n\ndata: a\n\n", &["a"]);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        check("data: a\n\ndata: [DONE]", &["a", "[DONE]"]);
        check("data: [DONE]\n", &["[DONE]"]);
    }

    #[test]
    fn errors_are_marked_for_one_event_only() {
        let (events, _) = scan(&[b"event: error\ndata: a\n\ndata: b\n\nerror: c\n\n"]);
        assert_eq!(
            events,
            [
                (b"a".to_vec(), true),
                (b"b".to_vec(), false),
                (b"c".to_vec(), true)
            ]
        );
    }

    #[test]
    fn lengths_are_bounded() {
        let line = vec![b'x'; LONGEST_EVENT + 1];
        assert_eq!(scan(&[&line]).1, Err(ScanError::Stream(SseError::TooLong)));
        let parts: Vec<_> = line.chunks(1000).collect();
        assert_eq!(scan(&parts).1, Err(ScanError::Stream(SseError::TooLong)));

        let event = b"data: 0123456789\n".repeat(LONGEST_EVENT / 10);
        assert_eq!(scan(&[&event]).1, Err(ScanError::Stream(SseError::TooLong)));

        let garbage = b"garbage\n".repeat(LONGEST_EVENT / 2);
        assert_eq!(scan(&[&garbage]).1, Err(ScanError::Stream(SseError::NoEvent)));
    }

    #[test]
    fn what_a_server_says_that_does_not_stream_is_kept() {
        let mut scanner = Scanner::default();
        let mut ignore = |_: Event<'_>| Ok::<(), ()>(());
        scanner.feed(b"{\"object\": 1}\n", &mut ignore).unwrap();
        assert_eq!(scanner.foreign(), Some(&b"{\"object\": 1}"[..]));
        scanner.feed(b"data: a\n\n", &mut ignore).unwrap();
        assert_eq!(scanner.foreign(), None, "there are events: it streams");
    }

    /// Bytes that look enough like a stream to reach every branch.
    fn streamlike() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"data: ".to_vec()),
            Just(b"data:".to_vec()),
            Just(b"event: error".to_vec()),
            Just(b": note".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\n\n".to_vec()),
            Just("é".as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..6),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_split_of_the_same_bytes_gives_the_same_events(
            stream in streamlike(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            places.extend([0, stream.len()]);
            places.sort_unstable();
            let parts: Vec<&[u8]> = places.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            prop_assert_eq!(scan(&parts), scan(&[&stream]));
        }

        #[test]
        fn arbitrary_bytes_never_panic(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8)) {
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let (_, ended) = scan(&parts);
            prop_assert_eq!(ended, Ok(()));
        }
    }
}
