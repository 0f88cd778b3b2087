//! Arrivals in one word, and what is said of those that cannot be read.

use std::time::Duration;

use crate::workload::{Arrival, ArrivalText, Stage};

#[test]
fn arrivals_are_written_in_one_word() {
    for (text, expected) in [
        ("closed", Arrival::Closed),
        ("constant:10", Arrival::Constant { rates: vec![10.0] }),
        (
            "poisson:0.5,20",
            Arrival::Poisson {
                rates: vec![0.5, 20.0],
            },
        ),
        (
            "gamma:10,20:0.5",
            Arrival::Gamma {
                rates: vec![10.0, 20.0],
                burstiness: 0.5,
            },
        ),
        (
            "stages:5x30,0x1.5,20x60s",
            Arrival::Stages {
                stages: [(5.0, 30_000), (0.0, 1_500), (20.0, 60_000)]
                    .map(|(rate, millis)| Stage {
                        rate,
                        lasts: Duration::from_millis(millis),
                    })
                    .into(),
            },
        ),
    ] {
        assert_eq!(text.parse(), Ok(ArrivalText::Ready(expected)), "{text}");
    }
    assert_eq!("trace:a:b.csv".parse(), Ok(ArrivalText::Trace("a:b.csv".into())));
}

#[test]
fn what_cannot_be_read_is_said() {
    for (text, why) in [
        ("poison:1", "is of an unknown kind; did you mean \"poisson\"?"),
        (
            "10",
            "is of an unknown kind; use one of closed, constant, poisson, gamma, stages, trace",
        ),
        ("closed:1", "is not complete, or has too much; write closed"),
        (
            "poisson",
            "is not complete, or has too much; write poisson:10 or poisson:10,20",
        ),
        ("trace:", "is not complete, or has too much; write trace:FILE"),
        ("constant:0", "has the rate \"0\"; a number above 0 is needed"),
        ("constant:1,,2", "has the rate \"\"; a number above 0 is needed"),
        ("gamma:10", "has no burstiness; write gamma:10:0.5"),
        (
            "gamma:10:inf",
            "has the burstiness \"inf\"; a number above 0 is needed",
        ),
        ("stages:5", "has the stage \"5\"; write RATExSECONDS"),
        ("stages:5x0", "has the time \"0\"; a number above 0 is needed"),
        ("stages:0x5", "starts nothing: no stage has a rate above 0"),
        (
            "stages:1x9e9",
            "has a stage of 9000000000 seconds; at most 2592000 (30 days)",
        ),
    ] {
        let error = text.parse::<ArrivalText>().expect_err(text).to_string();
        assert_eq!(error, format!("arrival \"{text}\" {why}"));
    }
}
