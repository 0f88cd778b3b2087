//! The requests of one level, ready to be sent.
//!
//! The one idea: request `index` can be made at any time and comes out the same, so a list
//! is built ahead as far as a fixed amount of memory goes, and the rest as it is taken.

use std::sync::Arc;

use autotuner_core::workload::Scenario;
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
    scenario: Scenario,
    ahead: Vec<Prepared>,
}

impl RequestList {
    /// A list of which nothing is built yet.
    pub(crate) fn new(recipe: Arc<Recipe>, purpose: Purpose, level: usize, scenario: Scenario) -> Self {
        Self {
            recipe,
            purpose,
            level,
            scenario,
            ahead: Vec::new(),
        }
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

    /// One request, counted from 0.
    pub(crate) fn get(&self, index: u32) -> Prepared {
        match self.ahead.get(index as usize) {
            Some(prepared) => prepared.clone(),
            None => self.build(index),
        }
    }

    fn build(&self, index: u32) -> Prepared {
        let Recipe { seed, scale, shape } = &*self.recipe;
        let place = Place {
            purpose: self.purpose,
            level: self.level,
            index,
        };
        let prompt = prompts::prompt(*seed, place, &self.scenario, scale);
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
    use autotuner_core::workload::Api;

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
            let scenario = "U(5,9)/(2,7)".parse().unwrap();
            let mut list = RequestList::new(Arc::new(recipe), Purpose::Window, 1, scenario);
            list.build_ahead(ahead, &CancellationToken::new());
            (0..20).map(|index| list.get(index).body).collect::<Vec<_>>()
        };
        assert_eq!(list(0), list(20));
        assert_eq!(list(0), list(7));
    }
}
