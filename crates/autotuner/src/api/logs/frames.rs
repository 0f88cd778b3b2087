//! Lines of a log as server-sent events.

use std::fmt::Display;

use crate::api::streaming::{plain, write_frame};
use crate::service::log_files::follow::Line;

/// Bytes of a frame beside its line, about.
const AROUND_A_LINE: usize = 48;

/// How lines are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Each as an event, control characters shown as escapes.
    Lines,
    /// Many in one event, as a JSON array of texts, exact to the character. Its id is the
    /// last line's.
    Batches,
}

impl Form {
    /// Lines, each or all with an id.
    pub(super) fn lines(self, lines: &[Line]) -> String {
        let length: usize = lines.iter().map(|line| line.text.len() + AROUND_A_LINE).sum();
        let mut frames = String::with_capacity(length);
        match (self, lines) {
            (_, []) => {}
            (Self::Lines, lines) => {
                let mut text = String::new();
                for line in lines {
                    text.clear();
                    plain(&mut text, &line.text);
                    write_frame(&mut frames, Some(&line.after), &text);
                }
            }
            (Self::Batches, [.., last]) => {
                let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
                write_frame(&mut frames, Some(&last.after), &array(&texts));
            }
        }
        frames
    }

    /// Something to be said about the log, without a line break.
    pub(super) fn notice(self, id: Option<&dyn Display>, text: &str) -> String {
        let mut frame = String::new();
        match self {
            Self::Lines => write_frame(&mut frame, id, text),
            Self::Batches => write_frame(&mut frame, id, &array(&[text])),
        }
        frame
    }
}

fn array(texts: &[&str]) -> String {
    serde_json::to_string(texts).expect("texts are JSON")
}
