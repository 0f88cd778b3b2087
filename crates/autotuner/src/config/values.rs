//! From the values of options, as they are written, to types that cannot be wrong.

use std::path::Path;
use std::time::Duration;

use super::ConfigError;
use crate::service::access::secret::Secret;

/// `~` in a file or in `--data-dir=~/x` is not a shell's to expand, and a directory of that
/// name wherever we happen to be started is nobody's wish.
pub(super) fn no_tilde(option: &'static str, path: &Path) -> Result<(), ConfigError> {
    let value = path.display().to_string();
    if value.starts_with('~') {
        return Err(ConfigError::Value {
            option,
            value,
            reason: "only a shell knows what ~ is; write the whole path",
        });
    }
    Ok(())
}

/// The URL of a database on a server; what is no such URL is not quoted, as it may hold a password.
pub(super) fn database(url: String) -> Result<Option<Secret>, ConfigError> {
    if url.is_empty() {
        return Ok(None);
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Some(Secret::new(url)));
    }
    Err(ConfigError::Value {
        option: "database",
        value: "what was given".into(),
        reason: "it is a URL like postgres://user:password@host/name; leave it out for a file in the data directory",
    })
}

pub(super) fn grace(seconds: f64) -> Result<Duration, ConfigError> {
    if (0.0..=600.0).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(ConfigError::Value {
        option: "stop_grace_seconds",
        value: seconds.to_string(),
        reason: "it lies between 0 and 600",
    })
}

pub(super) fn schedule_timeout(seconds: f64) -> Result<Duration, ConfigError> {
    if (1.0..=86_400.0).contains(&seconds) {
        return Ok(Duration::from_secs_f64(seconds));
    }
    Err(ConfigError::Value {
        option: "kubernetes_schedule_timeout_seconds",
        value: seconds.to_string(),
        reason: "it lies between 1 and 86400",
    })
}

pub(super) fn tasks_at_once(tasks: u32) -> Result<usize, ConfigError> {
    match usize::try_from(tasks) {
        Ok(tasks @ 1..=1000) => Ok(tasks),
        _ => Err(ConfigError::Value {
            option: "max_tasks",
            value: tasks.to_string(),
            reason: "it lies between 1 and 1000",
        }),
    }
}

/// An amount of memory with its unit, in bytes.
pub(super) fn memory(option: &'static str, text: &str) -> Result<u64, ConfigError> {
    autotuner_core::spec::memory_bytes(text).ok_or_else(|| ConfigError::Value {
        option,
        value: text.to_owned(),
        reason: "it is an amount of memory with its unit, for example 16GiB",
    })
}
