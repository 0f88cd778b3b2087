//! Where results go besides the terminal: checked before anything is measured, written after.

use std::io;
use std::path::Path;

use autotuner_core::workload::Workload;
use serde_json::Value;

use super::options::{Format, Results};
use crate::cli::output::check_writable;
use crate::cli::{Refusal, print, say};
use crate::report::bench::{BenchRun, genai_bench, html, summary, vllm};
use crate::report::{files, requests};

/// Results that can be written.
pub(super) struct Outputs<'a> {
    results: &'a Results,
}

impl Results {
    /// Whether another tool's format goes to standard output.
    pub(super) fn prints_format(&self) -> bool {
        self.format.is_some() && self.output.is_none()
    }
}

impl<'a> Outputs<'a> {
    /// Finds out beforehand whether everything can be written that is asked for.
    pub(super) fn check(results: &'a Results, workload: &Workload) -> Result<Self, Refusal> {
        if results.json && results.prints_format() {
            return Err(Refusal::message(
                "--json and --format both go to standard output: name a file with --output for the format",
            ));
        }
        if results.detailed && results.format != Some(Format::Vllm) {
            return Err(Refusal::message(
                "--detailed goes with --format vllm and no other",
            ));
        }
        if let Some(output) = &results.output {
            if results.format != Some(Format::GenaiBench) {
                check_writable(output)?;
            } else if !is_one_file(output) {
                check_writable(&output.join(genai_bench::METADATA_FILE))?;
            } else if workload.level_count() > 1 {
                return Err(Refusal::message(format!(
                    "genai-bench keeps one level in a file, and {} were asked for: name a folder instead of {}",
                    workload.level_count(),
                    output.display()
                )));
            } else {
                check_writable(output)?;
            }
        }
        for path in [&results.html, &results.requests].into_iter().flatten() {
            check_writable(path)?;
        }
        Ok(Self { results })
    }

    /// Whether something tells of the machine, which takes a moment to look at.
    pub(super) fn wants_machine(&self) -> bool {
        let Results {
            json, output, html, ..
        } = self.results;
        *json || output.is_some() || html.is_some()
    }

    /// Writes everything. What cannot be written is told, and does not keep the rest.
    pub(super) fn write(&self, run: &BenchRun<'_>) -> bool {
        let results = self.results;
        let mut is_written = true;
        let mut done = |what: &str, path: &Path, written: io::Result<()>| match written {
            Ok(()) => say(&format!("{what}: {}", path.display())),
            Err(error) => {
                is_written = false;
                say(&format!("error: cannot write {}: {error}", path.display()));
            }
        };
        match (results.format, &results.output) {
            (Some(format), None) => print(&lines(&documents(format, results.detailed, run))),
            (None, None) => {}
            (format, Some(output)) => {
                let format = format.unwrap_or(Format::Json);
                done(
                    "results",
                    output,
                    write_format(format, results.detailed, output, run),
                );
            }
        }
        if let Some(path) = &results.html {
            let page = html::page(run);
            done(
                "report",
                path,
                files::write_with(path, |file| file.write_all(page.as_bytes())),
            );
        }
        if let Some(path) = &results.requests {
            done("requests", path, requests::write(path, &run.recording.levels));
        }
        is_written
    }
}

/// A folder for every level, or a file for the only one.
fn is_one_file(output: &Path) -> bool {
    output.extension().is_some_and(|ending| ending == "json") && !output.is_dir()
}

fn documents(format: Format, is_detailed: bool, run: &BenchRun<'_>) -> Vec<Value> {
    match format {
        Format::Json => vec![summary::summary(run)],
        Format::Vllm => vllm::documents(run, is_detailed),
        Format::GenaiBench => genai_bench::documents(run)
            .into_iter()
            .map(|(_, document)| document)
            .collect(),
    }
}

/// One document as a person reads it, several one a line.
fn lines(documents: &[Value]) -> String {
    match documents {
        [document] => format!("{document:#}"),
        documents => documents
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn write_format(format: Format, is_detailed: bool, output: &Path, run: &BenchRun<'_>) -> io::Result<()> {
    let write = |path: &Path, text: &str| files::write_with(path, |file| writeln!(file, "{text}"));
    if format != Format::GenaiBench || is_one_file(output) {
        return write(output, &lines(&documents(format, is_detailed, run)));
    }
    let metadata = genai_bench::metadata(run);
    write(&output.join(genai_bench::METADATA_FILE), &format!("{metadata:#}"))?;
    for (name, document) in genai_bench::documents(run) {
        write(&output.join(name), &format!("{document:#}"))?;
    }
    Ok(())
}
