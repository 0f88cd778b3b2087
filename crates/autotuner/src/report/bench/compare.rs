//! Two or more summaries side by side: each level of the first against the same level of another.
//!
//! The one idea: a difference is told with a word only as far as the summaries carry it. Where
//! both have intervals, those that overlap are noise; where one has none, nothing can be told.
//! Nothing here reads files or prints.

use serde_json::{Value, json};

use super::summary::{SCHEMA_VERSION, TOOL};

/// A summary that has been read.
#[derive(Debug)]
pub(crate) struct Summary {
    /// What people call it: its file's name.
    pub(crate) name: String,
    document: Value,
}

/// The figures that are compared.
const METRICS: [Metric; 8] = [
    Metric::time("TTFT mean", "/stats/ttft", "/mean", "mean_ttft"),
    Metric::time("TTFT p99", "/stats/ttft", "/p99", "p99_ttft"),
    Metric::time("TPOT mean", "/stats/tpot", "/mean", "mean_tpot"),
    Metric::time("latency mean", "/stats/e2e_latency", "/mean", "mean_e2e_latency"),
    Metric::time("latency p99", "/stats/e2e_latency", "/p99", "p99_e2e_latency"),
    Metric::rate(
        "output tok/s",
        "/mean_output_throughput_tokens_per_s",
        "mean_output_throughput",
    ),
    Metric::rate(
        "total tok/s",
        "/mean_total_tokens_throughput_tokens_per_s",
        "mean_total_throughput",
    ),
    Metric::rate("requests/s", "/requests_per_second", "requests_per_second"),
];

struct Metric {
    /// For people.
    name: &'static str,
    /// Where the level keeps it, or its distribution. Where there is another of the same name that
    /// counts from the schedule, that one is meant: so do the intervals.
    at: &'static str,
    /// Which figure of the distribution.
    figure: &'static str,
    /// What its interval is called among the level's intervals.
    interval: &'static str,
    /// Whether less is better.
    is_time: bool,
}

impl Metric {
    const fn time(
        name: &'static str,
        at: &'static str,
        figure: &'static str,
        interval: &'static str,
    ) -> Self {
        Self {
            name,
            at,
            figure,
            interval,
            is_time: true,
        }
    }

    const fn rate(name: &'static str, at: &'static str, interval: &'static str) -> Self {
        Self {
            is_time: false,
            ..Self::time(name, at, "", interval)
        }
    }
}

/// What a difference means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// The second is better, beyond its and the first's interval.
    Better,
    /// It is worse, likewise.
    Worse,
    /// The intervals overlap.
    WithinNoise,
    /// There is no interval on one side, or no figure.
    CannotBeTold,
}

impl Word {
    /// For people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::WithinNoise => "within noise",
            Self::CannotBeTold => "cannot be told",
        }
    }

    /// For programs.
    fn key(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::WithinNoise => "within_noise",
            Self::CannotBeTold => "cannot_be_told",
        }
    }
}

/// One figure with its interval, if it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    /// The figure itself, in seconds or per second.
    pub(crate) value: f64,
    /// Where the truth lies, most likely.
    pub(crate) interval: Option<(f64, f64)>,
}

/// One line: one figure of one level in both summaries.
#[derive(Debug)]
pub(crate) struct Line {
    /// Which figure.
    pub(crate) metric: &'static str,
    /// Whether it is a time in seconds, of which less is better; else a rate per second.
    pub(crate) is_time: bool,
    /// In the first summary.
    pub(crate) before: Option<Figure>,
    /// In the other.
    pub(crate) after: Option<Figure>,
    /// What the difference means.
    pub(crate) word: Word,
}

impl Line {
    /// The difference as a share of the first; `None` where there is none to tell.
    pub(crate) fn change(&self) -> Option<f64> {
        let (before, after) = (self.before?.value, self.after?.value);
        (before > 0.0).then(|| after / before - 1.0)
    }
}

/// One level that both summaries have.
#[derive(Debug)]
pub(crate) struct Matched {
    /// The scenario, as its user writes it.
    pub(crate) scenario: String,
    /// `concurrency 8`, `poisson at 10/s`.
    pub(crate) load: String,
    /// Its figures.
    pub(crate) lines: Vec<Line>,
}

/// The first summary against one other.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The first's name.
    pub(crate) before: String,
    /// The other's.
    pub(crate) after: String,
    /// Why the difference may be of something else than what was meant to differ.
    pub(crate) warnings: Vec<String>,
    /// Levels that both have.
    pub(crate) levels: Vec<Matched>,
    /// Levels that only the first has, then those that only the other has, in words.
    pub(crate) unmatched: Vec<String>,
}

/// Reads a summary.
///
/// # Errors
/// What is wrong with it and what to do, in one sentence without the file's name.
pub(crate) fn read(name: &str, text: &str) -> Result<Summary, String> {
    let again = "write one with autotuner bench --json or --output";
    let document: Value =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON ({error}); {again}"))?;
    if document["tool"] != TOOL {
        let like = if document.get("aggregated_metrics").is_some() {
            "it looks like a result of genai-bench, not a summary of ours"
        } else if document.get("mean_ttft_ms").is_some() {
            "it looks like a result of vllm bench serve, not a summary of ours"
        } else {
            "it is not a summary of autotuner bench"
        };
        return Err(format!("{like}; {again}"));
    }
    match document["schema_version"].as_u64() {
        Some(SCHEMA_VERSION) => {}
        Some(version) if version > SCHEMA_VERSION => {
            return Err(format!(
                "its schema_version is {version}, and this program reads {SCHEMA_VERSION}; \
                 compare it with the newer autotuner that wrote it"
            ));
        }
        _ => return Err(format!("it has no schema_version that we know; {again}")),
    }
    if !document["raw_results"].is_array() {
        return Err(format!("it has no raw_results; {again}"));
    }
    Ok(Summary {
        name: name.to_owned(),
        document,
    })
}

