//! What we know of each engine's flags: their kinds, defaults, limits and what to try first.
//!
//! The one idea: one table an engine, one line a flag. How a flag is said follows from its
//! kind, what a value may be from its range and its words, and what a person would try first
//! from its suggestion. A table knows nothing of a task, and a flag that it lacks is passed on
//! all the same: engines gain and lose flags with every release. Where we are not sure of a
//! default or a limit, it is left open. Flags that the product sets itself are not listed.

mod bounds;
mod check;
mod group;
mod llamacpp;
mod sglang;
mod sim;
#[cfg(test)]
mod tests;
mod trtllm;
mod vllm;

pub use bounds::{Bounds, End};
pub use check::{Remark, known, name_remark, range_remark, value_remark};
pub(crate) use check::{identity, is_negation, rivals};
pub use group::Group;
pub(super) use llamacpp::CATALOGUE as LLAMACPP;
pub(super) use sglang::CATALOGUE as SGLANG;
pub(super) use sim::CATALOGUE as SIM;
pub(super) use trtllm::CATALOGUE as TRTLLM;
pub(super) use vllm::CATALOGUE as VLLM;

use crate::space::Value;

/// What we know of one flag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlagInfo {
    /// The flag as the engine spells it, without its dashes.
    pub name: &'static str,
    /// What values it takes and how they are said.
    pub kind: FlagKind,
    /// The engine's default in words; empty where it depends or differs between versions.
    pub default: &'static str,
    /// What it does, in one line.
    pub help: &'static str,
    /// Its subject, which tells what it affects.
    pub group: Group,
    /// Numbers outside are impossible.
    pub range: Bounds,
    /// Numbers outside are possible and rarely meant.
    pub usual: Bounds,
    /// Words that a numeric flag takes beside numbers.
    pub words: &'static [&'static str],
    /// Whether a whole number may be written short, `8k`.
    pub is_suffixed: bool,
    /// Whether tuning it often pays.
    pub is_commonly_tuned: bool,
    /// What a person would try first.
    pub suggested: Suggested,
}

/// What values a flag takes and how they are said on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagKind {
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Any text.
    Text,
    /// Usually one of these words; versions differ, so others are passed on too.
    Choice(&'static [&'static str]),
    /// Several values, written with blanks between them and passed as separate arguments.
    List,
    /// Off unless present.
    Switch,
    /// `--x` for true and `--no-x` for false; left away, the engine decides.
    Toggle,
    /// On by default: nothing for true, `--no-x` for false.
    DefaultOn,
    /// Off by default: `--x` for true, nothing for false; `--no-x` is known and says the same.
    DefaultOff,
    /// A value `on`, `off` or `auto`; true and false mean the first two.
    OnOff,
    /// A value `1` or `0`; true and false mean these.
    OneZero,
}

/// What a person would try first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Suggested {
    /// We suggest nothing.
    Nothing,
    /// Whole numbers.
    Integers(&'static [i64]),
    /// Numbers.
    Numbers(&'static [f64]),
    /// Words.
    Words(&'static [&'static str]),
    /// On, and off.
    Both,
}

/// A table of flags, one line a flag: name, kind, default, help, and then what else is known,
/// as methods of [`FlagInfo`].
macro_rules! catalogue {
    ($($group:ident {
        $($name:literal, $kind:expr, $default:literal, $help:literal
            $(, $method:ident($($argument:expr),*))*;)*
    })*) => {
        &[$($(
            $crate::engine::catalogue::FlagInfo::new(
                $name, $kind, $default, $help, $crate::engine::catalogue::Group::$group,
            )$(.$method($($argument),*))*,
        )*)*]
    };
}
use catalogue;

