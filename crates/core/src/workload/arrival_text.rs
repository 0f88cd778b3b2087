//! How arrivals are written in one word: `poisson:10,20`.

use std::str::FromStr;
use std::time::Duration;

use super::arrival::{Arrival, Stage};
use crate::problem::closest;

/// Arrivals as a command line names them.
#[derive(Debug, Clone, PartialEq)]
pub enum ArrivalText {
    /// Arrivals that need nothing more.
    Ready(Arrival),
    /// `trace:FILE`: the recorded starts are in this file, which the caller must read.
    Trace(String),
}

/// Why arrivals cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArrivalError(String);

/// Kinds and what they look like.
const KINDS: [(&str, &str); 6] = [
    ("closed", "closed"),
    ("constant", "constant:10 or constant:10,20"),
    ("poisson", "poisson:10 or poisson:10,20"),
    ("gamma", "gamma:10:0.5 or gamma:10,20:0.5"),
    ("stages", "stages:5x30,20x60"),
    ("trace", "trace:FILE"),
];

/// Longest stage, in seconds: thirty days.
const MOST_SECONDS: f64 = 30.0 * 24.0 * 3600.0;

/// `closed`, `constant:RATE,…`, `poisson:RATE,…`, `gamma:RATE,…:BURSTINESS`,
/// `stages:RATExSECONDS,…` or `trace:FILE`; rates are requests a second.
impl FromStr for ArrivalText {
    type Err = ArrivalError;

    fn from_str(text: &str) -> Result<Self, ArrivalError> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        let fail = |why: String| ArrivalError(format!("arrival \"{text}\" {why}"));
        let Some((_, shape)) = KINDS.iter().find(|(known, _)| *known == kind) else {
            let kinds = KINDS.map(|(known, _)| known);
            return Err(fail(match closest(kind, kinds) {
                Some(known) => format!("is of an unknown kind; did you mean \"{known}\"?"),
                None => format!("is of an unknown kind; use one of {}", kinds.join(", ")),
            }));
        };
        match (kind, rest) {
            ("closed", None) => Ok(Arrival::Closed),
            ("constant", Some(rest)) => rates(rest).map(|rates| Arrival::Constant { rates }),
            ("poisson", Some(rest)) => rates(rest).map(|rates| Arrival::Poisson { rates }),
            ("gamma", Some(rest)) => gamma(rest),
            ("stages", Some(rest)) => stages(rest),
            ("trace", Some(file)) if !file.is_empty() => return Ok(Self::Trace(file.to_owned())),
            _ => Err(format!("is not complete, or has too much; write {shape}")),
        }
        .map(Self::Ready)
        .map_err(fail)
    }
}

fn rates(text: &str) -> Result<Vec<f64>, String> {
    text.split(',').map(|rate| positive("rate", rate)).collect()
}

fn gamma(text: &str) -> Result<Arrival, String> {
    let (rest, burstiness) = text
        .rsplit_once(':')
        .ok_or("has no burstiness; write gamma:10:0.5")?;
    Ok(Arrival::Gamma {
        rates: rates(rest)?,
        burstiness: positive("burstiness", burstiness)?,
    })
}

fn stages(text: &str) -> Result<Arrival, String> {
    let stage = |stage: &str| {
        let (rate, seconds) = stage
            .split_once('x')
            .ok_or_else(|| format!("has the stage \"{stage}\"; write RATExSECONDS"))?;
        let rate = match rate.trim() {
            "0" => 0.0,
            rate => positive("rate", rate)?,
        };
        let seconds = positive("time", seconds.strip_suffix('s').unwrap_or(seconds))?;
        if seconds > MOST_SECONDS {
            return Err(format!(
                "has a stage of {seconds} seconds; at most {MOST_SECONDS} (30 days)"
            ));
        }
        Ok(Stage {
            rate,
            lasts: Duration::from_secs_f64(seconds),
        })
    };
    let stages: Vec<Stage> = text.split(',').map(stage).collect::<Result<_, String>>()?;
    if stages.iter().all(|stage| stage.rate == 0.0) {
        return Err("starts nothing: no stage has a rate above 0".into());
    }
    Ok(Arrival::Stages {
        stages: stages.into(),
    })
}

fn positive(what: &str, text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err(format!("has the {what} \"{text}\"; a number above 0 is needed")),
    }
}
