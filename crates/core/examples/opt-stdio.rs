//! Asks the model-based search for suggestions over standard input and output, one JSON
//! object a line, so that any harness can replay tables of measurements against it.
//!
//! `--staged` judges every level of a measurement and gives up what is hopeless; `--stop` ends
//! when nothing worthwhile is left; `--earlier=FILE` begins with what an earlier search was told.

use std::io::{BufRead, Write};

use autotuner_core::search::bayesian::{
    Advice, Axis, Crash, Goal, Outcome, Output, Point, Prospect, Search, Suggestion, Trial, Worth, advise,
    prospect,
};
use serde_json::{Value, json};

/// Trials of the spread design: a few more than there are axes, as each axis has at least one
/// effect of its own to be told from the others', and some of the trials crash.
const BEYOND_AXES: usize = 3;

/// The least of them, however few axes there are.
const LEAST_SPREAD: usize = 8;

/// A gain that is worth another trial: 2 %, as most goals here are logarithms.
const WORTHWHILE: f64 = 0.02;

/// The problem as the harness describes it.
struct Replay {
    names: Vec<String>,
    values: Vec<Vec<Value>>,
    axes: Vec<Axis>,
    goal: Formula,
    budget: usize,
    seed: u64,
    history: Vec<Trial>,
    advice: Option<Advice>,
    /// What was seen of each output of the point that is being measured.
    seen: Vec<Option<f64>>,
    /// What earlier tasks were told.
    earlier: Vec<Vec<Trial>>,
    /// Whether the search ends when nothing worthwhile is left.
    stops: bool,
}

/// One number of a measurement, by metric and level.
type Place = (String, usize);

struct Formula {
    maximize: bool,
    places: Vec<Place>,
    outputs: Vec<Output>,
    /// How many of the outputs the worth looks at: the first ones.
    counted: usize,
    /// Weight and output.
    terms: Vec<(f64, usize)>,
    /// Weight, output, threshold, steepness.
    soft: Vec<(f64, usize, f64, f64)>,
    /// Output, threshold, whether it is a lower limit.
    hard: Vec<(usize, f64, bool)>,
}

impl Goal for Formula {
    fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    fn worth(&self, row: &[f64]) -> Worth {
        let base: f64 = self
            .terms
            .iter()
            .map(|(weight, output)| weight * row[*output])
            .sum();
        let penalty: f64 = self
            .soft
            .iter()
            .map(|(weight, output, threshold, steepness)| {
                weight * (row[*output] / threshold - 1.0).max(0.0) / steepness
            })
            .sum::<f64>()
            .min(6.0);
        // Where everything is positive, ratios matter; elsewhere differences.
        let value = match (self.soft.is_empty() && self.counted < 3, self.maximize) {
            (true, true) => base,
            (true, false) => -base,
            (false, true) => base.max(1e-300).ln() - penalty,
            (false, false) => -base.max(1e-300).ln() - penalty,
        };
        let violation = self
            .hard
            .iter()
            .map(|(output, threshold, is_least)| {
                let size = if *threshold == 0.0 { 1.0 } else { threshold.abs() };
                let over = (row[*output] - threshold) / size;
                if *is_least { -over } else { over }
            })
            .fold(f64::NEG_INFINITY, f64::max);
        Worth { value, violation }
    }
}

/// The formula, and no output that it does not look at.
struct Counted<'a>(&'a Formula);

impl Goal for Counted<'_> {
    fn outputs(&self) -> &[Output] {
        &self.0.outputs[..self.0.counted]
    }

    fn worth(&self, row: &[f64]) -> Worth {
        self.0.worth(row)
    }
}

/// A trial with its first outputs only.
fn cut(trial: &Trial, outputs: usize) -> Trial {
    let outcome = match &trial.outcome {
        Outcome::Measured(row) => Outcome::Measured(row[..outputs].to_vec()),
        Outcome::Partial(row) => Outcome::Partial(row[..outputs].to_vec()),
        Outcome::Crashed(crash) => Outcome::Crashed(*crash),
    };
    Trial {
        point: trial.point.clone(),
        outcome,
    }
}

