//! A space in the making: parameters, constraints, and what does not vary.
//!
//! The one idea: a flag is the same however it is spelt, so whoever looks for one asks for it
//! by the engine's one name. What is worth trying is not decided here.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::engine::{EngineKind, catalogue};
use crate::problem::Problem;
use crate::space::{Candidate, ParameterName, Target, Value};
use crate::spec::{EngineSpec, ParameterSpec, ParameterValues, Range};

/// A space in the making.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// For which engine.
    pub(super) engine: EngineKind,
    /// What varies.
    pub(super) parameters: Vec<(String, ParameterSpec)>,
    /// What every configuration must meet.
    pub(super) constraints: Vec<String>,
    /// What does not vary.
    pub(super) fixed: Vec<(String, Json)>,
}

impl Draft {
    /// Nothing yet.
    pub(super) fn new(engine: EngineKind) -> Self {
        Self {
            engine,
            parameters: Vec::new(),
            constraints: Vec::new(),
            fixed: Vec::new(),
        }
    }

    /// A flag that is on or off.
    pub(super) fn switch(&mut self, name: &str) {
        let spec = ParameterValues::Range(Range::Boolean).into();
        self.parameters.push((name.to_owned(), spec));
    }

    /// A flag with these values.
    pub(super) fn list<T: Into<Json>>(&mut self, name: &str, values: impl IntoIterator<Item = T>) {
        let values = values.into_iter().map(Into::into).collect();
        self.parameters
            .push((name.to_owned(), ParameterValues::List(values).into()));
    }

    /// A limit on tokens: ratios count, and nobody needs it finer than by 512.
    pub(super) fn tokens(&mut self, name: &str, low: u32, high: u32) {
        let range = Range::Integer {
            low: low.into(),
            high: high.into(),
            step: Some(512),
            log: true,
        };
        self.parameters
            .push((name.to_owned(), ParameterValues::Range(range).into()));
    }

    /// A flag with any number between.
    pub(super) fn range(&mut self, name: &str, low: f64, high: f64) {
        let range = Range::Continuous {
            low,
            high,
            log: false,
        };
        self.parameters
            .push((name.to_owned(), ParameterValues::Range(range).into()));
    }

    /// A condition on every configuration.
    pub(super) fn require(&mut self, constraint: &str) {
        self.constraints.push(constraint.to_owned());
    }

    /// A flag with one value for all.
    pub(super) fn fix(&mut self, name: &str, value: impl Into<Json>) {
        self.fixed.push((name.to_owned(), value.into()));
    }

    /// Where among the parameters this flag or variable is, however it is spelt.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let wanted = self.one_name(name);
        self.parameters
            .iter()
            .position(|(known, _)| self.one_name(known) == wanted)
    }

    /// The one name of a flag or variable.
    pub(super) fn one_name(&self, name: &str) -> String {
        let name = ParameterName::new(name);
        match name.target() {
            Target::Flag(_) => catalogue::identity(Some(self.engine), &name),
            _ => name.as_str().to_owned(),
        }
    }

    /// Whether the name is a switch's negation, `no-x`.
    pub(super) fn is_negation(&self, name: &str) -> bool {
        catalogue::is_negation(Some(self.engine), &ParameterName::new(name))
    }

    /// What does not vary, as a task document says it.
    ///
    /// # Errors
    /// What the engine would refuse.
    pub(super) fn fixed_settings(&self) -> Result<EngineSpec, Vec<Problem>> {
        let mut args = Vec::new();
        let mut env = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, value) in &self.fixed {
            let name = ParameterName::new(name);
            if let Target::Environment(variable) = name.target() {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                env.insert(variable.to_owned(), text);
                continue;
            }
            match arguments(self.engine, &name, value) {
                Ok(arguments) => args.extend(arguments),
                Err(messages) => problems.extend(messages.iter().map(|message| Problem::new("fix", message))),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(EngineSpec {
            args: Some(args).filter(|args| !args.is_empty()),
            env: Some(env).filter(|env| !env.is_empty()),
            ..EngineSpec::default()
        })
    }
}

/// A flag with a value as the engine's command line spells it.
///
/// # Errors
/// Why the engine would refuse it.
pub(super) fn arguments(
    engine: EngineKind,
    name: &ParameterName,
    value: &Json,
) -> Result<Vec<String>, Vec<String>> {
    let value = Value::from_json(value).map_err(|message| vec![message])?;
    let candidate = Candidate::new([(name.clone(), value)]);
    engine.engine().flags(&candidate).map_err(|problems| {
        let told = |problem: Problem| match problem.hint {
            Some(hint) => format!("{}; {hint}", problem.message),
            None => problem.message,
        };
        problems.into_iter().map(told).collect()
    })
}