/// Compares one summary with another.
pub(crate) fn compare(before: &Summary, after: &Summary) -> Comparison {
    let (mut rest, mut levels, mut unmatched) = (levels_of(after), Vec::new(), Vec::new());
    for (key, level) in levels_of(before) {
        match rest.iter().position(|(other, _)| *other == key) {
            Some(at) => levels.push(matched(key, level, rest.remove(at).1)),
            None => unmatched.push(format!("{} at {} is only in {}", key.0, key.1, before.name)),
        }
    }
    let only = |((scenario, load), _): &(Key, _)| format!("{scenario} at {load} is only in {}", after.name);
    unmatched.extend(rest.iter().map(only));
    Comparison {
        before: before.name.clone(),
        after: after.name.clone(),
        warnings: warnings(before, after),
        levels,
        unmatched,
    }
}

/// Scenario and load.
type Key = (String, String);

fn levels_of(summary: &Summary) -> Vec<(Key, &Value)> {
    let levels = summary.document["raw_results"].as_array();
    let key = |level: &Value| {
        let text = |key: &str| level[key].as_str().map(str::to_owned);
        let load = text("load").unwrap_or_else(|| format!("concurrency {}", level["num_concurrency"]));
        (text("scenario").unwrap_or_default(), load)
    };
    levels
        .into_iter()
        .flatten()
        .map(|level| (key(level), level))
        .collect()
}

fn matched((scenario, load): Key, before: &Value, after: &Value) -> Matched {
    let line = |metric: &Metric| {
        let (before, after) = (figure(before, metric), figure(after, metric));
        Line {
            metric: metric.name,
            is_time: metric.is_time,
            before,
            after,
            word: word(before, after, metric.is_time),
        }
    };
    Matched {
        scenario,
        load,
        lines: METRICS.iter().map(line).collect(),
    }
}

fn figure(level: &Value, metric: &Metric) -> Option<Figure> {
    let Metric { at, figure, .. } = metric;
    let scheduled = level.pointer(&format!("{at}_from_schedule{figure}"));
    let plain = || level.pointer(&format!("{at}{figure}"));
    let interval = &level["confidence"][metric.interval];
    Some(Figure {
        value: scheduled.or_else(plain)?.as_f64()?,
        interval: interval[0].as_f64().zip(interval[1].as_f64()),
    })
}

fn word(before: Option<Figure>, after: Option<Figure>, is_time: bool) -> Word {
    let intervals = before.and_then(|figure| figure.interval);
    let intervals = intervals.zip(after.and_then(|figure| figure.interval));
    match intervals {
        None => Word::CannotBeTold,
        Some((before, after)) if after.1 < before.0 => {
            if is_time {
                Word::Better
            } else {
                Word::Worse
            }
        }
        Some((before, after)) if before.1 < after.0 => {
            if is_time {
                Word::Worse
            } else {
                Word::Better
            }
        }
        Some(_) => Word::WithinNoise,
    }
}

fn warnings(before: &Summary, after: &Summary) -> Vec<String> {
    let (before, after) = (&before.document, &after.document);
    let mut warnings = Vec::new();
    let mut differ = |at: &str, what: &str, why: &str| {
        let (one, other) = (before.pointer(at), after.pointer(at));
        if one != other {
            let plain = |value: Option<&Value>| match value {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => "nothing".into(),
            };
            warnings.push(format!("{what}: {} against {}{why}", plain(one), plain(other)));
        }
    };
    differ("/model", "the models differ", "");
    differ("/seed", "the seeds differ", ", so other prompts were sent");
    differ("/workload/api", "the APIs differ", "");
    differ("/workload/arrival", "requests start differently", "");
    differ("/workload/first_wave", "the first requests start differently", "");
    let limit = "the limits of a level differ";
    differ("/workload/max_time_per_level_seconds", limit, " seconds");
    differ("/workload/max_requests_per_level", limit, " requests");
    differ("/workload/warmup_requests", "the warm-ups differ", " requests");
    differ("/workload/additional_params", "the further parameters differ", "");
    differ(
        "/machine/fingerprint",
        "the load came from different machines",
        "",
    );
    differ("/version", "the versions of autotuner differ", "");
    warnings
}

/// The comparison for programs.
pub(crate) fn json(comparison: &Comparison) -> Value {
    let figure = |figure: &Option<Figure>| {
        figure.map(|figure| json!({"value": figure.value, "interval": figure.interval.map(|(low, high)| [low, high])}))
    };
    let line = |line: &Line| {
        json!({
            "metric": line.metric,
            "unit": if line.is_time { "s" } else { "1/s" },
            "before": figure(&line.before),
            "after": figure(&line.after),
            "change": line.change(),
            "word": line.word.key(),
        })
    };
    let level = |level: &Matched| {
        json!({
            "scenario": level.scenario,
            "load": level.load,
            "metrics": level.lines.iter().map(line).collect::<Vec<_>>(),
        })
    };
    json!({
        "before": comparison.before,
        "after": comparison.after,
        "warnings": comparison.warnings,
        "levels": comparison.levels.iter().map(level).collect::<Vec<_>>(),
        "unmatched": comparison.unmatched,
    })
}
