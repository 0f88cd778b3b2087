//! Logs that are followed.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use autotuner_store::Role;
use axum::http::Method;

use super::support::Fresh;

fn append(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("opened")
}

#[tokio::test]
async fn what_is_there_comes_first_and_then_what_comes() {
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    let mut log = append(&fresh.service.logs.task(task));
    writeln!(log, "one\ntwo").expect("written");
    let mut frames = fresh.stream("/api/tasks/1/logs?follow=true", None).await;
    assert_eq!(frames.line().await, "one");
    let two = frames.next().await.expect("a line");
    assert_eq!(two.line(), "two");
    write!(log, "three\n\nfi").expect("written");
    assert_eq!(frames.line().await, "three");
    assert_eq!(frames.line().await, "");
    writeln!(log, "ve").expect("written");
    assert_eq!(frames.line().await, "five");
    let mut again = fresh
        .stream("/api/tasks/1/logs?follow=1", two.id.as_deref())
        .await;
    assert_eq!(again.line().await, "three");
    fresh.service.shutdown.soft.cancel();
    while again.next().await.is_some() {}
}

#[tokio::test]
async fn no_line_makes_a_frame_of_its_own() {
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    let lines: [(&[u8], &str); 8] = [
        (b"data: forged", "data: forged"),
        (b"id: 7", "id: 7"),
        (
            b"one\rdata: two\r\rid: 3\revent: x",
            "one\\rdata: two\\r\\rid: 3\\revent: x",
        ),
        (b"windows\r", "windows"),
        (b":", ":"),
        (b"  indented", "  indented"),
        (
            b"nul \0 bell \x07 \x1b[31mred",
            "nul \\x00 bell \\x07 \x1b[31mred",
        ),
        (
            "next\u{85}line\u{2028}sep \u{1f600}".as_bytes(),
            "next\\x85line\u{2028}sep \u{1f600}",
        ),
    ];
    let mut log = append(&fresh.service.logs.task(task));
    for (line, _) in lines {
        log.write_all(&[line, b"\n"].concat()).expect("written");
    }
    let mut frames = fresh.stream("/api/tasks/1/logs?follow=true", None).await;
    for (_, expected) in lines {
        let frame = frames.next().await.expect("a frame");
        assert_eq!(frame.line(), expected);
        assert!(frame.id.is_some_and(|id| id != "7" && id != "3"));
    }
    let mut batches = fresh.stream("/api/tasks/1/logs?follow=true&batch=1", None).await;
    let batch = batches.json().await;
    assert_eq!(batch[2], "one\rdata: two\r\rid: 3\revent: x", "exact");
    assert_eq!(batch[6], "nul \0 bell \u{7} \u{1b}[31mred");
}

#[tokio::test]
async fn batches_hold_many_lines_and_lead_on_after_the_last() {
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    let mut log = append(&fresh.service.logs.task(task));
    let text: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    writeln!(log, "{}", text.join("\n")).expect("written");
    let path = "/api/tasks/1/logs?follow=true&batch=1";
    let (mut read, mut count, mut id) = (Vec::new(), 0, None);
    while read.len() < text.len() {
        // A new connection for each: its id is all that is kept.
        let mut frames = fresh.stream(path, id.as_deref()).await;
        let frame = frames.next().await.expect("a batch");
        let batch: Vec<String> = serde_json::from_str(frame.line()).expect("texts");
        (id, count) = (frame.id, count + 1);
        read.extend(batch);
    }
    assert_eq!(read, text);
    assert!(count < 10, "{count} frames");
}

#[tokio::test]
async fn a_log_that_is_not_there_is_waited_for() {
    let fresh = Fresh::new().await;
    let task = fresh.pending("one").await;
    let mut frames = fresh.stream("/api/tasks/1/logs?follow=true", None).await;
    assert_eq!(frames.line().await, "Waiting for log file to be created...");
    let claim = fresh.run(task).await;
    writeln!(append(&fresh.service.logs.task(task)), "one").expect("written");
    assert_eq!(frames.line().await, "one");
    fresh.end(&claim).await;
    writeln!(append(&fresh.service.logs.task(task)), "more").expect("written");
    assert_eq!(frames.line().await, "more", "the end of a task ends nothing");
}

