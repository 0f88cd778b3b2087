//! A benchmark as one page for people: it needs no network, no script and no other file.
//!
//! What is in it comes from records and metrics that others made; this puts them in order.

mod chart;
mod scale;
mod search;
mod series;
mod style;
mod text;

use std::fmt::Write as _;

use autotuner_core::metrics::{Distribution, Interval, LevelMetrics};
use autotuner_core::score::Percentile;

use self::chart::{Chart, colour};
use self::series::{curve, failures, level_name, over_time, shares};
use self::text::{escape, grouped, grouped_count};
use super::summary::api_path;
use super::{BenchRun, cautions, load_label};
use crate::clock::{rfc3339, seconds_between};
use crate::report::words::{counted, duration};

const BRAND: &str = "<svg viewBox=\"0 0 20 20\" aria-hidden=\"true\"><path d=\"M2 15 7 8l4 4 7-9\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2.4\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/></svg>";

/// The whole page.
pub(crate) fn page(run: &BenchRun<'_>) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{} · benchmark</title><style>{}</style></head><body><main>",
        escape(&run.model),
        style::STYLE
    );
    page += &header(run);
    page += &notes(run);
    page += &search::section(run.search);
    page += "<h2>Levels</h2>";
    page += &table(run);
    page += &charts(run);
    page += &errors(run);
    page += &calibrations(run);
    page += &facts(run);
    page += &repeat(run);
    page + "</main></body></html>\n"
}

fn header(run: &BenchRun<'_>) -> String {
    let (started, succeeded, _) = run.measured.request_totals();
    let levels = &run.measured.levels;
    let mut tiles = String::new();
    let mut tile = |what: &str, value: &str, of: &str| {
        let _ = write!(
            tiles,
            "<div class=\"tile\"><dt>{what}</dt><dd>{value}<small>{}</small></dd></div>",
            escape(of)
        );
    };
    let name = |index: usize| level_name(run, &run.recording.levels[index]);
    let best = |value: &dyn Fn(&LevelMetrics) -> Option<f64>, is_less_better: bool| {
        let values = levels.iter().enumerate();
        let values = values.filter_map(|(index, level)| Some((index, value(level)?)));
        let sign = if is_less_better { -1.0 } else { 1.0 };
        values.max_by(|(_, one), (_, other)| (sign * one).total_cmp(&(sign * other)))
    };
    if let Some((index, value)) = best(&|level| Some(level.rates.output_tokens), false) {
        tile("Most output tok/s", &grouped(value), &name(index));
    }
    if let Some((index, value)) = best(&|level| Some(level.scored_ttft()?.mean), true) {
        tile("Least TTFT, mean", &duration(value), &name(index));
    }
    if let Some((index, value)) = best(&|level| Some(level.tpot.as_ref()?.mean), true) {
        tile("Least TPOT, mean", &duration(value), &name(index));
    }
    let of_levels = counted(levels.len() as u128, "level");
    tile(
        "Requests",
        &grouped_count(started.into()),
        &format!("in {of_levels}"),
    );
    let share = 100.0 * f64::from(succeeded) / f64::from(started.max(1));
    let lost = started - succeeded;
    let said = if lost == 0 {
        "none failed".to_owned()
    } else {
        format!("{} did not", grouped_count(lost.into()))
    };
    // Almost all is not all.
    let share = if lost > 0 { share.min(99.9) } else { share };
    tile(
        "Succeeded",
        &format!(
            "{} %",
            grouped((share * 10.0).floor() / 10.0).trim_end_matches(".0")
        ),
        &said,
    );
    let took = seconds_between(run.started_at_ms, run.ended_at_ms);
    format!(
        "<header><div class=\"brand\">{BRAND}Inference Autotuner · benchmark</div><h1>{}</h1>\
         <p class=\"lead\">{} · {} UTC · took {}</p><dl class=\"tiles\">{tiles}</dl></header>",
        escape(&run.model),
        escape(&run.url),
        rfc3339(run.started_at_ms)
            .get(..16)
            .unwrap_or_default()
            .replace('T', " "),
        duration(took)
    )
}

fn notes(run: &BenchRun<'_>) -> String {
    let mut notes = String::new();
    for note in &run.recording.notes {
        let _ = write!(notes, "<p class=\"note\">{}</p>", escape(note));
    }
    for caution in run.measured.levels.iter().flat_map(cautions) {
        let _ = write!(notes, "<p class=\"note warn\">{}</p>", escape(&caution));
    }
    notes
}

/// A figure at a glance of a distribution.
type Glance = fn(&LevelMetrics) -> Option<&Distribution>;

