//! How many GPUs a configuration needs.
//!
//! The one idea: the parallel sizes multiply. Which flags are parallel sizes, and when one
//! lies inside another, each engine says for itself.

use super::fixed::{self, Group};
use super::flags::Flag;
use crate::problem::Problem;
use crate::task::Resources;

/// All that is set, by the task and by the candidate: flag names and values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settled {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: String,
    value: String,
    path: String,
}

impl Settled {
    /// What the kept fixed arguments and the candidate's flags set; later ones count.
    pub(crate) fn new(fixed: &[Group], flags: &[Flag]) -> Self {
        let fixed = fixed.iter().filter_map(|group| {
            let (name, value) = (group.name.clone()?, group.value.clone()?);
            Some(Entry {
                name,
                value,
                path: fixed::PATH.to_owned(),
            })
        });
        let flags = flags.iter().filter_map(|flag| {
            Some(Entry {
                name: flag.name.clone(),
                value: flag.value.clone()?,
                path: flag.path.clone(),
            })
        });
        Self {
            entries: fixed.chain(flags).collect(),
        }
    }

    /// What a flag is set to, by its resolved name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.last(name).map(|entry| entry.value.as_str())
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.get(name) == Some("on")
    }

    /// The product of these sizes; one that is not set counts as 1.
    ///
    /// # Errors
    /// A size that is not a whole number of at least 1, or a product beyond all GPUs.
    pub(crate) fn product(&self, sizes: &[&str]) -> Result<u32, Problem> {
        let mut product = 1_u32;
        for entry in sizes.iter().filter_map(|name| self.last(name)) {
            let size = entry.value.parse::<u32>().ok().filter(|size| *size > 0);
            let Some(size) = size else {
                let message = format!("--{} is {}, which is no size", entry.name, entry.value);
                return Err(Problem::new(&entry.path, message).with_hint("give a whole number of at least 1"));
            };
            product = product.checked_mul(size).ok_or_else(|| {
                Problem::new(
                    &entry.path,
                    "the parallel sizes multiply to more GPUs than there are",
                )
                .with_hint("lower one of the parallel sizes")
            })?;
        }
        Ok(product)
    }

    fn last(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.name == name)
    }
}

/// The GPUs to ask for: what the task says, or what the configuration needs.
///
/// # Errors
/// The task gives some GPUs, and fewer than the configuration needs. No GPUs at all is a
/// wish to run on the CPU, and heeded.
pub(crate) fn gpus(resources: &Resources, needed: u32) -> Result<u32, Problem> {
    match resources.gpus {
        None => Ok(needed),
        Some(given) if given > 0 && given < needed => Err(Problem::new(
            "resources.gpus",
            format!("the parallel sizes need {needed} GPUs, and an experiment may use {given}"),
        )
        .with_hint("raise resources.gpus, leave it out, or lower the parallel sizes")),
        Some(given) => Ok(given),
    }
}
