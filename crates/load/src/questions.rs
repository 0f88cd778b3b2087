//! What each request asks: how long, and in which words.
//!
//! The one idea: what is asked in turn `turn` of conversation `job` follows from the workload,
//! the level, the job and the turn alone. So every configuration of a task is asked the same in
//! the same order, and a list can be built ahead or as it is taken. For the same reason a
//! conversation's history holds made-up answers, as long as those that were asked for, and not
//! what the server really said: two configurations that answer differently would be asked
//! differently.
//!
//! What data sets hold is picked in `recorded`. It knows nothing of HTTP or JSON.

mod recorded;

use autotuner_core::workload::{Api, Arrival, Content, Lengths, LevelPlan, Load, Scenario, Sharing, Texts};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use crate::body::{Answer, Question};
use crate::png;
use crate::prompts::{self, NUMBER_WORDS, Place, PromptScale, Purpose};

/// What the questions of a whole benchmark have in common.
#[derive(Debug, Clone)]
pub(crate) struct Matter {
    pub(crate) seed: u64,
    pub(crate) scale: PromptScale,
    pub(crate) api: Api,
    pub(crate) content: Content,
    /// Conversations of one level at most: each level takes other entries of a data set.
    pub(crate) jobs_per_level: u32,
}

/// The questions of one level and purpose.
#[derive(Debug)]
pub(crate) struct Questions {
    matter: Matter,
    purpose: Purpose,
    level: usize,
    plan: LevelPlan,
    /// The data set's entries in the order in which they are asked; empty without one.
    order: Vec<u32>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) lengths: Lengths,
    pub(crate) question: Question,
    pub(crate) answer: Answer,
}

impl Asked {
    /// The same with `part` of `parts` of its answer, rounded up.
    pub(crate) fn with_share(mut self, part: u32, parts: u32) -> Self {
        let share = |tokens: u32| {
            let tokens = (u64::from(tokens) * u64::from(part)).div_ceil(u64::from(parts));
            u32::try_from(tokens).unwrap_or(u32::MAX)
        };
        self.lengths.output = share(self.lengths.output);
        self.answer = match self.answer {
            Answer::Exactly(tokens) => Answer::Exactly(share(tokens)),
            Answer::AtMost(tokens) => Answer::AtMost(share(tokens)),
        };
        self
    }
}

impl Questions {
    pub(crate) fn new(matter: Matter, purpose: Purpose, level: usize, plan: LevelPlan) -> Self {
        let order = match &matter.content.texts {
            Texts::Made => Vec::new(),
            Texts::Read(set) => {
                let count = u32::try_from(set.entries.len()).unwrap_or(u32::MAX);
                let mut order: Vec<u32> = (0..count).collect();
                // The same for all levels, which take one part of it after the other.
                order.shuffle(&mut prompts::chooser(matter.seed, place(Purpose::Window, 0, 0)));
                order
            }
        };
        Self {
            matter,
            purpose,
            level,
            plan,
            order,
        }
    }

    /// How many requests a conversation has.
    pub(crate) fn turns(&self, job: u32) -> u32 {
        let asked = self.most_turns();
        match self.chosen(job) {
            Some(chosen) if self.plan.scenario == Scenario::DataSet => {
                asked.min(u32::try_from(chosen.entry.turns.len()).unwrap_or(u32::MAX))
            }
            _ => asked,
        }
    }

    /// One request of one conversation.
    pub(crate) fn ask(&self, job: u32, turn: u32) -> Asked {
        match (&self.plan.scenario, self.chosen(job)) {
            (Scenario::DataSet, Some(_)) if self.matter.api == Api::Embeddings => self.embed_recorded(job),
            (Scenario::DataSet, Some(chosen)) => self.recorded(&chosen, job, turn),
            (Scenario::Embed { document }, _) => self.embed(*document, job),
            (Scenario::Rerank { document, query }, _) => self.rank(*document, *query, job),
            (Scenario::Images { .. }, _) => self.images(job),
            _ => self.talk(job, turn),
        }
    }

    /// A conversation whose texts are made to lengths.
    fn talk(&self, job: u32, turn: u32) -> Asked {
        let mut turns = Vec::new();
        let mut lengths = Lengths { input: 0, output: 0 };
        for index in 0..=turn {
            let place = self.place(job, index);
            let mut rng = prompts::generator(self.matter.seed, place);
            let drawn = self.plan.scenario.draw(&mut rng);
            let Lengths { input, output } = self.of_trace(job).unwrap_or(drawn);
            if index == 0 {
                // A chat template is counted once, whatever it adds to later turns.
                let tokens = f64::from(input) - self.matter.scale.overhead;
                turns.push(self.opening(job, place, tokens, &mut rng));
            } else {
                // What was answered until now is made up, not what the server said.
                let words = self.matter.scale.plain_words(f64::from(lengths.output));
                turns.push(prompts::plain(words, &mut rng));
                lengths.input = lengths.input.saturating_add(lengths.output);
                turns.push(self.words(place, f64::from(input), &mut rng));
            }
            lengths.input = lengths.input.saturating_add(input);
            lengths.output = output;
        }
        Asked {
            lengths,
            question: Question::Talk { system: None, turns },
            answer: Answer::Exactly(lengths.output),
        }
    }

    /// The first prompt of a conversation, with the beginning that it shares with others.
    fn opening(&self, job: u32, place: Place, tokens: f64, rng: &mut dyn Rng) -> String {
        let Some((group, prefix)) = self.shared(job) else {
            return self.words(place, tokens, rng);
        };
        // At least one word is its own.
        let prefix = f64::from(prefix).min(tokens - self.matter.scale.tokens_per_word);
        if prefix <= 0.0 {
            return self.words(place, tokens, rng);
        }
        let mut of_group = prompts::generator(self.matter.seed, group);
        let mut text = self.words(group, prefix, &mut of_group);
        text.push(' ');
        text.push_str(&self.words(place, tokens - prefix, rng));
        text
    }

