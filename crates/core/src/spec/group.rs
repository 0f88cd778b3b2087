//! Dimensions that belong together: the fields of `quant_config` or of `parallel_config`.
//!
//! The one idea: every combination of the listed values is put before the engine's rules
//! once, when the task is made. What it cannot do is left out of the space with a warning,
//! and a part of which nothing remains is refused. What the rules are is the engine's matter.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::TaskSpec;
use super::findings::Findings;
use super::parameters::{ParameterValues, Range, distinct};
use crate::engine::portable::Setting;
use crate::engine::{EngineKind, fixed};
use crate::problem::Problem;
use crate::space::{Domain, Parameter, ParameterName, Space, Value};

/// Most combinations of one part that are judged.
const MOST_COMBINATIONS: usize = 20_000;

/// Most combinations of the engine's own flags beside which a part is judged.
const MOST_OWN: usize = 64;

/// Most different problems that are told of one part.
const MOST_TOLD: usize = 8;

/// Dimensions of the space, and which of their combinations are possible.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// One dimension a field.
    pub(super) parameters: Vec<Parameter>,
    /// The possible combinations, where not all are.
    rows: Option<Vec<Vec<Value>>>,
}

/// How a part of the document is judged.
pub(super) struct Part<'a> {
    /// Its key.
    pub(super) key: &'static str,
    /// What its fields' names begin with in candidates.
    pub(super) prefix: &'static str,
    /// Fields that stand for a flag even where their values send none.
    pub(super) owned: &'a [(&'a str, &'a str)],
    /// What is wrong with a value of a field, whatever the other fields are.
    pub(super) admits: &'a dyn Fn(&str, &Value) -> Result<(), Problem>,
    /// What one combination becomes, or what is wrong with it.
    pub(super) settings: &'a Judge<'a>,
}

type Judge<'a> = dyn Fn(&[(&str, &Value)]) -> Result<Vec<Setting>, Vec<Problem>> + 'a;

/// The rest of the task, which may set the same flags.
pub(super) struct Surroundings<'a> {
    /// The document.
    pub(super) spec: &'a TaskSpec,
    /// Its engine.
    pub(super) kind: EngineKind,
}

