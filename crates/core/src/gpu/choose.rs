//! Which GPUs an engine gets.
//!
//! The one idea: one rule says what stands between us and a GPU, and the same rule, asked of
//! the machine as if it were idle, says whether waiting can help at all. Several GPUs of one
//! engine are of one model and have about the same memory free; models are mixed only where
//! no model has enough, so that an engine does not get a pair today and a mixture tomorrow.

use std::collections::HashSet;
use std::fmt;

use super::{ComputeMode, GpuDevice, GpuHealth, GpuState, mebibytes};

/// When a GPU counts as free, and which go together.
#[derive(Debug, Clone, PartialEq)]
pub struct ChoiceRules {
    /// One that computes for more of the time, percent, is busy.
    pub most_utilization_percent: u8,
    /// One with less of its memory free, 0 to 1, is busy.
    pub least_free_share: f64,
    /// Least free memory over most free memory, among the GPUs of one engine.
    pub least_balance: f64,
    /// One with less memory, bytes, drives a display and computes nothing.
    pub least_memory_bytes: u64,
    /// Only those with this name. Figures from different models cannot be compared, so a task
    /// whose first engine ran on one model may insist on it.
    pub model: Option<String>,
}

impl Default for ChoiceRules {
    fn default() -> Self {
        Self {
            most_utilization_percent: 50,
            least_free_share: 0.8,
            least_balance: 0.8,
            least_memory_bytes: 2 << 30,
            model: None,
        }
    }
}

/// What stands between us and one GPU.
#[derive(Debug, Clone, PartialEq)]
pub enum Obstacle {
    /// It is held for another engine of ours.
    Held,
    /// It computes for this much of the time, percent.
    Computing(u8),
    /// Somebody uses its memory.
    Memory {
        /// Bytes that are free.
        free: u64,
        /// Bytes there are.
        total: u64,
    },
    /// This many processes compute on it, and it takes one only, or does not tell how much of
    /// it they use.
    Occupied(u32),
    /// Nobody may compute on it.
    Prohibited,
    /// It is split into instances (MIG).
    Split,
    /// It does not work, in the driver's words.
    Broken(String),
    /// It has too little memory to compute anything.
    Small,
    /// It is not of the model that is wanted.
    OtherModel,
}

impl Obstacle {
    /// Whether it is the same one, whatever the figures.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("is held for another engine"),
            Self::Computing(percent) => write!(f, "is {percent} % busy"),
            Self::Memory { free, total } => {
                let (free, total) = (mebibytes(*free) / 1024.0, mebibytes(*total) / 1024.0);
                write!(f, "has {free:.1} of {total:.1} GiB free")
            }
            Self::Occupied(1) => f.write_str("has a process computing on it"),
            Self::Occupied(count) => write!(f, "has {count} processes computing on it"),
            Self::Prohibited => f.write_str("is in compute mode prohibited"),
            Self::Split => f.write_str("is split into MIG instances, which are not supported"),
            Self::Broken(why) => write!(f, "does not work: {why}"),
            Self::Small => f.write_str("has too little memory"),
            Self::OtherModel => f.write_str("is of another model"),
        }
    }
}

/// Why there are no GPUs to be had, for people and for who decides whether to wait.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct NotEnough {
    /// How many were wanted.
    pub wanted: u32,
    /// Every GPU, and what stands between us and it; nothing where it is free.
    pub gpus: Vec<(GpuDevice, Option<Obstacle>)>,
    /// Whether it can be otherwise once others have finished.
    pub can_waiting_help: bool,
}

impl NotEnough {
    /// Whether it is for the same reasons, whatever the figures: then there is no news.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |one: &Option<Obstacle>, two: &Option<Obstacle>| match (one, two) {
            (Some(one), Some(two)) => one.is_like(two),
            (one, two) => one.is_none() && two.is_none(),
        };
        self.wanted == other.wanted
            && self.can_waiting_help == other.can_waiting_help
            && self.gpus.len() == other.gpus.len()
            && self
                .gpus
                .iter()
                .zip(&other.gpus)
                .all(|(one, two)| one.0.uuid == two.0.uuid && same(&one.1, &two.1))
    }

    fn free(&self) -> usize {
        self.gpus
            .iter()
            .filter(|(_, obstacle)| obstacle.is_none())
            .count()
    }
}

impl fmt::Display for NotEnough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.wanted == 1 { "GPU is" } else { "GPUs are" };
        write!(f, "{} {noun} wanted and ", self.wanted)?;
        match (self.gpus.len(), self.free()) {
            (0, _) => return f.write_str("this machine has none that can be seen"),
            (all, 0) => write!(f, "none of {all} is free")?,
            (all, free) if free < self.wanted as usize => write!(f, "{free} of {all} free")?,
            (_, free) => write!(
                f,
                "the {free} free ones do not go together: their model or memory differs"
            )?,
        }
        let mut separator = ": ";
        for (device, obstacle) in &self.gpus {
            let Some(obstacle) = obstacle else { continue };
            write!(f, "{separator}GPU {} ({}) {obstacle}", device.index, device.name)?;
            separator = "; ";
        }
        Ok(())
    }
}

/// GPUs that were chosen, best first.
pub type Choice = Vec<GpuDevice>;

