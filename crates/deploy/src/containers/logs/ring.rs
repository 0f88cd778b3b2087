//! The latest of a log, kept once for everybody who looks at it.
//!
//! The idea: what comes from the daemon is kept in chunks as it came, so that what is made of a
//! chunk for one viewer serves all. A chunk knows between which places of the log it lies; that is
//! how somebody who stands anywhere finds the chunk to go on with, or learns that it is gone.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use super::line::Line;
use super::place::Place;

/// Lines that are kept.
const MOST_LINES: usize = 10_000;

/// Bytes of lines that are kept.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What a line costs beside its text.
const AROUND_A_LINE: usize = 64;

/// How many different things may be made of a chunk.
pub const FORMS: usize = 2;

/// Something in a container's log, or something that befell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// It printed a line.
    Line(Line),
    /// Lines may be missing here.
    Gap(String),
    /// Something became of the container, or of the daemon.
    Life(Life),
}

/// What becomes of a container while its log is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// It was started, perhaps not for the first time.
    Started {
        /// When, as Docker writes it.
        at: Option<String>,
    },
    /// It ended; all that it printed has come.
    Stopped {
        /// Its exit code.
        exit_code: Option<i64>,
        /// Whether it ended for want of memory.
        out_of_memory: bool,
    },
    /// It is gone, and its log with it.
    Removed,
    /// The daemon does not answer.
    DaemonAway {
        /// Why.
        reason: String,
    },
    /// It answers again.
    DaemonBack,
}

/// Some items that came together.
#[derive(Debug)]
pub struct Chunk {
    items: Vec<Item>,
    before: Place,
    after: Place,
    lines: usize,
    bytes: usize,
    /// Which word about the container's life is in it; 0 for none.
    word: u64,
    made: [OnceLock<Bytes>; FORMS],
}

impl Chunk {
    /// A chunk of items that begin at this place.
    pub(crate) fn new(mut items: Vec<Item>, before: Place) -> Self {
        let mut after = before;
        let mut text = BytesMut::with_capacity(items.iter().map(|item| text_of(item).len()).sum());
        let mut lines = 0;
        for item in &items {
            if let Item::Line(line) = item {
                after.advance(line.stream, line.stamp);
                text.extend_from_slice(&line.text);
                lines += 1;
            }
        }
        // Texts share what came with them; together in one place they hold on to nothing else.
        let bytes = text.len();
        let text = text.freeze();
        let mut at = 0;
        for item in &mut items {
            if let Item::Line(line) = item {
                let end = at + line.text.len();
                line.text = text.slice(at..end);
                at = end;
            }
        }
        Self {
            bytes: bytes + items.len() * AROUND_A_LINE,
            items,
            before,
            after,
            lines,
            word: 0,
            made: Default::default(),
        }
    }

    /// Says which word about the container's life is in it.
    pub(super) fn is_word_number(&mut self, word: u64) {
        self.word = word;
    }

    /// Which word about the container's life is in it; 0 for none.
    pub(super) fn word(&self) -> u64 {
        self.word
    }

    /// What is in it, oldest first.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// How many lines are in it.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// About how many bytes its lines have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The place in the log before its first item.
    #[must_use]
    pub fn before(&self) -> Place {
        self.before
    }

    /// The place in the log after its last item.
    #[must_use]
    pub fn after(&self) -> Place {
        self.after
    }

    /// Its lines and what lies between them, each with the place after it.
    pub fn placed(&self) -> impl Iterator<Item = (&Item, Place)> {
        self.items.iter().scan(self.before, |place, item| {
            if let Item::Line(line) = item {
                place.advance(line.stream, line.stamp);
            }
            Some((item, *place))
        })
    }

    /// What was made of it in this form, made at the first asking. The form is below [`FORMS`].
    pub fn made(&self, form: usize, make: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.made[form].get_or_init(|| make(self)).clone()
    }
}

fn text_of(item: &Item) -> &[u8] {
    match item {
        Item::Line(line) => &line.text,
        _ => &[],
    }
}

/// The latest chunks.
#[derive(Debug, Default)]
pub(super) struct Ring {
    chunks: VecDeque<Arc<Chunk>>,
    /// The number of the first chunk that is kept.
    first: u64,
    lines: usize,
    bytes: usize,
    /// Where the next chunk begins.
    head: Place,
}

impl Ring {
    pub(super) fn beginning_at(head: Place) -> Self {
        Self {
            head,
            ..Self::default()
        }
    }

    /// The number of the next chunk.
    pub(super) fn next(&self) -> u64 {
        self.first + self.chunks.len() as u64
    }

    /// Up to where the log has come.
    pub(super) fn head(&self) -> Place {
        self.head
    }

    /// A chunk by its number; `None` where it is gone or has not come yet.
    pub(super) fn chunk(&self, number: u64) -> Option<&Arc<Chunk>> {
        let index = number.checked_sub(self.first)?;
        self.chunks.get(usize::try_from(index).ok()?)
    }

    /// The first chunk that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Where somebody goes on who stands at this place: the last chunk that does not begin after
    /// it. `None` where something between is gone.
    pub(super) fn after(&self, place: &Place) -> Option<u64> {
        let fits = |before: Place| before.is_within(place);
        if fits(self.head) {
            return Some(self.next());
        }
        // Later chunks begin later, so those that fit come first.
        let fitting = self.chunks.partition_point(|chunk| fits(chunk.before));
        Some(self.first + fitting.checked_sub(1)? as u64)
    }

    /// Lets go of everything.
    pub(super) fn clear(&mut self) {
        *self = Self {
            first: self.next(),
            head: self.head,
            ..Self::default()
        };
    }

    /// Which of the oldest chunks has to go so that one more can come: those before this number.
    pub(super) fn room_for(&self, chunk: &Chunk) -> u64 {
        let (mut lines, mut bytes) = (self.lines + chunk.lines, self.bytes + chunk.bytes);
        let mut first = self.first;
        for old in &self.chunks {
            if lines <= MOST_LINES && bytes <= MOST_BYTES {
                break;
            }
            lines -= old.lines;
            bytes -= old.bytes;
            first += 1;
        }
        first
    }

    /// Takes in a chunk and lets go of the oldest.
    pub(super) fn push(&mut self, chunk: Arc<Chunk>) {
        let first = self.room_for(&chunk);
        while self.first < first {
            let Some(old) = self.chunks.pop_front() else { break };
            self.lines -= old.lines;
            self.bytes -= old.bytes;
            self.first += 1;
        }
        self.lines += chunk.lines;
        self.bytes += chunk.bytes;
        self.head = chunk.after;
        self.chunks.push_back(chunk);
    }
}
