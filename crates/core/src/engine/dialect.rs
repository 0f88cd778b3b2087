//! How one engine spells its flags, as data.
//!
//! The one idea: engines differ in tables, not in code. A [`Dialect`] says which names mean
//! the same flag, which are on or off, which are not for candidates to set, and how a value
//! is attached; what single flags are is the catalogue's. Nothing here looks at a candidate.

use super::catalogue::{FlagInfo, FlagKind};

/// How one engine spells its flags.
#[derive(Debug)]
pub struct Dialect {
    /// Flags whose kind we know.
    pub(crate) catalogue: &'static [FlagInfo],
    /// Other names of flags, each with the one that we use; names with `-` and no dashes before.
    pub(crate) aliases: &'static [(&'static str, &'static str)],
    /// Flags that the product sets itself or that would break the measurement.
    pub(crate) reserved: &'static [&'static str],
    /// Environment variables that do what a reserved flag does.
    pub(crate) reserved_variables: &'static [&'static str],
    /// How names are written.
    pub(crate) spelling: Spelling,
    /// How a value that begins with `-` is passed.
    pub(crate) dashed_values: DashedValues,
    /// Whether the program takes a flag's unambiguous beginning for the flag, as Python's
    /// argparse does; then `--por` is `--port`.
    pub(crate) abbreviates: bool,
}

/// How names are written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `--max-num-seqs`.
    Dashes,
    /// `--max_num_seqs`.
    Underscores,
    /// As the user wrote it.
    AsWritten,
}

/// How a value that begins with `-` is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DashedValues {
    /// As `--flag=value`, which no parser mistakes for another flag.
    Joined,
    /// As an argument of its own, and only when it is a number: the program knows no `=`.
    NumbersOnly,
}

/// A name resolved: which flag it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The one name of the flag, with `-`, without dashes before it.
    pub(crate) name: String,
    /// Whether the name given was the flag's negation, `no-x`.
    pub(crate) is_negated: bool,
}

impl Dialect {
    /// Which flag a name means, given without dashes before it.
    pub(crate) fn resolve(&self, spelt: &str) -> Resolved {
        let name = self.unaliased(with_dashes(spelt));
        if let Some(positive) = name.strip_prefix("no-") {
            let positive = self.unaliased(positive.to_owned());
            let kind = self.find(&positive).map(|flag| flag.kind);
            if kind.is_some_and(FlagKind::has_negation) {
                return Resolved {
                    name: positive,
                    is_negated: true,
                };
            }
        }
        Resolved {
            name,
            is_negated: false,
        }
    }

    /// What we know of the flag with this resolved name.
    pub(crate) fn find(&self, name: &str) -> Option<&'static FlagInfo> {
        self.catalogue.iter().find(|flag| with_dashes(flag.name) == name)
    }

    /// The reserved flag that this resolved name is, or would be taken for.
    pub(crate) fn reserved(&self, name: &str) -> Option<&'static str> {
        let is_abbreviation = |known: &str| {
            self.abbreviates && !name.is_empty() && self.find(name).is_none() && known.starts_with(name)
        };
        self.reserved
            .iter()
            .copied()
            .find(|known| *known == name)
            .or_else(|| self.reserved.iter().copied().find(|known| is_abbreviation(known)))
    }

    /// The flag with its dashes, as the engine spells it.
    pub(crate) fn spell(&self, name: &str, as_written: &str) -> String {
        match self.spelling {
            Spelling::Dashes => format!("--{name}"),
            Spelling::Underscores => format!("--{}", name.replace('-', "_")),
            Spelling::AsWritten => format!("--{as_written}"),
        }
    }

    fn unaliased(&self, name: String) -> String {
        self.aliases
            .iter()
            .find(|(alias, _)| *alias == name)
            .map_or(name, |(_, flag)| (*flag).to_owned())
    }
}

/// A name with `-` for `_`, up to the first dot: what follows it is a key of the value.
pub(crate) fn with_dashes(name: &str) -> String {
    match name.split_once('.') {
        Some((flag, key)) => format!("{}.{key}", flag.replace('_', "-")),
        None => name.replace('_', "-"),
    }
}
