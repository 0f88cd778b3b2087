//! How our containers are called, and how they are known to be ours.
//!
//! The labels decide. They are written in the same request that creates a container, so none
//! of ours is ever without them. The name is for people, and so that the same container is
//! never there twice.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Label;
use crate::instance::{Instance, Place};

/// The name of the instance that started it.
pub(crate) const INSTANCE: &str = "inference-autotuner.instance";
/// A number that no other deployment of its instance has.
pub(crate) const DEPLOYMENT: &str = "inference-autotuner.deployment";
const INSTANCES: &str = "inference-autotuner.instances-dir";
const HOST: &str = "inference-autotuner.host";
pub(crate) const TASK: &str = "inference-autotuner.task";
pub(crate) const EXPERIMENT: &str = "inference-autotuner.experiment";
pub(crate) const ATTEMPT: &str = "inference-autotuner.attempt";
pub(crate) const LOG_FILE: &str = "inference-autotuner.log-file";

/// The longest part of a name that a task's own name may make up.
const LONGEST_TASK: usize = 40;

/// Whose containers these are: one instance, known by its name, folder and machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) instance: String,
    pub(crate) instances: PathBuf,
    pub(crate) host: String,
}

/// What the labels of one of ours say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labels {
    pub(crate) owner: Owner,
    pub(crate) task: String,
    pub(crate) experiment: u32,
    pub(crate) attempt: u32,
    pub(crate) log_file: PathBuf,
}

impl Owner {
    /// Us.
    pub(crate) fn of(instance: &Instance, host: &str) -> Self {
        Self {
            instance: instance.name().to_owned(),
            instances: whole_path(instance.instances()),
            host: host.to_owned(),
        }
    }

    /// Any instance of this folder on this machine; `None` where the machine's name is unknown.
    pub(crate) fn of_folder(instances: &Path) -> Option<Self> {
        Some(Self {
            instance: String::new(),
            instances: whole_path(instances),
            host: Place::here().ok()?.hostname,
        })
    }

    /// Whether both are instances of one folder on one machine.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.instances == other.instances && self.host == other.host
    }

    /// Labels without any deployment: for what runs only for a moment.
    pub(crate) fn labels(&self) -> HashMap<String, String> {
        [
            (INSTANCE, self.instance.clone()),
            (INSTANCES, self.instances.display().to_string()),
            (HOST, self.host.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// All labels of one deployment's container.
    pub(crate) fn labels_of(&self, label: &Label, number: u32) -> HashMap<String, String> {
        let mut labels = self.labels();
        labels.extend(
            [
                (TASK, label.task.clone()),
                (EXPERIMENT, label.experiment.to_string()),
                (ATTEMPT, label.attempt.to_string()),
                (LOG_FILE, label.log_file.display().to_string()),
                (DEPLOYMENT, number.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        labels
    }
}

impl Labels {
    /// Reads a container's labels; `None` for one that is not ours. What was run only for a
    /// moment has no task and no log file.
    pub(crate) fn read(labels: &HashMap<String, String>) -> Option<Self> {
        let text = |name: &str| labels.get(name).cloned();
        let number = |name| {
            text(name)
                .and_then(|number| number.parse().ok())
                .unwrap_or_default()
        };
        Some(Self {
            owner: Owner {
                instance: text(INSTANCE)?,
                instances: text(INSTANCES)?.into(),
                host: text(HOST)?,
            },
            task: text(TASK).unwrap_or_default(),
            experiment: number(EXPERIMENT),
            attempt: number(ATTEMPT),
            log_file: text(LOG_FILE).unwrap_or_default().into(),
        })
    }
}

/// The names that containers of this process have, or are about to have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Arc<Mutex<HashSet<String>>>);

/// A name that nobody else here may use. Dropped, it is free again.
#[derive(Debug)]
pub(crate) struct NameHold {
    names: Names,
    name: String,
}

impl Names {
    /// Takes a name; `None` when it is taken.
    pub(crate) fn hold(&self, name: &str) -> Option<NameHold> {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned()).then(|| NameHold {
            names: self.clone(),
            name: name.to_owned(),
        })
    }
}

impl NameHold {
    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }
}

impl Drop for NameHold {
    fn drop(&mut self) {
        let mut names = self.names.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(&self.name);
    }
}

/// The path of a folder as labels have it, whichever way it was reached.
pub(crate) fn whole_path(folder: &Path) -> PathBuf {
    std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

/// What a deployment's container is called. Equal for equal deployments, different for those
/// of other instances and of tasks whose names differ only in what a name cannot hold.
pub(crate) fn container_name(instance: &str, label: &Label) -> String {
    let Label {
        task,
        experiment,
        attempt,
        ..
    } = label;
    let hash = fingerprint(&format!("{instance}\0{task}"));
    format!(
        "autotuner-{}-{hash:08x}-exp{experiment}-a{attempt}",
        readable(task)
    )
}

/// What of a text may stand in a container's name.
fn readable(text: &str) -> String {
    let mut readable = String::new();
    for character in text.chars().flat_map(char::to_lowercase) {
        let is_fit = character.is_ascii_alphanumeric() || character == '.' || character == '_';
        if is_fit {
            readable.push(character);
        } else if !readable.ends_with('-') {
            readable.push('-');
        }
        if readable.len() >= LONGEST_TASK {
            break;
        }
    }
    match readable.trim_matches(['-', '.', '_']) {
        "" => "task".to_owned(),
        fit => fit.to_owned(),
    }
}

/// FNV-1a, folded to 32 bits: short, and the same for ever.
fn fingerprint(text: &str) -> u32 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(task: &str) -> Label {
        Label {
            task: task.to_owned(),
            experiment: 3,
            attempt: 2,
            log_file: "/logs/3.log".into(),
        }
    }

    #[test]
    fn any_task_makes_a_name_that_docker_takes() {
        let check = |task: &str, expected: &str| {
            let name = container_name("i", &label(task));
            let (start, end) = name
                .split_once(&format!("{:08x}", fingerprint(&format!("i\0{task}"))))
                .unwrap();
            assert_eq!(start, format!("autotuner-{expected}-"));
            assert_eq!(end, "-exp3-a2");
        };
        check("Tune Llama 3.1!", "tune-llama-3.1");
        check("", "task");
        check("模型", "task");
        check("--..__", "task");
        check(&"long ".repeat(50), "long-long-long-long-long-long-long-long");
        check("../../etc", "etc");
    }

    #[test]
    fn names_differ_between_instances_and_between_like_tasks() {
        let name = container_name("i", &label("a b"));
        assert_eq!(name, container_name("i", &label("a b")));
        assert_ne!(name, container_name("j", &label("a b")));
        assert_ne!(name, container_name("i", &label("a-b")));
    }

    #[test]
    fn labels_say_whose_a_container_is_and_strangers_have_none() {
        let owner = Owner {
            instance: "i".to_owned(),
            instances: "/data/instances".into(),
            host: "h".to_owned(),
        };
        let read = Labels::read(&owner.labels_of(&label("a b"), 1)).unwrap();
        assert_eq!(
            read,
            Labels {
                owner: owner.clone(),
                task: "a b".to_owned(),
                experiment: 3,
                attempt: 2,
                log_file: "/logs/3.log".into(),
            }
        );
        let mut partly = owner.labels();
        partly.remove(HOST);
        assert_eq!(Labels::read(&partly), None);
        assert_eq!(Labels::read(&HashMap::new()), None);
    }
}
