//! What was measured as tables for a terminal.

use autotuner_core::metrics::{Distribution, ExperimentMetrics};
use autotuner_core::score::Percentile;
use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::report::bench::search::LoadSearch;
use crate::report::bench::{BenchRun, CALIBRATION_HEADS, calibration_cells, load_label};
use crate::report::words;

/// One line a level.
pub(super) fn levels(measured: &ExperimentMetrics) -> String {
    let is_by_clock = measured.levels.iter().any(|level| level.schedule.is_some());
    let mut table = titled(&[
        "scenario",
        if is_by_clock { "load" } else { "concurrency" },
        "requests",
        "failed",
        "TTFT mean",
        "TTFT p99",
        "TPOT mean",
        "latency mean",
        "latency p99",
        "output tok/s",
        "total tok/s",
    ]);
    for level in &measured.levels {
        let mean = |distribution: Option<&Distribution>| match distribution {
            Some(distribution) => words::duration(distribution.mean),
            None => String::new(),
        };
        let p99 = |distribution: Option<&Distribution>| match distribution {
            Some(distribution) => {
                let mark = if distribution.is_low_n(Percentile::P99) {
                    "*"
                } else {
                    ""
                };
                format!(
                    "{}{mark}",
                    words::duration(distribution.percentile(Percentile::P99))
                )
            }
            None => String::new(),
        };
        add(
            &mut table,
            [
                level.scenario.clone(),
                match &level.schedule {
                    Some(schedule) => schedule.label.clone(),
                    None => level.concurrency.to_string(),
                },
                level.counts.succeeded.to_string(),
                (level.counts.failed + level.counts.cut_off).to_string(),
                mean(level.scored_ttft()),
                p99(level.scored_ttft()),
                mean(level.tpot.as_ref()),
                mean(level.scored_latency()),
                p99(level.scored_latency()),
                words::three_digits(level.rates.output_tokens),
                words::three_digits(level.rates.total_tokens),
            ],
        );
    }
    let has_low_n = measured.levels.iter().any(|level| {
        level
            .latency
            .as_ref()
            .is_some_and(|latency| latency.is_low_n(Percentile::P99))
    });
    let mark = if has_low_n {
        "\n* of fewer than 100 requests"
    } else {
        ""
    };
    format!("{table}{mark}")
}

/// One line a look, in their order.
pub(super) fn looks(search: &LoadSearch) -> String {
    let heads = search.heads();
    let heads: Vec<&str> = std::iter::once("load")
        .chain(heads.iter().map(String::as_str))
        .collect();
    let mut table = titled(&heads);
    for look in &search.looks {
        let load = search.sought.load(look.load);
        add(&mut table, std::iter::once(load).chain(search.cells(look)));
    }
    let mark = match search.has_low_n() {
        true => "\n* of too few requests to be more than a hint",
        false => "",
    };
    format!("Looks:\n{table}{mark}")
}

/// How far each level is from the truth, one line a level.
pub(super) fn calibrations(run: &BenchRun<'_>) -> String {
    let heads: Vec<&str> = ["scenario", "load"]
        .into_iter()
        .chain(CALIBRATION_HEADS)
        .collect();
    let mut table = titled(&heads);
    for (calibration, level) in run.calibration.iter().zip(&run.recording.levels) {
        let whose = [level.scenario.clone(), load_label(level)];
        add(
            &mut table,
            whose.into_iter().chain(calibration_cells(calibration)),
        );
    }
    format!("How far from the truth:\n{table}")
}

/// A table in the house's style.
pub(super) fn titled(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(heads);
    table
}

/// Adds a line of figures.
pub(super) fn add(table: &mut Table, cells: impl IntoIterator<Item = String>) {
    let right = |cell| Cell::new(cell).set_alignment(CellAlignment::Right);
    table.add_row(cells.into_iter().map(right));
}