    /// Which beginning a conversation shares, and how many tokens of it; `None` where it begins
    /// in its own way.
    fn shared(&self, job: u32) -> Option<(Place, u32)> {
        let given = self.matter.content.sharing;
        let Sharing {
            groups,
            prefix_tokens,
            hit_ratio,
        } = match self.plan.scenario {
            Scenario::Prefix { prefix, .. } => Sharing {
                prefix_tokens: prefix,
                groups: given.map_or(1, |given| given.groups),
                hit_ratio: given.map_or(1.0, |given| given.hit_ratio),
            },
            _ => given?,
        };
        let groups = groups.max(1);
        let mut rng = prompts::chooser(self.matter.seed, self.place(job, 0));
        let group = match self.purpose {
            // The warm-up makes them known, each in its turn.
            Purpose::WarmUp => job % groups,
            _ if rng.random::<f64>() < hit_ratio => rng.random_range(0..groups),
            _ => return None,
        };
        Some((place(Purpose::Prefix, self.level, group), prefix_tokens))
    }

    fn embed(&self, document: u32, job: u32) -> Asked {
        let input = document.saturating_mul(self.batch());
        documents_asked(input, Question::Documents(self.documents(document, job)))
    }

    fn rank(&self, document: u32, query: u32, job: u32) -> Asked {
        let input = document.saturating_mul(self.batch()).saturating_add(query);
        let place = self.document(job, 0);
        let mut rng = prompts::generator(self.matter.seed, place);
        let question = Question::Rank {
            query: self.words(place, f64::from(query), &mut rng),
            documents: self.documents(document, job),
        };
        documents_asked(input, question)
    }

    fn documents(&self, tokens: u32, job: u32) -> Vec<String> {
        let each = (1..=self.batch()).map(|which| {
            let place = self.document(job, which);
            let mut rng = prompts::generator(self.matter.seed, place);
            self.words(place, f64::from(tokens) - self.matter.scale.overhead, &mut rng)
        });
        each.collect()
    }

    fn images(&self, job: u32) -> Asked {
        let place = self.place(job, 0);
        let mut rng = prompts::generator(self.matter.seed, place);
        let lengths = self.plan.scenario.draw(&mut rng);
        let text = self.words(
            place,
            f64::from(lengths.input) - self.matter.scale.overhead,
            &mut rng,
        );
        let images = match self.plan.scenario {
            Scenario::Images {
                width, height, count, ..
            } => (0..count).map(|_| png::noise(width, height, &mut rng)).collect(),
            _ => Vec::new(),
        };
        Asked {
            lengths,
            question: Question::Images { text, images },
            answer: Answer::Exactly(lengths.output),
        }
    }

    /// A text of about so many tokens that no other place has.
    fn words(&self, place: Place, tokens: f64, rng: &mut dyn Rng) -> String {
        let scale = &self.matter.scale;
        let words = scale.plain_words(tokens);
        let Texts::Read(set) = &self.matter.content.texts else {
            return prompts::numbered(self.number_seed(), place, words, rng);
        };
        let own = words.min(NUMBER_WORDS);
        let mut text = prompts::numbered(self.number_seed(), place, own, rng);
        #[expect(clippy::cast_precision_loss, reason = "five words at most")]
        recorded::excerpt(set, tokens - own as f64 * scale.tokens_per_word, rng, &mut text);
        text
    }

    /// The lengths that a trace has recorded.
    fn of_trace(&self, job: u32) -> Option<Lengths> {
        let Load::Scheduled {
            arrival: Arrival::Trace { starts },
            ..
        } = &self.plan.load
        else {
            return None;
        };
        let at = (job as usize).checked_rem(starts.len())?;
        starts.get(at).map(|start| start.lengths)
    }

    fn most_turns(&self) -> u32 {
        self.matter.content.conversation.map_or(1, |it| it.turns.max(1))
    }

    fn batch(&self) -> u32 {
        match self.matter.api {
            Api::Embeddings | Api::Rerank => self.matter.content.batch.max(1),
            Api::Chat | Api::Completions | Api::LlamaCpp | Api::Tgi => 1,
        }
    }

    fn place(&self, job: u32, turn: u32) -> Place {
        let index = job.wrapping_mul(self.most_turns()).wrapping_add(turn);
        place(self.purpose, self.level, index)
    }

    /// The place of one of a request's documents, from 1; 0 is its query.
    fn document(&self, job: u32, which: u32) -> Place {
        let each = self.batch().wrapping_add(1);
        place(
            self.purpose,
            self.level,
            job.wrapping_mul(each).wrapping_add(which),
        )
    }

    /// What the numbers of places are shuffled by.
    fn number_seed(&self) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let salt = self
            .matter
            .content
            .salt
            .map_or(0, |salt| salt.wrapping_mul(ODD) | 1);
        self.matter.seed.wrapping_add(salt)
    }
}

fn place(purpose: Purpose, level: usize, index: u32) -> Place {
    Place {
        purpose,
        level,
        index,
    }
}

fn documents_asked(input: u32, question: Question) -> Asked {
    Asked {
        lengths: Lengths { input, output: 0 },
        question,
        answer: Answer::Exactly(0),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes the nearest whole number that there is"
)]
fn whole(tokens: f64) -> u32 {
    (tokens.round() as u32).max(1)
}

#[cfg(test)]
mod tests;
