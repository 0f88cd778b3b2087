//! Lines of containers as text, as JSON, and as server-sent events.

use std::fmt::Write as _;

use autotuner_deploy::containers::{Chunk, Item, Life, Line, LogStream, Place};
use axum::body::Bytes;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::streaming::{plain, write_frame};

/// Bytes of a frame beside its line, about.
const AROUND_A_LINE: usize = 64;

/// Lines in one event at most.
const MOST_LINES: usize = 256;

/// Numbers of what is made of a chunk once for all who look.
const BATCHES: usize = 0;
const LINES: usize = 1;

/// A line with what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Entry {
    /// When the daemon read it, in RFC 3339 with nanoseconds.
    t: String,
    /// `o` for standard output, `e` for standard error.
    s: &'static str,
    /// Its text; what is no UTF-8 is replaced.
    l: String,
}

/// How lines are told to whoever follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Form {
    /// Each as an unnamed event.
    Lines {
        /// Whether it begins with its time.
        is_stamped: bool,
        /// Only what was printed there.
        stream: Option<LogStream>,
    },
    /// Many in one event, as JSON.
    Batches,
}

/// A line as an entry.
pub(super) fn entry(line: &Line) -> Entry {
    Entry {
        t: format!("{:.9}", line.stamp),
        s: word(line.stream),
        l: String::from_utf8_lossy(&line.text).into_owned(),
    }
}

/// Lines as the text that was printed.
pub(super) fn printed(lines: &[Line], is_stamped: bool) -> String {
    let mut text = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
    for (index, line) in lines.iter().enumerate() {
        if is_stamped {
            write!(text, "{:.9} ", line.stamp).expect("memory takes everything");
        }
        text.push_str(&String::from_utf8_lossy(&line.text));
        if line.has_end || index + 1 < lines.len() {
            text.push('\n');
        }
    }
    text
}

impl Form {
    /// A chunk as events. What everybody gets alike is made once.
    pub(super) fn frames(self, chunk: &Chunk) -> Bytes {
        match self {
            Self::Batches => chunk.made(BATCHES, batches),
            Self::Lines {
                is_stamped: false,
                stream: None,
            } => chunk.made(LINES, |chunk| lines(chunk, false, None)),
            Self::Lines { is_stamped, stream } => lines(chunk, is_stamped, stream),
        }
    }

    /// Something that went wrong, as an event.
    pub(super) fn trouble(self, text: &str) -> Bytes {
        let mut frames = String::new();
        match self {
            Self::Batches => named(&mut frames, "gap", None, &json!({ "reason": text }).to_string()),
            Self::Lines { .. } => notice(&mut frames, text),
        }
        frames.into()
    }

    /// That nothing more will come.
    pub(super) fn end(self) -> Bytes {
        let mut frames = String::new();
        if self == Self::Batches {
            named(&mut frames, "end", None, "{}");
        }
        frames.into()
    }
}

fn word(stream: LogStream) -> &'static str {
    match stream {
        LogStream::Output => "o",
        LogStream::Errors => "e",
    }
}

fn lines(chunk: &Chunk, is_stamped: bool, only: Option<LogStream>) -> Bytes {
    let mut frames = String::with_capacity(chunk.lines() * AROUND_A_LINE + chunk.bytes());
    let (mut text, mut bare) = (String::new(), String::new());
    for (item, place) in chunk.placed() {
        match item {
            Item::Line(line) if only.is_none_or(|only| only == line.stream) => {
                text.clear();
                if is_stamped {
                    write!(text, "{:.9} ", line.stamp).expect("memory takes everything");
                }
                bare.clear();
                bare.push_str(&String::from_utf8_lossy(&line.text));
                // The end of a line as other systems write it is no part of it.
                plain(&mut text, bare.strip_suffix('\r').unwrap_or(&bare));
                write_frame(&mut frames, Some(&place), &text);
            }
            Item::Line(_) => {}
            Item::Gap(why) => notice(&mut frames, why),
            Item::Life(Life::Started { .. }) => notice(&mut frames, "the container was started"),
            Item::Life(Life::DaemonAway { reason }) => {
                notice(
                    &mut frames,
                    &format!("Unable to connect to Docker daemon: {reason}"),
                );
            }
            Item::Life(Life::DaemonBack) => notice(&mut frames, "the Docker daemon answers again"),
            // The end of the stream says it.
            Item::Life(Life::Stopped { .. } | Life::Removed) => {}
        }
    }
    frames.into()
}

/// Something that the container has not printed. It leaves the client's place as it is.
fn notice(frames: &mut String, text: &str) {
    let mut line = String::new();
    plain(&mut line, text);
    write_frame(frames, None, &format!("[{line}]"));
}

