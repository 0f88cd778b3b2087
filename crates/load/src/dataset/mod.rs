//! Data sets and traces, from the bytes of a file to what a workload is made of.
//!
//! The one idea: a file is read from its beginning to its end, entry by entry, and what is kept
//! is only what will be asked. Whoever is told that a file is wrong is told the line. It opens
//! no file and asks no server: bytes come in.

mod record;
mod table;
mod trace;

use autotuner_core::workload::{DataSet, Entry};

pub use trace::read_trace;

/// Largest file, in bytes.
pub const MOST_BYTES: usize = 256 << 20;

/// Most entries of a data set, and most starts of a trace.
pub const MOST_ENTRIES: usize = 1_000_000;

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}{}: {what}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct DataSetError {
    /// The file, for people.
    pub name: String,
    /// Where in it, counted from 1, where that is known.
    pub line: Option<u64>,
    /// What is wrong with it.
    pub what: String,
}

/// Reads a data set, which may be
///
/// * a JSON list, as ShareGPT is: `[{"conversations": [{"from": "human", "value": …}, …]}, …]`;
/// * one JSON object a line, with `prompt`, `question`, `text` or `input`, or with `messages` or
///   `conversations`, and with `max_tokens`, `output_tokens` or `output_length` where the
///   answer's length is known (objects of a JSON list may have the same keys);
/// * a table with a line of names, as CSV or with tabs, the prompts in `prompt`, `question`,
///   `text`, `input` or else the first column;
/// * plain text, one prompt a line, in a file whose name ends in `.txt`.
///
/// Entries without a prompt are left out.
///
/// # Errors
/// The first thing wrong with it.
pub fn read_dataset(name: &str, bytes: &[u8], deduplicate: bool) -> Result<DataSet, DataSetError> {
    let failed = |(line, what)| DataSetError {
        name: name.to_owned(),
        line,
        what,
    };
    check_size(bytes).map_err(failed)?;
    let bytes = without_mark(bytes);
    let mut entries = Kept::default();
    let read = match kind_of(name, bytes) {
        Kind::List => record::read_list(bytes, &mut entries),
        Kind::Lines => record::read_lines(bytes, &mut entries),
        Kind::Table(divider) => table::read(bytes, divider, &mut entries),
        Kind::Text => read_text(bytes, &mut entries),
    };
    read.map_err(failed)?;
    if entries.0.is_empty() {
        return Err(failed((None, "holds no prompt".into())));
    }
    let set = DataSet {
        name: name.to_owned(),
        entries: entries.0,
    };
    Ok(if deduplicate { set.without_repeats() } else { set })
}

/// Where and what is wrong.
type Trouble = (Option<u64>, String);

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Lines,
    Table(u8),
    Text,
}

/// By its first letter; only for tables and plain text by its name.
fn kind_of(name: &str, bytes: &[u8]) -> Kind {
    let name = name.to_ascii_lowercase();
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        _ if name.ends_with(".txt") => Kind::Text,
        _ if name.ends_with(".csv") => Kind::Table(b','),
        _ if name.ends_with(".tsv") => Kind::Table(b'\t'),
        Some(b'[') => Kind::List,
        Some(b'{') => Kind::Lines,
        _ => Kind::Table(b','),
    }
}

/// What is kept of a data set.
#[derive(Debug, Default)]
struct Kept(Vec<Entry>);

impl Kept {
    /// Keeps an entry, unless it asks nothing.
    fn add(&mut self, mut entry: Entry) -> Result<(), String> {
        entry.turns.retain(|turn| !turn.question.trim().is_empty());
        if entry.turns.is_empty() {
            return Ok(());
        }
        if self.0.len() == MOST_ENTRIES {
            return Err(too_many());
        }
        self.0.push(entry);
        Ok(())
    }
}

fn too_many() -> String {
    format!("has more than {MOST_ENTRIES} entries; give a part of it")
}

fn check_size(bytes: &[u8]) -> Result<(), Trouble> {
    let megabytes = bytes.len() >> 20;
    if bytes.len() > MOST_BYTES {
        let what = format!("has {megabytes} MiB; at most {} MiB are read", MOST_BYTES >> 20);
        return Err((None, what));
    }
    Ok(())
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The lines that are not blank, with their numbers from 1.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let numbered = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    let trimmed = numbered.map(|(number, line)| (number, line.trim_ascii()));
    trimmed.filter(|(_, line)| !line.is_empty())
}

fn read_text(bytes: &[u8], kept: &mut Kept) -> Result<(), Trouble> {
    for (number, line) in lines(bytes) {
        let line = std::str::from_utf8(line).map_err(|_| (Some(number), "is not UTF-8".to_owned()))?;
        let turn = autotuner_core::workload::Turn {
            question: line.to_owned(),
            ..Default::default()
        };
        let entry = Entry {
            system: None,
            turns: vec![turn],
        };
        kept.add(entry).map_err(|what| (Some(number), what))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
