//! What the texts of requests are made of, beyond their lengths.
//!
//! The one idea: everything that is said here is the same for every configuration of a task, so
//! all of them are asked the same. It holds texts and makes none, and it opens no file: what has
//! still to be read is a [`Source`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What the texts of requests are made of. The default is made-up words, nothing shared, one
/// request after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Where words come from.
    pub texts: Texts,
    /// Whether prompts share their beginnings; those of `P(prefix,suffix)/out` do anyway.
    pub sharing: Option<Sharing>,
    /// Whether requests follow each other in conversations.
    pub conversation: Option<Conversation>,
    /// Documents of one request for embeddings or an order, at least 1.
    pub batch: u32,
    /// Opens every prompt with words of its own, so that a server that has been asked all of this
    /// before finds nothing in its cache. One salt for all configurations keeps them comparable;
    /// a new one each time makes their prompts differ.
    pub salt: Option<u64>,
}

/// Where words come from.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Texts {
    /// Common words in an order that follows from the seed.
    #[default]
    Made,
    /// A data set: `dataset` asks its entries as they are, other scenarios take their words from
    /// it.
    Read(Arc<DataSet>),
}

/// Texts that were read from a file.
#[derive(Clone, PartialEq, Eq)]
pub struct DataSet {
    /// Where it was read from, for people.
    pub name: String,
    /// What it holds, at least one.
    pub entries: Vec<Entry>,
}

/// One entry of a data set: a conversation, of one turn as a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Entry {
    /// What the model is told before all else.
    pub system: Option<String>,
    /// Questions and answers, at least one.
    pub turns: Vec<Turn>,
}

/// A question and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Turn {
    /// What is asked.
    pub question: String,
    /// What was answered, where that was recorded.
    pub answer: Option<String>,
    /// Tokens of the answer, where they were recorded, at least 1.
    pub output: Option<u32>,
}

/// Prompts that share their beginnings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sharing {
    /// Different beginnings that are shared, at least 1.
    pub groups: u32,
    /// Tokens of each, of the prompt's length; a scenario that names its own prefix keeps it.
    pub prefix_tokens: u32,
    /// Share of the requests that begin with one of them, 0 to 1; the others begin each in its
    /// own way.
    pub hit_ratio: f64,
}

/// Requests that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversation {
    /// Requests of one conversation, at least 1; fewer where a data set's entry has fewer.
    pub turns: u32,
    /// How long it rests between an answer and the next request.
    pub think: Duration,
}

/// Files that must be read before a load can be made of them. Whoever reads one takes it from
/// here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    /// The data set.
    pub dataset: Option<Source>,
    /// The recorded starts.
    pub trace: Option<Source>,
}

/// A file that has still to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `https://…`, `http://…`, `file://…` or a path.
    pub place: String,
    /// Whether an entry that it holds twice is used once.
    pub deduplicate: bool,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            texts: Texts::Made,
            sharing: None,
            conversation: None,
            batch: 1,
            salt: None,
        }
    }
}

impl DataSet {
    /// The same without entries that were there before; the first of equals stays.
    #[must_use]
    pub fn without_repeats(mut self) -> Self {
        let mut seen = std::collections::HashSet::with_capacity(self.entries.len());
        let is_new: Vec<bool> = self.entries.iter().map(|entry| seen.insert(entry)).collect();
        drop(seen);
        let mut is_new = is_new.into_iter();
        self.entries.retain(|_| is_new.next().unwrap_or(true));
        self
    }
}

/// Names it; its texts may be millions.
impl fmt::Debug for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataSet({} entries of {})", self.entries.len(), self.name)
    }
}
