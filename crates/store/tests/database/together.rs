//! Many at once: workers, people and other processes change the same database.

use autotuner_core::lifecycle::{ExperimentMove, TaskMove, TaskStatus};
use autotuner_store::{Claim, Database, NewPreset, NewToken, Page, Role, Store};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{act, broken, measured, next, task};

const ALL: Page = Page { skip: 0, limit: 1000 };

/// What a worker writes of a run: successes and failures, and the end.
async fn run(database: Database, claim: Claim) -> u64 {
    const EXPERIMENTS: u64 = 6;
    let store = database.run_store(&claim);
    for step in 0..EXPERIMENTS {
        let number = store
            .begin_experiment(claim.task, next(step as i64), 10)
            .await
            .expect("held");
        for wanted in [ExperimentMove::Deploy, ExperimentMove::Benchmark] {
            let moved = store.move_experiment(claim.task, number, wanted).await;
            moved.expect("legal");
            database.renew(&claim, 20, 100_000).await.expect("held");
        }
        let result = if step % 3 == 2 {
            Err(broken())
        } else {
            Ok(measured(-(step as f64)))
        };
        let finished = store.finish_experiment(claim.task, number, result, 1010).await;
        finished.expect("legal");
    }
    let ended = store.end_task(claim.task, TaskMove::Complete, "done", 2000).await;
    ended.expect("held");
    EXPERIMENTS
}

fn preset(name: String) -> NewPreset {
    NewPreset {
        name,
        description: None,
        category: None,
        runtime: None,
        is_system: false,
        parameters: json!({}),
        metadata: None,
    }
}

/// What people do meanwhile, also to tasks that run.
async fn meddle(database: Database, who: i64) {
    for step in 0..10 {
        let made = database
            .create_task(&act(step), task(&format!("{who} {step}")))
            .await
            .expect("new");
        let id = made.summary.id;
        database.describe_task(&act(step), id, None).await.expect("known");
        database.start_task(&act(step), id).await.expect("pending");
        database.cancel_task(&act(step), id).await.expect("running");
        database
            .seed_presets(
                (0..4).map(|index| preset(format!("ours {index}"))).collect(),
                step,
            )
            .await
            .expect("one process makes each");
        if step % 2 == 0 {
            database.delete_task(&act(step), id).await.expect("ended");
        }
        let token = NewToken {
            name: format!("{who} {step}"),
            role: Role::Admin,
            hash: [u8::try_from(who * 16 + step).expect("small"); 32],
            expires_at_ms: None,
        };
        let token = database.create_token(&act(step), token).await.expect("new").id;
        database.touch_token(token, step + 1).await.expect("known");
        let running = database
            .tasks(ALL, Some(TaskStatus::Running))
            .await
            .expect("listed");
        // Those of the others are removed meanwhile.
        for run in running
            .rows
            .iter()
            .filter(|listed| listed.name.starts_with("run"))
        {
            let described = database
                .describe_task(&act(step), run.id, Some("seen".into()))
                .await;
            described.expect("nobody removes these");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_undoes_what_another_does() {
    const WORKERS: usize = 6;
    let fresh = fresh!();
    let other = fresh.again().await;
    for index in 0..WORKERS {
        fresh.started(&format!("run {index}"), 5).await;
    }
    let mut claims = Vec::new();
    while claims.len() < WORKERS {
        let claim = fresh.database.claim("worker", 6, 100_000).await.expect("claims");
        claims.push(claim.expect("one for each"));
    }
    let mut working = JoinSet::new();
    for (index, claim) in claims.into_iter().enumerate() {
        let database = if index % 2 == 0 {
            fresh.database.clone()
        } else {
            other.clone()
        };
        working.spawn(run(database, claim));
    }
    let mut meddling = JoinSet::new();
    for who in 1..4 {
        let database = if who % 2 == 0 {
            fresh.database.clone()
        } else {
            other.clone()
        };
        meddling.spawn(meddle(database, who));
    }
    let experiments: u64 = working.join_all().await.into_iter().sum();
    meddling.join_all().await;
    let database = &fresh.database;
    assert_eq!(database.verify_audit().await.expect("readable"), None);
    assert_eq!(database.check().await.expect("readable"), Vec::<String>::new());
    let listed = database.experiments(ALL).await.expect("listed");
    assert_eq!(
        (listed.total, listed.rows.len() as u64),
        (experiments, experiments)
    );
    let figures = database.statistics(0).await.expect("counted");
    let count = |status: TaskStatus| {
        figures
            .tasks
            .iter()
            .find(|(each, _)| *each == status)
            .map(|(_, count)| *count)
    };
    assert_eq!(count(TaskStatus::Completed), Some(WORKERS as u64));
    assert_eq!(count(TaskStatus::Cancelled), Some(15));
    assert_eq!(count(TaskStatus::Running), Some(0));
    assert_eq!(figures.mean_experiment_seconds, Some(1.0));
    let counted = |status: &str| {
        figures
            .experiments
            .iter()
            .find(|(each, _)| *each == status)
            .map(|(_, count)| *count)
    };
    assert_eq!((counted("success"), counted("failed")), (Some(24), Some(12)));
    assert_eq!(database.presets(None).await.expect("listed").len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_tasks_each_goes_to_one_of_many_workers() {
    let fresh = fresh!();
    let other = fresh.again().await;
    for index in 0..10 {
        fresh.started(&format!("task {index}"), index).await;
    }
    let mut workers = JoinSet::new();
    for index in 0..5 {
        let database = if index % 2 == 0 {
            fresh.database.clone()
        } else {
            other.clone()
        };
        workers.spawn(async move {
            let mut had = Vec::new();
            // One that another worker is just taking is passed over: a second look finds what is left.
            for _ in 0..10 {
                while let Some(claim) = database.claim("worker", 20, 1000).await.expect("claims") {
                    had.push((claim.task, claim.epoch));
                }
            }
            had
        });
    }
    let mut had: Vec<_> = workers.join_all().await.into_iter().flatten().collect();
    had.sort_unstable();
    assert_eq!(had.len(), 10, "{had:?}");
    assert!(had.iter().all(|(_, epoch)| *epoch == 1), "{had:?}");
    had.dedup();
    assert_eq!(had.len(), 10, "{had:?}");
}
