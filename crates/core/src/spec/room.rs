//! Configurations for which there is no room: held against the constraints, against what the
//! engine's parallel sizes allow together, and against the GPUs that an experiment may use.
//!
//! The one idea: what no configuration can do is told when the task is made, not experiment
//! by experiment. What is possible and too large is left out of the space with a warning, as
//! other impossible combinations are. How many GPUs a configuration takes is the engine's
//! matter. So is what it refuses whatever a configuration says, such as a fixed argument that
//! the product sets itself: the engine's defaults, which every run measures first, show it.

use super::findings::Findings;
use crate::engine::catalogue::Group;
use crate::engine::parallel::KEY;
use crate::engine::{EngineKind, PlanRequest};
use crate::problem::Problem;
use crate::space::{Candidate, Constraint, Parameter, ParameterName, Size, Space, Target, Value};
use crate::task::{DeploymentMode, EngineSettings, Model, Resources};

/// Most combinations that are held against constraints.
const MOST_COMBINATIONS: u128 = 20_000;

/// Most combinations of parallel sizes that are judged, each by a whole launch plan.
const MOST_SIZES: u128 = 2_000;

/// The rest of the task, as far as a launch plan needs it.
pub(super) struct Surroundings<'a> {
    /// What is served.
    pub(super) model: &'a Model,
    /// What is fixed for the engine.
    pub(super) settings: &'a EngineSettings,
    /// What one experiment may use.
    pub(super) resources: &'a Resources,
    /// Where engines run.
    pub(super) deployment: DeploymentMode,
    /// The constraints as the document lists them, those that cannot be read among them.
    pub(super) constraints: &'a [String],
}

impl<'a> Surroundings<'a> {
    fn request(&self, candidate: &'a Candidate, resources: &'a Resources) -> PlanRequest<'a> {
        PlanRequest {
            model: self.model,
            settings: self.settings,
            resources,
            candidate,
            deployment: self.deployment,
        }
    }

    /// Where the document has a constraint of the space.
    fn path_of(&self, constraint: &Constraint) -> String {
        let mut written = self.constraints.iter();
        match written.position(|source| source == constraint.source()) {
            Some(index) => format!("constraints[{index}]"),
            None => "constraints".into(),
        }
    }
}

/// The space without the parallel sizes that need more GPUs than an experiment may use, and
/// what the engine says where it refuses all of them.
pub(super) fn fitting(
    space: Space,
    kind: Option<EngineKind>,
    around: &Surroundings<'_>,
    findings: &Findings,
) -> (Space, Vec<Problem>) {
    check_constraints(&space, MEETS_NONE, around, findings);
    let Some(kind) = kind.filter(|_| findings.is_sound()) else {
        return (space, Vec::new());
    };
    let before = space.size();
    let (space, refused) = without_impossible(space, kind, around, findings);
    if findings.is_sound() && space.size() != before {
        check_constraints(&space, MEETS_NONE_LEFT, around, findings);
    }
    (space, refused)
}

/// Refuses what the engine refuses of its defaults, beside what is fixed, and what it refuses
/// of all parallel sizes. For a document without other problems.
pub(super) fn check_plans(
    kind: EngineKind,
    around: &Surroundings<'_>,
    refused: Vec<Problem>,
    findings: &Findings,
) {
    let defaults = Candidate::engine_default();
    let planned = kind.engine().plan(&around.request(&defaults, around.resources));
    for problem in planned.err().unwrap_or(refused) {
        findings.refuse(problem);
    }
}

const MEETS_NONE: &str = "no configuration meets";

/// The same of what is left once the parallel sizes are judged.
const MEETS_NONE_LEFT: &str = "none of the configurations with possible parallel sizes meets";

/// Refuses constraints that no configuration meets. Those that name a parameter with endlessly
/// many values are not judged.
fn check_constraints(space: &Space, says: &str, around: &Surroundings<'_>, findings: &Findings) {
    let is_listed = |parameter: &Parameter| parameter.domain.size().is_some();
    for constraint in space.constraints() {
        let names: Vec<String> = constraint
            .parameters()
            .iter()
            .map(|name| name.canonical())
            .collect();
        let part =
            space.part(|parameter| is_listed(parameter) && names.contains(&parameter.name.canonical()));
        if !part.constraints().contains(constraint) {
            continue;
        }
        if is_empty(&part, |candidate| constraint.holds(candidate)) {
            let problem = Problem::new(around.path_of(constraint), format!("{says} it"));
            findings.refuse(problem.with_hint("list other values, or change the condition"));
            return;
        }
    }
    let constraints: Vec<_> = space
        .constraints()
        .iter()
        .flat_map(|it| it.parameters())
        .collect();
    let is_named = |parameter: &Parameter| {
        constraints
            .iter()
            .any(|name| name.canonical() == parameter.name.canonical())
    };
    let part = space.part(|parameter| is_listed(parameter) && is_named(parameter));
    if part.constraints().len() > 1 && is_empty(&part, |candidate| part.allows(candidate)) {
        let problem = Problem::new("constraints", format!("{says} all of them"));
        findings.refuse(problem.with_hint("list other values, or change one of the conditions"));
    }
}

