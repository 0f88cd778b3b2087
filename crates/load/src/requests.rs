//! The requests of one level, ready to be sent.
//!
//! The one idea: each request can be made at any time and comes out the same, so a list is
//! built ahead as far as a fixed amount of memory goes, and the rest as it is taken. What they
//! ask is decided in `questions`, how that is written in `body`.

use std::sync::Arc;
use std::time::Duration;

use autotuner_core::workload::{Content, LevelPlan};
use tokio_util::sync::CancellationToken;

use crate::body::BodyShape;
use crate::exchange::Prepared;
use crate::prompts::{PromptScale, Purpose};
use crate::questions::{Asked, Matter, Questions};

/// Most bytes of bodies that are built ahead of a level.
const BYTES_AHEAD: usize = 16 * 1024 * 1024;

/// How the requests of one measurement are made.
#[derive(Debug)]
pub(crate) struct Recipe {
    pub(crate) seed: u64,
    pub(crate) scale: PromptScale,
    pub(crate) shape: BodyShape,
    pub(crate) content: Content,
    /// Most requests of one level.
    pub(crate) requests_per_level: u32,
}

/// The requests of one level and purpose.
#[derive(Debug)]
pub(crate) struct RequestList {
    recipe: Arc<Recipe>,
    questions: Questions,
    /// Of so many first conversations each asks for another share of its answers.
    spread: u32,
    /// The first conversations, with their first turns at least.
    ahead: Vec<Vec<Prepared>>,
}

impl RequestList {
    /// A list of which nothing is built yet.
    pub(crate) fn new(recipe: Arc<Recipe>, purpose: Purpose, level: usize, plan: LevelPlan) -> Self {
        let matter = Matter {
            seed: recipe.seed,
            scale: recipe.scale,
            api: recipe.shape.api,
            content: recipe.content.clone(),
            jobs_per_level: recipe.requests_per_level,
        };
        Self {
            questions: Questions::new(matter, purpose, level, plan),
            recipe,
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
        let (mut bytes, mut built) = (0, 0);
        for job in 0..count {
            let mut turns = Vec::new();
            for turn in 0..self.turns(job) {
                if built >= count || bytes > BYTES_AHEAD || cancel.is_cancelled() {
                    break;
                }
                let prepared = self.build(job, turn);
                built += 1;
                bytes += prepared.body.len();
                turns.push(prepared);
            }
            if turns.is_empty() {
                break;
            }
            self.ahead.push(turns);
        }
    }

    /// How many requests conversation `job`, counted from 0, has, at least 1: each is sent when
    /// the one before it has been answered.
    pub(crate) fn turns(&self, job: u32) -> u32 {
        self.questions.turns(job)
    }

    /// How long a conversation rests between an answer and its next request.
    pub(crate) fn think(&self) -> Duration {
        let conversation = self.recipe.content.conversation;
        conversation.map_or(Duration::ZERO, |conversation| conversation.think)
    }

    /// One request of one conversation, both counted from 0.
    pub(crate) fn get(&self, job: u32, turn: u32) -> Prepared {
        let ahead = self.ahead.get(job as usize);
        match ahead.and_then(|turns| turns.get(turn as usize)) {
            Some(prepared) => prepared.clone(),
            None => self.build(job, turn),
        }
    }

    fn build(&self, job: u32, turn: u32) -> Prepared {
        let mut asked = self.questions.ask(job, turn);
        if job < self.spread {
            asked = asked.with_share(job + 1, self.spread);
        }
        let Asked {
            lengths,
            question,
            answer,
        } = asked;
        Prepared {
            lengths,
            body: self.recipe.shape.ask(&question, answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Dialect;
    use autotuner_core::workload::{Api, Conversation, Load};

    fn list(turns: u32, ahead: u32) -> RequestList {
        let recipe = Recipe {
            seed: 3,
            scale: PromptScale::IDENTITY,
            shape: BodyShape {
                api: Api::Chat,
                model: "m".into(),
                dialect: Dialect::FULL,
                additional_params: serde_json::Map::new(),
            },
            content: Content {
                conversation: Some(Conversation {
                    turns,
                    think: Duration::from_secs(turns.into()),
                }),
                ..Content::default()
            },
            requests_per_level: 20,
        };
        let plan = LevelPlan {
            scenario: "U(5,9)/(2,7)".parse().unwrap(),
            load: Load::InFlight(1),
        };
        let mut list = RequestList::new(Arc::new(recipe), Purpose::Window, 1, plan);
        list.build_ahead(ahead, &CancellationToken::new());
        list
    }

    #[test]
    fn a_list_is_the_same_however_much_of_it_is_built_ahead() {
        for turns in [1, 3] {
            let bodies = |ahead| {
                let list = list(turns, ahead);
                assert_eq!(list.turns(0), turns);
                assert_eq!(list.think(), Duration::from_secs(turns.into()));
                let each = (0..20).flat_map(|job| (0..turns).map(move |turn| (job, turn)));
                each.map(|(job, turn)| list.get(job, turn).body)
                    .collect::<Vec<_>>()
            };
            assert_eq!(bodies(0), bodies(60));
            assert_eq!(bodies(0), bodies(7));
        }
    }

    #[test]
    fn no_more_is_built_ahead_than_was_asked() {
        let built = |turns, ahead| list(turns, ahead).ahead.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(built(1, 3), [1, 1, 1]);
        assert_eq!(built(3, 7), [3, 3, 1]);
        assert_eq!(built(3, 6), [3, 3]);
    }

    #[test]
    fn what_is_built_ahead_has_its_limit_in_bytes() {
        let mut list = list(1, 0);
        list.questions = Questions::new(
            Matter {
                seed: 1,
                scale: PromptScale::IDENTITY,
                api: Api::Chat,
                content: Content::default(),
                jobs_per_level: 100,
            },
            Purpose::Window,
            0,
            LevelPlan {
                scenario: "D(1000000,1)".parse().unwrap(),
                load: Load::InFlight(1),
            },
        );
        list.build_ahead(100, &CancellationToken::new());
        let bytes: usize = list
            .ahead
            .iter()
            .flatten()
            .map(|prepared| prepared.body.len())
            .sum();
        assert!((BYTES_AHEAD..BYTES_AHEAD * 2).contains(&bytes), "{bytes}");
    }
}
