//! What to measure again once the search has ended.
//!
//! The best of many single measurements is likely a lucky one, and machines drift. So the few that
//! may be best are measured again in turn with the engine's defaults: many at first, then fewer
//! ("successive halving"; Karnin, Koren and Somekh, 2013), at last the leader and the defaults
//! alone, in the order A B B A, which cancels a steady drift. It ends as soon as the gain is beyond
//! doubt, or surely too small to matter. Looking often makes chance look like a gain more often,
//! so an early end asks for more (O'Brien and Fleming, 1979).

use std::collections::HashMap;

use super::Next;
use crate::experiment::Experiment;
use crate::search::{Belief, Role};
use crate::space::{Candidate, CandidateKey};
use crate::statistics::{normal_beyond, normal_quantile_beyond};
use crate::verdict::{Comparison, DOUBT, Run, SMALLEST_GAIN, Standing, Standings};

/// The share of what is left that may go to one round of measuring all that may be best.
const ROUND: f64 = 0.25;

/// The leader has one rival beside it while so many repetitions are left.
const ROOM: u32 = 6;

/// The probability to be better than the leader, from which on a configuration is its rival.
const RIVAL: f64 = 0.1;

/// The gain that is expected of knowing better which of two is best, from which on it is worth a
/// start, as a ratio.
const WORTHWHILE: f64 = 0.005;

/// What to measure again; nothing if nothing is to be. `beliefs` says what is held of
/// configurations, all measurements taken together.
pub(super) fn next(
    most: u32,
    experiments: &[Experiment],
    decided: &[Next],
    beliefs: impl FnOnce() -> HashMap<CandidateKey, Belief>,
) -> Option<Next> {
    let begun = Begun::of(experiments, decided);
    let left = most.saturating_sub(begun.total);
    if left == 0 {
        return None;
    }
    let runs: Vec<Run<'_>> = experiments.iter().filter_map(Run::of).collect();
    let standings = Standings::believed(&runs, &beliefs());
    let field = Field::of(&standings)?;
    if field.is_settled(most, &standings) {
        return None;
    }
    let least = if left >= ROOM { 3 } else { 2 };
    let arms = ((f64::from(left) * ROUND) as usize).max(least);
    let chosen = field.choose(arms, &begun);
    let candidate = candidate_of(chosen, experiments)?;
    let what = if chosen.is_default() {
        "the engine's defaults, measured again in turn with the best"
    } else if std::ptr::eq(chosen, field.leader) {
        "the best so far, measured again in turn with the engine's defaults"
    } else {
        "may be the best, measured again to tell"
    };
    Some(Next {
        role: Role::Replicate,
        candidate,
        reason: format!("{what}; {} of at most {most} repetitions", begun.total + 1),
        attempt: 1,
    })
}

/// How often each configuration's repetition was begun.
struct Begun {
    times: HashMap<CandidateKey, usize>,
    total: u32,
}

impl Begun {
    fn of(experiments: &[Experiment], decided: &[Next]) -> Self {
        let on_record = experiments
            .iter()
            .filter(|experiment| experiment.role == Role::Replicate && experiment.attempt == 1)
            .map(|experiment| &experiment.candidate);
        let now = decided
            .iter()
            .filter(|next| next.role == Role::Replicate && next.attempt == 1)
            .map(|next| &next.candidate);
        let mut times = HashMap::new();
        let mut total = 0;
        for candidate in on_record.chain(now) {
            *times.entry(candidate.key()).or_insert(0) += 1;
            total += 1;
        }
        Self { times, total }
    }

    fn of_standing(&self, standing: &Standing<'_>) -> usize {
        self.times.get(standing.key()).copied().unwrap_or(0)
    }
}

/// Who is still in the race.
struct Field<'a> {
    leader: &'a Standing<'a>,
    default: Option<&'a Standing<'a>>,
    /// Others that may be better than the leader, the likeliest first.
    rivals: Vec<&'a Standing<'a>>,
}