impl Formula {
    fn of(objective: &Value) -> Self {
        let mut formula = Self {
            maximize: objective["direction"] == "maximize",
            places: Vec::new(),
            outputs: Vec::new(),
            counted: 0,
            terms: Vec::new(),
            soft: Vec::new(),
            hard: Vec::new(),
        };
        let list = |key: &str| objective[key].as_array().cloned().unwrap_or_default();
        let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or(1.0);
        for term in list("terms") {
            let output = formula.output(&term);
            formula.terms.push((number(&term, "weight"), output));
        }
        for term in list("soft") {
            let output = formula.output(&term);
            let (threshold, steepness) = (number(&term, "threshold"), number(&term, "steepness"));
            formula
                .soft
                .push((number(&term, "weight"), output, threshold, steepness));
        }
        for term in list("hard") {
            let output = formula.output(&term);
            formula
                .hard
                .push((output, number(&term, "threshold"), term["op"] == ">="));
        }
        formula.counted = formula.places.len();
        formula.earlier_levels();
        formula
    }

    /// The same metrics at the levels before those that count: they are measured anyway, and
    /// tell whether what follows is worth measuring.
    fn earlier_levels(&mut self) {
        let counted = self.places.clone();
        for (metric, last) in counted {
            for level in 0..last {
                self.place((metric.clone(), level));
            }
        }
    }

    fn output(&mut self, term: &Value) -> usize {
        let metric = term["metric"].as_str().unwrap_or_default().to_owned();
        let level = term["level"]
            .as_u64()
            .and_then(|level| usize::try_from(level).ok());
        self.place((metric, level.unwrap_or_default()))
    }

    fn place(&mut self, place: Place) -> usize {
        if let Some(known) = self.places.iter().position(|other| *other == place) {
            return known;
        }
        let same = self.places.iter().position(|(metric, _)| *metric == place.0);
        let group = match same {
            Some(other) => self.outputs[other].group,
            None => self
                .outputs
                .iter()
                .map(|output| output.group + 1)
                .max()
                .unwrap_or(0),
        };
        self.outputs.push(Output { group });
        self.places.push(place);
        self.places.len() - 1
    }
}

impl Replay {
    fn of(init: &Value) -> Self {
        let space = init["problem"]["space"].as_array().cloned().unwrap_or_default();
        let values: Vec<Vec<Value>> = space
            .iter()
            .map(|parameter| parameter["values"].as_array().cloned().unwrap_or_default())
            .collect();
        let axes = space
            .iter()
            .zip(&values)
            .map(|(parameter, values)| match parameter["type"].as_str() {
                Some("categorical" | "bool") => Axis::categorical(values.len()),
                _ => Axis::ordered(values.len()),
            })
            .collect();
        Self {
            names: space
                .iter()
                .map(|parameter| parameter["name"].as_str().unwrap_or_default().to_owned())
                .collect(),
            values,
            axes,
            goal: Formula::of(&init["problem"]["objective"]),
            budget: init["budget"]
                .as_u64()
                .and_then(|budget| budget.try_into().ok())
                .unwrap_or(60),
            seed: init["seed"].as_u64().unwrap_or(0),
            history: Vec::new(),
            advice: None,
            seen: Vec::new(),
            earlier: Vec::new(),
            stops: has_flag("--stop"),
        }
    }