/// Whether none of the points is allowed; false where there are too many to tell.
fn is_empty(part: &Space, is_allowed: impl Fn(&Candidate) -> bool) -> bool {
    let Size::Finite(size) = part.size() else {
        return false;
    };
    let mut first = (0..size.min(MOST_COMBINATIONS)).filter_map(|rank| part.nth(rank));
    !first.any(|candidate| is_allowed(&candidate)) && size <= MOST_COMBINATIONS
}

fn without_impossible(
    space: Space,
    kind: EngineKind,
    around: &Surroundings<'_>,
    findings: &Findings,
) -> (Space, Vec<Problem>) {
    let part = space.part(|parameter| takes_gpus(kind, parameter));
    let size = match part.size() {
        Size::Finite(size) if size <= MOST_SIZES => size,
        _ => {
            findings.warn(too_many(&part));
            return (space, Vec::new());
        }
    };
    let most = around.resources.gpus.filter(|most| *most > 0).unwrap_or(u32::MAX);
    let mut found = Found::default();
    // What the constraints forbid is no matter of room.
    let points = (0..size).filter_map(|rank| part.nth(rank));
    for candidate in points.filter(|candidate| part.allows(candidate)) {
        match gpus(kind, around, &candidate) {
            Ok(needed) if needed > most => found.needs.push(needed),
            Ok(_) => found.kept.push(candidate),
            Err(problems) => found.refused.push(problems),
        }
    }
    if !found.tell(most, findings) {
        let is_all = found.kept.is_empty();
        let first = found.refused.into_iter().next().filter(|_| is_all);
        return (space, first.unwrap_or_default());
    }
    let names: Vec<ParameterName> = part
        .parameters()
        .iter()
        .map(|parameter| parameter.name.clone())
        .collect();
    let row = |candidate: &Candidate| -> Vec<Value> {
        let values = names.iter().map(|name| candidate.get(name.as_str()).cloned());
        values.map(|value| value.unwrap_or(Value::Unset)).collect()
    };
    let rows = found.kept.iter().map(row).collect();
    (space.restricted(&names, rows), Vec::new())
}

/// What is said of more parallel sizes than are judged.
fn too_many(part: &Space) -> Problem {
    let is_word = |parameter: &Parameter| matches!(parameter.name.target(), Target::Parallel(_));
    let path = if part.parameters().iter().any(is_word) {
        KEY
    } else {
        "parameters"
    };
    let message = format!(
        "has more than {MOST_SIZES} combinations of parallel sizes: what the engine refuses of them, \
         or what needs too many GPUs, is not left out and fails as an experiment"
    );
    Problem::new(path, message).with_hint("list fewer sizes")
}

/// What came of judging every combination of parallel sizes.
#[derive(Default)]
struct Found {
    /// The possible ones.
    kept: Vec<Candidate>,
    /// The GPUs of those that are too large.
    needs: Vec<u32>,
    /// What the engine says of those that it refuses.
    refused: Vec<Vec<Problem>>,
}

impl Found {
    /// Tells what is left out, or that nothing has room; whether the space gets smaller. What
    /// the engine refuses of all sizes may be no matter of them, and is told with its defaults.
    fn tell(&self, most: u32, findings: &Findings) -> bool {
        let size = self.kept.len() + self.needs.len() + self.refused.len();
        let hint = "raise resources.gpus, leave it out, or lower the parallel sizes";
        let range = self.needs.iter().min().zip(self.needs.iter().max());
        if self.kept.is_empty() {
            if let Some((least, _)) = range {
                let message = format!("is {most}, and every configuration needs at least {least} GPUs");
                findings.refuse(Problem::new("resources.gpus", message).with_hint(hint));
            }
            return false;
        }
        if let Some((_, largest)) = range {
            let message = format!(
                "is {most}: {} of {size} combinations of parallel sizes left out, which need up to {largest} GPUs",
                self.needs.len()
            );
            findings.warn(Problem::new("resources.gpus", message).with_hint(hint));
        }
        if let Some(first) = self.refused.first().and_then(|problems| problems.first()) {
            let message = format!(
                "{} of {size} combinations of parallel sizes left out: {}",
                self.refused.len(),
                first.message
            );
            findings.warn(Problem {
                message,
                ..first.clone()
            });
        }
        range.is_some() || !self.refused.is_empty()
    }
}

/// Whether the number of GPUs may depend on it.
fn takes_gpus(kind: EngineKind, parameter: &Parameter) -> bool {
    match parameter.name.target() {
        Target::Parallel(_) => true,
        Target::Flag(flag) => {
            let dialect = kind.engine().dialect();
            let name = dialect.resolve(flag).name;
            let is_of_sizes = dialect
                .find(&name)
                .is_some_and(|flag| flag.group == Group::Parallel);
            (is_of_sizes || name == "device") && parameter.domain.size().is_some()
        }
        Target::Environment(_) | Target::Quantization(_) => false,
    }
}

/// The GPUs that a configuration needs, whatever it may use.
///
/// # Errors
/// What the engine would refuse it for.
fn gpus(kind: EngineKind, around: &Surroundings<'_>, candidate: &Candidate) -> Result<u32, Vec<Problem>> {
    let unlimited = Resources {
        gpus: None,
        ..around.resources.clone()
    };
    let request = around.request(candidate, &unlimited);
    kind.engine().plan(&request).map(|plan| plan.gpus)
}
