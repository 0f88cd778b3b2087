use crate::measure::EngineFigures;
use crate::metrics::{Counts, Distribution, LevelMetrics};

fn level(engine: EngineFigures) -> LevelMetrics {
    let of = |value: f64| Distribution::of(vec![value; 10], 0);
    LevelMetrics {
        scenario: "D(10,20)".into(),
        concurrency: 4,
        counts: Counts {
            started: 10,
            succeeded: 10,
            ..Counts::default()
        },
        ttft: of(0.100),
        // Not what an engine can know of.
        ttft_from_schedule: of(0.900),
        tpot: of(0.010),
        latency: of(0.290),
        output_tokens: of(20.0),
        engine: Some(engine),
        ..LevelMetrics::default()
    }
}

#[test]
fn differences_are_what_was_seen_less_what_the_engine_says() {
    let differences = level(EngineFigures {
        requests: Some(12.0),
        output_tokens: Some(190.0),
        ttft: Some(0.080),
        tpot: Some(0.010),
        ..EngineFigures::default()
    })
    .engine_differences()
    .expect("an engine that speaks");
    assert_eq!(differences.requests, Some(-2.0));
    assert_eq!(differences.output_tokens, Some(10.0));
    assert!((differences.ttft.expect("ttft") - 0.020).abs() < 1e-12);
    assert!(differences.tpot.expect("tpot").abs() < 1e-12);
    assert_eq!(differences.latency, None);
    assert_eq!(LevelMetrics::default().engine_differences(), None);
}

#[test]
fn what_differs_by_more_than_its_like_is_told() {
    let of = |figures: EngineFigures| level(figures).engine_remarks();
    let plain = EngineFigures::default();
    // Within 5 % and 2 ms.
    let near = EngineFigures {
        ttft: Some(0.094),
        tpot: Some(0.0085),
        latency: Some(0.275),
        output_tokens: Some(209.0),
        requests: Some(10.0),
        ..plain
    };
    assert_eq!(of(near), Vec::<String>::new());
    assert_eq!(
        of(EngineFigures {
            ttft: Some(0.060),
            queue: Some(0.0125),
            preemptions: Some(3.0),
            ..plain
        }),
        [
            "D(10,20) at concurrency 4: the engine's own metrics say 60.0 ms for mean TTFT, we saw 100 ms \
             (requests were in its queue for 12.5 ms on average; it pushed 3 out of its cache)"
        ]
    );
    assert_eq!(
        of(EngineFigures {
            requests: Some(12.0),
            output_tokens: Some(240.0),
            preemptions: Some(0.0),
            ..plain
        }),
        [
            "D(10,20) at concurrency 4: the engine's own metrics say 240 for answer tokens, we saw 200",
            "D(10,20) at concurrency 4: the engine's own metrics say 12 for finished requests, we saw 10",
        ]
    );
}

#[test]
fn counts_are_compared_only_where_all_ended_well() {
    let mut level = level(EngineFigures {
        requests: Some(12.0),
        output_tokens: Some(240.0),
        ..EngineFigures::default()
    });
    level.counts.started = 12;
    level.counts.cut_off = 2;
    assert_eq!(level.engine_remarks(), Vec::<String>::new());
    level.engine = None;
    assert_eq!(level.engine_remarks(), Vec::<String>::new());
}
