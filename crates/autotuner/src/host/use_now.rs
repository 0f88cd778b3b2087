//! How much of this machine is in use, as Linux tells it in `/proc`.
//!
//! Read anew each time, and nothing is made up: what is not told is not there. These are figures
//! of the whole machine, whatever a container was given of it.

use std::path::Path;
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::field;

/// Over less than this, processor time tells nothing.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);

/// Over more than this, it tells of what has been.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// How long a first look takes, with no earlier one to compare with.
const SAMPLE: Duration = Duration::from_millis(250);

/// Memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    /// All of it.
    pub(crate) total: u64,
    /// What programs could not have.
    pub(crate) used: u64,
}

/// The file system that a directory is on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disk {
    /// All of it.
    pub(crate) total: u64,
    /// What we could still write.
    pub(crate) free: u64,
}

/// Memory of this machine.
pub(crate) fn memory() -> Option<Memory> {
    memory_in(&read("/proc/meminfo"))
}

/// How many threads ran or wanted to, on average of the last minute.
pub(crate) fn load_of_a_minute() -> Option<f64> {
    first_number(&read("/proc/loadavg"))
}

/// How long the machine has been up, in seconds.
pub(crate) fn uptime_seconds() -> Option<f64> {
    first_number(&read("/proc/uptime"))
}

/// The file system of a directory. One on another machine may take its time.
pub(crate) fn disk(directory: &Path) -> Option<Disk> {
    let told = statvfs(directory).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.fragment_size());
    Some(Disk {
        total: bytes(told.blocks()),
        free: bytes(told.blocks_available()),
    })
}

/// The machine's processors, watched by whoever asks for them.
#[derive(Debug, Default)]
pub(crate) struct Processors(Mutex<Option<Look>>);

/// Processor time at an earlier look, and what was told of it then.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    ticks: Ticks,
    busy_percent: Option<f64>,
}

/// Time of all processors together since the machine's start, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticks {
    all: u64,
    busy: u64,
}

impl Processors {
    /// How busy all of them together were since the last look, in percent; looks within a second
    /// tell the same. Where the last one is long ago, or there was none, this takes a moment.
    pub(crate) async fn busy_percent(&self) -> Option<f64> {
        let mut looked = self.0.lock().await;
        let last = looked.filter(|look| look.at.elapsed() <= LONGEST_LOOK);
        let before = match last {
            Some(look) if look.at.elapsed() < SHORTEST_LOOK => return look.busy_percent,
            Some(look) => look.ticks,
            None => {
                let ticks = ticks()?;
                sleep(SAMPLE).await;
                ticks
            }
        };
        let ticks = ticks()?;
        let busy_percent = busy_percent(before, ticks);
        *looked = Some(Look {
            at: Instant::now(),
            ticks,
            busy_percent,
        });
        busy_percent
    }
}

fn ticks() -> Option<Ticks> {
    ticks_in(&read("/proc/stat"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

fn memory_in(meminfo: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let kibibytes: u64 = field(meminfo, name)?.split(' ').next()?.parse().ok()?;
        kibibytes.checked_mul(1_024)
    };
    let total = bytes("MemTotal")?;
    Some(Memory {
        total,
        used: total.saturating_sub(bytes("MemAvailable")?),
    })
}

/// The sums in the first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq and
/// steal. What follows is part of user and nice already.
fn ticks_in(stat: &str) -> Option<Ticks> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(|time| time.parse().ok())
        .collect::<Option<_>>()?;
    let idle = times.get(3)? + times.get(4).unwrap_or(&0);
    let all: u64 = times.iter().sum();
    Some(Ticks {
        all,
        busy: all - idle,
    })
}

/// The busy part of the time between two looks in percent, to one decimal; nothing where no time
/// has passed, or a processor that was taken away took its time with it.
fn busy_percent(before: Ticks, now: Ticks) -> Option<f64> {
    let all = now.all.checked_sub(before.all).filter(|all| *all > 0)?;
    let busy = now.busy.checked_sub(before.busy)?;
    super::percent(busy, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_busy_or_idle() {
        let check = |stat: &str, expected: Option<(u64, u64)>| {
            let ticks = ticks_in(stat).map(|ticks| (ticks.all, ticks.busy));
            assert_eq!(ticks, expected, "{stat}");
        };
        check(
            "cpu  10 1 2 100 20 3 4 5 6 7\ncpu0 1 1 1 1\nintr 9\n",
            Some((145, 25)),
        );
        check("cpu  10 1 2 100\n", Some((113, 13)));
        check("cpu0 10 1 2 100\n", None);
        check("cpu  10 1 two 100\n", None);
        check("cpu  10\n", None);
        check("", None);
    }

    #[test]
    fn processors_are_as_busy_as_the_time_between_two_looks_says() {
        let check = |before: (u64, u64), now: (u64, u64), expected: Option<f64>| {
            let ticks = |(all, busy)| Ticks { all, busy };
            assert_eq!(busy_percent(ticks(before), ticks(now)), expected);
        };
        check((100, 10), (200, 35), Some(25.0));
        check((0, 0), (3, 1), Some(33.3));
        check((100, 10), (200, 10), Some(0.0));
        check((100, 10), (200, 110), Some(100.0));
        check((100, 10), (100, 10), None);
        check((100, 10), (90, 10), None);
        check((100, 10), (200, 9), None);
    }

    #[test]
    fn memory_is_used_where_programs_could_not_have_it() {
        let check = |meminfo: &str, expected: Option<(u64, u64)>| {
            let memory = memory_in(meminfo).map(|memory| (memory.total, memory.used));
            assert_eq!(memory, expected, "{meminfo}");
        };
        let told = "MemTotal:  10 kB\nMemFree: 1 kB\nMemAvailable:  4 kB\n";
        check(told, Some((10_240, 6_144)));
        check("MemTotal:  10 kB\nMemFree: 1 kB\n", None);
        check("MemTotal:  4 kB\nMemAvailable: 9 kB\n", Some((4_096, 0)));
        check("", None);
    }

    #[test]
    fn this_machine_tells_of_itself() {
        let memory = memory().expect("it has memory");
        assert!(memory.used > 0 && memory.used < memory.total, "{memory:?}");
        let disk = disk(Path::new("/")).expect("it has a file system");
        assert!(disk.total > 0 && disk.free <= disk.total, "{disk:?}");
        assert_eq!(super::disk(Path::new("/nonexistent")), None);
        assert!(load_of_a_minute().is_some_and(|load| load >= 0.0));
        assert!(uptime_seconds().is_some_and(|seconds| seconds > 0.0));
    }

    #[tokio::test]
    async fn whoever_asks_at_once_is_told_the_same() {
        let processors = Processors::default();
        let asked = tokio::join!(processors.busy_percent(), processors.busy_percent());
        assert_eq!(asked.0, asked.1);
        let percent = asked.0.expect("time has passed");
        assert!((0.0..=100.0).contains(&percent), "{percent}");
    }
}
