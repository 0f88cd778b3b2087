//! How often a run claims a gain that is not there, and how often it finds one that is.
//!
//! Whole tasks are planned and judged by the product's own code; only the measurements are made up:
//! a true value for each configuration, noise that differs from start to start, and a drift that
//! neighbouring starts share. `claims [TASKS] [SEED]` prints a table; `make bench` does so.

use std::env;
use std::error::Error;
use std::io::Write as _;
use std::num::NonZero;
use std::thread;

use autotuner_core::experiment::{Experiment, Measured};
use autotuner_core::ids::ExperimentNumber;
use autotuner_core::lifecycle::ExperimentStatus;
use autotuner_core::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};
use autotuner_core::metrics::{experiment_metrics, level_metrics};
use autotuner_core::plan::{Decision, Next, Situation, plan};
use autotuner_core::score::score;
use autotuner_core::space::Candidate;
use autotuner_core::spec::TaskSpec;
use autotuner_core::task::Task;
use autotuner_core::verdict::{Claim, verdict};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal, StandardNormal};
use serde_json::{Map, Value, json};

/// Tokens a second of the engine's defaults: many, as they are counted in whole ones.
const RATE: f64 = 1e7;

/// How much of a drift the next start keeps.
const KEPT: f64 = 0.95;

/// What is measured, and in how many starts.
struct Case {
    name: &'static str,
    switches: usize,
    search: u32,
    replicates: u32,
    /// Standard deviations, as ratios: of each start by itself, and of the drift.
    noise: (f64, f64),
    /// The logarithm of what a configuration is worth beside the defaults.
    worth: fn(&[bool]) -> f64,
    /// Whether the best is better at all.
    is_better: bool,
}

const CASES: [Case; 8] = [
    Case {
        name: "32 alike",
        switches: 5,
        search: 32,
        replicates: 27,
        noise: (0.0632, 0.03),
        worth: |_| 0.0,
        is_better: false,
    },
    Case {
        name: "32, all but one alike: +8 %",
        switches: 5,
        search: 32,
        replicates: 27,
        noise: (0.0632, 0.03),
        worth: |on| if on.iter().all(|on| *on) { 0.077 } else { 0.0 },
        is_better: true,
    },
    Case {
        name: "32 on a slope, best +8 %",
        switches: 5,
        search: 32,
        replicates: 27,
        noise: (0.0632, 0.03),
        worth: |on| 0.077 - 0.06 * on.iter().filter(|on| !**on).count() as f64,
        is_better: true,
    },
    Case {
        name: "2 of which one +8 %",
        switches: 1,
        search: 2,
        replicates: 57,
        noise: (0.0632, 0.03),
        worth: |on| if on[0] { 0.077 } else { -0.2 },
        is_better: true,
    },
    Case {
        name: "16 alike, quiet",
        switches: 4,
        search: 16,
        replicates: 8,
        noise: (0.015, 0.01),
        worth: |_| 0.0,
        is_better: false,
    },
    Case {
        name: "16 on a slope, quiet, best +8 %",
        switches: 4,
        search: 16,
        replicates: 8,
        noise: (0.015, 0.01),
        worth: |on| 0.077 - 0.03 * on.iter().filter(|on| !**on).count() as f64,
        is_better: true,
    },
    Case {
        name: "16 on a slope, quiet, best +30 %",
        switches: 4,
        search: 16,
        replicates: 8,
        noise: (0.015, 0.01),
        worth: |on| 0.262 - 0.1 * on.iter().filter(|on| !**on).count() as f64,
        is_better: true,
    },
    Case {
        name: "4 alike, 2 repetitions",
        switches: 2,
        search: 4,
        replicates: 2,
        noise: (0.0632, 0.03),
        worth: |_| 0.0,
        is_better: false,
    },
];

/// What became of one task.
#[derive(Default, Clone, Copy)]
struct Outcome {
    improved: bool,
    found: bool,
    covered: bool,
    undecided: bool,
    starts: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let tasks: u64 = words.next().map_or(Ok(500), |word| word.parse())?;
    let mut out = std::io::stdout().lock();
    let seed: u64 = words.next().map_or(Ok(0), |word| word.parse())?;
    writeln!(
        out,
        "{tasks} simulated tasks a line; noise of single starts and of the drift that neighbours share\n"
    )?;
    writeln!(
        out,
        "| configurations | noise | starts | \"improved\" | and it is the best | interval holds | undecided |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for case in &CASES {
        let outcomes = all(case, tasks, seed);
        let share = |is_so: fn(&Outcome) -> bool| {
            let count = outcomes.iter().filter(|outcome| is_so(outcome)).count();
            format!("{:.1} %", 100.0 * count as f64 / outcomes.len() as f64)
        };
        let starts: usize = outcomes.iter().map(|outcome| outcome.starts).sum();
        writeln!(
            out,
            "| {} | {:.1} %, {:.1} % | {:.1} of {} | {} | {} | {} | {} |",
            case.name,
            100.0 * case.noise.0,
            100.0 * case.noise.1,
            starts as f64 / outcomes.len() as f64,
            1 + case.search + case.replicates,
            share(|outcome| outcome.improved),
            if case.is_better {
                share(|outcome| outcome.found)
            } else {
                "–".into()
            },
            share(|outcome| outcome.covered),
            share(|outcome| outcome.undecided),
        )?;
    }
    Ok(())
}

