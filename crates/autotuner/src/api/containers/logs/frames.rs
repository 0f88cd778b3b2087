//! Lines of containers as text, as JSON, and as server-sent events.

use std::fmt::Write as _;

use autotuner_deploy::containers::{Chunk, Item, Life, Line, LogStream, Place};
use axum::body::Bytes;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::streaming::{plain, write_frame};

/// Bytes of a frame beside its line, about.
const AROUND_A_LINE: usize = 120;

/// Numbers of what is made of a chunk once for all who look.
const BATCHES: usize = 0;
const LINES: usize = 1;

/// A line with what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Entry {
    /// When the daemon read it, in RFC 3339 with nanoseconds.
    t: String,
    /// `o` for standard output, `e` for standard error.
    s: &'static str,
    /// Its text; what is no UTF-8 is replaced.
    l: String,
}

/// How lines are told to whoever follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
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
    let mut frames = String::with_capacity(chunk.lines() * AROUND_A_LINE);
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
    let mut frames = String::with_capacity(chunk.lines() * AROUND_A_LINE);
    let mut batch = Batch::default();
    for (item, place) in chunk.placed() {
        match item {
            Item::Line(line) => batch.add(line, place),
            Item::Gap(why) => {
                batch.write(&mut frames);
                named(
                    &mut frames,
                    "gap",
                    Some(&place),
                    &json!({ "reason": why }).to_string(),
                );
            }
            Item::Life(life) => {
                batch.write(&mut frames);
                named(
                    &mut frames,
                    "life",
                    Some(&place),
                    &life_in_words(life).to_string(),
                );
            }
        }
    }
    batch.write(&mut frames);
    frames.into()
}

/// Lines on their way into one event.
#[derive(Default)]
struct Batch {
    json: String,
    place: Option<Place>,
}

impl Batch {
    fn add(&mut self, line: &Line, place: Place) {
        self.json.push(if self.place.is_some() { ',' } else { '[' });
        let stream = word(line.stream);
        write!(
            self.json,
            "{{\"t\":\"{:.9}\",\"s\":\"{stream}\",\"l\":",
            line.stamp
        )
        .expect("memory takes everything");
        let text = String::from_utf8_lossy(&line.text);
        self.json
            .push_str(&serde_json::to_string(&text).expect("texts are JSON"));
        self.json.push('}');
        self.place = Some(place);
    }

    fn write(&mut self, frames: &mut String) {
        if let Some(place) = self.place.take() {
            self.json.push(']');
            named(frames, "log", Some(&place), &self.json);
            self.json.clear();
        }
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
