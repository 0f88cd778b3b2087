//! One benchmark from the command line: ask, watch, sum up, hand out.

use std::process::ExitCode;

use autotuner_core::calibration::Calibration;
use autotuner_core::engine::Endpoint;
use autotuner_core::metrics::{ExperimentMetrics, Terms, experiment_metrics, level_metrics_for};
use autotuner_core::workload::Workload;
use autotuner_load::generator::{LoadGenerator, LoadOptions};
use autotuner_load::{Bench as _, BenchError, Recording};

use super::find;
use super::live::View;
use super::options::{Asked, Options, Search};
use super::outputs::Outputs;
use super::selftest::{self, TruthServer};
use super::table;
use crate::cli::{CANCELLED, NOTHING, Refusal, WRONG, print, runtime, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::host::Host;
use crate::report::bench::search::{LoadSearch, SearchEnd};
use crate::report::bench::{BenchRun, cautions, summary, without_secrets};
use crate::shutdown::Shutdown;
use crate::worker::chain;

/// The model that the server of a self-test answers to, unless another is named.
const SELFTEST_MODEL: &str = "mock";

pub(super) fn run(options: &Options, config: &Config) -> Result<ExitCode, Refusal> {
    let Asked { mut workload, search } = options.asked()?;
    let outputs = Outputs::check(&options.results, &workload)?;
    runtime()?.block_on(async {
        options.fill(&mut workload, config).await?;
        let measurement = Measurement {
            options,
            config,
            workload: &workload,
        };
        measurement.run(&outputs, search.as_ref()).await
    })
}

/// The server that was named; `None` if none was.
fn endpoint(options: &Options) -> Result<Option<Endpoint>, Refusal> {
    let Some(url) = &options.url else { return Ok(None) };
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
    Ok(Some(Endpoint {
        base_url: url.trim_end_matches('/').to_owned(),
        model: model(options),
        api_key,
    }))
}

fn model(options: &Options) -> String {
    options.model.as_deref().unwrap_or(SELFTEST_MODEL).to_owned()
}

/// Everything that one benchmark needs.
struct Measurement<'a> {
    options: &'a Options,
    config: &'a Config,
    workload: &'a Workload,
}

/// What a server was asked for, and what came of it.
struct Measured {
    endpoint: Endpoint,
    recording: Recording,
    calibration: Vec<Calibration>,
    search: Option<LoadSearch>,
}

