//! What a level's figures are worth, as JSON: intervals, evenness, the load generator's own part,
//! the engine's own figures, and the window slice by slice. What is not known is null.

use autotuner_core::measure::{EngineFigures, Schedule};
use autotuner_core::metrics::{
    Confidence, Interval, LevelMetrics, OwnErrors, PercentileIntervals, Steadiness, TimeSeries, Trust,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// 95 % intervals, each `[low, high]`, under the keys of what they are intervals of.
pub(super) struct Sure<'a>(pub(super) &'a Confidence);

impl Serialize for Sure<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Confidence {
            blocks,
            ttft,
            tpot,
            latency,
            ttft_percentiles,
            latency_percentiles,
            output_tokens,
            total_tokens,
            requests,
            goodput,
        } = self.0;
        let PercentileIntervals { p50, p90, p99 } = latency_percentiles;
        let of_ttft = ttft_percentiles;
        let mut keys = serializer.serialize_map(None)?;
        keys.serialize_entry("level", &0.95)?;
        keys.serialize_entry("blocks", blocks)?;
        let intervals = [
            ("mean_ttft", ttft),
            ("p50_ttft", &of_ttft.p50),
            ("p90_ttft", &of_ttft.p90),
            ("p99_ttft", &of_ttft.p99),
            ("mean_tpot", tpot),
            ("mean_e2e_latency", latency),
            ("p50_e2e_latency", p50),
            ("p90_e2e_latency", p90),
            ("p99_e2e_latency", p99),
            ("mean_output_throughput", output_tokens),
            ("mean_total_throughput", total_tokens),
            ("requests_per_second", requests),
            ("goodput_requests_per_second", goodput),
        ];
        for (name, interval) in intervals {
            let ends = interval.map(|Interval { low, high }| [low, high]);
            keys.serialize_entry(name, &ends)?;
        }
        keys.end()
    }
}

/// Whether the level ran evenly, and how it moved.
pub(super) struct Steady<'a>(pub(super) &'a Steadiness);

impl Serialize for Steady<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Steadiness {
            is_steady,
            throughput_drift,
            ttft_drift,
            slices,
        } = self.0;
        let mut keys = serializer.serialize_map(Some(4))?;
        keys.serialize_entry("is_steady", is_steady)?;
        keys.serialize_entry("throughput_drift", throughput_drift)?;
        keys.serialize_entry("ttft_drift", ttft_drift)?;
        keys.serialize_entry("slices", slices)?;
        keys.end()
    }
}

/// What a schedule asked for.
pub(super) struct Asked<'a>(pub(super) &'a Schedule);

impl Serialize for Asked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Schedule {
            label,
            rate,
            held_back,
        } = self.0;
        let mut keys = serializer.serialize_map(Some(3))?;
        keys.serialize_entry("label", label)?;
        keys.serialize_entry("rate", rate)?;
        keys.serialize_entry("held_back", held_back)?;
        keys.end()
    }
}

/// What the load generator had to do with a level's figures.
pub(super) struct Trusted<'a>(pub(super) &'a Trust);

impl Serialize for Trusted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let trust = self.0;
        let Trust {
            asked_concurrency,
            achieved_concurrency,
            asked_rate,
            achieved_rate,
            loop_lag_p99,
            cpu_share,
            stamp_error_p99,
            errors,
            reasons,
        } = trust;
        let mut keys = serializer.serialize_map(None)?;
        keys.serialize_entry("asked_concurrency", asked_concurrency)?;
        keys.serialize_entry("achieved_concurrency", achieved_concurrency)?;
        keys.serialize_entry("asked_rate", asked_rate)?;
        keys.serialize_entry("achieved_rate", achieved_rate)?;
        keys.serialize_entry("loop_lag_p99", loop_lag_p99)?;
        keys.serialize_entry("client_cpu_share", cpu_share)?;
        keys.serialize_entry("stamp_error_p99", stamp_error_p99)?;
        keys.serialize_entry("client_error", &Errors(errors))?;
        keys.serialize_entry("is_client_limited", &trust.is_client_limited())?;
        keys.serialize_entry("reasons", reasons)?;
        keys.end()
    }
}

/// The load generator's own error, as a share of each metric.
struct Errors<'a>(&'a OwnErrors);

impl Serialize for Errors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let OwnErrors {
            ttft,
            tpot,
            latency,
            throughput,
        } = self.0;
        let mut keys = serializer.serialize_map(Some(4))?;
        keys.serialize_entry("mean_ttft", ttft)?;
        keys.serialize_entry("mean_tpot", tpot)?;
        keys.serialize_entry("mean_e2e_latency", latency)?;
        keys.serialize_entry("mean_total_throughput", throughput)?;
        keys.end()
    }
}

/// What a level's engine says of itself, and how that differs from what was measured.
pub(super) struct Engine<'a>(pub(super) &'a LevelMetrics);

impl Serialize for Engine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(figures) = self.0.engine else {
            return serializer.serialize_none();
        };
        let EngineFigures {
            requests,
            input_tokens,
            output_tokens,
            ttft,
            tpot,
            latency,
            queue,
            preemptions,
            prefix_hits,
        } = figures;
        let differences = self.0.engine_differences().unwrap_or_default();
        let values = [
            ("requests", requests),
            ("input_tokens", input_tokens),
            ("output_tokens", output_tokens),
            ("mean_ttft", ttft),
            ("mean_tpot", tpot),
            ("mean_e2e_latency", latency),
            ("mean_queue_time", queue),
            ("preemptions", preemptions),
            ("prefix_hit_ratio", prefix_hits),
            ("requests_difference", differences.requests),
            ("output_tokens_difference", differences.output_tokens),
            ("mean_ttft_difference", differences.ttft),
            ("mean_tpot_difference", differences.tpot),
            ("mean_e2e_latency_difference", differences.latency),
        ];
        serializer.collect_map(values)
    }
}

/// A window slice by slice: one number a slice under each key.
pub(super) struct Slices<'a>(pub(super) &'a TimeSeries);

impl Serialize for Slices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TimeSeries {
            slice,
            output_tokens,
            completed,
            failed,
            in_flight,
            ttft,
        } = self.0;
        let mut keys = serializer.serialize_map(Some(6))?;
        keys.serialize_entry("slice_seconds", slice)?;
        keys.serialize_entry("output_tokens_per_s", output_tokens)?;
        keys.serialize_entry("requests_completed", completed)?;
        keys.serialize_entry("requests_failed", failed)?;
        keys.serialize_entry("requests_in_flight", in_flight)?;
        keys.serialize_entry("mean_ttft", ttft)?;
        keys.end()
    }
}