/// The GPUs for an engine that wants this many, best first; equal ones by their index. `held`
/// are the uuids of those that are set aside for other engines.
///
/// # Errors
/// [`NotEnough`], which says why and whether waiting can help.
pub fn choose(
    states: &[GpuState],
    held: &HashSet<String>,
    wanted: u32,
    rules: &ChoiceRules,
) -> Result<Choice, NotEnough> {
    let count = wanted as usize;
    let ever = usable(states, |state| lasting(state, rules).is_none());
    let may_mix = !groups(&ever, false).iter().any(|group| group.len() >= count);
    let free = usable(states, |state| obstacle(state, held, rules).is_none());
    if let Some(chosen) = select(&free, count, may_mix, rules) {
        return Ok(chosen);
    }
    let idle: Vec<GpuState> = ever.iter().map(|state| as_if_idle(state)).collect();
    let idle: Vec<&GpuState> = idle.iter().collect();
    Err(NotEnough {
        wanted,
        gpus: states
            .iter()
            .map(|state| (state.device.clone(), obstacle(state, held, rules)))
            .collect(),
        can_waiting_help: select(&idle, count, may_mix, rules).is_some(),
    })
}

fn usable(states: &[GpuState], is_usable: impl Fn(&GpuState) -> bool) -> Vec<&GpuState> {
    let mut usable: Vec<&GpuState> = states.iter().filter(|state| is_usable(state)).collect();
    usable.sort_by_key(|state| state.device.index);
    usable
}

/// What stands between us and a GPU now; nothing where it is free.
pub fn obstacle(state: &GpuState, held: &HashSet<String>, rules: &ChoiceRules) -> Option<Obstacle> {
    if let Some(lasting) = lasting(state, rules) {
        return Some(lasting);
    }
    if held.contains(&state.device.uuid) {
        return Some(Obstacle::Held);
    }
    let utilization = state.utilization_percent.unwrap_or(0);
    if utilization > rules.most_utilization_percent {
        return Some(Obstacle::Computing(utilization));
    }
    let processes = state.processes.unwrap_or(0);
    let is_exclusive = state.compute_mode == ComputeMode::Exclusive;
    match (state.free_share(), state.memory_free_bytes()) {
        (Some(share), Some(free)) if share < rules.least_free_share => Some(Obstacle::Memory {
            free,
            total: state.device.memory_bytes,
        }),
        (Some(_), _) if !is_exclusive => None,
        _ if processes > 0 => Some(Obstacle::Occupied(processes)),
        _ => None,
    }
}

/// What no waiting changes.
fn lasting(state: &GpuState, rules: &ChoiceRules) -> Option<Obstacle> {
    let GpuDevice {
        name, memory_bytes, ..
    } = &state.device;
    match &state.health {
        GpuHealth::Usable => {}
        GpuHealth::Split => return Some(Obstacle::Split),
        GpuHealth::Broken(why) => return Some(Obstacle::Broken(why.clone())),
    }
    if state.compute_mode == ComputeMode::Prohibited {
        return Some(Obstacle::Prohibited);
    }
    if rules.model.as_ref().is_some_and(|model| model != name) {
        return Some(Obstacle::OtherModel);
    }
    (*memory_bytes > 0 && *memory_bytes < rules.least_memory_bytes).then_some(Obstacle::Small)
}

fn as_if_idle(state: &GpuState) -> GpuState {
    GpuState {
        memory_used_bytes: Some(0),
        utilization_percent: Some(0),
        processes: Some(0),
        ..state.clone()
    }
}

/// The GPUs by who may stand beside whom: one model, or with `mixed` one vendor.
fn groups<'a>(states: &[&'a GpuState], mixed: bool) -> Vec<Vec<&'a GpuState>> {
    let mut groups: Vec<Vec<&GpuState>> = Vec::new();
    for state in states {
        let goes_with = |group: &&mut Vec<&GpuState>| {
            let first = &group[0].device;
            first.vendor == state.device.vendor && (mixed || first.name == state.device.name)
        };
        match groups.iter_mut().find(goes_with) {
            Some(group) => group.push(state),
            None => groups.push(vec![state]),
        }
    }
    groups
}

/// The best that go together.
fn select(free: &[&GpuState], count: usize, may_mix: bool, rules: &ChoiceRules) -> Option<Choice> {
    let sets = groups(free, may_mix)
        .into_iter()
        .filter_map(|group| best_of(group, count, rules));
    // The first of equals, as `max_by` would not.
    let (_, chosen) = sets.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some(chosen)
}

/// The best of one group whose free memory is balanced, with the sum of their scores.
fn best_of(mut group: Vec<&GpuState>, count: usize, rules: &ChoiceRules) -> Option<(f64, Choice)> {
    group.sort_by(|one, two| {
        score(two)
            .total_cmp(&score(one))
            .then_with(|| one.device.index.cmp(&two.device.index))
    });
    let free = |state: &GpuState| state.memory_free_bytes().map(mebibytes);
    // Whichever of them has the least memory free, the others may have so much more.
    let with_least = |least: &&GpuState| {
        let chosen: Vec<&GpuState> = group
            .iter()
            .copied()
            .filter(|state| match (free(least), free(state)) {
                (Some(least), Some(free)) => free >= least && least >= rules.least_balance * free,
                (least, free) => least == free,
            })
            .take(count)
            .collect();
        let sum = chosen.iter().map(|state| score(state)).sum::<f64>();
        (chosen.len() == count).then_some((sum, chosen))
    };
    let (sum, chosen) = group
        .iter()
        .filter_map(with_least)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some((
        sum,
        chosen.into_iter().map(|state| state.device.clone()).collect(),
    ))
}

/// How free a GPU is: the original system's formula. What is not known earns nothing.
fn score(state: &GpuState) -> f64 {
    let idle = |percent: u8| 1.0 - f64::from(percent.min(100)) / 100.0;
    0.6 * state.free_share().unwrap_or(0.0) + 0.3 * state.utilization_percent.map_or(0.0, idle)
        - 0.1 * f64::from(state.processes.unwrap_or(0))
}