impl Measurement<'_> {
    async fn run(&self, outputs: &Outputs<'_>, search: Option<&Search>) -> Result<ExitCode, Refusal> {
        let target = endpoint(self.options)?;
        let mut view = View::new(self.workload, self.options.results.no_live, !self.config.no_color);
        let talk = view.talk();
        let shutdown =
            Shutdown::listen(move |line| talk.say(line)).map_err(|error| Refusal::Error(error.into()))?;
        let checked = match self.options.selftest.selftest {
            true => match self.selftest(&mut view, &shutdown, target.is_some()).await? {
                Ok(checked) => Some(checked),
                Err(code) => return Ok(code),
            },
            false => None,
        };
        let started_at_ms = SystemClock.now_ms();
        if let Some((search, endpoint)) = search.zip(target.as_ref()) {
            return self
                .look_for(search, endpoint, &mut view, &shutdown, outputs)
                .await;
        }
        let measured = match (target, checked) {
            (Some(endpoint), checked) => match self.ask(&endpoint, &mut view, &shutdown).await {
                Ok(recording) => Measured {
                    endpoint,
                    recording,
                    calibration: checked.map(|checked| checked.calibration).unwrap_or_default(),
                    search: None,
                },
                Err(error) => return Ok(told(&error)),
            },
            (None, Some(checked)) => checked,
            (None, None) => return Err(Refusal::message("no server is named: give --url, or --selftest")),
        };
        let ended_at_ms = SystemClock.now_ms();
        self.hand_out(outputs, &measured, (started_at_ms, ended_at_ms))
            .await
    }

    /// Puts the load on a server.
    async fn ask(
        &self,
        endpoint: &Endpoint,
        view: &mut View,
        shutdown: &Shutdown,
    ) -> Result<Recording, BenchError> {
        let generator = LoadGenerator::new(LoadOptions::default());
        let stop = shutdown.soft.clone();
        let outcome = generator.measure(endpoint, self.workload, stop, view).await;
        view.clear();
        outcome
    }

    /// Puts the load on a server of our own that knows the truth; or how to end, if that failed.
    async fn selftest(
        &self,
        view: &mut View,
        shutdown: &Shutdown,
        is_before_another: bool,
    ) -> Result<Result<Measured, ExitCode>, Refusal> {
        let server = TruthServer::start(&self.options.selftest)?;
        if is_before_another {
            view.talk()
                .say("first the same load on a server of our own, which knows the truth");
        }
        let endpoint = Endpoint {
            base_url: server.url().to_owned(),
            model: model(self.options),
            api_key: None,
        };
        let recording = match self.ask(&endpoint, view, shutdown).await {
            Ok(recording) => recording,
            Err(error) => return Ok(Err(told(&error))),
        };
        let calibration = selftest::calibrate(&server, &recording)?;
        Ok(Ok(Measured {
            endpoint,
            recording,
            calibration,
            search: None,
        }))
    }

    /// Looks for the highest load, and hands out the looks.
    async fn look_for(
        &self,
        search: &Search,
        endpoint: &Endpoint,
        view: &mut View,
        shutdown: &Shutdown,
        outputs: &Outputs<'_>,
    ) -> Result<ExitCode, Refusal> {
        let started_at_ms = SystemClock.now_ms();
        let outcome = find::look_for(search, endpoint, self.workload, view, &shutdown.soft).await;
        view.clear();
        let (found, recording) = match outcome {
            Ok(found) => found,
            Err(error) => return Ok(told(&error)),
        };
        let ended_at_ms = SystemClock.now_ms();
        if recording.levels.is_empty() {
            return Ok(told(&BenchError::Cancelled));
        }
        let is_cancelled = matches!(found.end, SearchEnd::Cancelled);
        let looked = search.of_loads(self.workload, &find::loads(&found));
        let looks = Measurement {
            workload: &looked,
            ..*self
        };
        let measured = Measured {
            endpoint: endpoint.clone(),
            recording,
            calibration: Vec::new(),
            search: Some(found),
        };
        let code = looks.hand_out(outputs, &measured, (started_at_ms, ended_at_ms));
        match code.await? {
            _ if is_cancelled => Ok(ExitCode::from(CANCELLED)),
            code => Ok(code),
        }
    }

    async fn hand_out(
        &self,
        outputs: &Outputs<'_>,
        of: &Measured,
        (started_at_ms, ended_at_ms): (i64, i64),
    ) -> Result<ExitCode, Refusal> {
        let measured = sum_up(&of.recording, &of.calibration);
        let host = match outputs.wants_machine() {
            true => self.machine().await,
            false => None,
        };
        let run = BenchRun {
            url: without_secrets(&of.endpoint.base_url),
            model: of.endpoint.model.clone(),
            workload: self.workload,
            started_at_ms,
            ended_at_ms,
            recording: &of.recording,
            measured: &measured,
            command: self.options.command(self.workload),
            host: host.as_ref(),
            search: of.search.as_ref(),
            calibration: of.calibration.clone(),
        };
        self.tell(&run);
        let is_written = outputs.write(&run);
        let is_good = match &of.search {
            Some(search) => search.highest_met().is_some(),
            None => measured.request_totals().1 > 0,
        };
        Ok(if is_good && is_written {
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
            if let Some(search) = run.search {
                print(&table::looks(search));
                print(&search.answer());
            }
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

/// What the records add up to; with what is known of the load generator's errors under this load.
fn sum_up(recording: &Recording, calibration: &[Calibration]) -> ExperimentMetrics {
    let levels = recording.levels.iter().enumerate().map(|(number, level)| {
        let known = calibration.get(number).and_then(Calibration::known_errors);
        level_metrics_for(
            level,
            &Terms {
                calibration: known.as_ref(),
                ..Terms::default()
            },
        )
    });
    experiment_metrics(levels.collect(), None, 0)
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
