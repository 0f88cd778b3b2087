//! What a container uses, as it looks on the wire.
//!
//! The texts are the original system's: two decimals and steps of 1024. What nobody knows is
//! null, never a zero.

use autotuner_deploy::containers::{GpuShare, Usage};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::clock::rfc3339;

const UNITS: [&str; 6] = ["B", "KB", "MB", "GB", "TB", "PB"];

/// What a container uses.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ContainerStats {
    /// How much it computes, in percent of one processor: 200 is two processors.
    #[schema(example = 42.17)]
    cpu_percent: Option<f64>,
    /// Memory that it uses, without the page cache that the kernel can take back.
    #[schema(example = "12.34 MB")]
    memory_usage: Option<String>,
    /// The same in bytes.
    memory_usage_bytes: Option<u64>,
    /// Memory that it may use; the machine's where it has no limit.
    #[schema(example = "1.88 GB")]
    memory_limit: Option<String>,
    /// The same in bytes.
    memory_limit_bytes: Option<u64>,
    /// How much of what it may use it uses.
    #[schema(example = 0.64)]
    memory_percent: Option<f64>,
    /// Whether it may use less memory than the machine has; null where nobody knows.
    memory_is_limited: Option<bool>,
    /// Received over its networks since it was started; null where its network is not its own.
    #[schema(example = "1.18 KB")]
    network_rx: Option<String>,
    /// The same in bytes.
    network_rx_bytes: Option<u64>,
    /// Bytes per second received, during the last second.
    network_rx_per_second: Option<f64>,
    /// Sent over its networks since it was started; null where its network is not its own.
    #[schema(example = "1.18 KB")]
    network_tx: Option<String>,
    /// The same in bytes.
    network_tx_bytes: Option<u64>,
    /// Bytes per second sent, during the last second.
    network_tx_per_second: Option<f64>,
    /// Read from disks since it was started.
    #[schema(example = "0.00 B")]
    block_read: Option<String>,
    /// The same in bytes.
    block_read_bytes: Option<u64>,
    /// Bytes per second read, during the last second.
    block_read_per_second: Option<f64>,
    /// Written to disks since it was started.
    #[schema(example = "0.00 B")]
    block_write: Option<String>,
    /// The same in bytes.
    block_write_bytes: Option<u64>,
    /// Bytes per second written, during the last second.
    block_write_per_second: Option<f64>,
    /// Whether it runs, paused or not. One that does not uses nothing.
    is_running: bool,
    /// Its network: `bridge`, `host`, `none`, or a name. `host` and `none` have no figures of
    /// their own.
    #[schema(example = "bridge")]
    network: Option<String>,
    /// Its processes and threads.
    pids: Option<u64>,
    /// Processors of the machine.
    online_cpus: Option<u32>,
    /// What its processes use of each GPU; null where nobody can tell: no NVIDIA driver, or a
    /// daemon on another machine.
    gpus: Option<Vec<ContainerGpu>>,
    /// When this was so.
    #[schema(format = DateTime)]
    sampled_at: String,
}

/// What a container's processes use of one GPU.
#[derive(Debug, Serialize, ToSchema)]
struct ContainerGpu {
    /// Its place among the machine's GPUs.
    index: u32,
    /// Its own id.
    uuid: String,
    /// Its model.
    name: String,
    /// How many of the container's processes use it.
    processes: usize,
    /// Bytes of its memory that they hold.
    memory_bytes: Option<u64>,
    /// How busy they keep it, in percent.
    utilization_percent: Option<u32>,
}

impl ContainerStats {
    /// What is told at this time. A container that does not run has no time of the daemon's, so
    /// it is told by ours.
    pub(super) fn of(usage: &Usage, now_ms: i64) -> Self {
        Self::at(usage, now_ms, Instant::now())
    }