impl Group {
    /// The dimensions of these fields, unjudged: for a document that has a problem anyway.
    pub(super) fn unjudged(prefix: &str, lists: &[(&'static str, Vec<Json>)]) -> Self {
        let values = |values: &[Json]| values.iter().flat_map(Value::from_json).collect();
        let lists = lists.iter().filter(|(_, listed)| !listed.is_empty());
        let parameter = |(field, listed): &(&'static str, Vec<Json>)| Parameter {
            name: ParameterName::new(&format!("{prefix}{field}")),
            domain: Domain::Choice(values(listed)),
        };
        Self {
            parameters: lists.map(parameter).collect(),
            rows: None,
        }
    }

    /// The dimensions of these fields, with the combinations that the engine can do. Where
    /// it can do none, that is reported.
    pub(super) fn of(
        part: &Part<'_>,
        lists: Vec<(&'static str, Vec<Json>)>,
        surroundings: &Surroundings<'_>,
        findings: &Findings,
    ) -> Self {
        let fields: Vec<(&'static str, Vec<Value>)> = lists
            .iter()
            .filter_map(|(field, values)| Some((*field, admitted(part, field, values, findings)?)))
            .collect();
        let is_whole = fields.len() == lists.len();
        let judged = is_whole.then(|| Judged::of(part, &fields, findings)).flatten();
        let Some(judged) = judged else {
            return Self::unjudged(part.prefix, &lists);
        };
        for (field, note) in &judged.notes {
            findings.warn(Problem::new(path(part, field), *note));
        }
        tell_of_rivals(part, &judged.sent, surroundings, findings);
        let is_in_use = |place: usize, value: &Value| judged.rows.iter().any(|row| row[place] == *value);
        let mut parameters = Vec::with_capacity(fields.len());
        for (place, (field, values)) in fields.into_iter().enumerate() {
            let values: Vec<Value> = values
                .into_iter()
                .filter(|value| is_in_use(place, value))
                .collect();
            parameters.push(Parameter {
                name: ParameterName::new(&format!("{}{field}", part.prefix)),
                domain: Domain::Choice(values),
            });
        }
        let product: Option<u128> = parameters
            .iter()
            .map(|parameter| parameter.domain.size())
            .product();
        let is_whole = product == Some(judged.rows.len() as u128);
        Self {
            parameters,
            rows: (!is_whole).then_some(judged.rows),
        }
    }

    /// The space with only the possible combinations in it.
    pub(super) fn restrict(space: Space, group: Self) -> Space {
        let names: Vec<ParameterName> = group
            .parameters
            .iter()
            .map(|parameter| parameter.name.clone())
            .collect();
        match group.rows {
            Some(rows) => space.restricted(&names, rows),
            None => space,
        }
    }
}

/// Where the user wrote a field.
fn path(part: &Part<'_>, field: &str) -> String {
    let field = if field == "preset" { "presets" } else { field };
    format!("{}.{field}", part.key)
}

/// The values of a field that can be anything at all; `None` where there are none.
fn admitted(part: &Part<'_>, field: &str, values: &[Json], findings: &Findings) -> Option<Vec<Value>> {
    let values = distinct(&path(part, field), values, findings);
    let mut kept = Vec::with_capacity(values.len());
    let mut problems = Vec::new();
    for value in values {
        match (part.admits)(field, &value) {
            Ok(()) => kept.push(value),
            Err(problem) => problems.push(problem),
        }
    }
    let is_empty = kept.is_empty();
    for problem in problems {
        if is_empty {
            findings.refuse(problem);
        } else {
            let message = format!("{}; this one is left out", problem.message);
            findings.warn(Problem { message, ..problem });
        }
    }
    (!is_empty).then_some(kept)
}

/// What came of judging every combination.
struct Judged {
    /// The possible ones, in order.
    rows: Vec<Vec<Value>>,
    /// Every flag that one of them sends, with its field.
    sent: Vec<(&'static str, &'static str)>,
    /// What to say of some of them, with the field.
    notes: Vec<(&'static str, &'static str)>,
}

impl Judged {
    fn of(part: &Part<'_>, fields: &[(&'static str, Vec<Value>)], findings: &Findings) -> Option<Self> {
        let count = fields
            .iter()
            .try_fold(1_usize, |count, (_, values)| count.checked_mul(values.len()))
            .filter(|count| *count <= MOST_COMBINATIONS);
        let Some(count) = count else {
            let message = format!("lists more than {MOST_COMBINATIONS} combinations");
            findings.refuse(Problem::new(part.key, message).with_hint("list fewer values"));
            return None;
        };
        let mut judged = Self {
            rows: Vec::new(),
            sent: Vec::new(),
            notes: Vec::new(),
        };
        let mut complaints: Vec<(Problem, usize)> = Vec::new();
        for number in 0..count {
            let row = row(fields, number);
            let named: Vec<(&str, &Value)> = fields.iter().map(|(field, _)| *field).zip(&row).collect();
            match (part.settings)(&named) {
                Ok(settings) => {
                    judged.note(&settings);
                    judged.rows.push(row);
                }
                Err(problems) => {
                    for problem in problems {
                        match complaints.iter_mut().find(|(known, _)| *known == problem) {
                            Some((_, times)) => *times += 1,
                            None => complaints.push((problem, 1)),
                        }
                    }
                }
            }
        }
        let is_possible = !judged.rows.is_empty();
        for (problem, times) in complaints.into_iter().take(MOST_TOLD) {
            if is_possible {
                let message = format!("{times} of {count} combinations left out: {}", problem.message);
                findings.warn(Problem { message, ..problem });
            } else {
                findings.refuse(problem);
            }
        }
        is_possible.then_some(judged)
    }

    fn note(&mut self, settings: &[Setting]) {
        for setting in settings {
            let entry = (setting.flag, setting.field);
            if !self.sent.contains(&entry) {
                self.sent.push(entry);
            }
            let note = setting.note.map(|note| (setting.field, note));
            if let Some(note) = note.filter(|note| !self.notes.contains(note)) {
                self.notes.push(note);
            }
        }
    }
}

/// Combination `number`, the first field slowest.
fn row(fields: &[(&'static str, Vec<Value>)], number: usize) -> Vec<Value> {
    let mut rest = number;
    let mut row: Vec<Value> = fields
        .iter()
        .rev()
        .map(|(_, values)| {
            let value = values[rest % values.len()].clone();
            rest /= values.len();
            value
        })
        .collect();
    row.reverse();
    row
}

/// Says where the user sets, by the engine's own name, a flag that this part sets too: a
/// parameter wins over it, a fixed argument cannot stand beside it.
fn tell_of_rivals(
    part: &Part<'_>,
    sent: &[(&'static str, &'static str)],
    surroundings: &Surroundings<'_>,
    findings: &Findings,
) {
    let owned = part.owned.iter().map(|(field, flag)| (*flag, *field));
    let mut told: Vec<&str> = Vec::new();
    for (flag, field) in sent.iter().copied().chain(owned) {
        if told.contains(&flag) {
            continue;
        }
        told.push(flag);
        if let Some(parameter) = surroundings.parameter(flag) {
            let message = format!("parameters.{parameter} sets the same flag of the engine and wins over it");
            let hint = format!("leave one of them out; --{flag} follows from the parameter alone");
            findings.warn(Problem::new(path(part, field), message).with_hint(hint));
        } else if surroundings.has_argument(flag) {
            let message = format!("--{flag} is set by {} as well", path(part, field));
            findings.refuse(Problem::new("engine.args", message).with_hint("leave one of them out"));
        }
    }
}

impl Surroundings<'_> {
    /// Everything that the engine's own flags may say of these flags, one entry a possible
    /// combination: values by name, as far as parameters list them.
    pub(super) fn own_values(&self, flags: &[&str]) -> Vec<HashMap<String, String>> {
        let mut all: Vec<HashMap<String, String>> = vec![HashMap::new()];
        for flag in flags {
            let Some(values) = self
                .listed(flag)
                .filter(|values| all.len() * values.len() <= MOST_OWN)
            else {
                continue;
            };
            all = all
                .iter()
                .flat_map(|known| {
                    values.iter().map(move |value| {
                        let mut known = known.clone();
                        known.extend(value.clone().map(|value| ((*flag).to_owned(), value)));
                        known
                    })
                })
                .collect();
        }
        all
    }

    /// The values that a parameter lists for this flag, `None` among them where it leaves
    /// the flag away.
    fn listed(&self, flag: &str) -> Option<Vec<Option<String>>> {
        let name = self.parameter(flag)?;
        let (_, spec) = self.spec.parameters.0.iter().find(|(given, _)| given == name)?;
        match &spec.values {
            ParameterValues::List(values) => Some(values.iter().map(as_flag).collect()),
            ParameterValues::Range(Range::Boolean) => Some(vec![Some("off".into()), Some("on".into())]),
            ParameterValues::Range(Range::Integer { .. } | Range::Continuous { .. }) => None,
        }
    }

    /// What `engine.args` sets this flag to.
    pub(super) fn argument(&self, flag: &str) -> Option<String> {
        let args = self.spec.engine.as_ref()?.args.as_ref()?;
        let groups = fixed::groups(self.kind.engine().dialect(), args);
        let mut groups = groups.into_iter().rev();
        groups.find(|group| group.name.as_deref() == Some(flag))?.value
    }

    /// The parameter that sets this flag, as the user spelt it.
    fn parameter(&self, flag: &str) -> Option<&str> {
        let means_it = |name: &&str| self.resolved(ParameterName::new(name).as_str()) == flag;
        let mut names = self.spec.parameters.0.iter().map(|(name, _)| name.as_str());
        names.find(means_it)
    }

    /// Whether `engine.args` holds this flag.
    fn has_argument(&self, flag: &str) -> bool {
        let Some(args) = self.spec.engine.as_ref().and_then(|engine| engine.args.as_ref()) else {
            return false;
        };
        fixed::groups(self.kind.engine().dialect(), args)
            .iter()
            .any(|group| group.name.as_deref() == Some(flag))
    }

    fn resolved(&self, name: &str) -> String {
        self.kind.engine().dialect().resolve(name).name
    }
}

/// A listed value as a flag's value is told: switches as `on` and `off`.
fn as_flag(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::Bool(is_on) => Some(if *is_on { "on" } else { "off" }.to_owned()),
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
