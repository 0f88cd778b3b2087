//! A search for the highest load, as words of the command line.

use autotuner_core::score::{Slo, SloMetric};
use autotuner_core::spec::{ArrivalSpec, ArrivalWord, LoadSpec, RateSpec};
use autotuner_core::tune::bounds;
use autotuner_core::workload::knee::{Grain, Knee};
use autotuner_core::workload::{Arrival, Workload};
use clap::ValueEnum;

use super::Options;
use crate::cli::Refusal;
use crate::report::bench::search::Sought;

/// The least and the most that is looked at where nothing is said.
const USUAL: (f64, f64) = (1.0, 1024.0);

/// Fewest requests of a look where nothing is said: two lie above a 99th percentile.
const FEWEST_REQUESTS: u32 = 200;

/// Requests of a look for each in flight where nothing is said.
const REQUESTS_EACH: u32 = 10;

/// Requests of a look at most; their prompts are made before it begins.
const MOST_REQUESTS: u32 = 1_000_000;

/// What is looked for.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Search for the highest load that meets bounds")]
pub(in crate::cli::bench) struct Find {
    /// Look for the highest load that meets every --slo: doubled until one misses, then halved
    #[arg(long, value_enum, conflicts_with = "selftest")]
    pub(super) find: Option<SoughtWord>,
    /// A bound, such as ttft=0.5, p99.latency=5 or tpot=50ms; may be given several times
    /// [default: those of --workload]
    #[arg(long = "slo", value_name = "METRIC=TIME", requires = "find")]
    pub(super) slos: Vec<String>,
    /// The least load to look at [default: 1]
    #[arg(long, value_name = "LOAD", requires = "find")]
    pub(super) from: Option<f64>,
    /// The most [default: 1024]
    #[arg(long, value_name = "LOAD", requires = "find")]
    pub(super) to: Option<f64>,
    /// How close the answer comes to the lowest miss, as a share of it, 0.01 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, requires = "find")]
    pub(super) resolution: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SoughtWord {
    /// Requests in flight at once
    Concurrency,
    /// Requests started in a second, by the kind of --arrival [default there: poisson]
    Rate,
}

/// A search that can be made.
#[derive(Debug)]
pub(in crate::cli::bench) struct Search {
    /// What is looked for.
    pub(in crate::cli::bench) sought: Sought,
    /// What must hold, at least one bound.
    pub(in crate::cli::bench) bounds: Vec<Slo>,
    /// The least load.
    pub(in crate::cli::bench) from: f64,
    /// The most.
    pub(in crate::cli::bench) to: f64,
    /// How close.
    pub(in crate::cli::bench) resolution: f64,
    /// Which load is next.
    pub(in crate::cli::bench) knee: Knee,
    /// Whether the number of requests was said.
    has_limit: bool,
}

/// The search that is asked for; the document is told the loads it is made of.
pub(super) fn search(word: SoughtWord, options: &Options, spec: &mut LoadSpec) -> Result<Search, Refusal> {
    let find = &options.find;
    let from = find.from.unwrap_or(USUAL.0);
    let to = find.to.unwrap_or(USUAL.1.max(from));
    let (sought, grain) = match word {
        SoughtWord::Concurrency => (Sought::Concurrency, Grain::Whole),
        SoughtWord::Rate => (Sought::Rate, Grain::Rate),
    };
    check_range(sought, from, to, find.resolution)?;
    let knee = Knee::new(from, to, find.resolution, grain)
        .map_err(|why| Refusal::message(format!("--find {}: {why}", sought.as_str())))?;
    match sought {
        Sought::Concurrency => closed(options, spec, from, to)?,
        Sought::Rate => by_clock(spec, from, to)?,
    }
    if !find.slos.is_empty() {
        spec.slo = bounds(&find.slos).map_err(|problems| Refusal::Problems {
            of: "--slo".to_owned(),
            problems,
        })?;
    }
    // The rest of the document is judged with everything else.
    let alone = LoadSpec {
        slo: spec.slo.clone(),
        ..LoadSpec::default()
    };
    let resolved = alone.resolve(0).map(|resolved| resolved.bounds);
    if resolved.as_ref().is_ok_and(Vec::is_empty) {
        return Err(Refusal::message(format!(
            "--find {} needs a bound: give --slo, for example --slo p99.ttft=0.5",
            sought.as_str()
        )));
    }
    Ok(Search {
        sought,
        bounds: resolved.unwrap_or_default(),
        from,
        to,
        resolution: find.resolution,
        knee,
        has_limit: spec.benchmark.max_requests_per_iteration.is_some(),
    })
}

fn check_range(sought: Sought, from: f64, to: f64, resolution: f64) -> Result<(), Refusal> {
    let refuse = |text: String| Err(Refusal::message(text));
    for (flag, load) in [("--from", from), ("--to", to)] {
        if !(load.is_finite() && load > 0.0) {
            return refuse(format!("{flag} {load}: a load is a number above 0"));
        }
        if sought == Sought::Concurrency && load.fract() != 0.0 {
            return refuse(format!("{flag} {load}: requests in flight are a whole number"));
        }
    }
    if from > to {
        return refuse(format!("--from {from} is above --to {to}"));
    }
    if !(0.01..=1.0).contains(&resolution) {
        return refuse(format!(
            "--resolution {resolution}: give 0.01 to 1, for example 0.05"
        ));
    }
    Ok(())
}

fn closed(options: &Options, spec: &mut LoadSpec, from: f64, to: f64) -> Result<(), Refusal> {
    if !options.concurrency.is_empty() {
        return Err(Refusal::message(
            "--concurrency is what --find concurrency looks for: bound it with --from and --to",
        ));
    }
    let arrival = spec.benchmark.arrival.as_ref();
    if arrival.is_some_and(|arrival| arrival.kind != ArrivalWord::Closed) {
        return Err(Refusal::message(
            "--find concurrency is for a closed loop: use --find rate, or --arrival closed",
        ));
    }
    spec.benchmark.num_concurrency = Some(vec![whole(from), whole(to)]);
    Ok(())
}

fn by_clock(spec: &mut LoadSpec, from: f64, to: f64) -> Result<(), Refusal> {
    let given = spec.benchmark.arrival.take();
    let kind = given.as_ref().map_or(ArrivalWord::Closed, |arrival| arrival.kind);
    let kind = match kind {
        ArrivalWord::Closed => ArrivalWord::Poisson,
        ArrivalWord::Constant | ArrivalWord::Poisson | ArrivalWord::Gamma => kind,
        ArrivalWord::Stages | ArrivalWord::Trace => {
            return Err(Refusal::message(
                "--find rate changes the rate: --arrival is constant, poisson or gamma then",
            ));
        }
    };
    spec.benchmark.arrival = Some(ArrivalSpec {
        kind,
        rate: Some(RateSpec::Several(vec![from, to])),
        burstiness: given.and_then(|arrival| arrival.burstiness),
        stages: None,
        trace: None,
    });
    Ok(())
}

impl Search {
    /// Whether such a load can tell what is looked for.
    pub(super) fn check(&self, workload: &Workload) -> Result<(), Refusal> {
        let refuse = |text: String| Err(Refusal::message(text));
        let [scenario] = &workload.scenarios[..] else {
            return refuse(format!(
                "--find {} looks at one scenario, and there are {}: give one --scenario",
                self.sought.as_str(),
                workload.scenarios.len()
            ));
        };
        let is_paced = |slo: &Slo| matches!(slo.metric, SloMetric::Tpot(_));
        if self.bounds.iter().any(is_paced) && matches!(scenario.most_output(), Some(0 | 1)) {
            return refuse(format!(
                "--slo tpot cannot be judged: answers of {scenario} have no time per further token"
            ));
        }
        let (limit, most) = (workload.max_requests_per_level, whole(self.to));
        let fewest = most.saturating_mul(2);
        if self.sought == Sought::Concurrency && self.has_limit && limit < fewest {
            return refuse(format!(
                "--max-requests {limit} never fills {most} in flight: give {fewest} at least, lower --to, or leave it out"
            ));
        }
        Ok(())
    }

