//! Several presets as one.
//!
//! The one idea: presets are applied in the order in which they were asked for, and nothing is
//! dropped in silence: what could not be kept is a conflict, which a person can look at. Two
//! names of one flag are one parameter, under the name that came first; where one of them is
//! the flag's negation, its values are turned round.

use super::values::is_same;
use super::{Preset, ValueLists};
use crate::engine::EngineKind;
use crate::engine::catalogue::{identity, is_negation};
use crate::problem::Problem;
use crate::space::{ParameterName, Value};

/// How presets become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MergeMode {
    /// Every parameter of any, with the values of all.
    Union,
    /// The parameters of all, with the values that all have.
    Intersection,
    /// Every parameter of any, with the values of the last that has it.
    LastWins,
}

/// What became of some presets.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The engine that they are for, if any of them says one.
    pub engine: Option<EngineKind>,
    /// The values to try.
    pub parameters: ValueLists,
    /// What could not be kept, in the order in which it was met.
    pub conflicts: Vec<Conflict>,
    /// The names of the presets, in the order in which they were applied.
    pub applied: Vec<String>,
}

/// A parameter whose values could not all be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Its name in the result, or as it came first.
    pub parameter: String,
    /// What happened.
    pub reason: Reason,
}

/// Why a parameter's values could not all be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// No value is in all presets, so the parameter is left out.
    NoCommonValue,
    /// A later preset has other values.
    Overridden {
        /// The later preset's name.
        by: String,
        /// The values until then.
        previous: Vec<Value>,
        /// The values from then on.
        new: Vec<Value>,
    },
}

impl MergeMode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Union, Self::Intersection, Self::LastWins];

    /// The word in requests and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Union => "union",
            Self::Intersection => "intersection",
            Self::LastWins => "last_wins",
        }
    }

    /// The mode of this word, with `-` or `_`.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.replace('-', "_");
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

/// The presets as one, applied in the order in which they are given.
///
/// # Errors
/// There are none, or they are for different engines.
pub fn merge(presets: &[&Preset], mode: MergeMode) -> Result<Merged, Vec<Problem>> {
    let engine = common_engine(presets)?;
    let mut merging = Merging {
        engine,
        entries: Vec::new(),
        conflicts: Vec::new(),
    };
    for (index, preset) in presets.iter().enumerate() {
        match mode {
            MergeMode::Intersection if index > 0 => merging.keep_common(preset),
            _ => merging.add(preset, mode),
        }
    }
    if mode == MergeMode::Intersection {
        merging.leave_out_empty(presets);
    }
    let entries = merging.entries.into_iter();
    Ok(Merged {
        engine,
        parameters: ValueLists(entries.map(|entry| (entry.name, entry.values)).collect()),
        conflicts: merging.conflicts,
        applied: presets.iter().map(|preset| preset.name.clone()).collect(),
    })
}

/// A merge under way.
struct Merging {
    engine: Option<EngineKind>,
    entries: Vec<Entry>,
    conflicts: Vec<Conflict>,
}

struct Entry {
    identity: String,
    name: String,
    values: Vec<Value>,
}

impl Merging {
    fn identity(&self, name: &str) -> String {
        identity(self.engine, &ParameterName::new(name))
    }

    /// The values of one name as another name of the same flag says them.
    fn as_said_by(&self, known: &str, name: &str, values: &[Value]) -> Vec<Value> {
        let is_negation = |name: &str| is_negation(self.engine, &ParameterName::new(name));
        if is_negation(known) == is_negation(name) {
            values.to_vec()
        } else {
            values.iter().map(opposite).collect()
        }
    }

    /// Adds a preset's values to what there is, or puts them in its place.
    fn add(&mut self, preset: &Preset, mode: MergeMode) {
        for (name, values) in preset.parameters.iter() {
            let identity = self.identity(name);
            let Some(index) = self.entries.iter().position(|entry| entry.identity == identity) else {
                self.entries.push(Entry {
                    identity,
                    name: name.to_owned(),
                    values: distinct(values),
                });
                continue;
            };
            let values = distinct(&self.as_said_by(&self.entries[index].name, name, values));
            let entry = &mut self.entries[index];
            if mode == MergeMode::LastWins {
                if !are_same(&entry.values, &values) {
                    let reason = Reason::Overridden {
                        by: preset.name.clone(),
                        previous: entry.values.clone(),
                        new: values.clone(),
                    };
                    self.conflicts.push(Conflict {
                        parameter: entry.name.clone(),
                        reason,
                    });
                }
                entry.values = values;
            } else {
                entry.values.extend(values);
                entry.values = distinct(&entry.values);
            }
        }
    }

    /// Keeps what a further preset has too. A parameter that it lacks is dropped; one whose
    /// values it lacks stays for now, without any.
    fn keep_common(&mut self, preset: &Preset) {
        let mut kept = Vec::new();
        for mut entry in std::mem::take(&mut self.entries) {
            let mut lists = preset.parameters.iter();
            let Some((name, values)) = lists.find(|(name, _)| self.identity(name) == entry.identity) else {
                continue;
            };
            let values = self.as_said_by(&entry.name, name, values);
            entry
                .values
                .retain(|value| values.iter().any(|other| is_same(value, other)));
            kept.push(entry);
        }
        self.entries = kept;
    }

    fn leave_out_empty(&mut self, presets: &[&Preset]) {
        if presets.len() < 2 {
            return;
        }
        let conflicts = &mut self.conflicts;
        self.entries.retain(|entry| {
            if entry.values.is_empty() {
                conflicts.push(Conflict {
                    parameter: entry.name.clone(),
                    reason: Reason::NoCommonValue,
                });
            }
            !entry.values.is_empty()
        });
    }
}

/// The one engine of all presets that say one.
fn common_engine(presets: &[&Preset]) -> Result<Option<EngineKind>, Vec<Problem>> {
    if presets.is_empty() {
        let problem = Problem::new("presets", "there is nothing to merge");
        return Err(vec![problem.with_hint("name at least one preset")]);
    }
    let said = presets
        .iter()
        .filter_map(|preset| preset.engine.map(|engine| (engine, preset.name.as_str())));
    let Some((engine, first)) = said.clone().next() else {
        return Ok(None);
    };
    let complain = |(other, name): (EngineKind, &str)| {
        let message = format!(
            "\"{name}\" is for {}, and \"{first}\" for {}",
            other.as_str(),
            engine.as_str()
        );
        Problem::new("presets", message).with_hint("merge presets of one engine")
    };
    let problems: Vec<Problem> = said.filter(|(other, _)| *other != engine).map(complain).collect();
    if problems.is_empty() {
        Ok(Some(engine))
    } else {
        Err(problems)
    }
}

/// What a switch's negation is set to where the switch is set to this.
fn opposite(value: &Value) -> Value {
    match value {
        Value::Bool(is_on) => Value::Bool(!is_on),
        Value::Text(text) if text.eq_ignore_ascii_case("true") => Value::Bool(false),
        Value::Text(text) if text.eq_ignore_ascii_case("false") => Value::Bool(true),
        other => other.clone(),
    }
}

/// The values without repetitions, in order.
fn distinct(values: &[Value]) -> Vec<Value> {
    let mut distinct: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        if !distinct.iter().any(|known| is_same(known, value)) {
            distinct.push(value.clone());
        }
    }
    distinct
}

fn are_same(left: &[Value], right: &[Value]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
}
