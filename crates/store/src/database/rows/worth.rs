//! How far a level's figures can be trusted, and its window slice by slice.
//!
//! Results that were stored before any of this was known lack it, and are read all the same.

use autotuner_core::measure::{EngineFigures, Schedule};
use autotuner_core::metrics::{
    Confidence, Interval, OwnErrors, PercentileIntervals, Steadiness, TimeSeries, Trust,
};
use serde::{Deserialize, Serialize};

use super::numbers::{Real, packed, unpacked};
use super::{Kept, Strange, fields};

fields!(ScheduleRow of Schedule {
    label: String,
    rate: f64,
    held_back: u32,
});

fields!(SteadinessRow of Steadiness {
    is_steady: bool,
    throughput_drift: f64,
    ttft_drift: Option<f64>,
    slices: u32,
});

fields!(ConfidenceRow of Confidence {
    blocks: u32,
    ttft: Option<Interval>,
    tpot: Option<Interval>,
    latency: Option<Interval>,
    ttft_percentiles: PercentileIntervals,
    latency_percentiles: PercentileIntervals,
    output_tokens: Option<Interval>,
    total_tokens: Option<Interval>,
    requests: Option<Interval>,
    goodput: Option<Interval>,
});

fields!(PercentileIntervalsRow of PercentileIntervals {
    p50: Option<Interval>,
    p90: Option<Interval>,
    p99: Option<Interval>,
});

/// `[0.1, 0.2]`
impl Kept for Interval {
    type Row = (Real, Real);
    fn keep(&self) -> Self::Row {
        (self.low, self.high).keep()
    }
    fn recall(row: Self::Row) -> Result<Self, Strange> {
        let (low, high) = Kept::recall(row)?;
        Ok(Self { low, high })
    }
}

fields!(TrustRow of Trust {
    asked_concurrency: Option<u32>,
    achieved_concurrency: Option<f64>,
    asked_rate: Option<f64>,
    achieved_rate: Option<f64>,
    loop_lag_p99: Option<f64>,
    cpu_share: Option<f64>,
    stamp_error_p99: Option<f64>,
    errors: OwnErrors,
    reasons: Vec<String>,
});

fields!(OwnErrorsRow of OwnErrors {
    ttft: Option<f64>,
    tpot: Option<f64>,
    latency: Option<f64>,
    throughput: Option<f64>,
});

fields!(EngineFiguresRow of EngineFigures {
    requests: Option<f64>,
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
    ttft: Option<f64>,
    tpot: Option<f64>,
    latency: Option<f64>,
    queue: Option<f64>,
    preemptions: Option<f64>,
    prefix_hits: Option<f64>,
});

/// Its shape in JSON. Rows of numbers are 64-bit ones, little end first, in base64; a slice without
/// a TTFT has what is no number.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeSeriesRow {
    slice: Real,
    output_tokens: String,
    completed: Vec<u32>,
    failed: Vec<u32>,
    in_flight: String,
    ttft: String,
}

impl Kept for TimeSeries {
    type Row = TimeSeriesRow;
    fn keep(&self) -> TimeSeriesRow {
        let Self {
            slice,
            output_tokens,
            completed,
            failed,
            in_flight,
            ttft,
        } = self;
        let ttft: Vec<f64> = ttft.iter().map(|ttft| ttft.unwrap_or(f64::NAN)).collect();
        TimeSeriesRow {
            slice: slice.keep(),
            output_tokens: packed(output_tokens),
            completed: completed.clone(),
            failed: failed.clone(),
            in_flight: packed(in_flight),
            ttft: packed(&ttft),
        }
    }
    fn recall(row: TimeSeriesRow) -> Result<Self, Strange> {
        let TimeSeriesRow {
            slice,
            output_tokens,
            completed,
            failed,
            in_flight,
            ttft,
        } = row;
        let ttft = unpacked(&ttft)?.into_iter();
        let series = Self {
            slice: f64::recall(slice)?,
            output_tokens: unpacked(&output_tokens)?,
            completed,
            failed,
            in_flight: unpacked(&in_flight)?,
            ttft: ttft.map(|ttft| (!ttft.is_nan()).then_some(ttft)).collect(),
        };
        let slices = [
            series.completed.len(),
            series.failed.len(),
            series.in_flight.len(),
            series.ttft.len(),
        ];
        match slices.iter().all(|slices| *slices == series.output_tokens.len()) {
            true => Ok(series),
            false => Err(Strange("a series whose parts are not equally long".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::rows::{from_text, to_text};

    #[test]
    fn a_series_with_a_part_too_short_is_told() {
        let series = TimeSeries {
            slice: 1.0,
            output_tokens: vec![10.0, 0.0],
            completed: vec![1, 2],
            failed: vec![0, 0],
            in_flight: vec![1.5, 0.5],
            ttft: vec![Some(0.25), None],
        };
        let text = to_text(&series);
        assert_eq!(
            from_text::<TimeSeries>(&text, || "it".into()).expect("readable"),
            series
        );
        let short = text.replace("\"failed\":[0,0]", "\"failed\":[0]");
        assert_ne!(short, text);
        assert!(from_text::<TimeSeries>(&short, || "it".into()).is_err());
    }
}
