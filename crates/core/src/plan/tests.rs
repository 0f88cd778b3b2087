//! Planner scripts: moves on the left, what the planner says to each on the right.

use std::fmt::Write as _;
use std::time::Duration;

use super::*;
use crate::engine::EngineKind;
use crate::experiment::Measured;
use crate::failure::Failure;
use crate::ids::ExperimentNumber;
use crate::lifecycle::ExperimentStatus;
use crate::measure::{LevelRecords, RequestOutcome, RequestRecord, TokenCount, TokenSource};
use crate::metrics::{experiment_metrics, level_metrics};
use crate::score::{Objective, SloPolicy, score};
use crate::search::{SearchContext, Seen, Strategy, StrategyKind};
use crate::space::{Domain, Parameter, ParameterName, Space, Value};
use crate::task::{DeploymentMode, EngineSettings, Model, Resources, SearchSettings};
use crate::verdict::verdict;
use crate::workload::{Api, Arrival, Content, FirstWave, Scenario, Sources, Workload};

fn a_task(strategy: StrategyKind, max_iterations: u32, parallel: u32) -> Task {
    let values = |values: &[i64]| Domain::Choice(values.iter().copied().map(Value::Int).collect());
    let parameter = |name: &str, domain| Parameter {
        name: ParameterName::new(name),
        domain,
    };
    Task {
        name: "script".into(),
        description: None,
        deployment: DeploymentMode::Local,
        engine: EngineKind::Sim,
        model: Model {
            id_or_path: "sim".into(),
            namespace: "autotuner".into(),
            served_name: "sim".into(),
        },
        settings: EngineSettings::default(),
        cluster: crate::task::ClusterSettings::default(),
        resources: Resources::default(),
        space: Space::new(
            vec![
                parameter("seqs", values(&[8, 16])),
                parameter("tokens", values(&[256, 512])),
            ],
            vec![],
        )
        .expect("sound"),
        search: SearchSettings {
            strategy,
            objective: Objective::MaximizeThroughput,
            max_iterations,
            max_replicates: 0,
            min_gain: None,
            pareto: vec![],
            early_abort: false,
            warm_start: false,
            max_time: None,
            max_gpu_hours: None,
            timeout_per_iteration: Duration::from_secs(60),
            initial_random: 5,
            max_parallel_experiments: parallel,
            seed: 7,
        },
        workload: Workload {
            api: Api::Chat,
            scenarios: vec![Scenario::Fixed { input: 1, output: 1 }],
            concurrency: vec![1],
            arrival: Arrival::Closed,
            first_wave: FirstWave::default(),
            max_time_per_level: Duration::from_secs(1),
            max_requests_per_level: 1,
            drain: Duration::from_secs(1),
            warmup_requests: 0,
            max_warmup: Duration::from_secs(1),
            request_timeout: Duration::from_secs(1),
            seed: 7,
            content: Content::default(),
            sources: Sources::default(),
            order: Vec::new(),
            precision: None,
            additional_params: serde_json::Map::new(),
        },
        level_weights: None,
        tokenizer: None,
        slos: SloPolicy::default(),
    }
}

/// A result of `rate` tokens a second.
fn measured(rate: u32) -> Measured {
    let tokens = |count| TokenCount {
        count,
        source: TokenSource::Usage,
    };
    let records = LevelRecords {
        scenario: "D(1,1)".into(),
        concurrency: 1,
        window_start_ns: 0,
        window_end_ns: 1_000_000_000,
        requests: vec![RequestRecord {
            intended_ns: 0,
            sent_ns: 0,
            content_ns: vec![1, 2],
            first_chunk_tokens: 1,
            ended_ns: 2,
            input_tokens: tokens(0),
            output_tokens: tokens(rate),
            outcome: RequestOutcome::Success,
            ..RequestRecord::default()
        }],
        ..LevelRecords::default()
    };
    let metrics = experiment_metrics(vec![level_metrics(&records, &[])], None, 0);
    let score = score(&metrics, Objective::MaximizeThroughput, &SloPolicy::default()).expect("measured");
    Measured {
        metrics,
        score,
        remarks: vec![],
        gpu_use: vec![],
        fingerprints: vec![],
    }
}