impl<'a> Field<'a> {
    /// Nothing where nothing but the defaults may be chosen.
    fn of(standings: &'a Standings<'a>) -> Option<Self> {
        let may_be_chosen = |standing: &&Standing<'_>| {
            !standing.is_default() && standing.is_feasible() && standing.is_sound()
        };
        let mut eligible = standings.ranked().iter().filter(may_be_chosen);
        let leader = eligible.next()?;
        let rivals = eligible.filter(|standing| is_rival(standing, leader)).collect();
        Some(Self {
            leader,
            default: standings.default(),
            rivals,
        })
    }

    /// The one that was measured again least, of the defaults, the leader and as many rivals as
    /// there is room for.
    fn choose(&self, arms: usize, begun: &Begun) -> &'a Standing<'a> {
        let pair = self.default.into_iter().chain([self.leader]);
        let all = pair.chain(self.rivals.iter().copied()).take(arms.max(2));
        let fewest = all
            .clone()
            .map(|standing| begun.of_standing(standing))
            .min()
            .unwrap_or(0);
        let mut least = all.filter(|standing| begun.of_standing(standing) == fewest);
        // A B B A: every other round begins with the leader.
        match fewest % 2 {
            0 => least.next(),
            _ => least.find(|standing| !standing.is_default()).or(self.default),
        }
        .unwrap_or(self.leader)
    }

    /// Whether more measurements would hardly change what is chosen and claimed.
    fn is_settled(&self, most: u32, standings: &Standings<'_>) -> bool {
        let is_crowned = match self.default {
            // What the defaults miss is seen again at the first repetition.
            Some(default) if default.is_feasible() => Comparison::of(standings, self.leader, default)
                .is_some_and(|comparison| is_decided(&comparison, most)),
            Some(default) => default.repetitions() > 0 && self.leader.repetitions() > 1,
            None => self.leader.repetitions() > 1,
        };
        is_crowned
            && self
                .rivals
                .iter()
                .all(|rival| worth_telling(rival, self.leader) < WORTHWHILE)
    }
}

/// Whether a look at so few of the planned repetitions is enough to end.
fn is_decided(comparison: &Comparison, most: u32) -> bool {
    let known = |(best, defaults): (f64, f64)| 1.0 / (1.0 / best + 1.0 / defaults);
    let runs = (comparison.runs.0 as f64, comparison.runs.1 as f64);
    let half = f64::from(most.max(2)) / 2.0;
    let share = (known(runs) / known((half, half))).min(1.0);
    let enough = normal_beyond(normal_quantile_beyond(DOUBT) / share.sqrt());
    comparison.chance <= enough || comparison.high < SMALLEST_GAIN
}

fn is_rival(standing: &Standing<'_>, leader: &Standing<'_>) -> bool {
    let (behind, doubt) = behind(standing, leader);
    normal_beyond(behind / doubt) >= RIVAL
}

/// How far it is believed to lie behind the leader, and how much that may be off.
fn behind(standing: &Standing<'_>, leader: &Standing<'_>) -> (f64, f64) {
    let (one, other) = (standing.belief(), leader.belief());
    (other.mean - one.mean, one.deviation.hypot(other.deviation))
}

/// The gain that is expected of one more measurement of both: how far the choice may move, times
/// how likely it moves (the knowledge gradient; Frazier, Powell and Dayanik, 2008).
fn worth_telling(rival: &Standing<'_>, leader: &Standing<'_>) -> f64 {
    let (behind, doubt) = behind(rival, leader);
    // One more of each takes away this share of the variance of what is unknown.
    let runs = rival.runs().min(leader.runs()) as f64;
    let moved = doubt * (1.0 / (runs + 1.0)).sqrt();
    let away = behind / moved;
    let density = (-0.5 * away * away).exp() / std::f64::consts::TAU.sqrt();
    moved * (density - away * normal_beyond(away))
}

/// The candidate of a standing, as it was first tried.
fn candidate_of(standing: &Standing<'_>, experiments: &[Experiment]) -> Option<Candidate> {
    let first = experiments
        .iter()
        .find(|experiment| experiment.number == standing.number());
    first.map(|experiment| experiment.candidate.clone())
}
