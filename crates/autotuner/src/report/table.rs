//! The table that ends a run, or a list of the same where the terminal is too narrow for it.

use autotuner_core::experiment::Experiment;
use autotuner_core::score::{Percentile, Statistic};
use autotuner_core::search::Role;
use autotuner_core::task::Task;
use autotuner_core::verdict::{Verdict, verdict};
use comfy_table::{Attribute, Cell, CellAlignment, Table, presets};

use super::words;

/// More parameters than this share one column.
const MOST_COLUMNS: usize = 5;

/// Names above columns are folded to about this width.
const HEADING_WIDTH: usize = 10;

/// Every experiment, best first; what failed comes last, in order. `width` is that of the
/// paper; without it, the terminal's counts, if standard output is one.
pub(crate) fn table(task: &Task, experiments: &[Experiment], width: Option<u16>) -> String {
    let mut ranked: Vec<&Experiment> = experiments.iter().collect();
    ranked.sort_by(|left, right| {
        right
            .score()
            .cmp(&left.score())
            .then(left.number.cmp(&right.number))
    });
    let verdict = verdict(experiments);
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    if let Some(width) = width {
        table.set_width(width);
    }
    table.set_header(header(task));
    for experiment in &ranked {
        table.add_row(row(task, experiment, &verdict));
    }
    match table.width() {
        Some(width) if width < drawn_width(&table) => list(&ranked, &verdict, width.into()),
        _ => table.to_string(),
    }
}

/// How wide the table is when nothing in it is broken: contents, padding and lines.
fn drawn_width(table: &Table) -> u16 {
    let contents = table.column_max_content_widths();
    contents.iter().fold(1, |width, content| {
        width.saturating_add(content.saturating_add(3))
    })
}

/// Two lines an experiment: what came of it, and under it the configuration.
fn list(ranked: &[&Experiment], verdict: &Verdict, width: usize) -> String {
    let mut lines = Vec::new();
    for experiment in ranked {
        let number = number(experiment, verdict);
        let line = match figures(experiment, verdict) {
            Some([value, gain, ttft, tpot, latency]) => {
                let note = note(experiment);
                format!("{number:<11} {value:>12} {gain:>9}  TTFT {ttft}  TPOT {tpot}  p99 {latency}  {note}")
            }
            None => format!("{number:<11} {}", note(experiment)),
        };
        lines.push(line.trim_end().to_owned());
        for line in folded(
            &experiment.candidate.to_string(),
            &[' '],
            width.saturating_sub(4).max(20),
        ) {
            lines.push(format!("    {}", line.trim_end()));
        }
    }
    lines.join("\n")
}

/// The text in lines of at most `width` characters, cut behind one of these; a piece without
/// any stays whole.
pub(crate) fn folded(text: &str, behind: &[char], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in text.split_inclusive(behind) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + piece.trim_end().chars().count() <= width => {
                line.push_str(piece);
            }
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

fn heading(name: &str) -> String {
    let lines = folded(name, &['-', '_', '.', ' '], HEADING_WIDTH);
    lines
        .iter()
        .map(|line| line.trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}

fn row(task: &Task, experiment: &Experiment, verdict: &Verdict) -> Vec<Cell> {
    let mut row = vec![Cell::new(number(experiment, verdict))];
    row.extend(configuration(task, experiment));
    row.extend(figures(experiment, verdict).unwrap_or_default().map(right));
    row.push(Cell::new(note(experiment)));
    if is_best(experiment, verdict) {
        return row
            .into_iter()
            .map(|cell| cell.add_attribute(Attribute::Bold))
            .collect();
    }
    row
}

/// Objective, gain over the defaults, TTFT, TPOT and the latency's 99th percentile.
fn figures(experiment: &Experiment, verdict: &Verdict) -> Option<[String; 5]> {
    let measured = experiment.measured()?;
    let (metrics, score) = (&measured.metrics, &measured.score);
    let baseline = verdict
        .baseline
        .as_ref()
        .and_then(|baseline| baseline.score.as_ref());
    let gain = baseline
        .filter(|_| !experiment.candidate.is_engine_default())
        .and_then(|baseline| score.gain_over(baseline));
    Some([
        words::objective_value(score.objective(), score.objective_value()),
        gain.map(words::percent).unwrap_or_default(),
        seconds(metrics.ttft(Statistic::Mean)),
        seconds(metrics.tpot(Statistic::Mean)),
        seconds(metrics.latency_at(Percentile::P99)),
    ])
}

fn header(task: &Task) -> Vec<Cell> {
    let mut header = vec![Cell::new("#")];
    if in_columns(task) {
        header.extend(
            task.space
                .parameters()
                .iter()
                .map(|parameter| Cell::new(heading(parameter.name.as_str()))),
        );
    } else {
        header.push(Cell::new("configuration"));
    }
    let objective = task.search.objective.label();
    header.extend([objective, "vs defaults", "TTFT", "TPOT", "p99 latency"].map(|name| right(heading(name))));
    header.push(Cell::new("note"));
    header
}

fn in_columns(task: &Task) -> bool {
    task.space.parameters().len() <= MOST_COLUMNS
}

fn configuration(task: &Task, experiment: &Experiment) -> Vec<Cell> {
    if !in_columns(task) {
        return vec![Cell::new(experiment.candidate.to_string())];
    }
    let is_default = experiment.candidate.is_engine_default();
    task.space
        .parameters()
        .iter()
        .map(|parameter| {
            let value = experiment.candidate.get(parameter.name.as_str());
            right(match value {
                Some(value) => value.to_string(),
                None if is_default => "default".into(),
                None => String::new(),
            })
        })
        .collect()
}

fn is_best(experiment: &Experiment, verdict: &Verdict) -> bool {
    verdict
        .best
        .as_ref()
        .is_some_and(|best| best.number == experiment.number)
}

fn number(experiment: &Experiment, verdict: &Verdict) -> String {
    let mark = match (is_best(experiment, verdict), experiment.role) {
        (true, _) => " best",
        (false, Role::Baseline) => " defaults",
        (false, Role::Replicate) => " again",
        (false, Role::Search) => "",
    };
    format!("{}{mark}", experiment.number)
}

/// What is to be said of an experiment beside its figures.
fn note(experiment: &Experiment) -> String {
    match (experiment.measured(), experiment.failure()) {
        (Some(measured), _) if measured.score.is_feasible() => String::new(),
        (Some(_), _) => "misses SLO".into(),
        (None, Some(failure)) => failure.kind.as_str().replace('_', " "),
        (None, None) => experiment.status.to_string(),
    }
}

fn seconds(value: Option<f64>) -> String {
    value.map(words::duration).unwrap_or_default()
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_folded_where_it_may_be_cut() {
        let check = |text: &str, behind: &[char], width: usize, expected: &[&str]| {
            assert_eq!(folded(text, behind, width), expected, "{text} to {width}");
        };
        check("max-num-seqs", &['-'], 10, &["max-num-", "seqs"]);
        check(
            "gpu-memory-utilization",
            &['-'],
            10,
            &["gpu-", "memory-", "utilization"],
        );
        check("a=1 b=2 c=3", &[' '], 7, &["a=1 b=2 ", "c=3"]);
        check("threads", &['-'], 3, &["threads"]);
        check("", &[' '], 9, &[]);
        assert_eq!(heading("vs defaults"), "vs\ndefaults");
        assert_eq!(heading("mean TTFT"), "mean TTFT");
    }
}