fn table(run: &BenchRun<'_>) -> String {
    let columns: [(&str, Glance); 3] = [
        ("Time to first token", LevelMetrics::scored_ttft),
        ("Time per further token", |level| level.tpot.as_ref()),
        ("Latency", LevelMetrics::scored_latency),
    ];
    let mut table = String::from(
        "<div class=\"card scroll\"><table><thead><tr><th rowspan=\"2\">Load</th>\
         <th class=\"text\" rowspan=\"2\">Scenario</th><th colspan=\"2\">Requests</th><th colspan=\"2\">Tokens/s</th>",
    );
    for (name, _) in &columns {
        let _ = write!(table, "<th colspan=\"2\">{name}</th>");
    }
    table += "</tr><tr><th>sent</th><th>failed</th><th>output</th><th>total</th>";
    table += &"<th>mean</th><th>p99</th>".repeat(columns.len());
    table += "</tr></thead><tbody>";
    let mut has_low_n = false;
    for (number, (level, records)) in run.measured.levels.iter().zip(&run.recording.levels).enumerate() {
        let lost = level.counts.failed + level.counts.cut_off;
        let sure = level.confidence.unwrap_or_default();
        let _ = write!(
            table,
            "<tr><td><span class=\"sw\" style=\"background:{}\"></span>{}</td><td class=\"text\">{}</td>\
             <td>{}</td><td{}>{}</td><td><strong>{}</strong>{}</td><td>{}</td>",
            colour(number),
            escape(&load_label(records)),
            escape(&level.scenario),
            grouped_count(level.counts.started.into()),
            if lost > 0 { " class=\"bad\"" } else { "" },
            grouped_count(lost.into()),
            grouped(level.rates.output_tokens),
            within(sure.output_tokens, grouped),
            grouped(level.rates.total_tokens)
        );
        for ((_, of), interval) in columns.iter().zip([sure.ttft, sure.tpot, sure.latency]) {
            let Some(values) = of(level) else {
                table += "<td>–</td><td>–</td>";
                continue;
            };
            let is_low = values.is_low_n(Percentile::P99);
            has_low_n |= is_low;
            let _ = write!(
                table,
                "<td>{}{}</td><td>{}{}</td>",
                duration(values.mean),
                within(interval, duration),
                duration(values.percentile(Percentile::P99)),
                if is_low { "*" } else { "" }
            );
        }
        table += "</tr>";
    }
    table += "</tbody></table></div>";
    if run.measured.levels.iter().any(|level| level.confidence.is_some()) {
        table += "<p class=\"hint\">Below a figure: where it would lie in 95 of 100 such windows.</p>";
    }
    if has_low_n {
        table += "<p class=\"hint\">* of fewer than 100 requests: no more than a hint.</p>";
    }
    table
}

/// An interval below its figure.
fn within(interval: Option<Interval>, told: fn(f64) -> String) -> String {
    let told = |Interval { low, high }: Interval| format!("<small>{} – {}</small>", told(low), told(high));
    interval.map(told).unwrap_or_default()
}

/// What every section of charts looks at.
const LOOKS: [(&str, &str, Glance); 3] = [
    ("Time to first token", "TTFT", LevelMetrics::scored_ttft),
    ("Time per further token", "TPOT", |level| level.tpot.as_ref()),
    ("Latency of a whole answer", "latency", |level| {
        level.latency.as_ref()
    }),
];

fn charts(run: &BenchRun<'_>) -> String {
    let mut page = String::new();
    if run.measured.levels.len() > 1 {
        let charts = LOOKS.map(|(title, label, of)| curve(run, title, label, of));
        let hint = "Each point is a level, with its load beside it. To the right is more throughput, further down is quicker.";
        page += &section("What throughput costs", hint, &charts);
    }
    let charts = LOOKS.map(|(title, label, of)| shares(run, title, label, of));
    let hint = "The share of requests that took no longer than that. A steep line is an even service.";
    page += &section("How requests fared", hint, &charts);
    let levels = run.recording.levels.iter().enumerate();
    let charts: Vec<Chart> = levels
        .map(|(number, level)| over_time(number, &level_name(run, level), level))
        .collect();
    let hint = "Tokens that arrived in each piece of time, per second.";
    page + &section("Output over time", hint, &charts)
}

/// Charts side by side, under one legend where they have one.
fn section(title: &str, hint: &str, charts: &[Chart]) -> String {
    let mut section = format!("<h2>{title}</h2><p class=\"hint\">{hint}</p>");
    let longest = charts.iter().max_by_key(|chart| chart.series.len());
    section += &longest.map(Chart::legend).unwrap_or_default();
    section += "<div class=\"grid charts\">";
    for chart in charts {
        let _ = write!(
            section,
            "<div class=\"card\"><h3>{}</h3>{}</div>",
            escape(&chart.title),
            chart.svg()
        );
    }
    section + "</div>"
}

