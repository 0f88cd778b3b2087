//! What the daemon says at one moment, as counters that only grow.
//!
//! The idea: the daemon's message has two samples in it, of which the earlier is of nobody knows
//! when, or of year 1. It is never looked at: rates are made of two messages that we got
//! ourselves. What a message leaves out is `None`, never a zero that looks like a fact; only an
//! empty list of transfers means that nothing was transferred.

use bollard::models::{
    ContainerBlkioStatEntry, ContainerBlkioStats, ContainerCpuStats, ContainerMemoryStats,
    ContainerStatsResponse,
};
use jiff::Timestamp;

/// The counters of one container at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reading {
    /// When they were read, on the daemon's machine; `None` while the container does not run.
    pub(super) at: Option<Timestamp>,
    /// Nanoseconds that its processes have computed.
    pub(super) cpu_ns: Option<u64>,
    /// Nanoseconds of all processors of the machine, idle or not.
    pub(super) system_ns: Option<u64>,
    /// Processors that are switched on.
    pub(super) online_cpus: Option<u32>,
    /// Bytes that it uses, without files that the kernel keeps only until it wants their place.
    pub(super) memory_used: Option<u64>,
    /// Bytes that it may use.
    pub(super) memory_limit: Option<u64>,
    /// Its processes and threads.
    pub(super) pids: Option<u64>,
    pub(super) received: Option<u64>,
    pub(super) sent: Option<u64>,
    pub(super) read: Option<u64>,
    pub(super) written: Option<u64>,
}

impl Reading {
    pub(super) fn of(message: &ContainerStatsResponse) -> Self {
        let at = message.read.as_deref().and_then(moment);
        let cpu = message.cpu_stats.as_ref();
        let memory = message.memory_stats.as_ref();
        let networks = message.networks.as_ref().map(|networks| networks.values());
        let blocks = message.blkio_stats.as_ref();
        Self {
            at,
            cpu_ns: cpu.and_then(|cpu| cpu.cpu_usage.as_ref()?.total_usage),
            system_ns: cpu.and_then(|cpu| cpu.system_cpu_usage),
            online_cpus: cpu.and_then(online_cpus),
            memory_used: memory.and_then(memory_used),
            memory_limit: memory.and_then(|memory| memory.limit),
            pids: message.pids_stats.as_ref().and_then(|pids| pids.current),
            received: networks.clone().map(|all| sum(all.map(|one| one.rx_bytes))),
            sent: networks.map(|all| sum(all.map(|one| one.tx_bytes))),
            read: blocks.map(|blocks| transferred(blocks, "read")),
            written: blocks.map(|blocks| transferred(blocks, "write")),
        }
    }

    /// Whether its processes are there, be they frozen.
    pub(super) fn is_running(&self) -> bool {
        self.at.is_some()
    }
}

/// A time as the daemon writes it; its year 1 means never.
fn moment(text: &str) -> Option<Timestamp> {
    let at: Timestamp = text.parse().ok()?;
    (at > Timestamp::UNIX_EPOCH).then_some(at)
}

/// Older daemons leave the number out, or say 0, and give each processor's own time instead.
fn online_cpus(cpu: &ContainerCpuStats) -> Option<u32> {
    let told = cpu.online_cpus.filter(|count| *count > 0);
    told.or_else(|| {
        let each = cpu.cpu_usage.as_ref()?.percpu_usage.as_ref()?;
        u32::try_from(each.len()).ok().filter(|count| *count > 0)
    })
}

/// The kernel's pages of files that nobody has used lately go as soon as somebody needs memory,
/// so they are nobody's use. Control groups of version 1 call them otherwise than those of 2.
fn memory_used(memory: &ContainerMemoryStats) -> Option<u64> {
    let usage = memory.usage?;
    let named = |name: &str| memory.stats.as_ref()?.get(name).copied();
    let inactive = named("total_inactive_file").or_else(|| named("inactive_file"));
    Some(match inactive {
        Some(inactive) if inactive < usage => usage - inactive,
        _ => usage,
    })
}

/// Bytes moved in one direction. Version 1 of control groups says `Read`, version 2 `read`.
fn transferred(blocks: &ContainerBlkioStats, operation: &str) -> u64 {
    let entries = blocks.io_service_bytes_recursive.iter().flatten();
    let is_it = |entry: &&ContainerBlkioStatEntry| {
        let said = entry.op.as_deref();
        said.is_some_and(|said| said.eq_ignore_ascii_case(operation))
    };
    sum(entries.filter(is_it).map(|entry| entry.value))
}

fn sum(amounts: impl Iterator<Item = Option<u64>>) -> u64 {
    amounts.flatten().fold(0, u64::saturating_add)
}
