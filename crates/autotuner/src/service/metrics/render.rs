//! Every figure, as text.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use autotuner_store::Statistics;

use super::exposition::{Exposition, Kind};
use super::process::process_use;
use super::{BUCKETS, Metrics, PANICS};
use crate::clock::seconds_between;
use crate::service::Service;

/// Every figure. Those of the database are left out where it did not answer, and
/// `autotuner_database_up` says so.
pub(crate) fn render(service: &Service, statistics: Option<&Statistics>, now_ms: i64) -> String {
    let mut text = Exposition::default();
    text.begin(
        "autotuner_build_info",
        Kind::Gauge,
        "The version that runs; always 1.",
    );
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    text.value("autotuner_build_info", &version, 1);
    text.single(
        "autotuner_uptime_seconds",
        Kind::Gauge,
        "Time since the service was started.",
        seconds_between(service.started_at_ms, now_ms),
    );
    text.single(
        "autotuner_panics_total",
        Kind::Counter,
        "Panics of the process, those that a request survived included. Anything but 0 is a fault of ours.",
        PANICS.load(Ordering::Relaxed),
    );
    if let Some(tick_ms) = service.board.last_tick_ms() {
        text.single(
            "autotuner_worker_tick_age_seconds",
            Kind::Gauge,
            "Time since the worker's last sign of life.",
            seconds_between(tick_ms, now_ms),
        );
    }
    write_database(&mut text, statistics);
    write_requests(&mut text, &service.metrics);
    write_process(&mut text);
    text.finish()
}

fn write_database(text: &mut Exposition, statistics: Option<&Statistics>) {
    text.single(
        "autotuner_database_up",
        Kind::Gauge,
        "Whether the database answered in time.",
        u8::from(statistics.is_some()),
    );
    let Some(statistics) = statistics else { return };
    text.begin("autotuner_tasks", Kind::Gauge, "Tasks, by status.");
    for (status, count) in &statistics.tasks {
        text.value("autotuner_tasks", &[("status", status.as_str())], count);
    }
    text.begin("autotuner_experiments", Kind::Gauge, "Experiments, by status.");
    for (status, count) in &statistics.experiments {
        text.value("autotuner_experiments", &[("status", status)], count);
    }
    let is_running = |status: &str| ["deploying", "benchmarking"].contains(&status);
    let running = statistics
        .experiments
        .iter()
        .filter(|(status, _)| is_running(status));
    text.single(
        "autotuner_experiments_running",
        Kind::Gauge,
        "Experiments whose engine is started or measured at the moment.",
        running.map(|(_, count)| count).sum::<u64>(),
    );
}

fn write_requests(text: &mut Exposition, metrics: &Metrics) {
    let requests = metrics
        .requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let name = "autotuner_http_requests_total";
    text.begin(
        name,
        Kind::Counter,
        "Requests that were answered, by route and class of status.",
    );
    for ((route, method), counted) in &requests {
        for (class, count) in &counted.classes {
            let status = format!("{class}xx");
            let labels = [("method", *method), ("route", route), ("status", &status)];
            text.value(name, &labels, count);
        }
    }
    let name = "autotuner_http_request_duration_seconds";
    text.begin(name, Kind::Histogram, "Time until an answer began.");
    for ((route, method), counted) in &requests {
        let mut below = 0;
        for (end, count) in BUCKETS.iter().zip(counted.buckets) {
            below += count;
            let end = end.to_string();
            let labels = [("method", *method), ("route", route), ("le", &end)];
            text.value(&format!("{name}_bucket"), &labels, below);
        }
        let labels = [("method", *method), ("route", route.as_str())];
        let all: u64 = counted.classes.values().sum();
        text.value(
            &format!("{name}_bucket"),
            &[labels[0], labels[1], ("le", "+Inf")],
            all,
        );
        text.value(&format!("{name}_sum"), &labels, counted.seconds);
        text.value(&format!("{name}_count"), &labels, all);
    }
    text.single(
        "autotuner_streams_open",
        Kind::Gauge,
        "Event and log streams that are open.",
        metrics.streams.load(Ordering::Relaxed),
    );
}

fn write_process(text: &mut Exposition) {
    let used = process_use();
    text.single(
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Resident memory of the process.",
        used.resident_bytes,
    );
    text.single(
        "process_cpu_seconds_total",
        Kind::Counter,
        "Processor time of the process, user and system together.",
        used.cpu_seconds,
    );
}