fn errors(run: &BenchRun<'_>) -> String {
    let mut rows = String::new();
    for level in &run.recording.levels {
        for (word, n, detail) in failures(level) {
            let _ = write!(
                rows,
                "<tr><td>{}</td><td class=\"text bad\">{}</td><td>{}</td><td class=\"text wrap\">{}</td></tr>",
                escape(&level_name(run, level)),
                escape(&word),
                grouped_count(n as u64),
                escape(&detail)
            );
        }
    }
    if rows.is_empty() {
        return "<h2>Errors</h2><p class=\"hint\">No request failed.</p>".into();
    }
    format!(
        "<h2>Errors</h2><div class=\"card scroll\"><table><thead><tr><th>Level</th><th class=\"text\">Kind</th>\
         <th>Requests</th><th class=\"text\">The first of them</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

fn calibrations(run: &BenchRun<'_>) -> String {
    if run.calibration.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for (calibration, level) in run.calibration.iter().zip(&run.recording.levels) {
        let _ = write!(rows, "<tr><td>{}</td>", escape(&level_name(run, level)));
        for cell in super::calibration_cells(calibration) {
            let _ = write!(rows, "<td>{}</td>", escape(&cell));
        }
        rows += "</tr>";
    }
    let heads: String = super::CALIBRATION_HEADS
        .iter()
        .map(|head| format!("<th>{head}</th>"))
        .collect();
    format!(
        "<h2>How far from the truth</h2><p class=\"hint\">The server of this run wrote down itself when it received and \
         sent what. Differences are the load generator's own errors.</p><div class=\"card scroll\"><table><thead><tr>\
         <th>Level</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

fn facts(run: &BenchRun<'_>) -> String {
    let workload = run.workload;
    let mut asked = String::new();
    let fact = |list: &mut String, name: &str, value: &str| {
        let _ = write!(list, "<dt>{name}</dt><dd>{}</dd>", escape(value));
    };
    let joined = |words: Vec<String>| words.join(", ");
    fact(&mut asked, "API", api_path(workload.api));
    fact(
        &mut asked,
        "Scenarios",
        &joined(workload.scenarios.iter().map(ToString::to_string).collect()),
    );
    fact(
        &mut asked,
        "Loads",
        &joined(workload.loads().iter().map(ToString::to_string).collect()),
    );
    let limits = format!(
        "{} or {}",
        counted(workload.max_requests_per_level.into(), "request"),
        duration(workload.max_time_per_level.as_secs_f64())
    );
    fact(&mut asked, "Limits of a level", &limits);
    fact(
        &mut asked,
        "Warm-up",
        &counted(workload.warmup_requests.into(), "request"),
    );
    fact(&mut asked, "Seed", &workload.seed.to_string());
    if !workload.additional_params.is_empty() {
        let parameters = serde_json::Value::from(workload.additional_params.clone());
        fact(&mut asked, "Parameters", &parameters.to_string());
    }
    if !run.recording.fingerprints.is_empty() {
        fact(&mut asked, "Answered by", &run.recording.fingerprints.join(", "));
    }
    let mut machine = String::new();
    if let Some(host) = run.host {
        fact(
            &mut machine,
            "Processor",
            &format!("{} ({} to run on)", host.cpu, host.cpus),
        );
        #[expect(clippy::cast_precision_loss, reason = "MiB of memory stay far below 2^53")]
        let gib = host.memory_mib as f64 / 1024.0;
        fact(&mut machine, "Memory", &format!("{gib:.1} GiB"));
        if !host.gpus.is_empty() {
            fact(&mut machine, "GPUs", &host.gpus.join(", "));
        }
        fact(&mut machine, "System", &host.system);
    } else {
        fact(&mut machine, "Machine", "not known");
    }
    fact(
        &mut machine,
        "Version",
        concat!("autotuner ", env!("CARGO_PKG_VERSION")),
    );
    format!(
        "<h2>What was asked, and from where</h2><div class=\"grid\"><div class=\"card\"><h3>Workload</h3>\
         <dl class=\"facts\">{asked}</dl></div><div class=\"card\"><h3>Load generator</h3><dl class=\"facts\">{machine}</dl></div></div>"
    )
}

fn repeat(run: &BenchRun<'_>) -> String {
    format!(
        "<h2>Measure it again</h2><p class=\"hint\">The same seed asks the same questions. A server that caches prompts \
         knows them by then: restart it, or leave out --seed.</p><pre>{}</pre>\
         <footer>TTFT: from the first byte sent to the first content. TPOT: time per token after the first chunk. \
         Latency: from the first byte sent to the last content. Rates count what arrived while the load lasted. \
         Percentiles are exact, over requests that succeeded.</footer>",
        escape(&run.command)
    )
}