struct Script {
    task: Task,
    experiments: Vec<Experiment>,
    told: String,
}

impl Script {
    /// Runs a script: `ok N RATE`, `fail N KIND`, one move a line; the planner is asked first
    /// and after every move, and what it starts is begun at once.
    fn run(task: Task, moves: &str) -> Self {
        let mut script = Self {
            task,
            experiments: vec![],
            told: String::new(),
        };
        script.ask("begin");
        for line in moves.lines().map(str::trim).filter(|line| !line.is_empty()) {
            script.apply(line);
            script.ask(line);
        }
        script
    }

    fn apply(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number: usize = words[1].parse().expect("a number");
        let experiment = &mut self.experiments[number - 1];
        assert!(!experiment.status.is_ended(), "{line}: already ended");
        // Each takes a minute.
        experiment.ended_at_ms = Some(experiment.started_at_ms + 60_000);
        (experiment.status, experiment.result) = match words[0] {
            "ok" => (
                ExperimentStatus::Success,
                Some(Ok(measured(words[2].parse().expect("a rate")))),
            ),
            "fail" => {
                let kind = FailureKind::from_word(words[2]).expect("a kind");
                (
                    ExperimentStatus::Failed,
                    Some(Err(Failure::new(kind, "it broke"))),
                )
            }
            other => panic!("unknown move {other}"),
        };
    }

    fn ask(&mut self, after: &str) {
        let situation = Situation::of(&self.task, &self.experiments, &Candidate::key);
        let decision = plan(&situation, self.now_ms());
        let told = match &decision {
            Decision::Start(next) => next
                .iter()
                .map(|next| {
                    let attempt = if next.attempt > 1 {
                        format!(" (attempt {})", next.attempt)
                    } else {
                        String::new()
                    };
                    format!("start {} {}{attempt}", next.role.as_str(), next.candidate)
                })
                .collect::<Vec<_>>()
                .join("; "),
            Decision::Wait => "wait".into(),
            Decision::Finish(finish) => format!("finish {finish:?}"),
        };
        writeln!(self.told, "{after:<32} -> {told}").expect("memory");
        if let Decision::Start(next) = decision {
            for next in next {
                self.begin(next);
            }
        }
    }

    /// When the latest thing happened.
    fn now_ms(&self) -> i64 {
        let last = |experiment: &Experiment| experiment.ended_at_ms.unwrap_or(experiment.started_at_ms);
        self.experiments.iter().map(last).max().unwrap_or(0)
    }

    fn begin(&mut self, next: Next) {
        self.experiments.push(Experiment {
            number: ExperimentNumber(u32::try_from(self.experiments.len()).expect("small") + 1),
            role: next.role,
            candidate: next.candidate,
            reason: next.reason,
            attempt: next.attempt,
            status: ExperimentStatus::Deploying,
            launch: None,
            result: None,
            started_at_ms: self.now_ms(),
            ended_at_ms: None,
        });
    }
}

fn told(strategy: StrategyKind, max_iterations: u32, parallel: u32, moves: &str) -> String {
    Script::run(a_task(strategy, max_iterations, parallel), moves).told
}

#[test]
fn a_grid_runs_baseline_first_and_then_in_order() {
    insta::assert_snapshot!(told(
        StrategyKind::Grid,
        9,
        1,
        "ok 1 100\nok 2 110\nfail 3 out_of_memory\nok 4 90\nok 5 95"
    ));
}

#[test]
fn the_budget_ends_a_run_and_the_baseline_costs_none() {
    insta::assert_snapshot!(told(
        StrategyKind::Grid,
        2,
        1,
        "fail 1 engine_crashed\nok 2 110\nok 3 100"
    ));
}

#[test]
fn a_lost_candidate_is_tried_again_before_anything_new() {
    insta::assert_snapshot!(told(
        StrategyKind::Grid,
        2,
        1,
        "ok 1 100\nfail 2 worker_lost\nfail 3 infrastructure\nok 4 120\nok 5 130"
    ));
}

#[test]
fn a_candidate_lost_too_often_ends_the_run() {
    insta::assert_snapshot!(told(
        StrategyKind::Grid,
        4,
        2,
        "fail 1 infrastructure\nok 2 100\nfail 3 infrastructure\nfail 5 infrastructure\nfail 6 infrastructure\nok 4 90"
    ));
}

