//! Messages of daemons, as they were seen, and what is told of them.

use bollard::models::ContainerStatsResponse;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::reading::Reading;
use super::super::usage::{Setting, Usage, usage};

fn reading(message: Value) -> Reading {
    let message: ContainerStatsResponse = serde_json::from_value(message).unwrap();
    Reading::of(&message)
}

fn setting(network: &str) -> Setting {
    Setting {
        network: Some(network.to_owned()),
        machine_memory: Some(16_000_000_000),
    }
}

fn told(before: Option<&Reading>, now: &Reading) -> Option<Usage> {
    usage(before, now, &setting("bridge"), Instant::now())
}

/// Control groups of version 1, as Docker 20.10 tells them.
fn version_1(second: u32, cpu_ns: u64, system_ns: u64) -> Value {
    json!({
        "read": format!("2026-01-01T00:00:{second:02}.250000000Z"),
        "preread": "0001-01-01T00:00:00Z",
        "pids_stats": {"current": 3},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 8, "minor": 0, "op": "Read", "value": 4096},
                {"major": 8, "minor": 0, "op": "Write", "value": 1024},
                {"major": 8, "minor": 0, "op": "Sync", "value": 5120},
                {"major": 8, "minor": 0, "op": "Total", "value": 5120},
                {"major": 8, "minor": 16, "op": "Read", "value": 4},
            ],
            "io_serviced_recursive": [], "io_queue_recursive": null,
        },
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": {
            "cpu_usage": {"total_usage": cpu_ns, "percpu_usage": [cpu_ns, 0], "usage_in_kernelmode": 0, "usage_in_usermode": cpu_ns},
            "system_cpu_usage": system_ns, "online_cpus": 2,
            "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
        },
        "precpu_stats": {"cpu_usage": {"total_usage": 0}, "throttling_data": {}},
        "memory_stats": {
            "usage": 216_006_656, "max_usage": 300_000_000,
            "stats": {"cache": 210_000_000, "total_inactive_file": 208_666_624, "inactive_file": 1, "rss": 1},
            "limit": 16_000_000_000_u64,
        },
        "name": "/n", "id": "0f",
        "networks": {
            "eth0": {"rx_bytes": 1000, "tx_bytes": 10, "rx_packets": 1},
            "eth1": {"rx_bytes": 24, "tx_bytes": 6},
        },
    })
}

/// Control groups of version 2.
fn version_2(second: u32, cpu_ns: u64, system_ns: u64) -> Value {
    json!({
        "read": format!("2026-01-01T00:00:{second:02}Z"),
        "pids_stats": {"current": 1, "limit": 18446744073709551615_u64},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 259, "minor": 0, "op": "read", "value": 7},
                {"major": 259, "minor": 0, "op": "write", "value": 9},
            ],
            "io_serviced_recursive": null,
        },
        "cpu_stats": {
            "cpu_usage": {"total_usage": cpu_ns, "usage_in_kernelmode": 0, "usage_in_usermode": cpu_ns},
            "system_cpu_usage": system_ns, "online_cpus": 4,
        },
        "memory_stats": {
            "usage": 5000, "stats": {"inactive_file": 2000, "active_file": 1000, "anon": 1},
            "limit": 8_000_000_000_u64,
        },
        "networks": {"eth0": {"rx_bytes": 5, "tx_bytes": 6}},
    })
}

