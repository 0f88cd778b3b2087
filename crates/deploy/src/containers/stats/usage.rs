//! What a container uses: two readings, one after the other, made into figures for people.
//!
//! Pure. A counter that went backwards belongs to another life of the container, so nothing is
//! said of the time between the two: no rate is ever negative, and every rate is finite.

use tokio::time::Instant;

use super::reading::Reading;

/// What a container used during about the last second.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// Whether it runs, frozen or not. One that does not uses nothing.
    pub is_running: bool,
    /// When it was looked at, in milliseconds since the Unix epoch by the daemon's clock; `None`
    /// while it does not run.
    pub read_at_ms: Option<i64>,
    /// When we were told.
    pub told_at: Instant,
    /// How much it computed, in percent of one processor.
    pub cpu_percent: Option<f64>,
    /// Processors of the daemon's machine.
    pub online_cpus: Option<u32>,
    /// Bytes of memory that it uses, without the page cache that can be given up.
    pub memory_used: Option<u64>,
    /// Bytes of memory that it may use: where it is not limited, those of the machine.
    pub memory_limit: Option<u64>,
    /// Whether it may use less memory than the machine has.
    pub is_memory_limited: Option<bool>,
    /// Its processes and threads.
    pub pids: Option<u64>,
    /// Its network: `bridge`, `host`, `none`, or a name.
    pub network: Option<String>,
    /// Bytes that it has received since it was started; `None` where its network is not its own.
    pub received: Option<u64>,
    /// Bytes that it has sent since then; `None` likewise.
    pub sent: Option<u64>,
    /// Bytes that it has read from disks since then.
    pub read: Option<u64>,
    /// Bytes that it has written to disks since then.
    pub written: Option<u64>,
    /// The same by the second.
    pub rates: Rates,
    /// What its processes use of each GPU; `None` where nobody can tell.
    pub gpus: Option<Vec<GpuShare>>,
}

/// Bytes per second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rates {
    /// Received.
    pub received: Option<f64>,
    /// Sent.
    pub sent: Option<f64>,
    /// Read from disks.
    pub read: Option<f64>,
    /// Written to disks.
    pub written: Option<f64>,
}

/// What a container's processes use of one GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuShare {
    /// Its place among the machine's GPUs.
    pub index: u32,
    /// Its own id.
    pub uuid: String,
    /// Its model.
    pub name: String,
    /// How many of the container's processes use it.
    pub processes: usize,
    /// Bytes of its memory that they hold; `None` where the driver does not tell.
    pub memory_bytes: Option<u64>,
    /// How busy they keep it, in percent; `None` where the driver does not tell.
    pub utilization_percent: Option<u32>,
}

/// What stays as it is while a container is watched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Setting {
    /// Its network.
    pub(super) network: Option<String>,
    /// Bytes of memory of the daemon's machine.
    pub(super) machine_memory: Option<u64>,
}

/// What is to be told of a reading that comes after another one. `None` where it only begins
/// something: a life of the container has no figure before its second reading.
pub(super) fn usage(
    before: Option<&Reading>,
    now: &Reading,
    setting: &Setting,
    told_at: Instant,
) -> Option<Usage> {
    let is_own_network = !matches!(setting.network.as_deref(), Some("host" | "none"));
    let mut usage = Usage {
        is_running: now.is_running(),
        read_at_ms: now.at.map(jiff::Timestamp::as_millisecond),
        told_at,
        cpu_percent: Some(0.0),
        online_cpus: now.online_cpus,
        memory_used: Some(0),
        memory_limit: Some(0),
        is_memory_limited: None,
        pids: Some(0),
        network: setting.network.clone(),
        received: is_own_network.then_some(0),
        sent: is_own_network.then_some(0),
        read: Some(0),
        written: Some(0),
        rates: Rates::default(),
        gpus: None,
    };
    if !now.is_running() {
        return Some(usage);
    }
    let seconds = seconds_between(before?, now)?;
    let before = before?;
    let is_told = now.cpu_ns.is_some() && now.system_ns.is_some() && now.online_cpus.is_some();
    usage.cpu_percent = cpu_percent(before, now);
    if is_told && usage.cpu_percent.is_none() {
        return None;
    }
    usage.memory_used = now.memory_used;
    usage.memory_limit = now.memory_limit;
    usage.is_memory_limited = now
        .memory_limit
        .zip(setting.machine_memory)
        .map(|(limit, all)| limit < all);
    usage.pids = now.pids;
    usage.received = now.received.filter(|_| is_own_network);
    usage.sent = now.sent.filter(|_| is_own_network);
    usage.read = now.read;
    usage.written = now.written;
    usage.rates = Rates {
        received: rate(before.received, usage.received, seconds),
        sent: rate(before.sent, usage.sent, seconds),
        read: rate(before.read, now.read, seconds),
        written: rate(before.written, now.written, seconds),
    };
    Some(usage)
}

/// How long after the other one a reading was taken; `None` unless it was, in the same life.
fn seconds_between(before: &Reading, now: &Reading) -> Option<f64> {
    let seconds = now.at?.duration_since(before.at?).as_secs_f64();
    let is_same_life = before.cpu_ns <= now.cpu_ns && before.system_ns <= now.system_ns;
    (seconds > 0.0 && is_same_life).then_some(seconds)
}

/// The container's share of all the time that the machine's processors had, in percent of one
/// processor: what `docker stats` shows.
fn cpu_percent(before: &Reading, now: &Reading) -> Option<f64> {
    let cpu = now.cpu_ns?.checked_sub(before.cpu_ns?)?;
    let system = now.system_ns?.checked_sub(before.system_ns?)?;
    let cpus = now.online_cpus?;
    (system > 0).then(|| cpu as f64 / system as f64 * f64::from(cpus) * 100.0)
}

fn rate(before: Option<u64>, now: Option<u64>, seconds: f64) -> Option<f64> {
    let moved = now?.checked_sub(before?)?;
    let rate = moved as f64 / seconds;
    rate.is_finite().then_some(rate)
}