impl FlagInfo {
    const fn new(
        name: &'static str,
        kind: FlagKind,
        default: &'static str,
        help: &'static str,
        group: Group,
    ) -> Self {
        let open = Bounds {
            low: None,
            high: None,
        };
        Self {
            name,
            kind,
            default,
            help,
            group,
            range: open,
            usual: open,
            words: &[],
            is_suffixed: false,
            is_commonly_tuned: false,
            suggested: Suggested::Nothing,
        }
    }

    /// At least this.
    const fn from(mut self, low: f64) -> Self {
        self.range.low = Some(End::included(low));
        self
    }

    /// At most this.
    const fn to(mut self, high: f64) -> Self {
        self.range.high = Some(End::included(high));
        self
    }

    /// More than this.
    const fn above(mut self, low: f64) -> Self {
        self.range.low = Some(End::excluded(low));
        self
    }

    /// Less than this.
    const fn below(mut self, high: f64) -> Self {
        self.range.high = Some(End::excluded(high));
        self
    }

    /// Rarely less than the first or more than the second.
    const fn usually(mut self, low: f64, high: f64) -> Self {
        self.usual.low = Some(End::included(low));
        self.usual.high = Some(End::included(high));
        self
    }

    /// These words beside numbers.
    const fn or(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }

    /// `8k` for 8000 or 8192, as the engine reads it.
    const fn suffixed(mut self) -> Self {
        self.is_suffixed = true;
        self
    }

    /// Tuning it often pays.
    const fn common(mut self) -> Self {
        self.is_commonly_tuned = true;
        self
    }

    /// Try these whole numbers.
    const fn integers(mut self, values: &'static [i64]) -> Self {
        self.suggested = Suggested::Integers(values);
        self
    }

    /// Try these numbers.
    const fn numbers(mut self, values: &'static [f64]) -> Self {
        self.suggested = Suggested::Numbers(values);
        self
    }

    /// Try these words.
    const fn texts(mut self, values: &'static [&'static str]) -> Self {
        self.suggested = Suggested::Words(values);
        self
    }

    /// Try both on and off.
    const fn both(mut self) -> Self {
        self.suggested = Suggested::Both;
        self
    }

    /// The words that it takes: all of them for a choice, those beside numbers for a number.
    pub fn choices(&self) -> &'static [&'static str] {
        match self.kind {
            FlagKind::Choice(words) => words,
            FlagKind::OnOff => &["on", "off", "auto"],
            FlagKind::OneZero => &["1", "0"],
            _ => self.words,
        }
    }

    /// What it may be, in words: its range and its choices; empty where both are open.
    pub fn limits(&self) -> String {
        let range = self.range.to_string();
        let known = std::iter::once(range.as_str()).filter(|range| !range.is_empty());
        let all: Vec<&str> = known.chain(self.choices().iter().copied()).collect();
        all.join(", ")
    }
}

impl FlagKind {
    /// Whether the flag is on or off and takes no value.
    pub fn is_switch(self) -> bool {
        matches!(
            self,
            Self::Switch | Self::Toggle | Self::DefaultOn | Self::DefaultOff
        )
    }

    /// Whether `--no-x` is a flag of the engine too.
    pub fn has_negation(self) -> bool {
        matches!(self, Self::Toggle | Self::DefaultOn | Self::DefaultOff)
    }

    /// A word for listings: `integer`, `switch`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Choice(_) => "choice",
            Self::List => "list",
            Self::Switch | Self::Toggle | Self::DefaultOn | Self::DefaultOff => "switch",
            Self::OnOff => "on/off",
            Self::OneZero => "1/0",
        }
    }
}

impl Suggested {
    /// The values, in the order in which to try them.
    pub fn values(self) -> Vec<Value> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Integers(values) => values.iter().map(|value| Value::Int(*value)).collect(),
            Self::Numbers(values) => values.iter().map(|value| Value::Float(*value)).collect(),
            Self::Words(values) => values.iter().map(|value| Value::from(*value)).collect(),
            Self::Both => vec![Value::Bool(true), Value::Bool(false)],
        }
    }
}
