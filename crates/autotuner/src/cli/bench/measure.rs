//! One benchmark from the command line: ask, watch, sum up, hand out.

use std::process::ExitCode;

use autotuner_core::engine::Endpoint;
use autotuner_core::metrics::{ExperimentMetrics, experiment_metrics, level_metrics};
use autotuner_core::score::SloPolicy;
use autotuner_core::workload::Workload;
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_load::{Bench as _, BenchError, Recording};

use super::live::View;
use super::options::Options;
use super::outputs::Outputs;
use super::selftest::{self, TruthServer};
use super::table;
use crate::cli::{CANCELLED, NOTHING, Refusal, WRONG, print, runtime, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::host::Host;
use crate::report::bench::{BenchRun, cautions, summary, without_secrets};
use crate::shutdown::Shutdown;
use crate::worker::chain;

/// The model that the server of a self-test answers to, unless another is named.
const SELFTEST_MODEL: &str = "mock";

pub(super) fn run(options: &Options, config: &Config) -> Result<ExitCode, Refusal> {
    let workload = options.workload();
    let outputs = Outputs::check(&options.results, &workload)?;
    let server = match options.selftest.selftest {
        true => Some(TruthServer::start(&options.selftest)?),
        false => None,
    };
    let endpoint = endpoint(options, server.as_ref())?;
    let measurement = Measurement {
        options,
        config,
        workload: &workload,
        endpoint: &endpoint,
        server: server.as_ref(),
    };
    runtime()?.block_on(measurement.run(&outputs))
}

fn endpoint(options: &Options, server: Option<&TruthServer>) -> Result<Endpoint, Refusal> {
    let api_key = match &options.api_key_file {
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
    let url = options.url.as_deref().or(server.map(TruthServer::url));
    Ok(Endpoint {
        base_url: url.unwrap_or_default().trim_end_matches('/').to_owned(),
        model: options.model.as_deref().unwrap_or(SELFTEST_MODEL).to_owned(),
        api_key,
    })
}

/// Everything that one benchmark needs.
struct Measurement<'a> {
    options: &'a Options,
    config: &'a Config,
    workload: &'a Workload,
    endpoint: &'a Endpoint,
    server: Option<&'a TruthServer>,
}

impl Measurement<'_> {
    async fn run(&self, outputs: &Outputs<'_>) -> Result<ExitCode, Refusal> {
        let mut view = View::new(self.workload, self.options.results.no_live, !self.config.no_color);
        let talk = view.talk();
        let shutdown =
            Shutdown::listen(move |line| talk.say(line)).map_err(|error| Refusal::Error(error.into()))?;
        let started_at_ms = SystemClock.now_ms();
        let generator = LoadGenerator::new(LoadOptions::default());
        let outcome = generator
            .measure(self.endpoint, self.workload, shutdown.soft, &mut view)
            .await;
        view.clear();
        let recording = match outcome {
            Ok(recording) => recording,
            Err(error) => return Ok(told(&error)),
        };
        let ended_at_ms = SystemClock.now_ms();
        let calibration = match self.server {
            Some(server) => selftest::calibrate(server, &recording)?,
            None => Vec::new(),
        };
        let measured = sum_up(&recording);
        let host = match outputs.wants_machine() {
            true => self.machine().await,
            false => None,
        };
        let run = BenchRun {
            url: without_secrets(&self.endpoint.base_url),
            model: self.endpoint.model.clone(),
            workload: self.workload,
            started_at_ms,
            ended_at_ms,
            recording: &recording,
            measured: &measured,
            command: self.options.command(self.workload.seed),
            host: host.as_ref(),
            calibration,
        };
        self.tell(&run);
        let is_written = outputs.write(&run);
        let (_, succeeded, _) = measured.request_totals();
        Ok(if succeeded > 0 && is_written {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(NOTHING)
        })
    }

    /// What is printed.
    fn tell(&self, run: &BenchRun<'_>) {
        let results = &self.options.results;
        if results.json {
            print(&format!("{:#}", summary::summary(run)));
        } else if results.prints_format() {
            // That is another's to print.
        } else {
            print(&table::levels(run.measured));
            if !run.calibration.is_empty() {
                print(&table::calibrations(run));
            }
        }
        for caution in run.measured.levels.iter().flat_map(cautions) {
            say(&format!("warning: {caution}"));
        }
        if !results.json {
            say(&format!("seed: {}", self.workload.seed));
            for note in &run.recording.notes {
                say(&format!("note: {note}"));
            }
        }
    }

    async fn machine(&self) -> Option<Host> {
        let gpus = self.config.gpus.clone();
        tokio::task::spawn_blocking(move || Host::inspect(&gpus))
            .await
            .ok()
    }
}

fn sum_up(recording: &Recording) -> ExperimentMetrics {
    let slos = SloPolicy::default();
    let levels = recording.levels.iter();
    let levels = levels.map(|level| level_metrics(level, &slos.bounds)).collect();
    experiment_metrics(levels, None, 0)
}

fn told(error: &BenchError) -> ExitCode {
    say(&format!("error: {}", chain(error)));
    ExitCode::from(match error {
        BenchError::Cancelled => CANCELLED,
        BenchError::BadEndpoint { .. } | BenchError::BadWorkload { .. } => WRONG,
        BenchError::NothingSucceeded { .. }
        | BenchError::EndpointGone { .. }
        | BenchError::PromptsNotSized { .. } => NOTHING,
    })
}
