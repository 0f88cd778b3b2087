//! From words of the command line to what is measured.
//!
//! The one idea: the words are the keys of a task document's `benchmark`, and are checked by its
//! rules, with or without such a document beneath them.

use std::path::Path;

use autotuner_core::problem::Problem;
use autotuner_core::spec::{
    ArrivalSpec, ArrivalWord, BenchmarkSpec, EndpointWord, FirstWaveWord as FirstWaveSpec, Format, LoadSpec,
    RateSpec, Resolved, StageSpec,
};
use autotuner_core::workload::{Arrival, ArrivalText, Scenario, Workload};
use tokio_util::sync::CancellationToken;

use super::{ApiWord, FirstWaveWord, Options, Search, search};
use crate::cli::{Refusal, say};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Config;
use crate::datasets::Library;

/// Most requests in flight where requests start by a clock and nothing was said of it: far more
/// than a schedule that an engine keeps up with ever has.
pub(super) const MOST_SCHEDULED: u32 = 1024;

/// What is to be measured.
#[derive(Debug)]
pub(in crate::cli::bench) struct Asked {
    /// The load; files have still to be read.
    pub(in crate::cli::bench) workload: Workload,
    /// What is looked for, where something is.
    pub(in crate::cli::bench) search: Option<Search>,
}

impl Options {
    /// What is asked for, with a seed of its own where none is given.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(in crate::cli::bench) fn asked(&self) -> Result<Asked, Refusal> {
        let mut spec = match &self.workload {
            Some(path) => read(path)?,
            None => LoadSpec::default(),
        };
        self.put_over(&mut spec.benchmark)?;
        let search = match self.find.find {
            Some(sought) => Some(search::search(sought, self, &mut spec)?),
            None => None,
        };
        let seed = self.seed.unwrap_or_else(|| SystemClock.now_ms().unsigned_abs());
        let Resolved {
            mut workload,
            bounds: _,
            warnings,
        } = spec.resolve(seed).map_err(|problems| self.refused(problems))?;
        for warning in warnings {
            say(&format!("warning: {}", self.by_flag(warning)));
        }
        if spec.benchmark.num_concurrency.is_none() && workload.arrival != Arrival::Closed {
            workload.concurrency = vec![MOST_SCHEDULED];
        }
        // A server under test may be asked what a task may not.
        workload.additional_params.extend(self.parameters.iter().cloned());
        if let Some(search) = &search {
            search.check(&workload)?;
        }
        Ok(Asked { workload, search })
    }

    /// Reads the files that a workload is still to be made of.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub(in crate::cli::bench) async fn fill(
        &self,
        workload: &mut Workload,
        config: &Config,
    ) -> Result<(), Refusal> {
        let current_dir = std::env::current_dir().map_err(|error| Refusal::Error(error.into()))?;
        let library = Library::of_this_user(&config.data_dir, &current_dir);
        // Nobody listens to signals yet: one simply ends the program.
        let filled = library.fill(workload, &CancellationToken::new()).await;
        filled.map_err(|problem| self.refused(vec![problem]))
    }

    /// Puts what was given over a document's keys.
    fn put_over(&self, spec: &mut BenchmarkSpec) -> Result<(), Refusal> {
        if !self.scenarios.is_empty() {
            spec.traffic_scenarios = Some(self.scenarios.iter().map(Scenario::to_string).collect());
        }
        if !self.concurrency.is_empty() {
            spec.num_concurrency = Some(self.concurrency.clone());
        }
        if let Some(arrival) = &self.arrival {
            spec.arrival = Some(arrival.spec.clone());
        }
        if let Some(wave) = self.first_wave {
            spec.first_wave = Some(match wave {
                FirstWaveWord::Spread => FirstWaveSpec::Spread,
                FirstWaveWord::Together => FirstWaveSpec::Together,
            });
        }
        if let Some(api) = self.api {
            spec.endpoint = Some(api.into());
        }
        if let Some(place) = &self.dataset {
            spec.dataset_url = Some(place.clone());
        }
        spec.max_requests_per_iteration = self.max_requests.or(spec.max_requests_per_iteration);
        spec.max_time_per_iteration = self.max_time.or(spec.max_time_per_iteration);
        spec.warmup_requests = self.warmup.or(spec.warmup_requests);
        spec.salt = self.salt.or(spec.salt);
        let asks_entries = self.scenarios.contains(&Scenario::DataSet);
        if asks_entries && spec.dataset_url.is_none() {
            return Err(Refusal::message(
                "--scenario dataset asks the entries of a data set: name it with --dataset",
            ));
        }
        Ok(())
    }

    fn refused(&self, problems: Vec<Problem>) -> Refusal {
        Refusal::Problems {
            of: match &self.workload {
                Some(path) => path.display().to_string(),
                None => "the command line".to_owned(),
            },
            problems: problems
                .into_iter()
                .map(|problem| self.by_flag(problem))
                .collect(),
        }
    }

    /// A problem at the flag that was given for a key.
    fn by_flag(&self, problem: Problem) -> Problem {
        let flag = FLAGS.iter().find(|(key, _)| problem.path.starts_with(key));
        match flag.filter(|_| self.workload.is_none()) {
            Some((_, flag)) => Problem {
                path: (*flag).to_owned(),
                ..problem
            },
            None => problem,
        }
    }
}

