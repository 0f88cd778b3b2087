//! Bounds in short: `ttft=0.5`, `p99.latency=5`, `tpot=50ms`, `e2e:p90<=2`.
//!
//! The one idea: a bound is a metric, perhaps a percentile, and a time; which of the first two
//! comes first does not matter. How a miss counts is left to the document's defaults.

use crate::problem::{Problem, closest};
use crate::spec::{Bound, PercentileBounds, SloSpec, TokenTimeBounds};

/// What is accepted, for hints.
const FORMS: &str = "write ttft=0.5, tpot=50ms, p95.ttft=1.5s or p99.latency=5: seconds, or ms with the unit";

const METRICS: [&str; 3] = ["latency", "ttft", "tpot"];
const PERCENTILES: [&str; 4] = ["p50", "p90", "p95", "p99"];

/// The bounds together; `None` without any.
///
/// # Errors
/// Every text that is no bound, and every bound that is given twice.
pub(super) fn parse(texts: &[String]) -> Result<Option<SloSpec>, Vec<Problem>> {
    let mut spec = SloSpec::default();
    let mut problems = Vec::new();
    for text in texts {
        if let Err((message, hint)) = add(&mut spec, text) {
            problems.push(Problem::new("slo", message).with_hint(hint));
        }
    }
    if problems.is_empty() {
        Ok((!texts.is_empty()).then_some(spec))
    } else {
        Err(problems)
    }
}

type Complaint = (String, String);

fn add(spec: &mut SloSpec, text: &str) -> Result<(), Complaint> {
    let parts = text.split_once("<=").or_else(|| text.split_once('='));
    let Some((what, time)) = parts else {
        return Err((format!("{text:?} says no bound"), FORMS.to_owned()));
    };
    let (metric, percentile) = measured(text, what.trim())?;
    let threshold = seconds(time.trim()).ok_or_else(|| {
        (
            format!("{:?} in {text:?} is not a time above 0", time.trim()),
            FORMS.to_owned(),
        )
    })?;
    let slot = match (metric, percentile) {
        ("latency", Some(percentile)) => slot(spec.latency.get_or_insert_default(), percentile),
        ("latency", None) => {
            let hint = format!("name one: p99.latency={}", time.trim());
            return Err((format!("{text:?} bounds latency without a percentile"), hint));
        }
        (metric, percentile) => {
            let bounds = if metric == "ttft" {
                &mut spec.ttft
            } else {
                &mut spec.tpot
            };
            let TokenTimeBounds { mean, percentiles } = bounds.get_or_insert_default();
            match percentile {
                Some(percentile) => slot(percentiles, percentile),
                None => mean,
            }
        }
    };
    if slot.is_some() {
        return Err((
            format!("{text:?} bounds {} a second time", what.trim()),
            "keep one of them".to_owned(),
        ));
    }
    *slot = Some(Bound {
        threshold: Some(threshold),
        ..Bound::default()
    });
    Ok(())
}

/// Metric and percentile of `ttft`, `p99.ttft`, `ttft.p99` or `mean.ttft`.
fn measured(text: &str, what: &str) -> Result<(&'static str, Option<&'static str>), Complaint> {
    let what = what.to_lowercase();
    let known = |words: &[&'static str], part: &str| words.iter().copied().find(|word| *word == part);
    let mut metric = None;
    let mut percentile = None;
    for part in what.split(['.', ':']) {
        let part = if part == "e2e" { "latency" } else { part };
        let is_new = if let Some(word) = known(&METRICS, part) {
            metric.replace(word).is_none()
        } else if let Some(word) = known(&PERCENTILES, part) {
            percentile.replace(word).is_none()
        } else if part == "mean" {
            true
        } else {
            let hint = match closest(part, METRICS.into_iter().chain(PERCENTILES)) {
                Some(word) => format!("did you mean \"{word}\"?"),
                None => FORMS.to_owned(),
            };
            return Err((
                format!("{part:?} in {text:?} is no metric and no percentile"),
                hint,
            ));
        };
        if !is_new {
            return Err((
                format!("{text:?} names two metrics or two percentiles"),
                FORMS.to_owned(),
            ));
        }
    }
    match metric {
        Some(metric) => Ok((metric, percentile)),
        None => Err((format!("{text:?} names no metric"), FORMS.to_owned())),
    }
}

fn slot<'a>(bounds: &'a mut PercentileBounds, percentile: &str) -> &'a mut Option<Bound> {
    match percentile {
        "p50" => &mut bounds.p50,
        "p90" => &mut bounds.p90,
        "p95" => &mut bounds.p95,
        _ => &mut bounds.p99,
    }
}

/// Seconds of `0.5`, `0.5s` or `500ms`; `None` for what is no time above 0.
fn seconds(text: &str) -> Option<f64> {
    let (number, divisor) = if let Some(number) = text.strip_suffix("ms") {
        (number, 1_000.0)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1.0)
    };
    let number = number.trim();
    let is_plain = number.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let seconds = number.parse::<f64>().ok().filter(|_| is_plain)? / divisor;
    (seconds.is_finite() && seconds > 0.0).then_some(seconds)
}
