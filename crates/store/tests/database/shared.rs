//! What several processes on one server share: a clock, notices, logs, and whose claims are whose.

use std::time::Duration;

use autotuner_core::ids::TaskId;
use autotuner_store::{Database, Heard, LONGEST_NOTICE, Listener, StoreError, Written};
use tokio::time::timeout;

use crate::support::fresh_on_postgres;

/// Sooner than any deadline passes.
const SOON: Duration = Duration::from_secs(8);

/// See the macro of the same name, which asks the module above.
macro_rules! fresh_here {
    () => {
        match fresh_on_postgres().await {
            Some(fresh) => fresh,
            None => return,
        }
    };
}

fn written<'a>(origin: &'a str, place: u64, text: &str) -> Written<'a> {
    Written {
        origin,
        place,
        bytes: text.as_bytes().to_vec(),
    }
}

/// A log as somebody reads it who has nothing of it yet.
async fn whole_log(database: &Database, task: TaskId, name: &str) -> String {
    let (mut text, mut last) = (String::new(), 0);
    loop {
        let pieces = database.log_after(task, name, last).await.expect("readable");
        let Some(piece) = pieces.last() else { return text };
        last = piece.id;
        for piece in &pieces {
            text += std::str::from_utf8(&piece.bytes).expect("text");
        }
    }
}

#[tokio::test]
async fn a_log_is_what_machines_have_put_down_in_turn() {
    let fresh = fresh_here!();
    let database = &fresh.database;
    let claim = fresh.claimed("logs").await;
    let task = claim.task;
    let (log, other) = ("task_1.log", "task_1_run_1_exp_1.log");
    let add = async |name: &str, piece: Written<'_>| {
        database.add_to_log(&claim, name, piece).await.expect("answers")
    };
    assert_eq!(database.log_begins_with(task, log).await.expect("asked"), None);
    add(log, written("a", 0, "one\n")).await;
    add(other, written("a", 0, "engine\n")).await;
    add(log, written("b", 0, "two\n")).await;
    add(log, written("a", 4, "three\n")).await;
    // A machine that does not know whether it was put down puts it down again.
    assert!(!add(log, written("a", 4, "three\nfour\n")).await);
    for count in 0..70 {
        add(log, written("b", 4 + count, ".")).await;
    }
    let dots = ".".repeat(70);
    assert_eq!(
        whole_log(database, task, log).await,
        format!("one\ntwo\nthree\n{dots}")
    );
    assert_eq!(whole_log(database, task, other).await, "engine\n");
    let length = async |origin| database.log_length(task, log, origin).await.expect("asked");
    assert_eq!(
        (length("a").await, length("b").await, length("c").await),
        (10, 74, 0)
    );
    let first = database.log_begins_with(task, log).await.expect("asked");
    database.forget_logs(task, log).await.expect("forgotten");
    assert_eq!(whole_log(database, task, log).await, "");
    assert_eq!(whole_log(database, task, other).await, "engine\n");
    add(log, written("a", 0, "anew")).await;
    assert_ne!(database.log_begins_with(task, log).await.expect("asked"), first);
    // Another worker has the task: what comes from the one before it is too late.
    database.release(&claim).await.expect("released");
    let next = database.claim("next", 11, 1000).await.expect("claims");
    let late = database.add_to_log(&claim, log, written("a", 4, "late")).await;
    assert!(
        matches!(late, Err(StoreError::LeaseLost(of)) if of == task),
        "{late:?}"
    );
    let next = next.expect("it was free");
    let added = database
        .add_to_log(&next, log, written("b", 0, ", and goes on"))
        .await;
    assert!(added.expect("answers"));
    assert_eq!(whole_log(database, task, log).await, "anew, and goes on");
}

async fn heard(listener: &mut Listener) -> Heard {
    let heard = timeout(SOON, listener.next()).await;
    heard.expect("in time").expect("the server answers")
}

