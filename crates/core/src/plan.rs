//! What to do next with a task.
//!
//! [`plan`] looks at the whole history of a run every time and keeps nothing between calls.
//! There is no checkpoint: a worker that has just restarted asks the same question with the
//! same experiments and goes on as if it had never stopped.
//!
//! Once the search has ended, what may be best is measured again in turn with the engine's
//! defaults (`confirm.rs`), until a gain can be told from chance or the starts for it are spent.
//!
//! What counts is distinct search candidates: the baseline, replicates and repeated attempts
//! cost no budget of the search. The random generator handed to the strategy is seeded from the task's
//! seed and that count, so that an attempt lost to a crash changes no later choice.

mod confirm;
mod decision;
mod outlier;
mod situation;
mod spent;

pub use decision::{Decision, Finish, Next};
pub use situation::Situation;
pub use spent::{Spending, Spent};

use std::cell::OnceCell;
use std::collections::HashSet;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::experiment::Experiment;
use crate::failure::FailureKind;
use crate::search::{Proposal, Role, beliefs};
use crate::space::{Candidate, CandidateKey};
use crate::task::Task;

/// Attempts at one candidate that the world may fail ([`FailureKind::Infrastructure`]) before
/// the run ends: a disk that is full or a daemon that is away is not mended by trying again.
pub const MOST_ATTEMPTS: u32 = 3;

/// Attempts at one candidate during which the whole program may be killed or stopped
/// ([`FailureKind::WorkerLost`]) before the run ends. A program that is killed often must still
/// finish what it began; one that is killed by the very candidate must not begin it for ever.
pub const MOST_CRASHES: u32 = 20;

/// Attempts at one candidate that the load generator may limit ([`FailureKind::ClientLimited`])
/// before it is passed over: it is not scored, and nothing is learned of it.
pub const MOST_LIMITED: u32 = 2;

/// Candidates, one after the other, that the load generator may limit before the run ends: it
/// would limit the next as well.
pub const MOST_LIMITED_CANDIDATES: usize = 3;

/// Decides what to do next; `now_ms` is the time, milliseconds since the Unix epoch.
pub fn plan(situation: &Situation<'_>, now_ms: i64) -> Decision {
    let Situation {
        task, experiments, ..
    } = *situation;
    let history = History {
        situation,
        task,
        experiments,
        spent: Spent::of(experiments, now_ms),
        doubted: OnceCell::new(),
    };
    if experiments.iter().any(is_cancelled) {
        return history.finish_when_idle(Finish::Cancelled);
    }
    if let Some(message) = history.limited_message() {
        return history.finish_when_idle(Finish::ClientLimited { message });
    }
    let mut free = (task.search.max_parallel_experiments as usize).saturating_sub(history.running());
    let mut next: Vec<Next> = Vec::new();
    for lost in history.lost() {
        if history.is_lost_too_often(lost) {
            return history.finish_when_idle(Finish::KeepsBeingLost {
                message: lost
                    .failure()
                    .map(|failure| failure.message.clone())
                    .unwrap_or_default(),
            });
        }
        if free > 0 {
            free -= 1;
            next.push(Next {
                role: lost.role,
                candidate: lost.candidate.clone(),
                reason: format!(
                    "attempt {} after a loss: {}",
                    lost.attempt + 1,
                    history.first_reason(lost)
                ),
                attempt: lost.attempt + 1,
            });
        }
    }
    if let Some(decision) = history.baseline_first() {
        return if next.is_empty() {
            decision
        } else {
            Decision::Start(next)
        };
    }
    let mut end = None;
    while free > 0 && end.is_none() {
        let proposed = match history.is_confirming() {
            true => Err(history.search_end()),
            false => history.search(&next),
        };
        let proposed = proposed.or_else(|finish| history.confirm(&next, finish));
        match proposed {
            Ok(proposed) => {
                free -= 1;
                next.push(proposed);
            }
            Err(finish) => end = Some(finish),
        }
    }
    match end {
        _ if !next.is_empty() => Decision::Start(next),
        Some(finish) => history.finish_when_idle(finish),
        None => Decision::Wait,
    }
}