/// A grid of twenty whose rates follow from their values, where the first run of one candidate is
/// slower than that by this share; what was tried more than once.
fn tried_again(slow: &str, by: f64, parallel: u32) -> Vec<String> {
    let mut task = a_task(StrategyKind::Grid, 20, parallel);
    let values = |values: &[i64]| Domain::Choice(values.iter().copied().map(Value::Int).collect());
    let parameter = |(name, domain): (&str, Domain)| Parameter {
        name: ParameterName::new(name),
        domain,
    };
    let parameters = [("a", values(&[1, 2, 3, 4, 5])), ("b", values(&[1, 2, 3, 4]))];
    task.space = Space::new(parameters.map(parameter).to_vec(), vec![]).expect("sound");
    let mut script = Script::run(task, "");
    while let Some(experiment) = script.experiments.iter().find(|e| !e.status.is_ended()) {
        let number = |name| experiment.candidate.get(name).and_then(Value::as_number);
        let (a, b) = (number("a").unwrap_or(1.0), number("b").unwrap_or(1.0));
        let is_slow = experiment.attempt == 1 && experiment.candidate.to_string() == slow;
        let rate = 1000.0 * (1.0 + 0.2 * a + 0.05 * b) * if is_slow { 1.0 - by } else { 1.0 };
        let line = format!("ok {} {}", experiment.number.0, rate as u32);
        script.apply(&line);
        script.ask(&line);
    }
    let searched: Vec<&Experiment> = script.experiments[1..].iter().collect();
    let distinct: HashSet<_> = searched
        .iter()
        .map(|experiment| experiment.candidate.key())
        .collect();
    assert_eq!(distinct.len(), 20, "{}", script.told);
    let again = searched.iter().filter(|experiment| experiment.attempt > 1);
    again.map(|experiment| experiment.candidate.to_string()).collect()
}

#[test]
fn what_is_slow_for_no_reason_is_measured_once_more() {
    for parallel in [1, 3] {
        assert_eq!(tried_again("a=5 b=2", 0.3, parallel), ["a=5 b=2"], "{parallel}");
        // Nobody would choose it, however fast it were.
        assert_eq!(tried_again("a=1 b=2", 0.3, parallel), [""; 0], "{parallel}");
        assert_eq!(tried_again("none", 0.3, parallel), [""; 0], "{parallel}");
    }
}

/// Experiments of one candidate that is lost again and again in these ways, and how it ends.
fn lost_again_and_again(kinds: &[(&str, u32)]) -> (usize, bool) {
    let mut moves = "ok 1 100\n".to_owned();
    let kinds = kinds
        .iter()
        .flat_map(|(kind, times)| (0..*times).map(move |_| kind));
    for (number, kind) in (2..).zip(kinds) {
        writeln!(moves, "fail {number} {kind}").expect("memory");
    }
    let script = Script::run(a_task(StrategyKind::Grid, 4, 1), &moves);
    let is_over = script
        .told
        .lines()
        .any(|line| line.contains("finish KeepsBeingLost"));
    let last = script.experiments.last().expect("begun");
    let words = last.reason.matches("after a loss").count();
    assert_eq!(words, usize::from(last.attempt > 1), "{}", last.reason);
    (script.experiments.len() - 1, is_over)
}

#[test]
fn how_often_a_candidate_may_be_lost_depends_on_how() {
    let check = |kinds: &[(&str, u32)], begun: usize, is_over: bool| {
        assert_eq!(lost_again_and_again(kinds), (begun, is_over), "{kinds:?}");
    };
    check(&[("infrastructure", 2)], 3, false);
    check(&[("infrastructure", 3)], 3, true);
    check(&[("worker_lost", 19)], 20, false);
    check(&[("worker_lost", 20)], 20, true);
    // Each way counts for itself, whatever came between.
    check(&[("worker_lost", 19), ("infrastructure", 2)], 22, false);
    check(&[("worker_lost", 19), ("infrastructure", 3)], 22, true);
    check(
        &[("infrastructure", 2), ("worker_lost", 19), ("infrastructure", 1)],
        22,
        true,
    );
    check(&[("infrastructure", 2), ("worker_lost", 20)], 22, true);
}