fn batches(chunk: &Chunk) -> Bytes {
    let mut batches = Batches {
        frames: Vec::with_capacity(chunk.lines() * AROUND_A_LINE + chunk.bytes()),
        lines: 0,
        place: chunk.before(),
        clock: Clock::default(),
    };
    for (item, place) in chunk.placed() {
        match item {
            Item::Line(line) => batches.add(line, place),
            Item::Gap(why) => batches.tell("gap", place, &json!({ "reason": why })),
            Item::Life(life) => batches.tell("life", place, &life_in_words(life)),
        }
    }
    batches.end();
    batches.frames.into()
}

/// Lines on their way into events.
struct Batches {
    frames: Vec<u8>,
    /// In the event that is being written.
    lines: usize,
    /// After the last of them.
    place: Place,
    clock: Clock,
}

impl Batches {
    fn add(&mut self, line: &Line, place: Place) {
        let begin: &[u8] = match self.lines {
            0 => b"event: log\ndata: [{\"t\":\"",
            _ => b",{\"t\":\"",
        };
        self.frames.extend_from_slice(begin);
        self.clock.write(&mut self.frames, line.stamp);
        self.frames.extend_from_slice(b"\",\"s\":\"");
        self.frames.extend_from_slice(word(line.stream).as_bytes());
        self.frames.extend_from_slice(b"\",\"l\":");
        let text = String::from_utf8_lossy(&line.text);
        serde_json::to_writer(&mut self.frames, &text).expect("texts are JSON");
        self.frames.push(b'}');
        self.lines += 1;
        self.place = place;
        if self.lines == MOST_LINES {
            self.end();
        }
    }

    /// Ends the event that is being written.
    fn end(&mut self) {
        if self.lines > 0 {
            self.frames.extend_from_slice(b"]\nid: ");
            self.frames.extend_from_slice(self.place.to_string().as_bytes());
            self.frames.extend_from_slice(b"\n\n");
            self.lines = 0;
        }
    }

    fn tell(&mut self, event: &str, place: Place, data: &serde_json::Value) {
        self.end();
        let mut frame = String::new();
        named(&mut frame, event, Some(&place), &data.to_string());
        self.frames.extend_from_slice(frame.as_bytes());
    }
}

/// Writes times, most of which are of the same second as the one before.
#[derive(Default)]
struct Clock {
    second: Option<i64>,
    /// That second: `2026-11-23T10:33:51`.
    text: String,
}

impl Clock {
    fn write(&mut self, frames: &mut Vec<u8>, stamp: jiff::Timestamp) {
        let whole = stamp.as_second();
        if self.second != Some(whole) || stamp.subsec_nanosecond() < 0 {
            let text = format!("{stamp:.9}");
            self.text = text[..text.len().saturating_sub(11)].to_owned();
            self.second = Some(whole);
        }
        frames.extend_from_slice(self.text.as_bytes());
        let mut digits = *b".000000000Z";
        let mut rest = stamp.subsec_nanosecond().unsigned_abs();
        for digit in digits[1..10].iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        frames.extend_from_slice(&digits);
    }
}

fn named(frames: &mut String, event: &str, place: Option<&Place>, data: &str) {
    writeln!(frames, "event: {event}").expect("memory takes everything");
    // An empty id would make the client forget where it was.
    let id = place.map(Place::to_string).filter(|id| !id.is_empty());
    write_frame(frames, id.as_ref().map(|id| id as &dyn std::fmt::Display), data);
}

fn life_in_words(life: &Life) -> serde_json::Value {
    match life {
        Life::Started { at } => json!({ "life": "started", "at": at }),
        Life::Stopped {
            exit_code,
            out_of_memory,
        } => {
            json!({ "life": "stopped", "exit_code": exit_code, "out_of_memory": out_of_memory })
        }
        Life::Removed => json!({ "life": "removed" }),
        Life::DaemonAway { reason } => json!({ "life": "daemon_away", "reason": reason }),
        Life::DaemonBack => json!({ "life": "daemon_back" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_library_writes_them() {
        let mut clock = Clock::default();
        for (second, nanosecond) in [
            (0, 0),
            (0, 1),
            (1_764_384_000, 123_456_789),
            (1_764_384_000, 999_999_999),
            (1_764_384_001, 5),
        ] {
            let stamp = jiff::Timestamp::new(second, nanosecond).unwrap();
            let mut written = Vec::new();
            clock.write(&mut written, stamp);
            assert_eq!(String::from_utf8(written).unwrap(), format!("{stamp:.9}"));
        }
    }
}
