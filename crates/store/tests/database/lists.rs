//! Lists that are filtered, searched and sorted, and what their rows show beside.

use autotuner_core::experiment::Measured;
use autotuner_core::failure::{Failure, FailureKind};
use autotuner_core::ids::{ExperimentId, TaskId};
use autotuner_core::lifecycle::{ExperimentMove, ExperimentStatus, TaskStatus};
use autotuner_core::plan::Next;
use autotuner_core::search::Role;
use autotuner_core::space::{Candidate, ParameterName, Value};
use autotuner_core::verdict::Claim as Found;
use autotuner_store::{
    Claim, ExperimentQuery, ExperimentRecord, ExperimentSort, ForeignResult, ImportedExperiment,
    ImportedTask, Order, Page, Standing, Store, TaskQuery, TaskSort,
};

use crate::support::{Fresh, act, measured, task};

const ALL: Page = Page { skip: 0, limit: 1000 };

/// An experiment that has run from one time to another.
async fn run(
    fresh: &Fresh,
    claim: &Claim,
    next: Next,
    (begun, ended): (i64, i64),
    result: Result<Measured, Failure>,
) -> ExperimentId {
    let store = fresh.database.run_store(claim);
    let number = store.begin_experiment(claim.task, next, begun).await;
    let number = number.expect("begins");
    for wanted in [ExperimentMove::Deploy, ExperimentMove::Benchmark] {
        let moved = store.move_experiment(claim.task, number, wanted).await;
        moved.expect("legal");
    }
    let finished = store.finish_experiment(claim.task, number, result, ended).await;
    finished.expect("legal");
    fresh.database.experiment_id(claim, number).await.expect("known")
}

fn of(role: Role, values: &[(&str, Value)]) -> Next {
    let values = values.iter().cloned();
    Next {
        role,
        candidate: Candidate::new(values.map(|(name, value)| (ParameterName::new(name), value))),
        reason: "because".into(),
        attempt: 1,
    }
}

fn failed(kind: FailureKind) -> Result<Measured, Failure> {
    Err(Failure::new(kind, "it failed"))
}

/// Two tasks with experiments of every sort.
async fn some(fresh: Fresh) -> (Fresh, Claim, Claim) {
    let first = fresh.claimed("Llama on ONE").await;
    let second = fresh.claimed("qwen 100%").await;
    run(
        &fresh,
        &first,
        of(Role::Baseline, &[]),
        (10, 40),
        Ok(measured(-2.0)),
    )
    .await;
    run(
        &fresh,
        &second,
        of(Role::Baseline, &[]),
        (11, 20),
        failed(FailureKind::Infrastructure),
    )
    .await;
    run(
        &fresh,
        &second,
        of(Role::Baseline, &[]),
        (21, 30),
        failed(FailureKind::OutOfMemory),
    )
    .await;
    for seqs in 1..=6_i64 {
        let values = [
            ("max-num-seqs", Value::Int(seqs * 4)),
            (
                "kv-cache-dtype",
                Value::from(if seqs % 2 == 0 { "fp8" } else { "auto" }),
            ),
            (
                "float-text",
                if seqs == 3 {
                    Value::Unset
                } else {
                    Value::Bool(true)
                },
            ),
        ];
        let (claim, times) = match seqs % 2 {
            0 => (&first, (100 - seqs, 120 + seqs)),
            _ => (&second, (50 + seqs, 300)),
        };
        let result = match seqs {
            5 => failed(FailureKind::OutOfMemory),
            6 => failed(FailureKind::EngineCrashed),
            _ => Ok(measured(-(seqs as f64))),
        };
        run(&fresh, claim, of(Role::Search, &values), times, result).await;
    }
    let store = fresh.database.run_store(&second);
    let open = of(Role::Replicate, &[("max-num-seqs", Value::Int(4))]);
    store
        .begin_experiment(second.task, open, 400)
        .await
        .expect("begins");
    (fresh, first, second)
}