/// All tasks of a case, on every processor.
fn all(case: &'static Case, tasks: u64, seed: u64) -> Vec<Outcome> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let workers: Vec<_> = (0..threads)
        .map(|worker| {
            thread::spawn(move || {
                let mine = (worker..tasks).step_by(usize::try_from(threads).unwrap_or(1));
                mine.map(|number| one(case, seed << 32 | number))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    workers
        .into_iter()
        .flat_map(|worker| worker.join().unwrap_or_default())
        .collect()
}

/// One task from its first start to its verdict.
fn one(case: &Case, seed: u64) -> Outcome {
    let Some(task) = task(case, seed) else {
        return Outcome::default();
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut experiments: Vec<Experiment> = Vec::new();
    let mut drift: f64 = Normal::new(0.0, case.noise.1).map_or(0.0, |normal| normal.sample(&mut rng));
    while let Decision::Start(nexts) = plan(&Situation::of(&task, &experiments, &Candidate::key), 0) {
        for next in nexts {
            let fresh: f64 = StandardNormal.sample(&mut rng);
            drift = KEPT * drift + case.noise.1 * (1.0 - KEPT * KEPT).sqrt() * fresh;
            let own: f64 = StandardNormal.sample(&mut rng);
            let worth = true_worth(case, &next.candidate) + drift + case.noise.0 * own;
            experiments.push(ended(&task, next, experiments.len() + 1, RATE * worth.exp()));
        }
    }
    let verdict = verdict(&experiments);
    let improved = matches!(verdict.claim, Claim::Gain(_));
    let best = verdict
        .best
        .as_ref()
        .and_then(|best| experiments.iter().find(|each| each.number == best.number));
    let is_default = best.is_some_and(|best| best.candidate.is_engine_default());
    let chosen = best.map(|best| true_worth(case, &best.candidate));
    let truth = chosen.unwrap_or(0.0).exp_m1();
    // Where the defaults are the best, the interval is of what was not chosen.
    let interval = verdict
        .comparison
        .filter(|_| !is_default)
        .map(|comparison| (comparison.low, comparison.high));
    Outcome {
        improved,
        found: improved && truth > 0.079,
        covered: interval.is_none_or(|(low, high)| (low..=high).contains(&truth)),
        undecided: matches!(verdict.claim, Claim::Undecided(_) | Claim::Unconfirmed(_)),
        starts: experiments.len(),
    }
}

fn true_worth(case: &Case, candidate: &Candidate) -> f64 {
    if candidate.is_engine_default() {
        return 0.0;
    }
    let on: Vec<bool> = candidate
        .iter()
        .map(|(_, value)| value.to_json() == Value::Bool(true))
        .collect();
    (case.worth)(&on)
}

fn task(case: &Case, seed: u64) -> Option<Task> {
    let parameters: Map<String, Value> = (0..case.switches)
        .map(|switch| (format!("switch-{switch}"), json!([false, true])))
        .collect();
    let document = json!({
        "task_name": "claims", "deployment_mode": "local", "base_runtime": "custom",
        "model": { "id_or_path": "none" },
        "engine": { "program": "/engine", "args": ["--port", "{port}"] },
        "parameters": parameters, "benchmark": {},
        "optimization": { "strategy": "random_search", "objective": "maximize_throughput", "seed": seed,
            "max_iterations": case.search, "max_replicates": case.replicates },
    });
    TaskSpec::from_value(&document).ok()?.spec.resolve().ok()
}

fn ended(task: &Task, next: Next, number: usize, rate: f64) -> Experiment {
    Experiment {
        number: ExperimentNumber(u32::try_from(number).unwrap_or(u32::MAX)),
        role: next.role,
        candidate: next.candidate,
        reason: next.reason,
        attempt: next.attempt,
        status: ExperimentStatus::Success,
        launch: None,
        result: measured(task, rate).map(Ok),
        started_at_ms: 0,
        ended_at_ms: Some(0),
    }
}

/// A result of so many tokens a second.
fn measured(task: &Task, rate: f64) -> Option<Measured> {
    let tokens = |count| TokenCount {
        count,
        source: TokenSource::Usage,
    };
    let records = LevelRecords {
        scenario: "D(1,1)".into(),
        concurrency: 1,
        window_start_ns: 0,
        window_end_ns: 100_000_000,
        requests: vec![RequestRecord {
            content_ns: vec![1, 2],
            first_chunk_tokens: 1,
            ended_ns: 2,
            input_tokens: tokens(0),
            output_tokens: tokens(rate as u32),
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        }],
        ..LevelRecords::default()
    };
    let metrics = experiment_metrics(vec![level_metrics(&records, &[])], None, 0);
    let score = score(&metrics, task.search.objective, &task.slos).ok()?;
    Some(Measured {
        metrics,
        score,
        remarks: vec![],
        gpu_use: vec![],
        fingerprints: vec![],
    })
}
