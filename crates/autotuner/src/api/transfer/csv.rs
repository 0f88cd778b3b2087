//! Experiments as a table for spreadsheets, after RFC 4180.
//!
//! A spreadsheet takes a text that begins with certain letters for a formula and runs it, so such
//! a text is written behind an apostrophe. Numbers stay numbers, negative ones too.

use std::collections::BTreeSet;

use autotuner_core::ids::ExperimentId;
use autotuner_store::ExperimentRecord;
use serde_json::{Map, Value, json};

use crate::api::views::experiment::{ExperimentView, Told};
use crate::report::words::quoted;

/// Keys of an experiment that are columns, before the configuration and the metrics.
const FIRST: [&str; 14] = [
    "experiment_id",
    "id",
    "role",
    "attempt",
    "status",
    "is_best",
    "objective_value",
    "direction",
    "objective_score",
    "feasible",
    "failure_kind",
    "error_message",
    "advice",
    "reason",
];

/// And after them.
const LAST: [&str; 8] = [
    "engine_version",
    "image",
    "image_digest",
    "ready_after",
    "started_at",
    "completed_at",
    "elapsed_time",
    "effective_arguments",
];

/// Prefix of the columns of the configuration.
const PARAMETER: &str = "parameter:";

/// The table: a heading, then one row an experiment.
pub(super) fn table(records: Vec<ExperimentRecord>, best: Option<ExperimentId>) -> String {
    let rows: Vec<Map<String, Value>> = records.into_iter().map(|record| row(record, best)).collect();
    let columns = columns(&rows);
    let heading = columns.iter().map(|column| cell(&Value::String(column.clone())));
    let mut text = line(heading);
    for row in &rows {
        let cells = columns
            .iter()
            .map(|column| cell(row.get(column).unwrap_or(&Value::Null)));
        text.push_str(&line(cells));
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\r\n"
}

/// An experiment's cells, by column.
fn row(record: ExperimentRecord, best: Option<ExperimentId>) -> Map<String, Value> {
    let is_best = Some(record.id) == best;
    let view = ExperimentView::of(record, Told::Listed);
    let value = serde_json::to_value(view).unwrap_or_default();
    let Value::Object(mut keys) = value else {
        return Map::new();
    };
    keys.insert("is_best".into(), is_best.into());
    let arguments = keys.get("effective_arguments").and_then(Value::as_array);
    let words: Vec<String> = arguments
        .into_iter()
        .flatten()
        .filter_map(|word| word.as_str().map(quoted))
        .collect();
    keys.insert("effective_arguments".into(), json!(words.join(" ")));
    let parameters = keys.remove("parameters").unwrap_or_default();
    let metrics = keys.remove("metrics").unwrap_or_default();
    for (name, value) in parameters.as_object().into_iter().flatten() {
        keys.insert(format!("{PARAMETER}{name}"), value.clone());
    }
    for (name, value) in metrics.as_object().into_iter().flatten() {
        if !value.is_object() && !value.is_array() && !keys.contains_key(name) {
            keys.insert(name.clone(), value.clone());
        }
    }
    keys
}

/// The fixed columns and, between them, every parameter and every metric that a row has.
fn columns(rows: &[Map<String, Value>]) -> Vec<String> {
    let fixed: BTreeSet<&str> = FIRST.into_iter().chain(LAST).collect();
    let known: BTreeSet<&str> = HIDDEN.into_iter().collect();
    let mut parameters: Vec<String> = Vec::new();
    let mut metrics: Vec<String> = Vec::new();
    for name in rows.iter().flat_map(Map::keys) {
        let list = match name.starts_with(PARAMETER) {
            true => &mut parameters,
            false => &mut metrics,
        };
        let is_fixed = fixed.contains(name.as_str()) || known.contains(name.as_str());
        if !is_fixed && !list.contains(name) {
            list.push(name.clone());
        }
    }
    let first = FIRST.map(str::to_owned).into_iter();
    let last = LAST.map(str::to_owned);
    first.chain(parameters).chain(metrics).chain(last).collect()
}

/// Keys of an experiment that are no columns: they are no single values, or say nothing new.
const HIDDEN: [&str; 21] = [
    "task_id",
    "task_name",
    "run",
    "is_baseline",
    "violations",
    "penalty",
    "low_n",
    "remarks",
    "service_name",
    "service_url",
    "gpu_info",
    "gpus",
    "gpu_monitoring",
    "environment",
    "image_id",
    "engine_fingerprints",
    "created_at",
    "log_tail",
    "raw_results",
    "concurrency_levels",
    "confidence",
];

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted_cell(&defused(text)),
        other => quoted_cell(&defused(&other.to_string())),
    }
}

/// A text that no spreadsheet takes for a formula.
fn defused(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn quoted_cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula_and_every_number_is_a_number() {
        let check = |value: Value, expected: &str| assert_eq!(cell(&value), expected, "{value}");
        check(json!("=1+1"), "'=1+1");
        check(json!("+1"), "'+1");
        check(json!("-1"), "'-1");
        check(json!("@SUM(A1)"), "'@SUM(A1)");
        check(json!("\t=1"), "'\t=1");
        check(json!("\r=1"), "\"'\r=1\"");
        check(
            json!("=HYPERLINK(\"http://x\",\"y\")"),
            "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
        );
        check(json!(-1.5), "-1.5");
        check(json!(7), "7");
        check(json!("a,b"), "\"a,b\"");
        check(json!("two\nlines"), "\"two\nlines\"");
        check(json!(true), "true");
        check(Value::Null, "");
    }
}
