//! On what machine something was measured.

use std::path::Path;

use serde::Serialize;

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
    /// GPUs as the driver lists them; empty where there is no NVIDIA driver.
    pub(crate) gpus: Vec<String>,
    /// A short digest of all the above: equal digests are comparable machines.
    pub(crate) fingerprint: String,
}

impl Host {
    /// Looks at this machine.
    pub(crate) fn inspect() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let system = format!(
            "{} {}",
            std::env::consts::OS,
            read("/proc/sys/kernel/osrelease").trim()
        );
        let cpu = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.into());
        let memory_mib = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
            .map_or(0, |kib| kib / 1024);
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let gpus = nvidia_gpus(Path::new("/proc/driver/nvidia/gpus"));
        let fingerprint = digest(&format!("{system}|{cpu}|{cpus}|{memory_mib}|{}", gpus.join(",")));
        Self {
            system,
            cpu,
            cpus,
            memory_mib,
            gpus,
            fingerprint,
        }
    }
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The models of the GPUs that the NVIDIA kernel driver lists.
fn nvidia_gpus(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut gpus: Vec<String> = entries
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("information")).ok())
        .filter_map(|text| field(&text, "Model"))
        .collect();
    gpus.sort();
    gpus
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
        let host = Host::inspect();
        assert_eq!(host, Host::inspect());
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
