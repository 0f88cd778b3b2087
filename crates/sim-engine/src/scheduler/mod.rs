//! Continuous batching as a state machine: which sequences take part in the next step.
//!
//! Each step gives one token of the budget to every sequence that decodes, then spends the
//! rest on prompts, first of those admitted and then of those waiting, in order of arrival.
//! A sequence that needs a block when none is free pushes out the one admitted last, which
//! goes back to the head of the queue and computes its tokens again (vLLM calls it preemption
//! by recomputation). Without chunked prefill a step is either whole prompts or decoding.
//!
//! It knows neither clock nor sockets: what a step costs is the model's to say, and when it
//! is over the driver's.

mod blocks;
mod prefixes;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::model::{MemoryPlan, Work, blocks_for};
use crate::options::Options;
use crate::text::Prompt;
use blocks::BlockPool;
use prefixes::PrefixCache;

/// Names one sequence for as long as the engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SequenceId(pub(crate) u64);

/// The rules that a step keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Most sequences that hold cache at once.
    pub(crate) max_sequences: usize,
    /// Most tokens computed in a step.
    pub(crate) token_budget: u32,
    /// Tokens in a block.
    pub(crate) block_size: u32,
    /// Blocks in the cache.
    pub(crate) cache_blocks: u32,
    /// Whether prompts may be split over steps.
    pub(crate) has_chunked_prefill: bool,
    /// Whether known beginnings are reused.
    pub(crate) has_prefix_caching: bool,
}

/// What the next step does. It is decided when the step begins; its tokens exist when it ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// What is computed.
    pub(crate) work: Work,
    /// Sequences that were given cache, oldest first.
    pub(crate) admitted: Vec<Admission>,
    /// Sequences that were pushed out.
    pub(crate) preempted: Vec<SequenceId>,
    /// Tokens that the step produces.
    pub(crate) emitted: Vec<Emission>,
}

/// A sequence that was given cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Which one.
    pub(crate) id: SequenceId,
    /// How many of its tokens need not be computed.
    pub(crate) cached_tokens: u32,
}

/// One token of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Emission {
    /// Whose.
    pub(crate) id: SequenceId,
    /// Its place in the answer, from 0.
    pub(crate) position: u32,
    /// Whether the answer is complete with it.
    pub(crate) is_last: bool,
}

/// How full the engine is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Occupancy {
    /// Sequences that hold cache.
    pub(crate) running: usize,
    /// Sequences in the queue.
    pub(crate) waiting: usize,
    /// Share of the cache that is held, 0 to 1.
    pub(crate) cache_usage: f64,
}

/// Decides each step.
#[derive(Debug)]
pub(crate) struct Scheduler {
    limits: Limits,
    pool: BlockPool,
    prefixes: PrefixCache,
    waiting: VecDeque<Sequence>,
    running: Vec<Sequence>,
}

#[derive(Debug)]
struct Sequence {
    id: SequenceId,
    prompt: Prompt,
    max_tokens: u32,
    generated: u32,
    /// Tokens whose keys and values are in the cache.
    computed: u32,
    /// Tokens to compute before it decodes: the prompt, and after a preemption the answer so far.
    goal: u32,
    blocks: u32,
}

impl Limits {
    /// The rules that flags and the memory they leave make.
    pub(crate) fn new(options: &Options, memory: &MemoryPlan) -> Self {
        Self {
            max_sequences: usize::try_from(options.max_num_seqs).expect("32 bits fit a usize"),
            token_budget: options.max_num_batched_tokens,
            block_size: options.block_size,
            cache_blocks: memory.cache_blocks,
            has_chunked_prefill: options.has_chunked_prefill(),
            has_prefix_caching: options.has_prefix_caching(),
        }
    }
}