/// Crashes during one candidate are not held against the next.
#[test]
fn losses_count_for_each_candidate_on_its_own() {
    let two = "fail 1 infrastructure\nfail 2 infrastructure\nok 3 100\n\
               fail 4 infrastructure\nfail 5 infrastructure\nok 6 90\nfail 7 infrastructure\nok 8 80";
    let told = told(StrategyKind::Grid, 2, 1, two);
    assert!(told.trim_end().ends_with("finish BudgetSpent"), "{told}");
}

/// That the load generator was the limit says nothing of the candidate, nor of the next one.
#[test]
fn what_the_load_generator_limits_twice_is_passed_over() {
    let check = |moves: &str, expected: &str| {
        let told = told(StrategyKind::Grid, 3, 1, moves);
        let end = told.trim_end().lines().next_back().unwrap_or_default();
        assert!(end.contains(expected), "{expected}: {told}");
    };
    let limited = |numbers: std::ops::RangeInclusive<u32>| {
        let lines: Vec<String> = numbers.map(|n| format!("fail {n} client_limited\n")).collect();
        lines.concat()
    };
    check(
        &format!("ok 1 100\n{}ok 4 90\nok 5 80", limited(2..=3)),
        "finish BudgetSpent",
    );
    check(
        &format!("{}ok 3 90\nok 4 80\nok 5 70", limited(1..=2)),
        "finish BudgetSpent",
    );
    check(
        &format!("ok 1 100\n{}ok 6 80", limited(2..=5)),
        "finish BudgetSpent",
    );
    check(&format!("ok 1 100\n{}", limited(2..=7)), "finish ClientLimited");
    check(&limited(1..=6), "finish ClientLimited");
}

#[test]
fn cancelling_waits_for_what_runs_and_starts_nothing() {
    insta::assert_snapshot!(told(
        StrategyKind::Grid,
        4,
        2,
        "ok 1 100\nfail 2 cancelled\nfail 3 cancelled"
    ));
}

#[test]
fn parallel_experiments_are_never_the_same() {
    let script = Script::run(
        a_task(StrategyKind::Random, 4, 3),
        "ok 1 100\nok 2 1\nok 3 2\nok 4 3\nok 5 4",
    );
    let keys: HashSet<_> = script.experiments.iter().map(|e| e.candidate.key()).collect();
    assert_eq!((script.experiments.len(), keys.len()), (5, 5), "{}", script.told);
    assert!(
        script.told.trim_end().ends_with("finish BudgetSpent"),
        "{}",
        script.told
    );
}

/// Forgetting an unfinished experiment and marking it lost must not change what is tried.
#[test]
fn a_loss_changes_no_later_choice() {
    let candidates = |moves: &str| {
        let script = Script::run(a_task(StrategyKind::Random, 4, 1), moves);
        let mut keys: Vec<_> = script
            .experiments
            .iter()
            .filter(|e| !e.is_lost())
            .map(|e| e.candidate.to_string())
            .collect();
        keys.dedup();
        keys
    };
    let smooth = candidates("ok 1 100\nok 2 1\nok 3 2\nok 4 3\nok 5 4");
    let bumpy =
        candidates("fail 1 worker_lost\nok 2 100\nok 3 1\nfail 4 worker_lost\nok 5 2\nok 6 3\nok 7 4");
    assert_eq!(smooth, bumpy);
}

#[test]
fn meeting_the_slos_is_a_claim_in_the_exponential_mode_too() {
    use crate::score::{Slo, SloMetric, SloMode, Statistic};
    use crate::verdict::Claim;
    let mut script = Script::run(a_task(StrategyKind::Grid, 1, 1), "ok 1 100\nok 2 90");
    let judge = |experiment: &mut Experiment, threshold: f64| {
        let Some(Ok(measured)) = &mut experiment.result else {
            panic!("not measured")
        };
        let slos = SloPolicy {
            bounds: vec![Slo {
                metric: SloMetric::Ttft(Statistic::Mean),
                threshold,
                weight: 1.0,
                hard_fail: false,
                fail_ratio: 0.5,
            }],
            mode: SloMode::ExponentialV1 { steepness: 0.1 },
        };
        measured.score = score(&measured.metrics, Objective::MaximizeThroughput, &slos).expect("measured");
    };
    // The TTFT of both is a nanosecond: the defaults miss the SLO, the other meets it.
    judge(&mut script.experiments[0], 0.9e-9);
    judge(&mut script.experiments[1], 1.1e-9);
    let found = verdict(&script.experiments);
    assert_eq!(found.best.map(|best| best.number.0), Some(2));
    assert_eq!(found.claim, Claim::MeetsSlos(-0.1));
}