#[tokio::test]
async fn processes_tell_each_other_and_say_when_they_may_have_missed_something() {
    let fresh = fresh_here!();
    let listen = async |database: &Database| {
        let listener = database.listen().await.expect("the server answers");
        listener.expect("others may be on it")
    };
    let (mut here, there) = (listen(&fresh.database).await, fresh.again().await);
    let Some(strange) = fresh_on_postgres().await else {
        return;
    };
    strange
        .database
        .notify("of another installation")
        .await
        .expect("told");
    there.notify("1\n{\"a\": \"é\"}").await.expect("told");
    assert_eq!(heard(&mut here).await, Heard::Notice("1\n{\"a\": \"é\"}".into()));
    let longest = "x".repeat(LONGEST_NOTICE);
    there.notify(&longest).await.expect("told");
    assert_eq!(heard(&mut here).await, Heard::Notice(longest));
    fresh.schema().cut_off().await;
    assert_eq!(heard(&mut here).await, Heard::Gap);
    there.notify("again").await.expect("told");
    assert_eq!(heard(&mut here).await, Heard::Notice("again".into()));
    there.close().await;
}

#[tokio::test]
async fn everybody_goes_by_the_servers_clock() {
    let fresh = fresh_here!();
    let there = fresh.again().await;
    let now = async |database: &Database| database.now_ms().await.expect("answers").expect("shared");
    let (first, second, third) = (
        now(&fresh.database).await,
        now(&there).await,
        now(&fresh.database).await,
    );
    assert!(
        first <= second && second <= third && first > 1_700_000_000_000,
        "{first} {second} {third}"
    );
    there.close().await;
}

#[tokio::test]
async fn a_data_directory_that_begins_again_frees_its_own_claims_alone() {
    let fresh = fresh_here!();
    let database = &fresh.database;
    for (name, owner) in [("one", "aa/x"), ("two", "aab/x"), ("three", "aa/y")] {
        fresh.started(name, 1).await;
        let claim = database.claim(owner, 10, 60_000).await.expect("claims");
        assert!(claim.is_some(), "{owner}");
    }
    for refused in [
        database.forget_claims().await,
        database.forget_claims_of("").await,
    ] {
        assert!(matches!(refused, Err(StoreError::Shared)), "{refused:?}");
    }
    assert_eq!(database.forget_claims_of("aa/").await.expect("freed"), 2);
    let mut free = Vec::new();
    while let Some(claim) = database.claim("next", 11, 1000).await.expect("claims") {
        free.push(claim.name);
    }
    assert_eq!(free, ["one", "three"]);
}

#[tokio::test]
async fn what_workers_do_is_seen_by_all_until_they_end() {
    let fresh = fresh_here!();
    let there = fresh.again().await;
    let seen = async |database: &Database| {
        let workers = database.workers(60_000).await.expect("readable");
        let told = workers
            .into_iter()
            .map(|worker| (worker.name, worker.board, worker.age_ms < 60_000));
        told.collect::<Vec<_>>()
    };
    let tell = async |owner: &str, name: &str, board: &str| {
        there.tell_worker(owner, name, board).await.expect("told");
    };
    tell("b/1", "gpu-b", "{}").await;
    tell("a/1", "gpu-a", "{\"places\": 1}").await;
    tell("a/1", "gpu-a", "{\"places\": 2}").await;
    assert_eq!(
        seen(&fresh.database).await,
        [
            ("gpu-a".into(), "{\"places\": 2}".into(), true),
            ("gpu-b".into(), "{}".into(), true)
        ]
    );
    fresh
        .schema()
        .raw("UPDATE workers SET seen_at_ms = seen_at_ms - 61000 WHERE owner = 'b/1'")
        .await;
    assert_eq!(seen(&there).await.len(), 1);
    there.forget_worker("a/1").await.expect("forgotten");
    assert_eq!(seen(&there).await, []);
    there.close().await;
}
