//! Which container's processes use which GPU.
//!
//! The idea: the driver knows processes and nothing of containers, the kernel knows the control
//! group of each process, and a control group's path has the container's id in it. This holds
//! only where driver, kernel and daemon are of one machine. Nothing is asked more than once a
//! second, however many containers are watched, and a machine without a driver is asked about it
//! once a minute.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::GpuShare;
use crate::containers::ContainerId;
use crate::gpu::{GpuProcess, GpuProcesses, SeenProcesses};
use crate::{blocking, procfs};

/// For how long what was seen is good.
const FRESH: Duration = Duration::from_millis(900);

/// For how long there being no driver is believed.
const ABSENT: Duration = Duration::from_secs(60);

/// What each container uses of the GPUs.
type Shares = HashMap<ContainerId, Vec<GpuShare>>;

/// Looks at the GPUs for all containers at once.
#[derive(Debug, Default)]
pub(super) struct GpuWatch {
    processes: OnceLock<GpuProcesses>,
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug)]
struct Seen {
    until: Instant,
    /// `None` where nobody can tell.
    shares: Option<Arc<Shares>>,
}

impl GpuWatch {
    /// What a container uses of each GPU of this machine; `None` where nobody can tell.
    pub(super) async fn of(&self, container: &ContainerId) -> Option<Vec<GpuShare>> {
        let mut seen = self.seen.lock().await;
        let is_fresh = seen.as_ref().is_some_and(|seen| Instant::now() < seen.until);
        if !is_fresh {
            *seen = Some(self.look().await);
        }
        let shares = seen.as_ref()?.shares.as_ref()?;
        Some(shares.get(container).cloned().unwrap_or_default())
    }

    async fn look(&self) -> Seen {
        let processes = self.processes.get_or_init(GpuProcesses::default);
        let (shares, good_for) = match processes.look().await {
            SeenProcesses::All(all) => {
                let shares = blocking(move || Ok(shares(&all, procfs::control_groups))).await;
                (shares.ok().map(Arc::new), FRESH)
            }
            SeenProcesses::NoDriver => (None, ABSENT),
            SeenProcesses::Unknown => (None, FRESH),
        };
        Seen {
            until: Instant::now() + good_for,
            shares,
        }
    }
}

/// Adds up what each container's processes use. A process in a container that runs in another one
/// counts for both.
fn shares(processes: &[GpuProcess], control_groups: impl Fn(u32) -> Option<String>) -> Shares {
    let mut found: HashMap<ContainerId, BTreeMap<u32, GpuShare>> = HashMap::new();
    for process in processes {
        let groups = control_groups(process.pid).unwrap_or_default();
        for container in containers_in(&groups) {
            let share = found
                .entry(container)
                .or_default()
                .entry(process.index)
                .or_insert_with(|| GpuShare {
                    index: process.index,
                    uuid: process.uuid.clone(),
                    name: process.name.clone(),
                    processes: 0,
                    memory_bytes: None,
                    utilization_percent: None,
                });
            share.processes += 1;
            share.memory_bytes = added(share.memory_bytes, process.memory_bytes);
            share.utilization_percent = added(
                share.utilization_percent.map(u64::from),
                process.utilization_percent.map(u64::from),
            )
            .and_then(|percent| u32::try_from(percent.min(100)).ok());
        }
    }
    let in_order = |(container, shares): (_, BTreeMap<_, _>)| (container, shares.into_values().collect());
    found.into_iter().map(in_order).collect()
}

/// Amounts that are known, added up.
fn added(sum: Option<u64>, more: Option<u64>) -> Option<u64> {
    match (sum, more) {
        (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
        (sum, more) => sum.or(more),
    }
}

/// Every container's id in the text of `/proc/<pid>/cgroup`, each once.
fn containers_in(groups: &str) -> Vec<ContainerId> {
    let mut found: Vec<ContainerId> = groups
        .split(|byte: char| !byte.is_ascii_hexdigit())
        .filter_map(ContainerId::read)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: &str) -> ContainerId {
        ContainerId::read(&digit.repeat(64)).unwrap()
    }

    #[test]
    fn a_container_is_found_in_the_control_groups_of_its_processes() {
        let check = |groups: &str, expected: &[&str]| {
            let groups = groups
                .replace("AAAA", &"a".repeat(64))
                .replace("BBBB", &"b".repeat(64));
            let expected: Vec<ContainerId> = expected.iter().map(|digit| id(digit)).collect();
            assert_eq!(containers_in(&groups), expected, "{groups}");
        };
        check("12:memory:/docker/AAAA\n4:cpu,cpuacct:/docker/AAAA\n", &["a"]);
        check("0::/system.slice/docker-AAAA.scope\n", &["a"]);
        check(
            "0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-BBBB.scope/init\n",
            &["b"],
        );
        check("0::/docker/AAAA/docker/BBBB\n", &["a", "b"]);
        check(
            "0::/kubepods.slice/kubepods-pod0f.slice/cri-containerd-BBBB.scope",
            &["b"],
        );
        check("0::/user.slice/session-2.scope\n", &[]);
        check("0::/docker/0aAAAA\n", &[]);
        check("", &[]);
    }

    fn process(pid: u32, index: u32, memory_bytes: Option<u64>, percent: Option<u32>) -> GpuProcess {
        GpuProcess {
            pid,
            index,
            uuid: format!("GPU-{index}"),
            name: "N1".to_owned(),
            memory_bytes,
            utilization_percent: percent,
        }
    }

    #[test]
    fn what_processes_use_is_added_up_by_container_and_gpu() {
        let groups = |pid: u32| match pid {
            1 | 2 => Some(format!("0::/docker/{}", id("a"))),
            3 => Some("0::/user.slice".to_owned()),
            _ => None,
        };
        let all = [
            process(1, 1, Some(10), Some(60)),
            process(2, 1, Some(5), Some(70)),
            process(1, 0, None, None),
            process(3, 0, Some(1000), Some(1)),
            process(4, 0, Some(1000), Some(1)),
        ];
        let shares = shares(&all, groups);
        assert_eq!(shares.len(), 1);
        let seen: Vec<_> = shares[&id("a")]
            .iter()
            .map(|share| {
                (
                    share.index,
                    share.processes,
                    share.memory_bytes,
                    share.utilization_percent,
                )
            })
            .collect();
        assert_eq!(seen, [(0, 1, None, None), (1, 2, Some(15), Some(100))]);
    }

    #[tokio::test]
    async fn without_a_driver_nobody_can_tell() {
        if std::path::Path::new("/dev/nvidiactl").exists() {
            eprintln!("NOT TESTED: this machine has a driver");
            return;
        }
        assert_eq!(GpuWatch::default().of(&id("a")).await, None);
    }
}