/// Which flag sets which key.
const FLAGS: [(&str, &str); 9] = [
    ("benchmark.traffic_scenarios", "--scenario"),
    ("benchmark.num_concurrency", "--concurrency"),
    ("benchmark.arrival", "--arrival"),
    ("benchmark.first_wave", "--first-wave"),
    ("benchmark.dataset_url", "--dataset"),
    ("benchmark.max_time_per_iteration", "--max-time"),
    ("benchmark.max_requests_per_iteration", "--max-requests"),
    ("benchmark.warmup_requests", "--warmup"),
    ("benchmark.endpoint", "--api"),
];

fn read(path: &Path) -> Result<LoadSpec, Refusal> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Refusal::Error(anyhow::Error::new(error).context(format!("cannot read --workload {name}")))
    })?;
    let format = Format::from_file_name(&name);
    LoadSpec::parse(&text, format).map_err(|problems| Refusal::Problems { of: name, problems })
}

/// Arrivals, and the text that asked for them.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) text: String,
    pub(super) spec: ArrivalSpec,
}

pub(super) fn arrival(text: &str) -> Result<Arrived, String> {
    let mut spec = ArrivalSpec {
        kind: ArrivalWord::Closed,
        rate: None,
        burstiness: None,
        stages: None,
        trace: None,
    };
    match text.parse().map_err(|error| format!("{error}"))? {
        ArrivalText::Ready(Arrival::Closed | Arrival::Trace { .. }) => {}
        ArrivalText::Ready(Arrival::Constant { rates }) => {
            spec.kind = ArrivalWord::Constant;
            spec.rate = Some(RateSpec::Several(rates));
        }
        ArrivalText::Ready(Arrival::Poisson { rates }) => {
            spec.kind = ArrivalWord::Poisson;
            spec.rate = Some(RateSpec::Several(rates));
        }
        ArrivalText::Ready(Arrival::Gamma { rates, burstiness }) => {
            spec.kind = ArrivalWord::Gamma;
            spec.rate = Some(RateSpec::Several(rates));
            spec.burstiness = Some(burstiness);
        }
        ArrivalText::Ready(Arrival::Stages { stages }) => {
            spec.kind = ArrivalWord::Stages;
            let stage = |stage: &autotuner_core::workload::Stage| StageSpec {
                rate: stage.rate,
                seconds: stage.lasts.as_secs_f64(),
            };
            spec.stages = Some(stages.iter().map(stage).collect());
        }
        ArrivalText::Trace(file) => {
            spec.kind = ArrivalWord::Trace;
            spec.trace = Some(file);
        }
    }
    Ok(Arrived {
        text: text.to_owned(),
        spec,
    })
}

impl From<ApiWord> for EndpointWord {
    fn from(word: ApiWord) -> Self {
        match word {
            ApiWord::Chat => Self::Chat,
            ApiWord::Completions => Self::Completions,
            ApiWord::Llamacpp => Self::LlamaCpp,
            ApiWord::Tgi => Self::Tgi,
            ApiWord::Embeddings => Self::Embeddings,
            ApiWord::Rerank => Self::Rerank,
        }
    }
}
