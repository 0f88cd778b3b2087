//! Requests that start by a clock.

use std::time::Duration;

use autotuner_core::measure::RequestOutcome;
use autotuner_core::workload::{Arrival, Workload};

use crate::fake::{FakeServer, STREAM_HEAD, Seen, Step, TEXT, event, good, measure, send, workload};

/// Fifty a second for 400 ms.
fn scheduled(most: u32) -> Workload {
    Workload {
        arrival: Arrival::Constant { rates: vec![50.0] },
        max_time_per_level: Duration::from_millis(400),
        ..workload(most, u32::MAX)
    }
}

#[tokio::test]
async fn every_start_is_where_the_schedule_put_it() {
    let server = FakeServer::start(|_| good()).await;
    let level = measure(&server, &scheduled(64)).await.unwrap().levels.remove(0);
    assert_eq!(level.window_end_ns - level.window_start_ns, 400_000_000);
    let offsets: Vec<u64> = level
        .requests
        .iter()
        .map(|record| (record.intended_ns - level.window_start_ns).div_ceil(1_000_000))
        .collect();
    assert_eq!(offsets, (0..20).map(|index| index * 20).collect::<Vec<_>>());
    for record in &level.requests {
        assert!(record.sent_ns >= record.intended_ns, "never before its time");
        assert_eq!(record.outcome, RequestOutcome::Success);
    }
    let schedule = level.schedule.unwrap();
    assert_eq!((schedule.rate, schedule.held_back), (50.0, 0));
    assert_eq!(schedule.label, "constant at 50/s");
}

#[tokio::test]
async fn a_slow_server_does_not_slow_the_schedule() {
    // Nothing is answered before everything was asked.
    let server = FakeServer::start(|seen: &Seen| match seen.is_probe {
        true => good(),
        false => {
            let mut answer = good();
            answer.insert(0, Step::Pause(Duration::from_millis(600)));
            answer
        }
    })
    .await;
    let mut workload = scheduled(64);
    workload.warmup_requests = 0;
    let level = measure(&server, &workload).await.unwrap().levels.remove(0);
    assert_eq!(level.requests.len(), 20);
    assert_eq!(level.concurrency, 20, "all were in flight at once");
    assert_eq!(server.most_in_flight(), 20);
    assert_eq!(level.schedule.unwrap().held_back, 0);
}

#[tokio::test]
async fn no_more_are_in_flight_than_may_be_and_that_is_told() {
    let hanging = |seen: &Seen| match seen.is_probe || seen.number > 0 {
        true => good(),
        false => vec![send(STREAM_HEAD), send(event(TEXT)), Step::Hold],
    };
    let server = FakeServer::start(hanging).await;
    let mut workload = scheduled(2);
    workload.warmup_requests = 0;
    workload.drain = Duration::from_millis(100);
    let level = measure(&server, &workload).await.unwrap().levels.remove(0);
    assert!(server.most_in_flight() <= 2);
    assert_eq!(level.requests.len(), 20, "the other connection carries them");

    let server = FakeServer::start(|seen: &Seen| {
        let mut answer = good();
        let pause = if seen.is_probe { 0 } else { 150 };
        answer.insert(0, Step::Pause(Duration::from_millis(pause)));
        answer
    })
    .await;
    let level = measure(&server, &workload).await.unwrap().levels.remove(0);
    let schedule = level.schedule.unwrap();
    assert!(schedule.held_back > 0, "{schedule:?}");
    assert!(level.requests.len() < 20);
    // Those that had to wait keep the moment at which they should have been sent.
    assert!(
        level
            .requests
            .iter()
            .any(|record| record.sent_ns > record.intended_ns + 50_000_000)
    );
}

#[tokio::test]
async fn a_limit_of_requests_ends_the_schedule() {
    let server = FakeServer::start(|_| good()).await;
    let mut workload = scheduled(8);
    workload.max_requests_per_level = 5;
    let level = measure(&server, &workload).await.unwrap().levels.remove(0);
    assert_eq!(level.requests.len(), 5);
    let lasted = level.window_end_ns - level.window_start_ns;
    assert_eq!(lasted.div_ceil(1_000_000), 100, "five starts, 20 ms each");
}