#[test]
fn verdicts_claim_what_was_measured_and_no_more() {
    use crate::verdict::Claim;
    let check = |moves: &str, best: Option<u32>, claim: Claim| {
        let script = Script::run(a_task(StrategyKind::Grid, 2, 1), moves);
        let verdict = verdict(&script.experiments);
        assert_eq!(verdict.best.map(|best| best.number.0), best, "{moves}");
        assert_eq!(verdict.claim, claim, "{moves}");
    };
    check("ok 1 100\nok 2 150\nok 3 120", Some(2), Claim::Unconfirmed(0.5));
    check("ok 1 100\nok 2 90\nok 3 80", Some(1), Claim::NoGain(0.0));
    check("ok 1 100\nok 2 101\nok 3 80", Some(2), Claim::NoGain(0.01));
    check("ok 1 100\nok 2 100\nok 3 80", Some(1), Claim::NoGain(0.0));
    check(
        "fail 1 out_of_memory\nok 2 90\nok 3 95",
        Some(3),
        Claim::NoBaseline,
    );
    check(
        "ok 1 100\nfail 2 out_of_memory\nfail 3 out_of_memory",
        Some(1),
        Claim::OnlyDefaults,
    );
    check(
        "fail 1 out_of_memory\nfail 2 out_of_memory\nfail 3 engine_crashed",
        None,
        Claim::NothingMeasured,
    );
}

/// What is told of a run that may measure so many times again.
fn told_again(most: u32, parallel: u32, moves: &str) -> String {
    let mut task = a_task(StrategyKind::Grid, 4, parallel);
    task.search.max_replicates = most;
    Script::run(task, moves).told
}

#[test]
fn the_best_is_measured_again_in_turn_with_the_defaults_until_it_is_sure() {
    insta::assert_snapshot!(told_again(
        10,
        1,
        "ok 1 1000\nok 2 1100\nok 3 1500\nok 4 900\nok 5 1480\nok 6 1005\nok 7 1505\nok 8 1490"
    ));
}

#[test]
fn what_stays_in_doubt_is_measured_as_often_as_is_planned() {
    insta::assert_snapshot!(told_again(
        4,
        1,
        "ok 1 1000\nok 2 1100\nok 3 1500\nok 4 900\nfail 5 out_of_memory\nok 6 1300\nok 7 1350\nok 8 1200\nok 9 1150"
    ));
}

#[test]
fn repetitions_wait_for_the_search_and_are_repeated_where_they_are_lost() {
    insta::assert_snapshot!(told_again(
        4,
        2,
        "ok 1 1000\nok 2 1100\nok 3 1500\nok 4 900\nok 5 1400\nfail 6 worker_lost\nok 7 1500\nok 8 1010\nok 9 1000\nok 10 1500"
    ));
}

