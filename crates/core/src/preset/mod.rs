//! Presets: named lists of values to try, for one engine or for any.
//!
//! The one idea: a preset is nothing but a part of a task's `parameters`, so that whatever is
//! merged from presets can stand in a task file. Parameters and values keep the order in which
//! they were written, because a grid keeps it too. Where presets are stored is no matter here.

mod check;
mod file;
mod merge;
mod seed;
#[cfg(test)]
mod tests;
mod values;

pub use check::Findings;
pub use file::{VERSION, export, import};
pub use merge::{Conflict, MergeMode, Merged, Reason, merge};
pub use seed::seeded;
pub use values::ValueLists;

use serde_json::{Map, Value as Json};

use crate::engine::EngineKind;

/// Values to try, under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name, unique among presets.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// What it is for, in a word; presets are listed by it.
    pub category: Option<String>,
    /// The engine whose flags it sets; `None` where any engine will do.
    pub engine: Option<EngineKind>,
    /// The values of each parameter.
    pub parameters: ValueLists,
    /// Whether it came with the product.
    pub is_system: bool,
    /// What else its author wrote: `author`, `tags`, `recommended_for`. Kept as it is.
    pub metadata: Option<Map<String, Json>>,
}

impl Preset {
    /// How many configurations its values make; `None` where there are more than can be counted.
    pub fn combinations(&self) -> Option<u128> {
        let counts = self.parameters.iter().map(|(_, values)| values.len() as u128);
        counts.into_iter().try_fold(1_u128, u128::checked_mul)
    }
}
