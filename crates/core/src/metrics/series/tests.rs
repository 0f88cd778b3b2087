use super::*;
use crate::measure::{RequestError, RequestRecord, Schedule, TokenCount, TokenSource};
use crate::metrics::distribution::seconds;

const MS: u64 = 1_000_000;

fn request(sent_ms: u64, content_ms: &[u64], ended_ms: u64) -> RequestRecord {
    RequestRecord {
        intended_ns: sent_ms * MS,
        sent_ns: sent_ms * MS,
        content_ns: content_ms.iter().map(|at| at * MS).collect(),
        first_chunk_tokens: 1,
        ended_ns: ended_ms * MS,
        output_tokens: TokenCount {
            count: u32::try_from(content_ms.len()).expect("few"),
            source: TokenSource::Usage,
        },
        outcome: RequestOutcome::Success,
        ..RequestRecord::default()
    }
}

fn level(requests: Vec<RequestRecord>, window_ms: u64) -> LevelRecords {
    LevelRecords {
        concurrency: 2,
        window_end_ns: window_ms * MS,
        requests,
        ..LevelRecords::default()
    }
}

#[test]
fn a_slice_holds_what_fell_into_it() {
    let mut lost = request(1500, &[1600], 1750);
    lost.outcome = RequestOutcome::Failed {
        error: RequestError::Truncated,
        detail: String::new(),
    };
    let mut open = request(2500, &[2600], 9000);
    open.outcome = RequestOutcome::CutOff;
    let records = level(
        vec![
            request(0, &[250, 500, 1250], 1500),
            request(0, &[750], 1000),
            lost,
            open,
        ],
        3000,
    );
    let series = time_series(&records).expect("a series");
    assert_eq!(
        series,
        TimeSeries {
            slice: 1.0,
            // What a failed request brought served nobody.
            output_tokens: vec![3.0, 1.0, 1.0],
            completed: vec![0, 2, 0],
            failed: vec![0, 1, 0],
            in_flight: vec![2.0, 0.75, 0.5],
            ttft: vec![Some(0.5), None, None],
        }
    );
}

#[test]
fn waiting_begins_with_the_schedule_where_there_is_one() {
    let mut late = request(400, &[500], 600);
    late.intended_ns = 100 * MS;
    let schedule = Schedule {
        label: "constant at 1/s".into(),
        rate: 1.0,
        held_back: 0,
    };
    let records = LevelRecords {
        schedule: Some(schedule),
        ..level(vec![late], 1000)
    };
    assert_eq!(time_series(&records).expect("a series").ttft, [Some(0.4)]);
}

#[test]
fn slices_are_a_second_long_until_there_are_too_many() {
    for (window_ms, expected) in [
        (50, None),
        (100, Some(1)),
        (900, Some(1)),
        (1400, Some(1)),
        (1500, Some(2)),
        (10_000, Some(10)),
        (119_000, Some(119)),
        (120_000, Some(120)),
        (600_000, Some(120)),
    ] {
        let series = time_series(&level(vec![], window_ms));
        assert_eq!(
            series.as_ref().map(|series| series.ttft.len()),
            expected,
            "{window_ms}"
        );
        if let Some(series) = series {
            let whole = series.slice * count(series.in_flight.len());
            assert!((whole * 1e3 - seconds(window_ms * MS) * 1e3).abs() < 1e-6);
        }
    }
}
