//! Which limits the daemon can hold a container to.
//!
//! It refuses some at each start, and lets others pass that it cannot keep: both are found out
//! here, before anything is started. What is sensible for an engine is not decided here.

use autotuner_core::engine::Limits;
use bollard::models::SystemInfo;

use crate::DeployError;

/// Less memory than this is given to no container.
const LEAST_MEMORY: u64 = 6 << 20;

/// A smaller share of a processor is given to no container.
const LEAST_CPUS: f64 = 0.01;

/// Whether a daemon that says this of itself can keep the limits.
pub(crate) fn check(limits: &Limits, info: &SystemInfo) -> Result<(), DeployError> {
    if let Some(bytes) = limits.memory_bytes {
        check_memory(bytes, info)?;
    }
    limits.cpus.map_or(Ok(()), |cpus| check_cpus(cpus, info))
}

fn check_memory(bytes: u64, info: &SystemInfo) -> Result<(), DeployError> {
    let refuse = |message: String| {
        Err(DeployError::Limit {
            option: "resources.memory",
            message,
        })
    };
    if info.memory_limit == Some(false) {
        return refuse("Docker cannot limit memory on this machine's kernel".to_owned());
    }
    if bytes < LEAST_MEMORY {
        return refuse(format!(
            "{bytes} bytes are less than the {} MiB that Docker gives at least",
            LEAST_MEMORY >> 20
        ));
    }
    Ok(())
}

fn check_cpus(cpus: f64, info: &SystemInfo) -> Result<(), DeployError> {
    let refuse = |message: String| {
        Err(DeployError::Limit {
            option: "resources.cpus",
            message,
        })
    };
    if info.cpu_cfs_quota == Some(false) {
        return refuse("Docker cannot limit processors on this machine's kernel".to_owned());
    }
    let there = info.ncpu.unwrap_or(i64::MAX);
    if cpus < LEAST_CPUS {
        return refuse(format!(
            "{cpus} is less than the {LEAST_CPUS} that Docker gives at least"
        ));
    }
    if cpus > there as f64 {
        return refuse(format!("{cpus} are wanted, and Docker has {there}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_docker_would_refuse_or_ignore_are_told_by_the_option_s_name() {
        let machine = || SystemInfo {
            ncpu: Some(2),
            memory_limit: Some(true),
            cpu_cfs_quota: Some(true),
            ..SystemInfo::default()
        };
        let check = |memory_bytes, cpus, info: SystemInfo, expected: Option<&str>| {
            let found = check(&Limits { cpus, memory_bytes }, &info);
            let found = found.err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected);
        };
        check(None, None, machine(), None);
        check(Some(LEAST_MEMORY), Some(2.0), machine(), None);
        check(
            Some(1),
            Some(2.0),
            SystemInfo::default(),
            Some(
                "resources.memory cannot be kept here: 1 bytes are less than the 6 MiB that Docker gives at least",
            ),
        );
        check(
            None,
            Some(2.5),
            machine(),
            Some("resources.cpus cannot be kept here: 2.5 are wanted, and Docker has 2"),
        );
        check(
            None,
            Some(0.001),
            machine(),
            Some(
                "resources.cpus cannot be kept here: 0.001 is less than the 0.01 that Docker gives at least",
            ),
        );
        let weak = || SystemInfo {
            memory_limit: Some(false),
            cpu_cfs_quota: Some(false),
            ..machine()
        };
        check(None, None, weak(), None);
        check(
            Some(1 << 30),
            None,
            weak(),
            Some("resources.memory cannot be kept here: Docker cannot limit memory on this machine's kernel"),
        );
        check(
            None,
            Some(1.0),
            weak(),
            Some(
                "resources.cpus cannot be kept here: Docker cannot limit processors on this machine's kernel",
            ),
        );
    }
}
