//! A warm-up that runs into the window.

use std::time::Duration;

use autotuner_core::measure::RequestOutcome;
use autotuner_core::workload::FirstWave;

use crate::fake::{FakeServer, Seen, Step, good, measure, workload};

/// An answer that takes 5 ms for each token that is asked for.
fn paced(seen: &Seen) -> Vec<Step> {
    let mut answer = good();
    let tokens = seen.body["max_tokens"].as_u64().unwrap();
    answer.insert(1, Step::Pause(Duration::from_millis(5 * tokens)));
    answer
}

fn asked_id(seen: &Seen) -> &str {
    let mut lines = seen.head.lines();
    lines
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .unwrap()
}

#[tokio::test]
async fn the_window_opens_at_full_load_and_out_of_step() {
    let server = FakeServer::start(paced).await;
    let mut workload = workload(3, 12);
    workload.first_wave = FirstWave::Spread;
    let level = measure(&server, &workload).await.unwrap().levels.remove(0);
    assert_eq!(level.requests.len(), 12);

    // The first of each slot asked for a third, two thirds and the whole of its answer.
    let seen = server.seen();
    let of = |letter: &str| -> Vec<(String, u64)> {
        let sent = seen.iter().filter(|seen| asked_id(seen).starts_with(letter));
        sent.map(|seen| {
            (
                asked_id(seen).to_owned(),
                seen.body["max_tokens"].as_u64().unwrap(),
            )
        })
        .collect()
    };
    let mut first: Vec<_> = of("at-w-0-").into_iter().take(3).collect();
    first.sort();
    let expected = [("at-w-0-0-0", 3), ("at-w-0-1-0", 6), ("at-w-0-2-0", 9)];
    assert_eq!(first, expected.map(|(id, tokens)| (id.to_owned(), tokens)));

    // Every slot was busy when the window opened, and none of that is among its requests.
    assert!(!level.lead_in.is_empty() && level.lead_in.len() <= 3, "{level:?}");
    for lead in &level.lead_in {
        assert!(lead.sent_ns < level.window_start_ns && level.window_start_ns < lead.ended_ns);
        assert_eq!(lead.outcome, RequestOutcome::Success);
    }
    let mut recorded: Vec<String> = level
        .requests
        .iter()
        .map(|record| format!("at-m-0-{}-{}", record.job, record.turn))
        .collect();
    let mut sent: Vec<String> = of("at-m-0-").into_iter().map(|(id, _)| id).collect();
    recorded.sort();
    sent.sort();
    assert_eq!(recorded, sent);
    assert!(
        level
            .requests
            .iter()
            .all(|record| record.intended_ns >= level.window_start_ns)
    );
    assert!(server.most_in_flight() <= 3);
}

#[tokio::test]
async fn how_the_load_generator_fared_is_told() {
    let server = FakeServer::start(paced).await;
    let mut workload = workload(3, 12);
    workload.first_wave = FirstWave::Spread;
    let level = measure(&server, &workload).await.unwrap().levels.remove(0);
    let client = level.client.unwrap();
    assert_eq!(client.threads, 1);
    assert_eq!(client.peak_in_flight, 3);
    // A head, a chunk and an end each, however the system joins them.
    assert!(
        client.reads >= 12 && client.reads_of_several <= client.reads,
        "{client:?}"
    );
    assert!(client.cpu_share > 0.0 && client.cpu_share < 1.5, "{client:?}");
    assert!(client.lag_p50_ns <= client.lag_p99_ns && client.lag_p99_ns <= client.lag_max_ns);
    assert_eq!(level.engine, None, "it publishes nothing");
}
