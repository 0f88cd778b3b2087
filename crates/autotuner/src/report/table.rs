//! The table that ends a run.

use autotuner_core::experiment::Experiment;
use autotuner_core::score::{Percentile, Statistic};
use autotuner_core::search::Role;
use autotuner_core::task::Task;
use autotuner_core::verdict::verdict;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

use super::words;

/// More parameters than this share one column.
const MOST_COLUMNS: usize = 5;

/// Every experiment, best first; what failed comes last, in order.
pub(crate) fn table(task: &Task, experiments: &[Experiment], width: Option<u16>) -> String {
    let mut ranked: Vec<&Experiment> = experiments.iter().collect();
    ranked.sort_by(|left, right| {
        right
            .score()
            .cmp(&left.score())
            .then(left.number.cmp(&right.number))
    });
    let best = verdict(experiments).best.map(|experiment| experiment.number);
    let baseline = verdict(experiments).baseline.and_then(Experiment::score);
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table.set_header(header(task));
    for experiment in ranked {
        let mut row = vec![Cell::new(number(experiment, best == Some(experiment.number)))];
        row.extend(configuration(task, experiment));
        match experiment.measured() {
            Some(measured) => {
                let metrics = &measured.metrics;
                let score = &measured.score;
                row.push(right(words::objective_value(
                    score.objective(),
                    score.objective_value(),
                )));
                row.push(right(
                    baseline
                        .filter(|_| experiment.role != Role::Baseline)
                        .and_then(|baseline| score.gain_over(baseline))
                        .map(words::percent)
                        .unwrap_or_default(),
                ));
                row.push(right(seconds(metrics.ttft(Statistic::Mean))));
                row.push(right(seconds(metrics.tpot(Statistic::Mean))));
                row.push(right(seconds(metrics.latency_at(Percentile::P99))));
                row.push(Cell::new(if score.is_feasible() { "" } else { "misses SLO" }));
            }
            None => {
                row.extend((0..5).map(|_| Cell::new("")));
                row.push(Cell::new(failure(experiment)));
            }
        }
        if best == Some(experiment.number) {
            row = row
                .into_iter()
                .map(|cell| cell.add_attribute(Attribute::Bold))
                .collect();
        }
        table.add_row(row);
    }
    table.to_string()
}

fn header(task: &Task) -> Vec<Cell> {
    let mut header = vec![Cell::new("#")];
    if in_columns(task) {
        header.extend(
            task.space
                .parameters()
                .iter()
                .map(|parameter| Cell::new(parameter.name.as_str())),
        );
    } else {
        header.push(Cell::new("configuration"));
    }
    header.extend([
        right(task.search.objective.label().to_owned()),
        right("vs defaults".into()),
        right("TTFT".into()),
        right("TPOT".into()),
        right("p99 latency".into()),
        Cell::new("note"),
    ]);
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

fn number(experiment: &Experiment, is_best: bool) -> String {
    let mark = match (is_best, experiment.role) {
        (true, _) => " best",
        (false, Role::Baseline) => " defaults",
        (false, Role::Replicate) => " again",
        (false, Role::Search) => "",
    };
    format!("{}{mark}", experiment.number)
}

fn failure(experiment: &Experiment) -> String {
    match experiment.failure() {
        Some(failure) => failure.kind.as_str().replace('_', " "),
        None => experiment.status.to_string(),
    }
}

fn seconds(value: Option<f64>) -> String {
    value.map(words::duration).unwrap_or_default()
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
