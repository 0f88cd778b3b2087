//! The requests of one level, ready to be sent.
//!
//! The one idea: request `index` can be made at any time and comes out the same, so a list
//! is built ahead as far as a fixed amount of memory goes, and the rest as it is taken.

use std::sync::Arc;

use std::time::Duration;

use autotuner_core::workload::LevelPlan;
use tokio_util::sync::CancellationToken;

use crate::body::BodyShape;
use crate::exchange::Prepared;
use crate::prompts::{self, Place, PromptScale, Purpose};

/// Most bytes of bodies that are built ahead of a level.
const BYTES_AHEAD: usize = 16 * 1024 * 1024;

/// How the requests of one measurement are made.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) scale: PromptScale,
    pub(crate) shape: BodyShape,
}

/// The requests of one level and purpose.
#[derive(Debug)]
pub(crate) struct RequestList {
    recipe: Arc<Recipe>,
    purpose: Purpose,
    level: usize,
    plan: LevelPlan,
    /// Of so many first requests each asks for another share of its answer.
    spread: u32,
    ahead: Vec<Prepared>,
}

impl RequestList {
    /// A list of which nothing is built yet.
    pub(crate) fn new(recipe: Arc<Recipe>, purpose: Purpose, level: usize, plan: LevelPlan) -> Self {
        Self {
            recipe,
            purpose,
            level,
            plan,
            spread: 0,
            ahead: Vec::new(),
        }
    }

    /// Lets the first `slots` requests ask for growing shares of their answers, so that the slots
    /// that send them end one after the other, and are out of step from then on.
    pub(crate) fn spread_first(&mut self, slots: u32) {
        self.spread = slots;
    }

    /// Builds the first `count` requests, or as many as may be built ahead.
    pub(crate) fn build_ahead(&mut self, count: u32, cancel: &CancellationToken) {
        let mut bytes = 0;
        for index in 0..count {
            if bytes > BYTES_AHEAD || cancel.is_cancelled() {
                break;
            }
            let prepared = self.build(index);
            bytes += prepared.body.len();
            self.ahead.push(prepared);
        }
    }

    /// How many requests conversation `job`, counted from 0, has: each is sent when the one
    /// before it has been answered.
    pub(crate) fn turns(&self, _job: u32) -> u32 {
        1
    }

    /// How long a conversation rests between an answer and its next request.
    pub(crate) fn think(&self) -> Duration {
        Duration::ZERO
    }

    /// One request of one conversation, both counted from 0.
    pub(crate) fn get(&self, job: u32, _turn: u32) -> Prepared {
        match self.ahead.get(job as usize) {
            Some(prepared) => prepared.clone(),
            None => self.build(job),
        }
    }

    fn build(&self, index: u32) -> Prepared {
        let Recipe { seed, scale, shape } = &*self.recipe;
        let place = Place {
            purpose: self.purpose,
            level: self.level,
            index,
        };
        let mut prompt = prompts::prompt(*seed, place, &self.plan.scenario, scale);
        if index < self.spread {
            let output = u64::from(prompt.lengths.output) * u64::from(index + 1);
            let share = output.div_ceil(u64::from(self.spread));
            prompt.lengths.output = u32::try_from(share).unwrap_or(u32::MAX);
        }
        Prepared {
            lengths: prompt.lengths,
            body: shape.body(&prompt.text, prompt.lengths.output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Dialect;
    use autotuner_core::workload::{Api, Load};

    #[test]
    fn a_list_is_the_same_however_much_of_it_is_built_ahead() {
        let list = |ahead| {
            let recipe = Recipe {
                seed: 3,
                scale: PromptScale::IDENTITY,
                shape: BodyShape {
                    api: Api::Chat,
                    model: "m".into(),
                    dialect: Dialect::FULL,
                    additional_params: serde_json::Map::new(),
                },
            };
            let plan = LevelPlan {
                scenario: "U(5,9)/(2,7)".parse().unwrap(),
                load: Load::InFlight(1),
            };
            let mut list = RequestList::new(Arc::new(recipe), Purpose::Window, 1, plan);
            list.build_ahead(ahead, &CancellationToken::new());
            (0..20).map(|index| list.get(index, 0).body).collect::<Vec<_>>()
        };
        assert_eq!(list(0), list(20));
        assert_eq!(list(0), list(7));
    }
}
