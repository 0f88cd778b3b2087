//! The task's own arguments, `engine.args`, beside a candidate's.
//!
//! The one idea: the fixed arguments are cut into flags with what belongs to them, so that a
//! candidate's flag replaces the fixed one instead of standing beside it. Which of two equal
//! flags a program heeds differs between programs; with one there is no question.

use super::catalogue::FlagKind;
use super::dialect::Dialect;
use super::flags::{Flag, reserved_complaint};
use super::text::{has_control, is_flag};
use crate::problem::Problem;

/// Where the fixed arguments stand in a task document.
pub(crate) const PATH: &str = "engine.args";

/// One fixed flag with its values, or a single argument that belongs to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The flag, resolved; `None` for an argument that is no flag.
    pub(crate) name: Option<String>,
    /// Its arguments as written.
    pub(crate) arguments: Vec<String>,
    /// What the flag is set to.
    pub(crate) value: Option<String>,
}

/// The fixed arguments cut into flags with their values.
pub(crate) fn groups(dialect: &Dialect, arguments: &[String]) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        if !is_flag(argument) {
            groups.push(Group {
                name: None,
                arguments: vec![argument.clone()],
                value: None,
            });
            continue;
        }
        let (spelt, joined) = match argument.split_once('=') {
            Some((spelt, value)) => (spelt, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let resolved = dialect.resolve(spelt.trim_start_matches('-'));
        let kind = dialect.find(&resolved.name).map(|flag| flag.kind);
        let mut group = Group {
            name: Some(resolved.name),
            arguments: vec![argument.clone()],
            value: joined,
        };
        if kind.is_some_and(FlagKind::is_switch) {
            group.value = Some(if resolved.is_negated { "off" } else { "on" }.to_owned());
        } else if group.value.is_none() {
            let most = if kind == Some(FlagKind::List) {
                usize::MAX
            } else {
                1
            };
            let mut values: Vec<String> = Vec::new();
            while values.len() < most
                && let Some(value) = rest.next_if(|next| !is_flag(next))
            {
                values.push(value.clone());
            }
            group.value = (!values.is_empty()).then(|| values.join(" "));
            group.arguments.extend(values);
        }
        groups.push(group);
    }
    groups
}

/// What is wrong with fixed arguments of an engine that we know.
pub(crate) fn check(dialect: &Dialect, arguments: &[String]) -> Vec<Problem> {
    let mut problems = check_text(arguments);
    if let Some(index) = arguments.iter().position(|argument| argument == "--") {
        let message = "\"--\" would end the flags, and the candidate's follow";
        problems.push(Problem::new(format!("{PATH}[{index}]"), message).with_hint("leave it out"));
    }
    for name in groups(dialect, arguments)
        .into_iter()
        .filter_map(|group| group.name)
    {
        if let Some(reserved) = dialect.reserved(&name) {
            let (message, hint) = reserved_complaint(reserved);
            problems.push(Problem {
                path: PATH.to_owned(),
                message,
                hint,
            });
        }
    }
    problems
}

/// What no argument of any program may hold.
pub(crate) fn check_text(arguments: &[String]) -> Vec<Problem> {
    let complain = |index: usize| {
        let message = "the argument holds a line break or another control character";
        Problem::new(format!("{PATH}[{index}]"), message)
    };
    let has_problem = |(_, argument): &(usize, &String)| has_control(argument);
    arguments
        .iter()
        .enumerate()
        .filter(has_problem)
        .map(|(index, _)| complain(index))
        .collect()
}

/// The groups that no flag of the candidate replaces.
pub(crate) fn kept(groups: Vec<Group>, flags: &[Flag]) -> Vec<Group> {
    let is_kept = |group: &Group| {
        let name = group.name.as_deref();
        !flags.iter().any(|flag| Some(flag.name.as_str()) == name)
    };
    groups.into_iter().filter(is_kept).collect()
}
