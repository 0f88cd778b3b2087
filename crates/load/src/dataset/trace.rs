//! Traces: when requests came, and how long they were.

use std::time::Duration;

use autotuner_core::workload::{Lengths, TraceStart};
use serde::Deserialize;

use super::record::words_of;
use super::table::Table;
use super::{DataSetError, MOST_ENTRIES, Trouble, check_size, lines, too_many, without_mark};

/// Longest prompt or answer that a trace may ask for, in tokens.
const MOST_TOKENS: u32 = 10_000_000;

/// Longest trace, in seconds: thirty days.
const MOST_SECONDS: f64 = 30.0 * 24.0 * 3600.0;

/// One line of a mooncake trace. Its `hash_ids`, which say which blocks of prompts were the same,
/// are not looked at.
#[derive(Deserialize)]
struct Record {
    /// Milliseconds.
    timestamp: f64,
    #[serde(alias = "input_tokens")]
    input_length: u32,
    #[serde(alias = "output_tokens")]
    output_length: u32,
}

/// Reads a trace, which may be
///
/// * one JSON object a line, as mooncake's are, with `timestamp` in milliseconds, `input_length`
///   and `output_length`;
/// * a table, as BurstGPT is, with the columns `Timestamp` in seconds, `Request tokens` and
///   `Response tokens` (or `input_length` and `output_length`).
///
/// Moments are counted from the earliest. Lines without an answer, which BurstGPT has for
/// requests that failed, are left out.
///
/// # Errors
/// The first thing wrong with it.
pub fn read_trace(name: &str, bytes: &[u8]) -> Result<Vec<TraceStart>, DataSetError> {
    let failed = |(line, what)| DataSetError {
        name: name.to_owned(),
        line,
        what,
    };
    check_size(bytes).map_err(failed)?;
    let bytes = without_mark(bytes);
    let mut moments = Moments::default();
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let read = match first {
        Some(b'{') => read_lines(bytes, &mut moments),
        Some(b'[') => Err((
            None,
            "is a JSON list; write one object a line, or a table".to_owned(),
        )),
        _ if name.to_ascii_lowercase().ends_with(".tsv") => read_table(bytes, b'\t', &mut moments),
        _ => read_table(bytes, b',', &mut moments),
    };
    read.map_err(failed)?;
    moments.into_starts().map_err(|what| failed((None, what)))
}

fn read_lines(bytes: &[u8], moments: &mut Moments) -> Result<(), Trouble> {
    for (number, line) in lines(bytes) {
        let record = serde_json::from_slice::<Record>(line);
        let record = record.map_err(|error| (Some(number), words_of(&error)))?;
        let lengths = (record.input_length, record.output_length);
        let added = moments.add(record.timestamp / 1e3, lengths);
        added.map_err(|what| (Some(number), what))?;
    }
    Ok(())
}

fn read_table(bytes: &[u8], divider: u8, moments: &mut Moments) -> Result<(), Trouble> {
    const MOMENTS: [&str; 2] = ["timestamp", "time"];
    const INPUTS: [&str; 4] = ["request_tokens", "input_length", "input_tokens", "prompt_tokens"];
    const OUTPUTS: [&str; 4] = [
        "response_tokens",
        "output_length",
        "output_tokens",
        "answer_tokens",
    ];
    let mut table = Table::open(bytes, divider)?;
    let column = |names: &[&str]| {
        let what = || (Some(1), format!("has no column {}", names.join(", ")));
        table.column(names).ok_or_else(what)
    };
    let (at, input, output) = (column(&MOMENTS)?, column(&INPUTS)?, column(&OUTPUTS)?);
    while let Some(line) = table.next()? {
        let real = |column| {
            let cell = table.cell(column);
            let what = || (Some(line), format!("{cell:?} is not a number"));
            cell.parse::<f64>().map_err(|_| what())
        };
        let tokens = |column| {
            let cell = table.cell(column);
            let what = || (Some(line), format!("{cell:?} is not a whole number of tokens"));
            cell.parse::<u32>().map_err(|_| what())
        };
        let lengths = (tokens(input)?, tokens(output)?);
        let added = moments.add(real(at)?, lengths);
        added.map_err(|what| (Some(line), what))?;
    }
    Ok(())
}

/// Starts as they come, in seconds of the trace's own clock.
#[derive(Default)]
struct Moments(Vec<(f64, Lengths)>);

impl Moments {
    fn add(&mut self, seconds: f64, (input, output): (u32, u32)) -> Result<(), String> {
        if !seconds.is_finite() {
            return Err(format!("{seconds} is no moment"));
        }
        if input.max(output) > MOST_TOKENS {
            let most = input.max(output);
            return Err(format!("has a length of {most}; at most {MOST_TOKENS} tokens"));
        }
        if output == 0 {
            return Ok(());
        }
        if self.0.len() == MOST_ENTRIES {
            return Err(too_many());
        }
        let input = input.max(1);
        self.0.push((seconds, Lengths { input, output }));
        Ok(())
    }

    fn into_starts(mut self) -> Result<Vec<TraceStart>, String> {
        self.0.sort_by(|left, right| left.0.total_cmp(&right.0));
        let (Some((first, _)), Some((last, _))) = (self.0.first().copied(), self.0.last()) else {
            return Err("holds no request with an answer".into());
        };
        let lasts = last - first;
        if lasts > MOST_SECONDS {
            return Err(format!(
                "lasts {lasts:.0} seconds; at most {MOST_SECONDS} (30 days): are its times in another unit?"
            ));
        }
        let start = |(seconds, lengths): (f64, Lengths)| TraceStart {
            at: Duration::from_secs_f64((seconds - first).max(0.0)),
            lengths,
        };
        Ok(self.0.into_iter().map(start).collect())
    }
}