struct History<'a> {
    situation: &'a Situation<'a>,
    task: &'a Task,
    experiments: &'a [Experiment],
    spent: Spent,
    /// What is to be measured once more, once that was asked: a model's answer takes a while.
    doubted: OnceCell<Option<CandidateKey>>,
}

fn kind_of(experiment: &Experiment) -> Option<FailureKind> {
    experiment.failure().map(|failure| failure.kind)
}

fn is_cancelled(experiment: &Experiment) -> bool {
    kind_of(experiment) == Some(FailureKind::Cancelled)
}

/// Whether both are for the same, of the same candidate.
fn is_same(one: &Experiment, other: &Experiment) -> bool {
    one.role == other.role && one.candidate.key() == other.candidate.key()
}

impl History<'_> {
    fn running(&self) -> usize {
        self.experiments
            .iter()
            .filter(|experiment| !experiment.status.is_ended())
            .count()
    }

    fn finish_when_idle(&self, finish: Finish) -> Decision {
        if self.running() == 0 {
            Decision::Finish(finish)
        } else {
            Decision::Wait
        }
    }

    /// Whether no further attempt is made at what the load generator has limited.
    fn is_passed_over(&self, experiment: &Experiment) -> bool {
        let is_limited = |other: &&Experiment| kind_of(other) == Some(FailureKind::ClientLimited);
        let same = self.experiments.iter().filter(|other| is_same(other, experiment));
        is_limited(&experiment) && same.filter(is_limited).count() >= MOST_LIMITED as usize
    }

    /// What the latest experiment failed of, if the load generator was the limit of it and of so
    /// many candidates before it that it would be of the next.
    fn limited_message(&self) -> Option<String> {
        let ended = self.experiments.iter().rev();
        let mut ended = ended.filter(|experiment| experiment.status.is_ended()).peekable();
        let message = ended.peek()?.failure()?.message.clone();
        let limited = ended.take_while(|experiment| kind_of(experiment) == Some(FailureKind::ClientLimited));
        let candidates: HashSet<_> = limited
            .filter(|experiment| self.is_passed_over(experiment))
            .map(|experiment| experiment.candidate.key())
            .collect();
        (candidates.len() >= MOST_LIMITED_CANDIDATES).then_some(message)
    }

    /// Losses that no later attempt at the same candidate has followed up, and one is to.
    fn lost(&self) -> impl Iterator<Item = &Experiment> {
        self.experiments
            .iter()
            .enumerate()
            .filter_map(|(index, experiment)| {
                let followed_up = self.experiments[index + 1..]
                    .iter()
                    .any(|later| is_same(later, experiment) && later.attempt > experiment.attempt);
                let is_open = experiment.is_lost() && !followed_up && !self.is_passed_over(experiment);
                is_open.then_some(experiment)
            })
    }

    /// Whether as many attempts were lost in this way as the way allows.
    fn is_lost_too_often(&self, lost: &Experiment) -> bool {
        let Some(kind) = kind_of(lost) else { return false };
        let most = match kind {
            FailureKind::WorkerLost => MOST_CRASHES,
            _ => MOST_ATTEMPTS,
        };
        // A repetition that succeeded ends the count: the next one begins anew.
        let same = self.experiments.iter().rev().filter(|other| is_same(other, lost));
        let losses = same
            .take_while(|other| !other.status.is_ended() || other.is_lost())
            .filter(|other| kind_of(other) == Some(kind));
        losses.count() >= most as usize
    }

    /// Why the first attempt at what was lost was made.
    fn first_reason<'e>(&'e self, lost: &'e Experiment) -> &'e str {
        let earlier = self
            .experiments
            .iter()
            .filter(|other| other.number <= lost.number);
        let first = earlier
            .rev()
            .find(|other| is_same(other, lost) && other.attempt == 1);
        &first.unwrap_or(lost).reason
    }

    /// The baseline runs before anything else, and alone.
    fn baseline_first(&self) -> Option<Decision> {
        let baseline = self
            .experiments
            .iter()
            .rfind(|experiment| experiment.role == Role::Baseline);
        match baseline {
            None => Some(Decision::Start(vec![Next {
                role: Role::Baseline,
                candidate: Candidate::engine_default(),
                reason: "the engine's own defaults, for comparison".into(),
                attempt: 1,
            }])),
            Some(baseline) if !baseline.status.is_ended() => Some(Decision::Wait),
            Some(baseline) if baseline.is_lost() && !self.is_passed_over(baseline) => Some(Decision::Wait),
            Some(_) => None,
        }
    }

    /// What the search does next, given what was already decided in this call.
    fn search(&self, decided: &[Next]) -> Result<Next, Finish> {
        if self.spent.exceeds(&self.task.search, true).is_none()
            && let Some(next) = self.once_more(decided)
        {
            return Ok(next);
        }
        self.propose(decided)
    }

    /// Asks the strategy.
    fn propose(&self, decided: &[Next]) -> Result<Next, Finish> {
        let begun = self.begun(decided);
        if begun >= self.task.search.max_iterations {
            return Err(Finish::BudgetSpent);
        }
        if let Some(spending) = self.spent.exceeds(&self.task.search, true) {
            return Err(Finish::TimeSpent(spending));
        }
        let pending: Vec<Candidate> = self
            .experiments
            .iter()
            .filter(|experiment| !experiment.status.is_ended() || experiment.is_lost())
            .map(|experiment| experiment.candidate.clone())
            .chain(decided.iter().map(|next| next.candidate.clone()))
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.task.search.seed);
        rng.set_stream(u64::from(begun));
        let strategy = self.situation.strategy;
        let proposal = self
            .situation
            .told(&pending, begun, |context| strategy.propose(context, &mut rng));
        match proposal {
            Proposal::Try { candidate, reason } => Ok(Next {
                role: Role::Search,
                candidate,
                reason,
                attempt: 1,
            }),
            Proposal::Replicate { of, reason } => Ok(Next {
                role: Role::Replicate,
                candidate: of,
                reason,
                attempt: 1,
            }),
            Proposal::Stop { why } => Err(Finish::NothingLeft { why }),
        }
    }

    /// Whether the search has ended and what it found is being measured again.
    fn is_confirming(&self) -> bool {
        self.experiments
            .iter()
            .any(|experiment| experiment.role == Role::Replicate)
    }

    /// How a search ended whose finds are being measured again.
    fn search_end(&self) -> Finish {
        if self.begun(&[]) >= self.task.search.max_iterations {
            return Finish::BudgetSpent;
        }
        Finish::NothingLeft {
            why: "the search ended before its planned number of experiments, and what it found was measured again"
                .into(),
        }
    }

    /// What to measure again now that the search has ended for this reason, or that it is over.
    /// While anything of the search still runs, who is best is open, and nothing is begun.
    fn confirm(&self, decided: &[Next], finish: Finish) -> Result<Next, Finish> {
        let is_searching = self
            .experiments
            .iter()
            .any(|experiment| experiment.role == Role::Search && !experiment.status.is_ended());
        if is_searching || decided.iter().any(|next| next.role == Role::Search) {
            return Err(finish);
        }
        if let Some(spending) = self.spent.exceeds(&self.task.search, false) {
            return Err(Finish::TimeSpent(spending));
        }
        let beliefs = || self.situation.told(&[], self.begun(decided), beliefs);
        confirm::next(self.task.most_replicates(), self.experiments, decided, beliefs).ok_or(finish)
    }

    /// Distinct search candidates begun so far; repeated attempts are one.
    fn begun(&self, decided: &[Next]) -> u32 {
        let is_new = |next: &&Next| next.role == Role::Search && next.attempt == 1;
        let new = decided.iter().filter(is_new).count();
        let new = u32::try_from(new).unwrap_or(u32::MAX);
        self.situation.begun().saturating_add(new)
    }
}

#[cfg(test)]
mod tests;