/// A container that does not run.
fn stopped() -> Value {
    json!({
        "read": "0001-01-01T00:00:00Z", "preread": "0001-01-01T00:00:00Z",
        "pids_stats": {},
        "blkio_stats": {"io_service_bytes_recursive": null, "io_serviced_recursive": null},
        "num_procs": 0, "storage_stats": {},
        "cpu_stats": {"cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0}, "throttling_data": {}},
        "precpu_stats": {}, "memory_stats": {}, "name": "/n", "id": "0f",
    })
}

fn with(mut message: Value, pointer: &str, value: Value) -> Value {
    *message.pointer_mut(pointer).unwrap() = value;
    message
}

#[test]
fn version_1_of_control_groups() {
    let before = reading(version_1(1, 1_000_000_000, 10_000_000_000));
    let now = reading(version_1(3, 1_500_000_000, 12_000_000_000));
    let usage = told(Some(&before), &now).unwrap();
    // Half a second of the two that two processors had: a quarter of each, half of one.
    assert_eq!(usage.cpu_percent, Some(50.0));
    assert_eq!(usage.online_cpus, Some(2));
    assert_eq!(usage.memory_used, Some(216_006_656 - 208_666_624));
    assert_eq!(usage.memory_limit, Some(16_000_000_000));
    assert_eq!(usage.is_memory_limited, Some(false));
    assert_eq!((usage.received, usage.sent), (Some(1024), Some(16)));
    assert_eq!((usage.read, usage.written), (Some(4100), Some(1024)));
    assert_eq!(usage.pids, Some(3));
    assert_eq!(usage.read_at_ms, Some(1_767_225_603_250));
    assert!(usage.is_running);
}

#[test]
fn version_2_of_control_groups() {
    let before = reading(version_2(1, 0, 10));
    let mut later = version_2(2, 0, 20);
    later = with(later, "/networks/eth0/rx_bytes", json!(105));
    later = with(
        later,
        "/blkio_stats/io_service_bytes_recursive/1/value",
        json!(509),
    );
    let usage = told(Some(&before), &reading(later)).unwrap();
    assert_eq!(usage.cpu_percent, Some(0.0));
    assert_eq!(usage.memory_used, Some(3000));
    assert_eq!(usage.is_memory_limited, Some(true));
    assert_eq!((usage.received, usage.sent), (Some(105), Some(6)));
    assert_eq!((usage.read, usage.written), (Some(7), Some(509)));
    let rates = usage.rates;
    assert_eq!((rates.received, rates.sent), (Some(100.0), Some(0.0)));
    assert_eq!((rates.read, rates.written), (Some(0.0), Some(500.0)));
}

#[test]
fn a_first_reading_is_only_a_beginning() {
    let first = reading(version_1(1, 5, 10));
    assert_eq!(told(None, &first), None);
    // Nor is one after a stop.
    assert_eq!(told(Some(&reading(stopped())), &first), None);
}

#[test]
fn counters_that_go_backwards_are_of_another_life() {
    let before = reading(version_1(1, 100, 1000));
    let check = |now: Value| assert_eq!(told(Some(&before), &reading(now.clone())), None, "{now}");
    check(version_1(2, 50, 1100));
    check(version_1(2, 150, 900));
    // The same message again, and an older one.
    check(version_1(1, 100, 1000));
    check(version_1(0, 150, 1100));
    // No time has passed for the machine.
    check(version_1(2, 100, 1000));
    // What is left of a network that was taken away is a rate that nobody knows.
    let mut less = version_1(2, 150, 1100);
    less["networks"].as_object_mut().unwrap().remove("eth0");
    let usage = told(Some(&before), &reading(less)).unwrap();
    assert_eq!((usage.received, usage.rates.received), (Some(24), None));
    assert!(usage.cpu_percent.is_some());
}

#[test]
fn one_that_does_not_run_uses_nothing() {
    let running = reading(version_1(1, 100, 1000));
    for before in [None, Some(&running), Some(&reading(stopped()))] {
        let usage = told(before, &reading(stopped())).unwrap();
        assert!(!usage.is_running);
        assert_eq!(usage.cpu_percent, Some(0.0));
        assert_eq!(
            (usage.memory_used, usage.memory_limit, usage.pids),
            (Some(0), Some(0), Some(0))
        );
        assert_eq!((usage.received, usage.sent), (Some(0), Some(0)));
        assert_eq!((usage.read, usage.written), (Some(0), Some(0)));
        assert_eq!((usage.read_at_ms, usage.is_memory_limited), (None, None));
    }
    // A message with nothing in it is of one that does not run.
    assert!(!told(None, &reading(json!({}))).unwrap().is_running);
}

#[test]
fn a_paused_one_computes_nothing_and_keeps_its_memory() {
    let before = reading(version_1(1, 700, 1000));
    let usage = told(Some(&before), &reading(version_1(2, 700, 3000))).unwrap();
    assert_eq!(usage.cpu_percent, Some(0.0));
    assert_eq!(usage.memory_used, Some(7_340_032));
    assert!(usage.is_running);
}

#[test]
fn a_network_that_is_not_its_own_has_no_figures() {
    let mut message = version_1(2, 150, 1100);
    message.as_object_mut().unwrap().remove("networks");
    let before = reading(version_1(1, 100, 1000));
    let now = reading(message);
    for network in ["host", "none"] {
        let usage = usage(Some(&before), &now, &setting(network), Instant::now()).unwrap();
        assert_eq!(usage.network.as_deref(), Some(network));
        assert_eq!((usage.received, usage.sent), (None, None));
        assert_eq!((usage.rates.received, usage.rates.sent), (None, None));
        // Nor has it when it does not run.
        let usage = super::super::usage::usage(None, &reading(stopped()), &setting(network), Instant::now());
        assert_eq!(usage.unwrap().received, None);
    }
    assert_eq!(told(Some(&before), &now).unwrap().received, None);
}

#[test]
fn what_is_left_out_is_unknown() {
    let bare = |second: u32| json!({"read": format!("2026-01-01T00:00:{second:02}Z")});
    let usage = told(Some(&reading(bare(1))), &reading(bare(2))).unwrap();
    assert!(usage.is_running);
    assert_eq!((usage.cpu_percent, usage.online_cpus), (None, None));
    assert_eq!((usage.memory_used, usage.memory_limit), (None, None));
    assert_eq!((usage.received, usage.read, usage.pids), (None, None, None));
    // An empty list is no transfer.
    let none = with(
        version_1(2, 1, 2),
        "/blkio_stats/io_service_bytes_recursive",
        Value::Null,
    );
    assert_eq!(reading(none).read, Some(0));
}

#[test]
fn processors_are_counted_where_their_number_is_not_told() {
    let check = |count: Value, each: Value, expected: Option<u32>| {
        let message = with(version_1(1, 1, 1), "/cpu_stats/online_cpus", count);
        let message = with(message, "/cpu_stats/cpu_usage/percpu_usage", each);
        assert_eq!(reading(message).online_cpus, expected);
    };
    check(json!(8), json!([1, 2]), Some(8));
    check(json!(0), json!([1, 2]), Some(2));
    check(Value::Null, json!([1, 2, 3]), Some(3));
    check(Value::Null, Value::Null, None);
    check(json!(0), json!([]), None);
}

#[test]
fn page_cache_is_no_use_only_where_it_is_part_of_it() {
    let check = |stats: Value, expected: u64| {
        let message = with(version_2(1, 1, 1), "/memory_stats/stats", stats);
        assert_eq!(reading(message).memory_used, Some(expected));
    };
    check(json!({"inactive_file": 4999}), 1);
    check(json!({"inactive_file": 5000}), 5000);
    check(json!({"inactive_file": 6000}), 5000);
    check(json!({"total_inactive_file": 1000, "inactive_file": 1}), 4000);
    check(json!({}), 5000);
    check(Value::Null, 5000);
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let counter = || proptest::option::of(any::<u64>());
    let at = proptest::option::of(0_i64..4_000_000_000);
    let cpus = proptest::option::of(any::<u32>());
    (
        at,
        counter(),
        counter(),
        cpus,
        counter(),
        counter(),
        counter(),
        counter(),
    )
        .prop_map(
            |(at, cpu_ns, system_ns, online_cpus, received, sent, read, written)| Reading {
                at: at.and_then(|second| jiff::Timestamp::from_second(second).ok()),
                cpu_ns,
                system_ns,
                online_cpus,
                received,
                sent,
                read,
                written,
                ..Reading::default()
            },
        )
}

proptest! {
    #[test]
    fn no_figure_is_negative_or_infinite(before in any_reading(), now in any_reading()) {
        if let Some(usage) = told(Some(&before), &now) {
            let rates = [usage.rates.received, usage.rates.sent, usage.rates.read, usage.rates.written];
            for figure in rates.into_iter().chain([usage.cpu_percent]).flatten() {
                prop_assert!(figure.is_finite() && figure >= 0.0, "{figure}");
            }
        }
    }
}