#[tokio::test]
async fn who_waits_for_what_will_not_come_is_told() {
    let fresh = Fresh::new().await;
    let claim = fresh.running("one").await;
    let path = "/api/tasks/1/logs?follow=true";
    let mut frames = fresh.stream(path, None).await;
    assert_eq!(frames.line().await, "Waiting for log file to be created...");
    fresh.end(&claim).await;
    let last = frames.next().await.expect("told");
    assert_eq!(last.line(), "Log file not found. Task may not have started yet.");
    assert_eq!(frames.next().await, None);
    assert_eq!(
        fresh.status(path, last.id.as_deref()).await,
        204,
        "and need not come back"
    );
    let mut frames = fresh.stream(path, None).await;
    assert_eq!(
        frames.line().await,
        "Log file not found. Task may not have started yet.",
        "at once"
    );
    writeln!(append(&fresh.service.logs.task(claim.task)), "one").expect("written");
    let mut frames = fresh.stream(path, last.id.as_deref()).await;
    assert_eq!(frames.line().await, "one");
}

#[tokio::test]
async fn a_log_that_is_cleared_begins_again() {
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    let mut log = append(&fresh.service.logs.task(task));
    writeln!(log, "one").expect("written");
    let path = "/api/tasks/1/logs?follow=true";
    let mut frames = fresh.stream(path, None).await;
    let one = frames.next().await.expect("a line");
    let answer = fresh
        .ask(Role::Operator, Method::DELETE, "/api/tasks/1/logs")
        .await;
    assert_eq!(answer.status, 204);
    let told = frames.next().await.expect("told");
    assert_eq!(told.line(), "[Log file was truncated]");
    writeln!(log, "two, which is longer than one").expect("written");
    assert_eq!(frames.line().await, "two, which is longer than one");
    let mut late = fresh.stream(path, one.id.as_deref()).await;
    assert_eq!(
        late.line().await,
        "[Log file was truncated]",
        "regrown in between"
    );
    assert_eq!(late.line().await, "two, which is longer than one");
    let mut told_already = fresh.stream(path, told.id.as_deref()).await;
    assert_eq!(told_already.line().await, "two, which is longer than one");
}

#[tokio::test]
async fn a_log_that_is_removed_is_the_end() {
    let fresh = Fresh::new().await;
    let claim = fresh.running("one").await;
    let mut log = append(&fresh.service.logs.task(claim.task));
    writeln!(log, "one").expect("written");
    let path = "/api/tasks/1/logs?follow=true";
    let mut frames = fresh.stream(path, None).await;
    assert_eq!(frames.line().await, "one");
    fresh.end(&claim).await;
    fresh.service.logs.remove(claim.task).await.expect("removed");
    let last = frames.next().await.expect("told");
    assert_eq!(last.line(), "[Log file removed]");
    assert_eq!(frames.next().await, None);
    assert_eq!(fresh.status(path, last.id.as_deref()).await, 204);
}

#[tokio::test]
async fn last_words_without_a_newline_come_when_their_writer_has_ended() {
    let fresh = Fresh::new().await;
    let claim = fresh.running("one").await;
    let number = fresh.begin(&claim).await;
    let mut log = append(&fresh.service.logs.experiment(claim.task, 1, number));
    write!(log, "one\nout of mem").expect("written");
    let mut frames = fresh
        .stream("/api/tasks/1/experiments/1/logs?follow=true", None)
        .await;
    assert_eq!(frames.line().await, "one");
    fresh.break_down(&claim, number).await;
    let last = frames.next().await.expect("a line");
    assert_eq!(last.line(), "out of mem");
    let path = "/api/tasks/1/experiments/1/logs?follow=true";
    writeln!(log, "ory").expect("written");
    assert_eq!(frames.line().await, "ory");
    let mut again = fresh.stream(path, last.id.as_deref()).await;
    assert_eq!(again.line().await, "ory", "nothing twice");
}

#[tokio::test]
async fn a_place_outlives_the_server() {
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    let mut log = append(&fresh.service.logs.task(task));
    writeln!(log, "one\ntwo\nthree").expect("written");
    let path = "/api/tasks/1/logs?follow=true";
    let mut frames = fresh.stream(path, None).await;
    frames.line().await;
    let two = frames.next().await.expect("a line");
    drop(frames);
    let fresh = fresh.restart().await;
    let mut frames = fresh.stream(path, two.id.as_deref()).await;
    assert_eq!(frames.line().await, "three");
}

#[tokio::test]
async fn a_silent_log_shows_that_it_lives() {
    let fresh = Fresh::new().await;
    let task = fresh.running("one").await.task;
    writeln!(append(&fresh.service.logs.task(task)), "one").expect("written");
    let mut frames = fresh.stream("/api/tasks/1/logs?follow=true", None).await;
    assert_eq!(frames.line().await, "one");
    tokio::time::pause();
    for _ in 0..3 {
        assert!(frames.any().await.expect("a heartbeat").is_comment);
    }
}