impl Scheduler {
    /// An idle engine.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            pool: BlockPool::new(limits.cache_blocks),
            prefixes: PrefixCache::default(),
            waiting: VecDeque::new(),
            running: Vec::new(),
        }
    }

    /// Puts a request at the end of the queue. Prompt and answer together must not be longer
    /// than the cache; `max_tokens` is at least 1.
    pub(crate) fn enqueue(&mut self, id: SequenceId, prompt: Prompt, max_tokens: u32) {
        let goal = prompt.tokens;
        self.waiting.push_back(Sequence {
            id,
            prompt,
            max_tokens,
            generated: 0,
            computed: 0,
            goal,
            blocks: 0,
        });
    }

    /// Forgets a request, wherever it stands; one that is not known is not an error.
    pub(crate) fn cancel(&mut self, id: SequenceId) {
        self.waiting.retain(|sequence| sequence.id != id);
        if let Some(index) = self.running.iter().position(|sequence| sequence.id == id) {
            let sequence = self.running.remove(index);
            self.pool.release(sequence.blocks);
        }
    }

    /// How full the engine is.
    pub(crate) fn occupancy(&self) -> Occupancy {
        Occupancy {
            running: self.running.len(),
            waiting: self.waiting.len(),
            cache_usage: self.pool.usage(),
        }
    }

    /// Decides and books the next step; none if there is nothing to do.
    pub(crate) fn step(&mut self) -> Option<Step> {
        if self.running.is_empty() && self.waiting.is_empty() {
            return None;
        }
        let mut step = Step::default();
        let mut budget = self.limits.token_budget;
        if self.limits.has_chunked_prefill {
            self.advance_running(&mut step, &mut budget);
            if step.preempted.is_empty() {
                self.admit(&mut step, &mut budget);
            }
        } else {
            self.admit(&mut step, &mut budget);
            if step.admitted.is_empty() {
                self.advance_running(&mut step, &mut budget);
            }
        }
        step.work.running_sequences =
            u32::try_from(self.running.len()).expect("no more than the batch limit");
        self.retire_finished();
        Some(step)
    }

    fn advance_running(&mut self, step: &mut Step, budget: &mut u32) {
        let mut index = 0;
        while index < self.running.len() && *budget > 0 {
            let tokens = self.running[index].next_tokens(*budget);
            if self.make_room(index, tokens, step) {
                *budget -= tokens;
                self.compute(index, tokens, step);
            }
            index += 1;
        }
    }

    /// Gives the sequence at `index` blocks for `tokens` more tokens, pushing out those admitted
    /// last; false if it had to be pushed out itself.
    fn make_room(&mut self, index: usize, tokens: u32, step: &mut Step) -> bool {
        loop {
            let sequence = &mut self.running[index];
            let wanted = blocks_for(sequence.computed + tokens, self.limits.block_size);
            if self.pool.grow(&mut sequence.blocks, wanted) {
                self.prefixes.shrink(self.pool.free());
                return true;
            }
            let mut victim = self.running.pop().expect("the sequence at `index` runs");
            self.pool.release(victim.blocks);
            victim.push_out();
            step.preempted.push(victim.id);
            self.waiting.push_front(victim);
            if self.running.len() == index {
                return false;
            }
        }
    }

    fn admit(&mut self, step: &mut Step, budget: &mut u32) {
        while self.running.len() < self.limits.max_sequences && *budget > 0 {
            let Some(next) = self.waiting.front() else {
                return;
            };
            let cached_tokens = self.cached_tokens(next);
            let left = next.goal - cached_tokens;
            if !self.limits.has_chunked_prefill && left > *budget {
                return;
            }
            let wanted = blocks_for(next.goal, self.limits.block_size);
            let reserve = if self.running.is_empty() {
                0
            } else {
                self.pool.watermark()
            };
            if self.pool.free() < wanted.saturating_add(reserve) {
                return;
            }
            let mut next = self.waiting.pop_front().expect("it was seen at the front");
            assert!(
                self.pool.grow(&mut next.blocks, wanted),
                "its blocks were counted free"
            );
            self.prefixes.shrink(self.pool.free());
            next.computed = cached_tokens;
            step.admitted.push(Admission {
                id: next.id,
                cached_tokens,
            });
            self.running.push(next);
            let tokens = left.min(*budget);
            *budget -= tokens;
            self.compute(self.running.len() - 1, tokens, step);
        }
    }

    /// Tokens at the beginning of a sequence that are known; at least one is left to compute.
    fn cached_tokens(&self, sequence: &Sequence) -> u32 {
        if !self.limits.has_prefix_caching {
            return 0;
        }
        let known = self.prefixes.known(&sequence.prompt.prefixes);
        (known * self.limits.block_size).min(sequence.goal - 1)
    }

    /// Books `tokens` more tokens of the sequence at `index`, and what it emits by that.
    fn compute(&mut self, index: usize, tokens: u32, step: &mut Step) {
        let sequence = &mut self.running[index];
        let (before, count) = (u64::from(sequence.computed), u64::from(tokens));
        if sequence.is_decoding() {
            step.work.decode_sequences += 1;
            step.work.decode_context += before;
        } else {
            step.work.prefill_tokens += tokens;
            step.work.prefill_context += count * before + count * (count - 1) / 2;
        }
        let was_decoding = sequence.is_decoding();
        sequence.computed += tokens;
        if !sequence.is_decoding() {
            return;
        }
        let position = sequence.generated;
        sequence.generated += 1;
        step.emitted.push(Emission {
            id: sequence.id,
            position,
            is_last: sequence.is_finished(),
        });
        if !was_decoding && self.limits.has_prefix_caching {
            self.prefixes.remember(&sequence.prompt.prefixes);
            self.prefixes.shrink(self.pool.free());
        }
    }

    fn retire_finished(&mut self) {
        let pool = &mut self.pool;
        self.running.retain(|sequence| {
            if sequence.is_finished() {
                pool.release(sequence.blocks);
            }
            !sequence.is_finished()
        });
    }
}

impl Sequence {
    fn is_decoding(&self) -> bool {
        self.computed >= self.goal
    }

    fn is_finished(&self) -> bool {
        self.generated >= self.max_tokens
    }

    /// How many tokens it computes next, if the budget allows no more than `budget`.
    fn next_tokens(&self, budget: u32) -> u32 {
        if self.is_decoding() {
            1
        } else {
            (self.goal - self.computed).min(budget)
        }
    }

    fn push_out(&mut self) {
        self.blocks = 0;
        self.computed = 0;
        self.goal = self.prompt.tokens + self.generated;
    }
}
