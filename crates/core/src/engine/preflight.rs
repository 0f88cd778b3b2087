//! Does the program at hand know the flags we are about to pass?
//!
//! The one idea: flags come and go between builds, and the program's own help is the only
//! list that is true of it. A flag counts as known wherever the help mentions it, so that we
//! never refuse what would have worked; and help that lists too little says nothing.

use std::collections::BTreeSet;

use super::dialect::{Dialect, with_dashes};
use super::text::is_flag;
use super::{Arg, LaunchPlan};
use crate::problem::{Problem, closest};

/// Help that mentions fewer flags than this is not a list of flags.
const FEWEST: usize = 10;

/// Every flag that a help text mentions, with `-` for `_` and without dashes before it.
///
/// Reads the layouts of llama.cpp (`-c, --ctx-size N`), argparse (`--x X, -x X`,
/// `--x | --no-x`), click and clap (`-x, --long <VALUE>`), and `--[no-]x`.
pub fn known_flags(help: &str) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut before = ' ';
    let mut rest = help;
    while let Some(next) = rest.chars().next() {
        if next == '-' && !before.is_alphanumeric() && before != '_' && before != '-' {
            let (names, length) = flag_at(rest);
            known.extend(names);
            rest = &rest[length..];
            before = '-';
        } else {
            rest = &rest[next.len_utf8()..];
            before = next;
        }
    }
    known
}

/// The names at the start of `text`, which begins with a dash, and the bytes read.
fn flag_at(text: &str) -> (Vec<String>, usize) {
    let undashed = text.trim_start_matches('-');
    let dashes = text.len() - undashed.len();
    if dashes > 2 {
        return (Vec::new(), dashes);
    }
    let (optional, name_text) = match undashed.strip_prefix("[no-]") {
        Some(rest) => (5, rest),
        None => (0, undashed),
    };
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let length = name_text.find(|c| !is_part(c)).unwrap_or(name_text.len());
    let name = with_dashes(name_text[..length].trim_end_matches(['-', '.']));
    let mut names = Vec::new();
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        if optional > 0 {
            names.push(format!("no-{name}"));
        }
        names.push(name);
    }
    (names, dashes + optional + length)
}

/// The plan's flags that the help does not mention.
pub(crate) fn check(dialect: &Dialect, help: &str, plan: &LaunchPlan) -> Vec<Problem> {
    let known = known_flags(help);
    if known.len() < FEWEST || !mentions_port(&known, plan) {
        return Vec::new();
    }
    // What stands before the port is the recipe's own, and for no user to change.
    let chosen = plan.args.iter().skip_while(|arg| **arg != Arg::Port);
    let unknown = chosen.filter_map(|arg| match arg {
        Arg::Literal(text) if is_flag(text) && !is_known(dialect, &known, text) => {
            Some(text.split('=').next().unwrap_or(text))
        }
        _ => None,
    });
    unknown.map(|flag| complain(&known, flag)).collect()
}

/// Whether this help is of the program that the plan starts: it must know the port's flag.
fn mentions_port(known: &BTreeSet<String>, plan: &LaunchPlan) -> bool {
    let ports = plan.args.iter().zip(plan.args.iter().skip(1));
    ports
        .filter(|(_, arg)| **arg == Arg::Port)
        .all(|(flag, _)| matches!(flag, Arg::Literal(flag) if known.contains(&with_dashes(flag.trim_start_matches('-')))))
}

fn is_known(dialect: &Dialect, known: &BTreeSet<String>, flag: &str) -> bool {
    let name = flag.trim_start_matches('-');
    let name = name.split(['=', '.']).next().unwrap_or(name);
    let name = with_dashes(name);
    if !dialect.abbreviates {
        return known.contains(&name);
    }
    // argparse takes -O3 for -O with a value, and a flag's beginning for the flag.
    let is_attached = !flag.starts_with("--") && name.get(..1).is_some_and(|letter| known.contains(letter));
    is_attached || known.iter().any(|known| known.starts_with(&name))
}

fn complain(known: &BTreeSet<String>, flag: &str) -> Problem {
    let name = with_dashes(flag.trim_start_matches('-'));
    // Short names are near everything; a guess among them would mislead.
    let long = known.iter().map(String::as_str).filter(|name| name.len() > 3);
    let meant = closest(&name, long);
    let advice = match meant {
        Some(meant) => format!("did you mean --{meant}? "),
        None => String::new(),
    };
    let hint =
        format!("{advice}flags come and go between builds; the program's own help lists what this one knows");
    Problem::new("", format!("the engine's program does not know {flag}")).with_hint(hint)
}
