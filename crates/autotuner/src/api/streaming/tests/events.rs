//! One stream of events for each client.

use autotuner_core::ids::{ExperimentNumber, TaskId};
use serde_json::json;

use super::support::Fresh;
use crate::service::events::{Event, Kind};

fn progress(task: TaskId, number: u32) -> Event {
    Event {
        experiment: Some(ExperimentNumber(number)),
        message: Some("level 2\r\n\r\ndata: forged\nid: 9".into()),
        data: json!({ "ttft": 0.5 }),
        ..Event::of_task(Kind::BenchmarkProgress, task)
    }
}

#[tokio::test]
async fn a_stream_says_hello_and_then_what_happens() {
    let fresh = Fresh::new().await;
    let events = &fresh.service.events;
    let mut frames = fresh.stream("/api/events", None).await;
    events.publish(progress(TaskId(5), 2));
    let hello = frames.next().await.expect("hello");
    assert_eq!(hello.id.as_deref(), Some("boot-0"));
    let said: serde_json::Value = serde_json::from_str(hello.line()).expect("JSON");
    assert_eq!(
        said,
        json!({ "type": "hello", "timestamp": 1_700_000_000.25, "data": {
            "version": env!("CARGO_PKG_VERSION"),
            "boot": "boot",
        } })
    );
    let event = frames.next().await.expect("an event");
    assert_eq!(event.id.as_deref(), Some("boot-1"));
    let said: serde_json::Value = serde_json::from_str(event.line()).expect("JSON");
    assert_eq!(
        said,
        json!({
            "type": "benchmark_progress",
            "task_id": 5,
            "timestamp": 1_700_000_000.25,
            "experiment_id": 2,
            "message": "level 2\r\n\r\ndata: forged\nid: 9",
            "data": { "ttft": 0.5 },
        })
    );
    fresh.service.shutdown.soft.cancel();
    assert_eq!(frames.next().await, None, "the server stops");
}

#[tokio::test]
async fn a_stream_goes_on_where_it_broke() {
    let fresh = Fresh::new().await;
    let events = &fresh.service.events;
    for number in 1..=3 {
        events.publish(Event::of_task(Kind::TaskUpdated, TaskId(number)));
    }
    let check = async |path: &str, id: Option<&str>, expected: &[(&str, &str)]| {
        let mut frames = fresh.stream(path, id).await;
        frames.next().await.expect("hello");
        for (id, kind) in expected {
            let frame = frames.next().await.expect("more");
            let json: serde_json::Value = serde_json::from_str(frame.line()).expect("JSON");
            assert_eq!(
                (frame.id.as_deref(), json["type"].as_str()),
                (Some(*id), Some(*kind))
            );
        }
    };
    let updated = "task_updated";
    check(
        "/api/events",
        Some("boot-1"),
        &[("boot-2", updated), ("boot-3", updated)],
    )
    .await;
    check("/api/events?last_event_id=boot-2", None, &[("boot-3", updated)]).await;
    check(
        "/api/events?last_event_id=boot-0",
        Some("boot-2"),
        &[("boot-3", updated)],
    )
    .await;
    check("/api/events", Some("before-2"), &[("boot-3", "resync")]).await;
    check("/api/events?last_event_id=1", None, &[("boot-3", "resync")]).await;
}

#[tokio::test]
async fn a_restart_of_the_server_leads_to_a_resync() {
    let fresh = Fresh::new().await;
    let mut frames = fresh.stream("/api/events", None).await;
    fresh
        .service
        .events
        .publish(Event::of_task(Kind::TaskCreated, TaskId(1)));
    frames.next().await.expect("hello");
    let id = frames.next().await.expect("an event").id.expect("an id");
    drop(frames);
    let fresh = fresh.restart().await;
    let mut frames = fresh.stream("/api/events", Some(&id)).await;
    assert_eq!(frames.json().await["type"], "hello");
    assert_eq!(frames.json().await["type"], "resync");
    fresh
        .service
        .events
        .publish(Event::of_task(Kind::TaskCreated, TaskId(2)));
    assert_eq!(frames.json().await["task_id"], 2);
}

#[tokio::test]
async fn a_stream_of_a_task_has_nothing_else() {
    let fresh = Fresh::new().await;
    let task = fresh.pending("one").await;
    let mut frames = fresh.stream(&format!("/api/events?task_id={task}"), None).await;
    fresh
        .service
        .events
        .publish(Event::of_task(Kind::TaskUpdated, TaskId(task.0 + 1)));
    fresh
        .service
        .events
        .publish(Event::of_task(Kind::TaskStarted, task));
    frames.next().await.expect("hello");
    assert_eq!(frames.json().await["type"], "task_started");
    let missing = fresh.get("/api/events?task_id=999").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["detail"], "Task 999 not found");
    assert_eq!(fresh.get("/api/events?task_id=x").await.status, 422);
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_told_what_it_missed() {
    let fresh = Fresh::new().await;
    let mut frames = fresh.stream("/api/events", None).await;
    for number in 0..5000 {
        fresh
            .service
            .events
            .publish(Event::of_task(Kind::TaskUpdated, TaskId(number)));
    }
    frames.next().await.expect("hello");
    let resync = frames.next().await.expect("told");
    assert!(resync.line().contains(r#""type":"resync""#), "{resync:?}");
    assert_eq!(resync.id.as_deref(), Some("boot-5000"));
    fresh
        .service
        .events
        .publish(Event::of_task(Kind::TaskDeleted, TaskId(1)));
    assert_eq!(frames.json().await["type"], "task_deleted");
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_lives() {
    let fresh = Fresh::new().await;
    let mut frames = fresh.stream("/api/events", None).await;
    frames.next().await.expect("hello");
    // Not before: the database's own waits are real.
    tokio::time::pause();
    for _ in 0..3 {
        assert!(frames.any().await.expect("a heartbeat").is_comment);
    }
}
