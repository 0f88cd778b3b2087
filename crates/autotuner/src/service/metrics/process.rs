//! What the system knows of this process: memory and processor time.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// How much of the machine this process takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ProcessUse {
    /// Memory that is resident, bytes.
    pub(crate) resident_bytes: u64,
    /// Processor time since its start, user and system together, seconds.
    pub(crate) cpu_seconds: f64,
}

/// How much of the machine this process takes now; what cannot be told is 0.
pub(crate) fn process_use() -> ProcessUse {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let cpu = getrusage(UsageWho::RUSAGE_SELF).map(|usage| {
        let [user, system] = [usage.user_time(), usage.system_time()].map(seconds);
        user + system
    });
    ProcessUse {
        resident_bytes: resident_bytes(&status).unwrap_or_default(),
        cpu_seconds: cpu.unwrap_or_default(),
    }
}

/// The resident memory in the text of `/proc/<pid>/status`.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kibibytes.checked_mul(1_024)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of processor time are far below where a float loses them"
)]
fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_status_file() {
        let check = |status: &str, expected: Option<u64>| assert_eq!(resident_bytes(status), expected);
        check(
            "Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t3\n",
            Some(2 * 1024 * 1024),
        );
        check("VmRSS:\tmuch kB\n", None);
        check("", None);
    }

    #[test]
    fn this_process_takes_something() {
        let used = process_use();
        assert!(used.resident_bytes > 0);
        assert!(used.cpu_seconds >= 0.0);
    }
}