    /// The load of one look; each asks with a seed of its own, so that no prompt finds itself in
    /// the server's cache.
    pub(in crate::cli::bench) fn look(&self, workload: &Workload, load: f64, number: usize) -> Workload {
        let mut look = self.of_loads(workload, &[load]);
        look.seed = workload.seed.wrapping_add(number as u64);
        if !self.has_limit {
            look.max_requests_per_level = match self.sought {
                Sought::Concurrency => whole(load).saturating_mul(REQUESTS_EACH),
                Sought::Rate => whole((load * look.max_time_per_level.as_secs_f64() * 1.5).ceil()),
            }
            .clamp(FEWEST_REQUESTS, MOST_REQUESTS);
        }
        look
    }

    /// The workload with these loads.
    pub(in crate::cli::bench) fn of_loads(&self, workload: &Workload, loads: &[f64]) -> Workload {
        let mut look = workload.clone();
        match (self.sought, &mut look.arrival) {
            (Sought::Concurrency, _) => look.concurrency = loads.iter().copied().map(whole).collect(),
            (
                Sought::Rate,
                Arrival::Constant { rates } | Arrival::Poisson { rates } | Arrival::Gamma { rates, .. },
            ) => {
                *rates = loads.to_vec();
            }
            (Sought::Rate, Arrival::Closed | Arrival::Stages { .. } | Arrival::Trace { .. }) => {}
        }
        look
    }
}

/// A load as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a number outside the range gives its nearest end"
)]
fn whole(load: f64) -> u32 {
    load as u32
}