    /// Asks something of the search as it stands, for a goal that looks at so many outputs.
    fn ask<T>(&self, goal: &dyn Goal, question: impl FnOnce(&Search<'_>) -> T) -> T {
        let outputs = goal.outputs().len();
        let history: Vec<Trial> = self.history.iter().map(|trial| cut(trial, outputs)).collect();
        let earlier: Vec<Vec<Trial>> = self
            .earlier
            .iter()
            .map(|trials| trials.iter().map(|trial| cut(trial, outputs)).collect())
            .collect();
        let earlier: Vec<&[Trial]> = earlier.iter().map(|trials| &trials[..]).collect();
        question(&Search {
            axes: &self.axes,
            allowed: &|_| true,
            settled: &|point| point,
            goal,
            history: &history,
            earlier: &earlier,
            pending: &[],
            budget: self.budget,
            initial: (self.axes.len() + BEYOND_AXES).max(LEAST_SPREAD),
            replicates: true,
            worthwhile: WORTHWHILE,
            stops: self.stops,
            seed: self.seed,
        })
    }

    fn advice(&mut self) -> &Advice {
        let advice = match self.advice.take() {
            Some(advice) => advice,
            None => self.ask(&Counted(&self.goal), advise),
        };
        self.advice.insert(advice)
    }

    /// Takes in an earlier task's tells, one a line; of values that are not in this space, none.
    fn recall(&mut self, tells: &str) -> serde_json::Result<()> {
        let mut trials = Vec::new();
        for line in tells.lines() {
            let told: Value = serde_json::from_str(line)?;
            let mut parameters = self.names.iter().zip(&self.values);
            if parameters.all(|(name, values)| values.contains(&told["config"][name])) {
                trials.push(self.trial(&told));
            }
        }
        self.earlier.push(trials);
        Ok(())
    }

    /// Whether the point that is being measured is given up after a level.
    fn report(&mut self, report: &Value) -> Prospect {
        let level = report["level"]
            .as_u64()
            .and_then(|level| usize::try_from(level).ok());
        let level = level.unwrap_or_default();
        if level == 0 {
            self.seen = vec![None; self.goal.places.len()];
        }
        for ((metric, at), seen) in self.goal.places.iter().zip(&mut self.seen) {
            if *at == level {
                *seen = report["metrics"][metric].as_f64();
            }
        }
        let point = self.point(&report["config"]);
        self.ask(&self.goal, |search| prospect(search, &point, &self.seen))
    }

    fn point(&self, config: &Value) -> Point {
        let parameters = self.names.iter().zip(&self.values);
        parameters
            .map(|(name, values)| {
                let level = values.iter().position(|value| *value == config[name]);
                level
                    .and_then(|level| u16::try_from(level).ok())
                    .unwrap_or_default()
            })
            .collect()
    }

    fn config(&self, point: &Point) -> Value {
        let pairs = self.names.iter().zip(&self.values).zip(point);
        pairs
            .map(|((name, values), level)| (name.clone(), values[usize::from(*level)].clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    fn trial(&self, told: &Value) -> Trial {
        let point = self.point(&told["config"]);
        let number = |(metric, level): &Place| told["metrics"][metric][*level].as_f64();
        let seen = || self.goal.places.iter().map(number);
        let outcome = match (told["status"].as_str(), told["error"].as_str()) {
            (Some("ok"), _) => Outcome::Measured(seen().map(|seen| seen.unwrap_or(f64::NAN)).collect()),
            (Some("aborted"), _) => Outcome::Partial(seen().collect()),
            (_, Some("invalid_arg")) => Outcome::Crashed(Crash::Refused),
            (_, Some("oom_startup")) => Outcome::Crashed(Crash::StartMemory),
            (_, Some("oom_load")) => Outcome::Crashed(Crash::LoadMemory),
            (_, Some("timeout")) => Outcome::Crashed(Crash::Time),
            _ => Outcome::Crashed(Crash::Flaky),
        };
        Trial { point, outcome }
    }
}

fn has_flag(flag: &str) -> bool {
    std::env::args().any(|argument| argument == flag)
}

fn main() -> std::io::Result<()> {
    let staged = has_flag("--staged");
    let mut replay: Option<Replay> = None;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        let answer = match (message["type"].as_str(), &mut replay) {
            (Some("init"), replay) => {
                let mut started = Replay::of(&message);
                for path in std::env::args()
                    .filter_map(|argument| argument.strip_prefix("--earlier=").map(str::to_owned))
                {
                    started.recall(&std::fs::read_to_string(path)?)?;
                }
                *replay = Some(started);
                json!({"type": "ready", "staged": staged})
            }
            (Some("bye"), _) => break,
            (Some("ask"), Some(replay)) => match replay.advice().next.clone() {
                Suggestion::Try { point, why } | Suggestion::Replicate { point, why } => {
                    json!({"type": "config", "config": replay.config(&point), "why": why})
                }
                Suggestion::Stop { why } => json!({"type": "stop", "why": why}),
            },
            (Some("tell"), Some(replay)) => {
                replay.history.push(replay.trial(&message));
                replay.advice = None;
                json!({"type": "ok"})
            }
            (Some("recommend"), Some(replay)) => {
                let Advice { best, remaining, .. } = replay.advice().clone();
                let config = best.map(|point| replay.config(&point));
                let (gain, chance) = remaining.map(|left| (left.expected_gain, left.chance)).unzip();
                json!({"type": "recommendation", "config": config, "gain": gain, "chance": chance})
            }
            (Some("report"), Some(replay)) => match replay.report(&message) {
                Prospect::Continue { chance } => json!({"type": "continue", "chance": chance}),
                Prospect::Abort { chance, why } => {
                    json!({"type": "abort", "chance": chance, "why": why})
                }
            },
            _ => break,
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