/// How many experiments a run of one-minute experiments makes, of the search and again, and how it
/// ends.
fn within(limit: impl FnOnce(&mut SearchSettings)) -> (usize, usize, Finish) {
    let mut task = a_task(StrategyKind::Grid, 4, 1);
    task.search.max_replicates = 10;
    limit(&mut task.search);
    let mut script = Script::run(task, "");
    loop {
        let number = script.experiments.len();
        let rate = 900 + 100 * (number % 3);
        script.apply(&format!("ok {number} {rate}"));
        if let Some(experiment) = script.experiments.last_mut() {
            let gpu = crate::gpu::GpuDevice {
                index: 0,
                uuid: "GPU-1".into(),
                name: "test".into(),
                vendor: crate::gpu::GpuVendor::Nvidia,
                memory_bytes: 0,
            };
            let facts = crate::experiment::LaunchFacts {
                gpus: vec![gpu.clone(), gpu],
                ..Default::default()
            };
            experiment.launch = Some(facts);
        }
        script.ask("next");
        if script.experiments.len() == number {
            break;
        }
    }
    let of = |role| script.experiments.iter().filter(|each| each.role == role).count();
    let situation = Situation::of(&script.task, &script.experiments, &Candidate::key);
    match plan(&situation, script.now_ms()) {
        Decision::Finish(finish) => (of(Role::Search), of(Role::Replicate), finish),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_would_exceed_the_time_is_not_begun() {
    let minutes = |count: u64| Some(Duration::from_secs(60 * count));
    let time = |count| within(|search| search.max_time = minutes(count));
    assert_eq!(time(60), (4, 10, Finish::BudgetSpent));
    assert_eq!(time(8), (4, 3, Finish::TimeSpent(Spending::Time)));
    // A quarter is kept for repetitions.
    assert_eq!(time(4), (2, 1, Finish::TimeSpent(Spending::Time)));
    let alone = within(|search| (search.max_time, search.max_replicates) = (minutes(4), 0));
    assert_eq!(alone, (3, 0, Finish::TimeSpent(Spending::Time)));
    let gpus = within(|search| search.max_gpu_hours = Some(8.0 / 60.0));
    assert_eq!(gpus, (2, 1, Finish::TimeSpent(Spending::GpuHours)));
}

/// A loss long ago must not keep a run from ending when all is clear.
#[test]
fn what_was_lost_and_made_good_does_not_lengthen_the_repetitions() {
    let sure = "ok 6 1480\nok 7 1005\nok 8 1505\nok 9 1490";
    let told = told_again(
        10,
        1,
        &format!("ok 1 1000\nfail 2 worker_lost\nok 3 1100\nok 4 1500\nok 5 900\n{sure}"),
    );
    assert!(told.trim_end().ends_with("finish BudgetSpent"), "{told}");
}

/// Each repetition has attempts of its own.
#[test]
fn losses_of_one_repetition_are_not_held_against_the_next() {
    let twice = |number: u32| {
        format!(
            "fail {number} infrastructure\nfail {} infrastructure\n",
            number + 1
        )
    };
    let moves = format!(
        "ok 1 1000\nok 2 1100\nok 3 1500\nok 4 900\nok 5 800\nok 6 1300\n{}ok 9 1350\n{}ok 12 1200\nok 13 1100",
        twice(7),
        twice(10)
    );
    let told = told_again(4, 1, &moves);
    assert!(told.trim_end().ends_with("finish BudgetSpent"), "{told}");
}

#[test]
fn nothing_is_measured_again_where_nothing_may_be_chosen() {
    let end = |moves: &str| {
        let told = told_again(6, 1, moves);
        let words = told.lines().filter(|line| line.contains("replicate")).count();
        (words, told.contains("finish"))
    };
    let oom = "fail 2 out_of_memory\nfail 3 out_of_memory\nfail 4 out_of_memory\nfail 5 out_of_memory";
    assert_eq!(end(&format!("ok 1 1000\n{oom}")), (0, true));
    assert_eq!(end(&format!("fail 1 out_of_memory\n{oom}")), (0, true));
}

/// Writes down what it is told, and then proposes as a grid does.
struct Spy(std::sync::Mutex<Vec<String>>);

impl Strategy for Spy {
    fn kind(&self) -> StrategyKind {
        StrategyKind::Grid
    }

    fn propose(&self, context: &SearchContext<'_>, rng: &mut dyn rand::Rng) -> Proposal {
        let seen: Vec<String> = context
            .observations
            .iter()
            .map(|observation| match &observation.outcome {
                Seen::Scored { score, metrics } => {
                    format!(
                        "{}={} over {} level",
                        observation.role.as_str(),
                        score.value(),
                        metrics.levels.len()
                    )
                }
                Seen::GivenUp { metrics } => format!("given up after {}", metrics.levels.len()),
                Seen::Infeasible(kind) => format!("{}={kind}", observation.role.as_str()),
            })
            .collect();
        let told = format!(
            "[{}] pending {} left {} of {}",
            seen.join(", "),
            context.pending.len(),
            context.budget.left,
            context.budget.total
        );
        self.0.lock().expect("not poisoned").push(told);
        crate::search::Grid.propose(context, rng)
    }
}

/// What a strategy is told last, after these moves.
fn told_to_the_strategy(parallel: u32, moves: &str) -> String {
    let script = Script::run(a_task(StrategyKind::Grid, 4, parallel), moves);
    let spy = Spy(std::sync::Mutex::default());
    // The script has begun what its last question started: that is taken back, to ask it again.
    let was_there = |experiment: &&Experiment| experiment.number.0 <= 3;
    let history: Vec<Experiment> = script.experiments.iter().filter(was_there).cloned().collect();
    let situation = Situation {
        strategy: &spy,
        ..Situation::of(&script.task, &history, &Candidate::key)
    };
    plan(&situation, 0);
    let told = spy.0.into_inner().expect("not poisoned");
    told.into_iter().next().expect("it was asked")
}

#[test]
fn a_strategy_is_told_of_scores_failures_and_what_is_left() {
    assert_eq!(
        told_to_the_strategy(1, "ok 1 100\nfail 2 out_of_memory\nok 3 120"),
        "[baseline=100 over 1 level, search=out_of_memory, search=120 over 1 level] pending 0 left 2 of 4"
    );
    assert_eq!(
        told_to_the_strategy(2, "fail 1 not_ready_in_time\nfail 2 engine_crashed"),
        "[baseline=not_ready_in_time, search=engine_crashed] pending 1 left 2 of 4"
    );
}

/// A loss says nothing of its candidate: the strategy hears of it as still to come.
#[test]
fn a_strategy_is_not_told_of_what_was_lost() {
    let told = told_to_the_strategy(3, "ok 1 100\nfail 2 worker_lost");
    assert!(told.starts_with("[baseline=100 over 1 level] pending "), "{told}");
}

#[test]
fn a_search_begins_with_what_an_earlier_run_found_best() {
    // The grid goes through seqs 8 and 16, and in each through tokens 256 and 512.
    let earlier = Script::run(
        a_task(StrategyKind::Grid, 4, 1),
        "ok 1 100\nok 2 100\nok 3 110\nok 4 300\nok 5 120",
    );
    let best = &earlier.experiments[3].candidate;
    let task = a_task(StrategyKind::Bayesian, 4, 1);
    let begun = Script::run(task, "ok 1 100").experiments;
    let measured = &begun[..1];
    let first = |histories: &[Vec<Experiment>]| {
        let task = a_task(StrategyKind::Bayesian, 4, 1);
        let situation = Situation {
            earlier: histories,
            ..Situation::of(&task, measured, &Candidate::key)
        };
        match plan(&situation, 0) {
            Decision::Start(next) => next.into_iter().next().expect("one"),
            other => panic!("{other:?}"),
        }
    };
    let warm = first(std::slice::from_ref(&earlier.experiments));
    assert_eq!(warm.candidate, *best);
    assert_eq!(warm.reason, "among the best of an earlier task");
    assert_eq!(first(&[]).reason, "spread over the space");
}

#[test]
fn what_was_given_up_is_told_with_its_levels_and_is_no_loss() {
    let mut script = Script::run(a_task(StrategyKind::Grid, 4, 1), "ok 1 100\nok 2 100");
    let partial = script.experiments[1]
        .measured()
        .expect("measured")
        .metrics
        .clone();
    let given_up = Failure {
        partial: Some(Box::new(partial)),
        ..Failure::new(FailureKind::EarlyAborted, "hopeless")
    };
    let third = &mut script.experiments[2];
    (third.status, third.result) = (ExperimentStatus::Failed, Some(Err(given_up)));
    let spy = Spy(std::sync::Mutex::default());
    let situation = Situation {
        strategy: &spy,
        ..Situation::of(&script.task, &script.experiments, &Candidate::key)
    };
    let decision = plan(&situation, 0);
    assert!(
        matches!(&decision, Decision::Start(next) if next[0].attempt == 1),
        "{decision:?}"
    );
    let told = spy.0.into_inner().expect("not poisoned");
    assert!(told[0].contains("given up after 1"), "{told:?}");
    assert_eq!(
        verdict(&script.experiments).best.map(|best| best.number.0),
        Some(1)
    );
}
