//! How many GPUs a configuration needs.
//!
//! The one idea: the parallel sizes multiply, and a size that lies inside others takes no GPUs
//! of its own but has to divide them. Which flags are parallel sizes, and which lie inside
//! which, each engine says for itself.

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
            product = product.checked_mul(size(entry)?).ok_or_else(|| {
                Problem::new(
                    &entry.path,
                    "the parallel sizes multiply to more GPUs than there are",
                )
                .with_hint("lower one of the parallel sizes")
            })?;
        }
        Ok(product)
    }

    /// That these sizes lie inside those: multiplied, they divide what those multiply to.
    ///
    /// # Errors
    /// They do not, or one of them is no size.
    pub(crate) fn check_inside(&self, inner: &[&str], outer: &[&str]) -> Result<(), Problem> {
        let (part, whole) = (self.product(inner)?, self.product(outer)?);
        let Some(entry) = inner.iter().rev().find_map(|name| self.last(name)) else {
            return Ok(());
        };
        if whole.is_multiple_of(part) {
            return Ok(());
        }
        let message = format!(
            "{} is {part}, which does not divide {} of {whole}: it lies inside",
            inner.join(" × "),
            outer.join(" × "),
        );
        Err(Problem::new(&entry.path, message).with_hint("choose sizes of which one divides the other"))
    }

    /// That this size is no larger than that one.
    ///
    /// # Errors
    /// It is, or one of them is no size.
    pub(crate) fn check_within(&self, part: &str, whole: &str) -> Result<(), Problem> {
        let (size, most) = (self.product(&[part])?, self.product(&[whole])?);
        match self.last(part) {
            Some(entry) if size > most => {
                let message = format!("--{part} is {size}, more than --{whole} of {most}");
                Err(Problem::new(&entry.path, message).with_hint(format!("raise {whole}, or lower {part}")))
            }
            _ => Ok(()),
        }
    }

    fn last(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.name == name)
    }
}

fn size(entry: &Entry) -> Result<u32, Problem> {
    let size = entry.value.parse::<u32>().ok().filter(|size| *size > 0);
    size.ok_or_else(|| {
        let message = format!("--{} is {}, which is no size", entry.name, entry.value);
        Problem::new(&entry.path, message).with_hint("give a whole number of at least 1")
    })
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
