//! A pod's log as its engine's output.
//!
//! A pure reading. The one idea: all that the engine prints comes in an agent's lines, and what is
//! not in one is said by somebody else in the pod. So output is what the engine printed, errors are
//! what the agent itself or its container said beside that, and an agent's messages are nobody's to
//! read. A line that comes in parts has the stamp of its last one, so that lines are in order.

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use crate::containers::Line;
use crate::containers::logs::line::MOST_HELD;
use crate::docker::piece::{Piece, Stream};
use crate::kubernetes::frame::{ForPeople, for_people};

/// Makes lines of a log that has stamps.
#[derive(Debug)]
pub(super) struct Decoder {
    /// Where what no agent has written was printed.
    foreign: Stream,
    /// A line of the log whose end has not come.
    raw: BytesMut,
    /// Whether that line is longer than any.
    is_overlong: bool,
    /// What the engine has printed of a line that it has not ended, and when the last of it came.
    held: Option<(Timestamp, BytesMut)>,
    /// Lines of the log that were looked at.
    raw_lines: usize,
}

impl Decoder {
    /// For a container whose command is our agent, or an engine that writes to its log itself.
    pub(super) fn of(is_agents: bool) -> Self {
        Self {
            foreign: if is_agents { Stream::Errors } else { Stream::Output },
            raw: BytesMut::new(),
            is_overlong: false,
            held: None,
            raw_lines: 0,
        }
    }

    /// Takes in what comes next.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, is_end) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if self.raw.len() + text.len() > MOST_HELD {
                self.is_overlong = true;
            } else {
                self.raw.extend_from_slice(text);
            }
            if is_end {
                let raw = self.raw.split().freeze();
                self.raw_lines += 1;
                if !std::mem::take(&mut self.is_overlong) {
                    lines.extend(self.whole(raw));
                }
            }
        }
        lines
    }

    /// Nothing more comes: what is held is all there is of it.
    pub(super) fn finish(&mut self) -> Vec<Line> {
        let rest = self.raw.split().freeze();
        let mut lines: Vec<Line> = self.whole(rest).into_iter().collect();
        let held = self.held.take();
        lines.extend(held.map(|(stamp, text)| line(Stream::Output, stamp, text.freeze(), false)));
        lines
    }

    /// How many lines of the log there were, whatever they are.
    pub(super) fn raw_lines(&self) -> usize {
        self.raw_lines
    }

    fn whole(&mut self, raw: Bytes) -> Option<Line> {
        let Piece { stamp, text, .. } = Piece::stamped(Stream::Errors, raw)?;
        match std::str::from_utf8(&text).ok().and_then(for_people) {
            None => Some(line(self.foreign, stamp, text, true)),
            Some(ForPeople::Message) => None,
            Some(ForPeople::Output { bytes, is_end }) => {
                let mut all = self.held.take().map(|(_, held)| held).unwrap_or_default();
                all.extend_from_slice(&bytes);
                if is_end || all.len() > MOST_HELD {
                    return Some(line(Stream::Output, stamp, all.freeze(), is_end));
                }
                self.held = Some((stamp, all));
                None
            }
        }
    }
}

fn line(stream: Stream, stamp: Timestamp, text: Bytes, has_end: bool) -> Line {
    Line {
        stream,
        stamp,
        text,
        has_end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::frame::FrameWriter;

    /// A log whose lines are a second apart.
    fn log(write: impl FnOnce(&mut FrameWriter<&mut Vec<u8>>)) -> Vec<u8> {
        let mut said = Vec::new();
        write(&mut FrameWriter::new("n0nce", &mut said));
        let text = String::from_utf8(said).expect("plain text");
        let lines = text.lines().enumerate();
        let lines: String = lines
            .map(|(second, line)| format!("2026-11-30T00:00:{second:02}.5Z {line}\n"))
            .collect();
        lines.into_bytes()
    }

    fn check(log: &[u8], expected: &[(&str, i64, &str)]) {
        // However the network cuts it.
        for size in [1, 7, log.len()] {
            let mut decoder = Decoder::of(true);
            let mut lines: Vec<Line> = log.chunks(size).flat_map(|chunk| decoder.feed(chunk)).collect();
            lines.extend(decoder.finish());
            let found: Vec<_> = lines
                .iter()
                .map(|line| {
                    let stream = if line.stream == Stream::Output { "o" } else { "e" };
                    let second = line.stamp.as_second().rem_euclid(60);
                    (stream, second, std::str::from_utf8(&line.text).expect("text"))
                })
                .collect();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn the_engines_output_is_readable_and_messages_are_not_shown() {
        let said = log(|agent| {
            agent.message(b"{\"launched\":{}}").expect("written");
            agent.output(b"INFO ready\n\n").expect("written");
            agent.output("50%\r99% é\\\n".as_bytes()).expect("written");
            agent.message(&[7; 20_000]).expect("written");
        });
        check(
            &said,
            &[("o", 1, "INFO ready"), ("o", 2, ""), ("o", 3, "50%\r99% é\\")],
        );
    }

    #[test]
    fn a_line_that_comes_in_parts_is_one() {
        let long = "x".repeat(5000);
        let said = log(|agent| {
            agent.output(b"Loading ").expect("written");
            agent.message(b"tick").expect("written");
            agent.output(b"done\n").expect("written");
            agent
                .output(format!("{long}\nno end").as_bytes())
                .expect("written");
        });
        check(
            &said,
            &[("o", 2, "Loading done"), ("o", 5, &long), ("o", 6, "no end")],
        );
    }

    #[test]
    fn an_engine_that_writes_to_its_log_itself_is_its_output() {
        let mut decoder = Decoder::of(false);
        let lines = decoder.feed(b"2026-11-30T00:00:09.5Z INFO ready\n");
        assert_eq!(lines[0].stream, Stream::Output);
        assert_eq!(lines[0].text, "INFO ready");
    }

    #[test]
    fn what_no_agent_wrote_is_shown_as_it_is() {
        let mut said = b"2026-11-30T00:00:09.5Z exec format error\n".to_vec();
        // A line whose sum is wrong is none of an agent's.
        said.extend_from_slice(b"2026-11-30T00:00:10.5Z autotuner1 n 0 o 00000000 hello\n");
        said.extend_from_slice(b"without a stamp\n");
        check(
            &said,
            &[
                ("e", 9, "exec format error"),
                ("e", 10, "autotuner1 n 0 o 00000000 hello"),
            ],
        );
    }
}
