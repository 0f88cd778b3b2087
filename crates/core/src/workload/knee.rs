//! The highest load that still meets the bounds, found in few looks.
//!
//! The one idea: a state machine without state. What was seen until now is handed in, and what
//! comes out is the next load to look at or the answer; so a search can be stopped, stored and
//! taken up again. Loads are doubled until one misses and halved after that, on a logarithmic
//! scale, since twice the load is as much of a step at 2 as at 200.
//!
//! It measures nothing and does not know what the bounds are. It holds that a load above one that
//! misses misses too: where noise says otherwise, the lowest miss counts.

/// What loads are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Requests a second: any number.
    Rate,
    /// Requests in flight: whole numbers.
    Whole,
}

/// Where to look, and how closely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knee {
    least: f64,
    most: f64,
    resolution: f64,
    grain: Grain,
}

/// What one look at a load has shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The load.
    pub load: f64,
    /// What came of it.
    pub verdict: LookVerdict,
}

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookVerdict {
    /// Every bound held.
    Meets,
    /// A bound did not hold.
    Misses,
    /// Requests came faster than they were answered, so that waiting would have grown without
    /// end. It is a miss that is not worth another look.
    OverSaturated,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Look at this load.
    Look(f64),
    /// Nothing more is to be learnt.
    Found(Found),
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The highest load that met every bound; `None` where not even the least did.
    pub highest_met: Option<f64>,
    /// The lowest that did not; `None` where even the most did.
    pub lowest_missed: Option<f64>,
    /// Whether the lowest that did not was over-saturated.
    pub is_over_saturated: bool,
    /// Why the search is over.
    pub end: End,
}

/// Why a search is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The two loads are as close as was asked.
    Resolution,
    /// The least load that may be looked at misses already.
    LeastMisses,
    /// The most that may be looked at still meets: the true knee may lie above.
    MostMeets,
}

impl Knee {
    /// A search from the least load to the most. The resolution is relative: 0.05 ends it when
    /// the lowest miss is at most 5 % above the highest load that met.
    ///
    /// # Errors
    /// What makes no sense of these numbers.
    pub fn new(least: f64, most: f64, resolution: f64, grain: Grain) -> Result<Self, String> {
        let is_number = |number: f64| number.is_finite() && number > 0.0;
        if !(is_number(least) && is_number(most)) {
            return Err(format!("loads are numbers above 0, not {least} and {most}"));
        }
        if least > most {
            return Err(format!("the least load, {least}, is above the most, {most}"));
        }
        if grain == Grain::Whole && (least.fract() != 0.0 || most.fract() != 0.0) {
            return Err(format!("{least} and {most} are not whole numbers"));
        }
        if !(FINEST..=1.0).contains(&resolution) {
            return Err(format!(
                "the resolution is {resolution}; give {FINEST} to 1, for example 0.05"
            ));
        }
        Ok(Self {
            least,
            most,
            resolution,
            grain,
        })
    }

    /// What to do after these looks, in whatever order they were made.
    pub fn next(&self, looks: &[Look]) -> Next {
        let is_met = |look: &&Look| look.verdict == LookVerdict::Meets;
        let misses = looks.iter().filter(|look| !is_met(look));
        let missed = misses.min_by(|left, right| left.load.total_cmp(&right.load));
        let below = |look: &&Look| missed.is_none_or(|missed| look.load < missed.load);
        let met = looks.iter().filter(is_met).filter(below).map(|look| look.load);
        let met = met.max_by(f64::total_cmp);
        let found = |end| {
            Next::Found(Found {
                highest_met: met,
                lowest_missed: missed.map(|missed| missed.load),
                is_over_saturated: missed.is_some_and(|it| it.verdict == LookVerdict::OverSaturated),
                end,
            })
        };
        match (met, missed.map(|missed| missed.load)) {
            (None, Some(missed)) if missed <= self.least => found(End::LeastMisses),
            (None, _) => Next::Look(self.least),
            (Some(met), None) if met >= self.most => found(End::MostMeets),
            (Some(met), None) => Next::Look((met * 2.0).min(self.most)),
            (Some(met), Some(missed)) => match self.between(met, missed) {
                Some(load) => Next::Look(load),
                None => found(End::Resolution),
            },
        }
    }

    /// A load between these two; `None` where they are close enough.
    fn between(&self, met: f64, missed: f64) -> Option<f64> {
        if missed <= met * (1.0 + self.resolution) {
            return None;
        }
        let middle = (met * missed).sqrt();
        let middle = match self.grain {
            Grain::Rate => middle,
            Grain::Whole => middle.round().clamp(met + 1.0, (missed - 1.0).max(met + 1.0)),
        };
        (met < middle && middle < missed).then_some(middle)
    }
}

/// Finest resolution: no benchmark tells loads apart that are closer.
const FINEST: f64 = 0.001;
