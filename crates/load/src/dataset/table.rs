//! Entries that are lines of a table.

use autotuner_core::workload::{Entry, Turn};
use csv::{Reader, ReaderBuilder, StringRecord};

use super::{Kept, Trouble};

/// Names of the column that holds prompts, the first that is there.
const PROMPTS: [&str; 4] = ["prompt", "question", "text", "input"];

/// Names of the column that holds answers' lengths in tokens.
const LENGTHS: [&str; 5] = [
    "output_tokens",
    "output_length",
    "max_tokens",
    "max_new_tokens",
    "response_tokens",
];

/// A table whose first line names its columns.
pub(super) fn read(bytes: &[u8], divider: u8, kept: &mut Kept) -> Result<(), Trouble> {
    let mut table = Table::open(bytes, divider)?;
    let prompts = table.column(&PROMPTS).unwrap_or(0);
    let lengths = table.column(&LENGTHS);
    while let Some(line) = table.next()? {
        let output = match lengths
            .map(|column| table.cell(column))
            .filter(|cell| !cell.is_empty())
        {
            Some(cell) => {
                let tokens = cell.parse::<u32>();
                let what = format!("the answer's length {cell:?} is not a whole number");
                Some(tokens.map_err(|_| (Some(line), what))?)
            }
            None => None,
        };
        let entry = Entry {
            system: None,
            turns: vec![Turn {
                question: table.cell(prompts).to_owned(),
                answer: None,
                output: output.filter(|tokens| *tokens > 0),
            }],
        };
        kept.add(entry).map_err(|what| (Some(line), what))?;
    }
    Ok(())
}

/// A table that is read line by line.
pub(super) struct Table<'a> {
    reader: Reader<&'a [u8]>,
    names: Vec<String>,
    record: StringRecord,
}

impl<'a> Table<'a> {
    /// Reads the names of the columns.
    pub(super) fn open(bytes: &'a [u8], divider: u8) -> Result<Self, Trouble> {
        let mut reader = ReaderBuilder::new().delimiter(divider).from_reader(bytes);
        let names = reader.headers().map_err(|error| trouble(&error))?;
        let names = names.iter().map(simple).collect();
        Ok(Self {
            reader,
            names,
            record: StringRecord::new(),
        })
    }

    /// The first column with one of these names, whatever the case and whether a blank or a line
    /// stands between words.
    pub(super) fn column(&self, names: &[&str]) -> Option<usize> {
        let mut columns = names.iter();
        columns.find_map(|name| self.names.iter().position(|known| known == name))
    }

    /// Reads the next line and tells its number; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<u64>, Trouble> {
        let is_there = self.reader.read_record(&mut self.record);
        let is_there = is_there.map_err(|error| trouble(&error))?;
        let line = self.record.position().map_or(0, csv::Position::line);
        Ok(is_there.then_some(line))
    }

    /// A cell of the line that was read last.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default().trim()
    }
}

fn simple(name: &str) -> String {
    name.trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

fn trouble(error: &csv::Error) -> Trouble {
    let line = error.position().map(csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("has {len} cells; the first line has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".into(),
        _ => error.to_string(),
    };
    (line, what)
}