    fn at(usage: &Usage, now_ms: i64, now: Instant) -> Self {
        let age_ms = now.saturating_duration_since(usage.told_at).as_millis();
        let age_ms = i64::try_from(age_ms).unwrap_or(0);
        let sampled_at_ms = usage.read_at_ms.unwrap_or(now_ms - age_ms);
        let share = usage.memory_used.zip(usage.memory_limit);
        let percent = share.map(|(used, limit)| match limit {
            0 => 0.0,
            limit => used as f64 / limit as f64 * 100.0,
        });
        Self {
            cpu_percent: usage.cpu_percent.map(rounded),
            memory_usage: usage.memory_used.map(text),
            memory_usage_bytes: usage.memory_used,
            memory_limit: usage.memory_limit.map(text),
            memory_limit_bytes: usage.memory_limit,
            memory_percent: percent.map(rounded),
            memory_is_limited: usage.is_memory_limited,
            network_rx: usage.received.map(text),
            network_rx_bytes: usage.received,
            network_rx_per_second: usage.rates.received.map(rounded),
            network_tx: usage.sent.map(text),
            network_tx_bytes: usage.sent,
            network_tx_per_second: usage.rates.sent.map(rounded),
            block_read: usage.read.map(text),
            block_read_bytes: usage.read,
            block_read_per_second: usage.rates.read.map(rounded),
            block_write: usage.written.map(text),
            block_write_bytes: usage.written,
            block_write_per_second: usage.rates.written.map(rounded),
            is_running: usage.is_running,
            network: usage.network.clone(),
            pids: usage.pids,
            online_cpus: usage.online_cpus,
            gpus: usage.gpus.as_ref().map(|gpus| gpus.iter().map(gpu).collect()),
            sampled_at: rfc3339(sampled_at_ms),
        }
    }
}

fn gpu(share: &GpuShare) -> ContainerGpu {
    let GpuShare {
        index,
        uuid,
        name,
        processes,
        memory_bytes,
        utilization_percent,
    } = share.clone();
    ContainerGpu {
        index,
        uuid,
        name,
        processes,
        memory_bytes,
        utilization_percent,
    }
}

/// Two decimals.
fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

/// An amount for people.
pub(in crate::api::containers) fn text(bytes: u64) -> String {
    let mut amount = bytes as f64;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = next;
    }
    format!("{amount:.2} {unit}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use autotuner_deploy::containers::Rates;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn amounts_are_in_steps_of_1024() {
        let check = |bytes: u64, expected: &str| assert_eq!(text(bytes), expected);
        check(0, "0.00 B");
        check(1023, "1023.00 B");
        check(1024, "1.00 KB");
        check(12_939_428, "12.34 MB");
        check(25_276_502_016, "23.54 GB");
        check(1 << 40, "1.00 TB");
        check(1 << 50, "1.00 PB");
        check(u64::MAX, "16384.00 PB");
    }

    fn usage() -> Usage {
        Usage {
            is_running: true,
            read_at_ms: Some(1_700_000_000_250),
            told_at: Instant::now(),
            cpu_percent: Some(42.166_6),
            online_cpus: Some(2),
            memory_used: Some(12_939_428),
            memory_limit: Some(1 << 30),
            is_memory_limited: Some(true),
            pids: Some(7),
            network: Some("bridge".into()),
            received: Some(1208),
            sent: Some(0),
            read: Some(5),
            written: None,
            rates: Rates {
                received: Some(99.999),
                ..Rates::default()
            },
            gpus: Some(vec![GpuShare {
                index: 1,
                uuid: "GPU-1".into(),
                name: "N1".into(),
                processes: 2,
                memory_bytes: Some(1 << 33),
                utilization_percent: None,
            }]),
        }
    }

    fn on_the_wire(usage: &Usage) -> Value {
        let now = usage.told_at + Duration::from_millis(400);
        serde_json::to_value(ContainerStats::at(usage, 1_700_000_001_000, now)).unwrap()
    }

    #[test]
    fn a_running_container_on_the_wire() {
        insta::assert_json_snapshot!(on_the_wire(&usage()));
    }

    #[test]
    fn what_nobody_knows_is_null_and_a_stop_has_our_time() {
        let usage = Usage {
            is_running: false,
            read_at_ms: None,
            cpu_percent: Some(0.0),
            memory_used: Some(0),
            memory_limit: Some(0),
            network: Some("host".into()),
            received: None,
            rates: Rates::default(),
            gpus: None,
            ..usage()
        };
        let stats = on_the_wire(&usage);
        assert_eq!(stats["sampled_at"], rfc3339(1_700_000_000_600));
        assert_eq!(stats["memory_percent"], json!(0.0));
        for key in [
            "network_rx",
            "network_rx_bytes",
            "network_rx_per_second",
            "gpus",
            "block_write",
        ] {
            assert_eq!(stats.get(key), Some(&Value::Null), "{key}");
        }
    }
}
