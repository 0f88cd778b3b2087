//! The records of an experiment's requests, kept beside its log: one JSON object a line, all of
//! it compressed.
//!
//! Figures are made from records in memory; these files are for whoever wants to look closer.
//! One that cannot be written is worth a warning, and the experiment counts all the same.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use autotuner_core::ids::ExperimentNumber;
use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};
use autotuner_load::Recording;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::Worker;

/// Writes what was recorded, where records are kept, and hands it back.
pub(super) async fn keep_requests(
    worker: &Worker,
    number: ExperimentNumber,
    recording: Recording,
) -> Recording {
    let Some(path) = worker.logs.requests(number) else {
        return recording;
    };
    let recording = Arc::new(recording);
    let (recorded, to) = (Arc::clone(&recording), path.clone());
    let writing = tokio::task::spawn_blocking(move || write(&to, &recorded.levels));
    let written = writing.await.unwrap_or_else(|fault| Err(io::Error::other(fault)));
    if let Err(error) = written {
        worker.warn(&format!(
            "[Experiment {number}] the records of its requests are not kept, {} cannot be written: {error}",
            path.display()
        ));
    }
    Arc::unwrap_or_clone(recording)
}

/// Whole or not at all: under another name until it is complete.
fn write(path: &Path, levels: &[LevelRecords]) -> io::Result<()> {
    let draft = path.with_extension("gz.new");
    let written = write_file(&draft, levels).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // What there is of it takes up space that may be short.
        drop(fs::remove_file(&draft));
    }
    written
}

fn write_file(path: &Path, levels: &[LevelRecords]) -> io::Result<()> {
    let file = BufWriter::new(File::create(path)?);
    let mut encoder = GzEncoder::new(file, Compression::fast());
    for (number, level) in levels.iter().enumerate() {
        for (index, request) in level.requests.iter().enumerate() {
            serde_json::to_writer(&mut encoder, &line(number, level, index, request))?;
            encoder.write_all(b"\n")?;
        }
    }
    encoder.finish()?.flush()
}

/// One request. Stamps are nanoseconds from the benchmark's start.
fn line(number: usize, level: &LevelRecords, index: usize, request: &RequestRecord) -> Value {
    let LevelRecords {
        scenario,
        concurrency,
        window_start_ns,
        window_end_ns,
        requests: _,
    } = level;
    let RequestRecord {
        intended_ns,
        sent_ns,
        content_ns,
        first_chunk_tokens,
        ended_ns,
        input_tokens,
        output_tokens,
        outcome,
    } = request;
    let (word, error, detail) = match outcome {
        RequestOutcome::Success => ("success", None, None),
        RequestOutcome::CutOff => ("cut_off", None, None),
        RequestOutcome::Failed { error, detail } => ("failed", Some(format!("{error:?}")), Some(detail)),
    };
    json!({
        "level": number,
        "scenario": scenario,
        "concurrency": concurrency,
        "window_start_ns": window_start_ns,
        "window_end_ns": window_end_ns,
        "request": index,
        "intended_ns": intended_ns,
        "sent_ns": sent_ns,
        "content_ns": content_ns,
        "first_chunk_tokens": first_chunk_tokens,
        "ended_ns": ended_ns,
        "input_tokens": tokens(input_tokens),
        "output_tokens": tokens(output_tokens),
        "outcome": word,
        "error": error,
        "detail": detail,
    })
}

fn tokens(tokens: &TokenCount) -> Value {
    let TokenCount { count, source } = tokens;
    let source = match source {
        TokenSource::Usage => "usage",
        TokenSource::Chunks => "chunks",
        TokenSource::Requested => "requested",
    };
    json!({"count": count, "source": source})
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

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
        };
        LevelRecords {
            scenario: "D(8,4)".into(),
            concurrency: 2,
            window_start_ns: 0,
            window_end_ns: 9,
            requests: vec![request(RequestOutcome::Success), request(RequestOutcome::CutOff)],
        }
    }

    #[test]
    fn every_request_is_a_line() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("x_requests.jsonl.gz");
        write(&path, &[level(), level()]).expect("written");
        let mut text = String::new();
        flate2::read::GzDecoder::new(File::open(&path).expect("there"))
            .read_to_string(&mut text)
            .expect("compressed");
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[3]["level"], 1);
        assert_eq!(lines[3]["request"], 1);
        assert_eq!(lines[3]["outcome"], "cut_off");
        assert_eq!(lines[0]["content_ns"], json!([3, 4]));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("taken.jsonl.gz");
        fs::create_dir(&path).expect("made");
        write(&path, &[level()]).expect_err("a folder is in the way");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }
}
