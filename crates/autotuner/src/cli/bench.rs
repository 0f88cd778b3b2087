//! `autotuner bench`

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use autotuner_core::engine::Endpoint;
use autotuner_core::measure::LevelRecords;
use autotuner_core::metrics::{ExperimentMetrics, experiment_metrics, level_metrics};
use autotuner_core::score::{Percentile, SloPolicy};
use autotuner_core::workload::{Api, Scenario, Workload};
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_load::{Bench as _, BenchError, Observer, Progress, Verdict};
use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment, Table, presets};

use super::{CANCELLED, NOTHING, Refusal, WRONG, print, runtime, say};
use crate::clock::{Clock as _, SystemClock};
use crate::report::{metrics, words};
use crate::shutdown::Shutdown;
use crate::worker::chain;

/// Load-test an OpenAI-compatible endpoint that is already running
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  autotuner bench --url http://127.0.0.1:8080 --model NAME
  autotuner bench --url http://127.0.0.1:8080 --model NAME --scenario 'D(100,128)' \\
       --concurrency 1 --concurrency 64 --max-requests 256 --max-time 60 --json

Exit codes: 0 a request succeeded, 1 none did, 2 it cannot be asked so, 130 cancelled")]
pub(super) struct Arguments {
    /// Address of the server, without /v1
    #[arg(long, value_name = "URL")]
    url: String,
    /// The model name to ask for
    #[arg(long)]
    model: String,
    /// Prompt and answer lengths in tokens: D(in,out), N(mean,sd)/(mean,sd), U(min,max)/(min,max);
    /// may be given several times
    #[arg(long = "scenario", value_name = "SCENARIO", default_value = "D(100,100)")]
    scenarios: Vec<Scenario>,
    /// Requests in flight at once; may be given several times
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    concurrency: Vec<u32>,
    /// Most requests a level
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    max_requests: u32,
    /// Longest measuring time of a level, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = seconds)]
    max_time: f64,
    /// Which API to ask
    #[arg(long, value_enum, default_value = "chat")]
    api: ApiWord,
    /// Requests sent before a level is measured, at least one round of its concurrency; 0 for none
    #[arg(long, value_name = "N", default_value_t = 2)]
    warmup: u32,
    /// Seed of prompts and lengths [default: a new one each time, so that no prompt finds itself
    /// in the server's cache]
    #[arg(long)]
    seed: Option<u64>,
    /// A further key of each request body, for example temperature=0; may be given several times
    #[arg(long = "param", value_name = "KEY=JSON", value_parser = parameter)]
    parameters: Vec<(String, serde_json::Value)>,
    /// File that holds the API key, sent as a bearer token
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<std::path::PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ApiWord {
    /// /v1/chat/completions
    Chat,
    /// /v1/completions
    Completions,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=86_400.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.1 to 86400".into()),
    }
}

fn parameter(text: &str) -> Result<(String, serde_json::Value), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=JSON")?;
    let value = serde_json::from_str(value).map_err(|error| format!("the value is not JSON: {error}"))?;
    Ok((key.to_owned(), value))
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Refusal> {
    let api_key = match &arguments.api_key_file {
        None => None,
        Some(path) => Some(
            std::fs::read_to_string(path)
                .map_err(|error| {
                    let text = format!("cannot read the API key from {}", path.display());
                    Refusal::Error(anyhow::Error::new(error).context(text))
                })?
                .trim()
                .to_owned(),
        ),
    };
    let endpoint = Endpoint {
        base_url: arguments.url.trim_end_matches('/').to_owned(),
        model: arguments.model.clone(),
        api_key,
    };
    runtime()?.block_on(measure(arguments, &endpoint, &workload(arguments)))
}

fn workload(arguments: &Arguments) -> Workload {
    Workload {
        api: match arguments.api {
            ApiWord::Chat => Api::Chat,
            ApiWord::Completions => Api::Completions,
        },
        scenarios: arguments.scenarios.clone(),
        concurrency: arguments.concurrency.clone(),
        max_time_per_level: Duration::from_secs_f64(arguments.max_time),
        max_requests_per_level: arguments.max_requests,
        drain: Duration::from_secs(30),
        warmup_requests: arguments.warmup,
        max_warmup: Duration::from_secs(60),
        request_timeout: Duration::from_secs(60),
        seed: arguments
            .seed
            .unwrap_or_else(|| SystemClock.now_ms().unsigned_abs()),
        additional_params: arguments.parameters.iter().cloned().collect(),
    }
}

async fn measure(
    arguments: &Arguments,
    endpoint: &Endpoint,
    workload: &Workload,
) -> Result<ExitCode, Refusal> {
    let shutdown = Shutdown::listen(say).map_err(|error| Refusal::Error(error.into()))?;
    let mut shown = Shown::default();
    let generator = LoadGenerator::new(LoadOptions::default());
    let outcome = generator
        .measure(endpoint, workload, shutdown.soft, &mut shown)
        .await;
    let recording = match outcome {
        Ok(recording) => recording,
        Err(error) => {
            say(&format!("error: {}", chain(&error)));
            return Ok(ExitCode::from(match error {
                BenchError::Cancelled => CANCELLED,
                BenchError::BadEndpoint { .. } | BenchError::BadWorkload { .. } => WRONG,
                BenchError::NothingSucceeded { .. }
                | BenchError::EndpointGone { .. }
                | BenchError::PromptsNotSized { .. } => NOTHING,
            }));
        }
    };
    let slos = SloPolicy::default();
    let levels = recording
        .levels
        .iter()
        .map(|level| level_metrics(level, &slos.bounds))
        .collect();
    let measured = experiment_metrics(levels, None, 0);
    if arguments.json {
        let mut document = metrics::experiment(&measured);
        document["notes"] = recording.notes.clone().into();
        document["seed"] = workload.seed.into();
        print(&format!("{document:#}"));
    } else {
        print(&table(&measured));
        say(&format!("seed: {}", workload.seed));
        for note in &recording.notes {
            say(&format!("note: {note}"));
        }
    }
    let (_, succeeded, _) = measured.request_totals();
    Ok(if succeeded > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOTHING)
    })
}

fn table(measured: &ExperimentMetrics) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "scenario",
        "concurrency",
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
        let mean = |distribution: &Option<_>| match distribution {
            Some(autotuner_core::metrics::Distribution { mean, .. }) => words::duration(*mean),
            None => String::new(),
        };
        let p99 = |distribution: &Option<autotuner_core::metrics::Distribution>| match distribution {
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
        let cells = [
            level.scenario.clone(),
            level.concurrency.to_string(),
            level.counts.succeeded.to_string(),
            (level.counts.failed + level.counts.cut_off).to_string(),
            mean(&level.ttft),
            p99(&level.ttft),
            mean(&level.tpot),
            mean(&level.latency),
            p99(&level.latency),
            words::three_digits(level.rates.output_tokens),
            words::three_digits(level.rates.total_tokens),
        ];
        table.add_row(
            cells
                .into_iter()
                .map(|cell| Cell::new(cell).set_alignment(CellAlignment::Right)),
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

/// Says when a level begins and ends.
#[derive(Default)]
struct Shown {
    label: Arc<str>,
}

impl Observer for Shown {
    fn progress(&mut self, progress: &Progress) {
        if *self.label != *progress.label {
            self.label = progress.label.as_str().into();
            say(&format!(
                "level {} of {}: {}",
                progress.level + 1,
                progress.levels,
                progress.label
            ));
        }
    }

    fn level_done(&mut self, _records: &LevelRecords) -> Verdict {
        Verdict::Continue
    }
}
