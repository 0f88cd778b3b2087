//! On what machine something was measured, and how much of it is in use.

pub(crate) mod use_now;

use std::time::Duration;

use autotuner_core::gpu::GpuDevice;
use autotuner_deploy::gpu::{GpuConfig, look_now};
use serde::Serialize;
use tokio::sync::OnceCell;
use use_now::Processors;

/// How long GPU drivers may take. One that has been idle starts its GPUs first.
const GPU_PATIENCE: Duration = Duration::from_secs(20);

/// What a figure depends on apart from engine and configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Host {
    /// Operating system and its kernel.
    pub(crate) system: String,
    /// The processor's own name.
    pub(crate) cpu: String,
    /// Logical processors we may run on.
    pub(crate) cpus: usize,
    /// Memory in MiB.
    pub(crate) memory_mib: u64,
    /// Names of the GPUs that are left to us; empty where there are none, or where their
    /// driver cannot tell.
    pub(crate) gpus: Vec<String>,
    /// The same GPUs, each as a device.
    #[serde(skip)]
    pub(crate) devices: Vec<GpuDevice>,
    /// A short digest of all the above: equal digests are comparable machines.
    pub(crate) fingerprint: String,
}

impl Host {
    /// Looks at this machine, with those of its GPUs that are left to us. Quick, unless a
    /// GPU driver is slow to answer.
    pub(crate) fn inspect(gpus: &GpuConfig) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let system = format!(
            "{} {}",
            std::env::consts::OS,
            read("/proc/sys/kernel/osrelease").trim()
        );
        let cpu =
            field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.into());
        let memory_mib = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
            .map_or(0, |kib| kib / 1024);
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let devices: Vec<GpuDevice> = look_now(gpus.clone(), GPU_PATIENCE)
            .inspect_err(|error| tracing::warn!(%error, "the GPUs are not known"))
            .unwrap_or_default()
            .into_iter()
            .map(|gpu| gpu.device)
            .collect();
        let gpus: Vec<String> = devices.iter().map(|gpu| gpu.name.clone()).collect();
        let fingerprint = digest(&format!("{system}|{cpu}|{cpus}|{memory_mib}|{}", gpus.join(",")));
        Self {
            system,
            cpu,
            cpus,
            memory_mib,
            gpus,
            devices,
            fingerprint,
        }
    }
}

/// This machine: what it is, looked at when somebody first asks for it, and once; and how busy
/// its processors are.
#[derive(Debug, Default)]
pub(crate) struct ThisHost {
    host: OnceCell<Host>,
    /// Its processors.
    pub(crate) processors: Processors,
}

impl ThisHost {
    /// What it is; `None` where it cannot be looked at any more, because we end.
    pub(crate) async fn get(&self, gpus: &GpuConfig) -> Option<&Host> {
        let looking = || {
            let gpus = gpus.clone();
            tokio::task::spawn_blocking(move || Host::inspect(&gpus))
        };
        self.host.get_or_try_init(looking).await.ok()
    }
}

/// The name of this machine.
pub(crate) fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// A part of a whole in percent, to one decimal; nothing where there is no whole.
#[expect(
    clippy::cast_precision_loss,
    reason = "one decimal of a percentage is far coarser than what a float loses of a large number"
)]
pub(crate) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 1_000.0).round() / 10.0)
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// FNV-1a, 64 bits: enough to tell machines apart, not meant to resist anyone.
fn digest(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_a_stable_fingerprint() {
        let host = Host::inspect(&GpuConfig::default());
        assert_eq!(host, Host::inspect(&GpuConfig::default()));
        assert_eq!(host.fingerprint.len(), 16);
        assert!(host.cpus > 0);
        assert_ne!(digest("a"), digest("b"));
    }

    #[test]
    fn fields_are_read_by_name() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2:1\nMemTotal:  1024 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU @ 2:1"));
        assert_eq!(field(text, "MemTotal").as_deref(), Some("1024 kB"));
        assert_eq!(field(text, "missing"), None);
    }
}