/// Every combination of filters and orders gives what reading all and choosing by hand gives.
#[tokio::test]
async fn what_is_found_is_what_choosing_by_hand_finds() {
    let (fresh, first, _) = some(fresh!()).await;
    let everything = fresh.database.experiments(ALL).await.expect("listed").rows;
    let mut asked = 0;
    for task in [None, Some(first.task), Some(TaskId(99))] {
        for statuses in [
            vec![],
            vec![ExperimentStatus::Failed],
            vec![ExperimentStatus::Success, ExperimentStatus::Pending],
        ] {
            for failure in [None, Some(FailureKind::OutOfMemory)] {
                for role in [
                    None,
                    Some(Role::Search),
                    Some(Role::Baseline),
                    Some(Role::Replicate),
                ] {
                    for sort in [
                        ExperimentSort::Created,
                        ExperimentSort::Started,
                        ExperimentSort::Elapsed,
                        ExperimentSort::Score,
                    ] {
                        for order in [Order::Ascending, Order::Descending] {
                            let query = ExperimentQuery {
                                task,
                                statuses: statuses.clone(),
                                failure,
                                role,
                                runtime: None,
                                text: None,
                                sort,
                                order,
                            };
                            let expected = by_hand(&everything, &query);
                            for page in [ALL, Page { skip: 1, limit: 2 }, Page { skip: 90, limit: 5 }] {
                                check_page(&fresh, &query, page, &expected).await;
                                asked += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(asked, 3 * 3 * 2 * 4 * 4 * 2 * 3);
}

async fn check_page(fresh: &Fresh, query: &ExperimentQuery, page: Page, expected: &[i64]) {
    for text in [None, Some("e")] {
        // All names of tasks have an e, and it makes another way.
        let query = ExperimentQuery {
            text: text.map(str::to_owned),
            ..query.clone()
        };
        let listed = fresh
            .database
            .find_experiments(page, &query)
            .await
            .expect("found");
        let ids: Vec<i64> = listed.rows.iter().map(|row| row.id.0).collect();
        let (skip, limit) = (page.skip as usize, page.limit as usize);
        let on_page: Vec<i64> = expected.iter().copied().skip(skip).take(limit).collect();
        assert_eq!(
            (ids, listed.total),
            (on_page, expected.len() as u64),
            "{query:?} {page:?}"
        );
    }
}

fn by_hand(all: &[ExperimentRecord], query: &ExperimentQuery) -> Vec<i64> {
    let matches = |row: &&ExperimentRecord| {
        let experiment = &row.experiment;
        query.task.is_none_or(|task| task == row.task)
            && (query.statuses.is_empty() || query.statuses.contains(&experiment.status))
            && query
                .failure
                .is_none_or(|kind| experiment.failure().is_some_and(|failure| failure.kind == kind))
            && query.role.is_none_or(|role| role == experiment.role)
    };
    let mut rows: Vec<&ExperimentRecord> = all.iter().filter(matches).collect();
    let elapsed = |row: &ExperimentRecord| Some(row.experiment.ended_at_ms? - row.experiment.started_at_ms);
    rows.sort_by(|a, b| {
        let key = match query.sort {
            ExperimentSort::Created => std::cmp::Ordering::Equal,
            ExperimentSort::Started => a.experiment.started_at_ms.cmp(&b.experiment.started_at_ms),
            ExperimentSort::Elapsed => elapsed(a).cmp(&elapsed(b)),
            ExperimentSort::Score => a.experiment.score().cmp(&b.experiment.score()),
        };
        key.then(a.id.0.cmp(&b.id.0))
    });
    if query.order == Order::Descending {
        rows.reverse();
    }
    if query.sort == ExperimentSort::Score {
        // Stable: what has no score is behind the rest, whichever way.
        rows.sort_by_key(|row| row.experiment.score().is_none());
    }
    rows.iter().map(|row| row.id.0).collect()
}

#[tokio::test]
async fn text_is_found_in_names_and_in_configurations() {
    let (fresh, ..) = some(fresh!()).await;
    let check = async |text: &str, expected: &[i64]| {
        let query = ExperimentQuery {
            text: Some(text.into()),
            order: Order::Ascending,
            ..ExperimentQuery::all()
        };
        let found = fresh.database.find_experiments(ALL, &query).await.expect("found");
        let ids: Vec<i64> = found.rows.iter().map(|row| row.id.0).collect();
        assert_eq!(ids, expected, "{text}");
    };
    check("llama", &[1, 5, 7, 9]).await;
    check("on one", &[1, 5, 7, 9]).await;
    check("#1", &[1, 5, 7, 9]).await;
    check("#2", &[2, 3, 4, 6, 8, 10]).await;
    check("100%", &[2, 3, 4, 6, 8, 10]).await;
    check("1%0", &[]).await;
    check("_", &[]).await;
    check("FP8", &[5, 7, 9]).await;
    check("max-num-seqs=4", &[4, 10]).await;
    check("seqs=1", &[6, 7]).await;
    check("dtype=fp8 seqs=16", &[7]).await;
    check("dtype=au seqs=16", &[]).await;
    check("seqs=fp8", &[]).await;
    check("float-text=null", &[6]).await;
    check("float-text=true", &[4, 5, 7, 8, 9]).await;
    check("null", &[6]).await;
    // Words of how it is stored are none of what is stored.
    check("unset", &[]).await;
    check("int", &[]).await;
    check("text", &[4, 5, 6, 7, 8, 9]).await;
    check("bool", &[]).await;
    check("\"", &[]).await;
}

#[tokio::test]
async fn an_engine_finds_its_tasks_experiments() {
    let (fresh, first, second) = some(fresh!()).await;
    let check = async |runtime: &str, expected: u64| {
        let query = ExperimentQuery {
            runtime: Some(runtime.into()),
            ..ExperimentQuery::all()
        };
        let found = fresh.database.find_experiments(ALL, &query).await.expect("found");
        assert_eq!(
            (found.rows.len() as u64, found.total),
            (expected, expected),
            "{runtime}"
        );
    };
    check("sim", 10).await;
    check("vllm", 0).await;
    // Earlier runs count; what was cleared away does not.
    let database = &fresh.database;
    for id in [first.task, second.task] {
        let cancelled = database.cancel_task(&act(2000), id).await;
        cancelled.expect("its claim has expired");
    }
    let restarted = database.restart_task(&act(2001), first.task, None).await;
    restarted.expect("ended");
    database.clear_task(&act(2002), second.task).await.expect("ended");
    check("sim", 4).await;
    check("vllm", 0).await;
}

#[tokio::test]
async fn tasks_are_searched_filtered_and_sorted() {
    let fresh = fresh!();
    let database = &fresh.database;
    for (name, runtime, description) in [
        ("b one", "vllm", None),
        ("A two", "sim", Some("uses ÄPFEL")),
        ("c 100%", "sim", Some("like b")),
        ("d_4", "vllm", None),
    ] {
        let mut new = task(name);
        new.base_runtime = runtime.into();
        new.description = description.map(str::to_owned);
        database.create_task(&act(0), new).await.expect("new");
    }
    database.start_task(&act(50), TaskId(3)).await.expect("pending");
    database.start_task(&act(60), TaskId(1)).await.expect("pending");
    database.cancel_task(&act(90), TaskId(1)).await.expect("running");
    let found = async |query: TaskQuery, page: Page| {
        let listed = database.find_tasks(page, &query).await.expect("found");
        let ids: Vec<i64> = listed.rows.iter().map(|row| row.id.0).collect();
        (ids, listed.total)
    };
    let all = || TaskQuery::all(100);
    let text = async |text: &str, expected: &[i64]| {
        let query = TaskQuery {
            text: Some(text.into()),
            ..all()
        };
        let expected = (expected.to_vec(), expected.len() as u64);
        assert_eq!(found(query, ALL).await, expected, "{text}");
    };
    text("B", &[3, 1]).await;
    text("two", &[2]).await;
    text("äpfel", &[2]).await;
    text("%", &[3]).await;
    text("_", &[4]).await;
    text("4", &[4]).await;
    text("#2", &[2]).await;
    text("1", &[3, 1]).await;
    text("#1", &[1]).await;
    text("nothing", &[]).await;
    let runtime = TaskQuery {
        runtime: Some("sim".into()),
        ..all()
    };
    assert_eq!(found(runtime, ALL).await, (vec![3, 2], 2));
    let statuses = vec![TaskStatus::Running, TaskStatus::Cancelled];
    let of_statuses = TaskQuery { statuses, ..all() };
    assert_eq!(found(of_statuses, Page { skip: 1, limit: 5 }).await, (vec![1], 2));
    let sorted = async |sort, order, expected: [i64; 4]| {
        let query = TaskQuery { sort, order, ..all() };
        assert_eq!(
            found(query, ALL).await,
            (expected.to_vec(), 4),
            "{sort:?} {order:?}"
        );
    };
    sorted(TaskSort::Created, Order::Ascending, [1, 2, 3, 4]).await;
    sorted(TaskSort::Name, Order::Ascending, [2, 1, 3, 4]).await;
    sorted(TaskSort::Name, Order::Descending, [4, 3, 1, 2]).await;
    sorted(TaskSort::Status, Order::Ascending, [4, 2, 3, 1]).await;
    sorted(TaskSort::Started, Order::Descending, [1, 3, 4, 2]).await;
    sorted(TaskSort::Completed, Order::Descending, [1, 4, 3, 2]).await;
    // Task 3 has been running since 50 and it is 100; task 1 took 30.
    sorted(TaskSort::Elapsed, Order::Descending, [3, 1, 4, 2]).await;
    sorted(TaskSort::Experiments, Order::Descending, [4, 3, 2, 1]).await;
}

#[tokio::test]
async fn rows_know_what_their_verdicts_rest_on() {
    let (fresh, first, second) = some(fresh!()).await;
    let database = &fresh.database;
    let new = database.create_task(&act(0), task("new")).await.expect("new");
    let tasks = [first.task, second.task, new.summary.id, TaskId(99)];
    let standings = database.standings(&tasks).await.expect("read");
    assert_eq!(standings.len(), 2, "only tasks with experiments");
    let found = |task: TaskId| {
        let Standing { best_number, verdict } = &standings[&task];
        let verdict = verdict.as_ref().expect("ours");
        let baseline = verdict.baseline.as_ref().map(|baseline| baseline.number.0);
        (best_number.map(|number| number.0), verdict.claim, baseline)
    };
    assert_eq!(
        found(first.task),
        (Some(1), Found::NoGain(0.0), Some(1)),
        "the baseline is as good as the best of the search, and earlier"
    );
    assert_eq!(found(second.task), (Some(3), Found::NoBaseline, Some(2)));
    let blocks = database.blocks(&tasks, 2).await.expect("read");
    let of_first: Vec<_> = blocks[&first.task]
        .iter()
        .map(|block| (block.id.0, block.number.0, block.status, block.role))
        .collect();
    assert_eq!(
        of_first,
        [
            (1, 1, ExperimentStatus::Success, Role::Baseline),
            (5, 2, ExperimentStatus::Success, Role::Search)
        ]
    );
    assert_eq!(blocks.len(), 2);
    let progress = database.progress_of(second.task).await.expect("known");
    // Three of the search have ended; what was lost, the baseline and the replicate are none of it.
    assert_eq!((progress.done, progress.best_score), (3, Some(1.0)));
    let findings = database.findings(second.task, None).await.expect("known");
    let numbers: Vec<_> = findings
        .iter()
        .map(|finding| (finding.number.0, finding.outcome.is_ok()))
        .collect();
    assert_eq!(
        numbers,
        [(1, false), (2, false), (3, true), (4, true), (5, false)]
    );
}

#[tokio::test]
async fn only_the_defaults_and_anothers_results_are_told_apart() {
    let fresh = fresh!();
    let claim = fresh.claimed("defaults").await;
    run(
        &fresh,
        &claim,
        of(Role::Baseline, &[]),
        (1, 2),
        Ok(measured(-2.0)),
    )
    .await;
    let foreign = |is_success| ImportedExperiment {
        candidate: Candidate::engine_default(),
        is_success,
        started_at_ms: 1,
        ended_at_ms: 2,
        foreign: ForeignResult {
            metrics: None,
            objective_score: is_success.then_some(1.0),
            error_message: None,
            elapsed_seconds: None,
        },
    };
    let imported = |name: &str, is_success: bool| ImportedTask {
        task: task(name),
        status: TaskStatus::Completed,
        created_at_ms: 0,
        started_at_ms: None,
        completed_at_ms: None,
        ended_because: None,
        experiments: vec![foreign(is_success)],
        best: is_success.then_some(0),
    };
    let mut ids = vec![claim.task];
    for (name, is_success) in [("foreign success", true), ("foreign failure", false)] {
        let made = fresh
            .database
            .import_task(&act(0), imported(name, is_success))
            .await;
        ids.push(made.expect("new").summary.id);
    }
    let standings = fresh.database.standings(&ids).await.expect("read");
    let told: Vec<_> = ids
        .iter()
        .map(|id| standings[id].verdict.as_ref().map(|verdict| verdict.claim))
        .collect();
    assert_eq!(told, [Some(Found::OnlyDefaults), None, None]);
    assert_eq!(fresh.database.findings(ids[1], None).await.expect("known"), []);
}
