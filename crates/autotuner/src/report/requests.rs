//! The records of requests as a file: one JSON object a line, packed where the name asks for it.
//!
//! One writer for the worker and for the command line. Nothing is summed up here: whoever reads
//! the file can compute any figure, by any definition, from the stamps.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount};
use serde_json::{Value, json};

use super::files;
use super::metrics::{error_word, source_word};

/// How hard it is packed: what the format's own program does unless told otherwise.
const EFFORT: i32 = 3;

/// Writes every request of every level, whole or not at all; packed by Zstandard where the file's
/// name ends in `.zst`.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write(path: &Path, levels: &[LevelRecords]) -> io::Result<()> {
    let is_packed = path.extension().is_some_and(|ending| ending == "zst");
    files::write_with(path, |file| {
        let mut file = BufWriter::new(file);
        if is_packed {
            let mut packer = zstd::stream::write::Encoder::new(&mut file, EFFORT)?;
            write_lines(&mut packer, levels)?;
            packer.finish()?;
        } else {
            write_lines(&mut file, levels)?;
        }
        file.flush()
    })
}

fn write_lines(to: &mut impl Write, levels: &[LevelRecords]) -> io::Result<()> {
    for (number, level) in levels.iter().enumerate() {
        for (index, request) in level.requests.iter().enumerate() {
            serde_json::to_writer(&mut *to, &line(number, level, index, request))?;
            to.write_all(b"\n")?;
        }
    }
    Ok(())
}

/// One request. Stamps are nanoseconds from the benchmark's start.
fn line(number: usize, level: &LevelRecords, index: usize, request: &RequestRecord) -> Value {
    let LevelRecords {
        scenario,
        concurrency,
        window_start_ns,
        window_end_ns,
        ..
    } = level;
    let RequestRecord {
        intended_ns,
        sent_ns,
        content_ns,
        first_visible_ns,
        chunk_tokens,
        first_chunk_tokens,
        ended_ns,
        input_tokens,
        output_tokens,
        job,
        turn,
        outcome,
    } = request;
    let (word, error, detail) = match outcome {
        RequestOutcome::Success => ("success", None, None),
        RequestOutcome::CutOff => ("cut_off", None, None),
        RequestOutcome::Failed { error, detail } => ("failed", Some(error_word(*error)), Some(detail)),
    };
    json!({
        "level": number,
        "scenario": scenario,
        "concurrency": concurrency,
        "schedule": level.schedule.as_ref().map(|schedule| &schedule.label),
        "window_start_ns": window_start_ns,
        "window_end_ns": window_end_ns,
        "request": index,
        "intended_ns": intended_ns,
        "sent_ns": sent_ns,
        "content_ns": content_ns,
        "first_visible_ns": first_visible_ns,
        "chunk_tokens": chunk_tokens,
        "first_chunk_tokens": first_chunk_tokens,
        "ended_ns": ended_ns,
        "input_tokens": tokens(input_tokens),
        "output_tokens": tokens(output_tokens),
        "job": job,
        "turn": turn,
        "outcome": word,
        "error": error,
        "detail": detail,
    })
}

fn tokens(tokens: &TokenCount) -> Value {
    let TokenCount { count, source } = tokens;
    json!({"count": count, "source": source_word(*source)})
}

#[cfg(test)]
mod tests {
    use super::*;
    use autotuner_core::measure::{RequestError, TokenSource};
    use std::fs;

    fn level() -> LevelRecords {
        let tokens = TokenCount {
            count: 4,
            source: TokenSource::Usage,
        };
        let request = |outcome| RequestRecord {
            intended_ns: 1,
            sent_ns: 2,
            content_ns: vec![3, 4],
            first_chunk_tokens: 1,
            ended_ns: 5,
            input_tokens: tokens,
            output_tokens: tokens,
            outcome,
            ..RequestRecord::default()
        };
        let failed = RequestOutcome::Failed {
            error: RequestError::Status(429),
            detail: "slow\ndown".into(),
        };
        LevelRecords {
            scenario: "D(8,4)".into(),
            concurrency: 2,
            window_start_ns: 0,
            window_end_ns: 9,
            requests: [RequestOutcome::Success, RequestOutcome::CutOff, failed]
                .map(request)
                .into(),
            ..LevelRecords::default()
        }
    }

    #[test]
    fn every_request_is_a_line_packed_or_not() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for name in ["x_requests.jsonl.zst", "x_requests.jsonl"] {
            let path = folder.path().join(name);
            write(&path, &[level(), level()]).expect("written");
            let mut bytes = fs::read(&path).expect("readable");
            if name.ends_with(".zst") {
                bytes = zstd::decode_all(&bytes[..]).expect("packed");
            }
            let text = String::from_utf8(bytes).expect("text");
            let lines: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect();
            assert_eq!(lines.len(), 6);
            assert_eq!(lines[4]["level"], 1);
            assert_eq!(lines[4]["request"], 1);
            assert_eq!(lines[4]["outcome"], "cut_off");
            assert_eq!(lines[5]["error"], "429");
            assert_eq!(lines[5]["detail"], "slow\ndown");
            assert_eq!(lines[0]["content_ns"], json!([3, 4]));
            assert_eq!(
                lines[0]["output_tokens"],
                json!({"count": 4, "source": "server_usage"})
            );
        }
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 2);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("taken.jsonl.zst");
        fs::create_dir(&path).expect("made");
        write(&path, &[level()]).expect_err("a folder is in the way");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }
}
