//! Runs the state machine to its end and watches every step.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;

fn limits() -> Limits {
    Limits {
        max_sequences: 4,
        token_budget: 32,
        block_size: 4,
        cache_blocks: 100,
        has_chunked_prefill: true,
        has_prefix_caching: false,
    }
}

fn prompt(tokens: u32) -> Prompt {
    Prompt {
        tokens,
        prefixes: Vec::new(),
        fingerprint: 0,
    }
}

/// A scheduler with these requests (prompt length, answer length) in its queue.
fn queue(limits: Limits, requests: &[(u32, u32)]) -> Scheduler {
    let mut scheduler = Scheduler::new(limits);
    for (id, (tokens, max_tokens)) in (0..).zip(requests) {
        scheduler.enqueue(SequenceId(id), prompt(*tokens), *max_tokens);
    }
    scheduler
}

/// Checks what must hold after every step.
fn check_step(scheduler: &Scheduler, step: &Step) {
    let limits = scheduler.limits;
    let tokens = step.work.prefill_tokens + step.work.decode_sequences;
    assert!(tokens > 0, "a step without progress: {step:?}");
    assert!(tokens <= limits.token_budget, "over the budget: {step:?}");
    assert!(
        scheduler.running.len() <= limits.max_sequences,
        "over the batch limit"
    );
    let held: u32 = scheduler
        .running
        .iter()
        .map(|sequence| sequence.blocks)
        .sum();
    assert_eq!(
        held + scheduler.pool.free(),
        limits.cache_blocks,
        "blocks were lost or made"
    );
    for sequence in &scheduler.running {
        assert!(
            sequence.blocks * limits.block_size >= sequence.computed,
            "tokens without a block"
        );
    }
    if !limits.has_chunked_prefill {
        assert!(
            step.work.prefill_tokens == 0 || step.work.decode_sequences == 0,
            "a mixed step: {step:?}"
        );
    }
}

/// Steps until idle; every request must get each token of its answer once and in order.
fn run_to_end(mut scheduler: Scheduler, requests: &[(u32, u32)]) -> Vec<Step> {
    let mut received: HashMap<SequenceId, u32> = HashMap::new();
    let mut ended = HashSet::new();
    let mut steps = Vec::new();
    while let Some(step) = scheduler.step() {
        check_step(&scheduler, &step);
        for emission in &step.emitted {
            let next = received.entry(emission.id).or_default();
            assert_eq!(emission.position, *next, "out of order");
            *next += 1;
            assert!(!ended.contains(&emission.id), "a token after the last");
            if emission.is_last {
                ended.insert(emission.id);
            }
        }
        steps.push(step);
        assert!(steps.len() < 100_000, "it does not end");
    }
    for (id, (_, max_tokens)) in (0..).zip(requests) {
        assert_eq!(
            received.get(&SequenceId(id)),
            Some(max_tokens),
            "request {id}"
        );
        assert!(
            ended.contains(&SequenceId(id)),
            "request {id} has no last token"
        );
    }
    assert_eq!(scheduler.pool.free(), scheduler.limits.cache_blocks);
    steps
}

fn check_runs(limits: Limits, requests: &[(u32, u32)]) -> Vec<Step> {
    run_to_end(queue(limits, requests), requests)
}

fn admitted(step: &Step) -> Vec<u64> {
    step.admitted
        .iter()
        .map(|admission| admission.id.0)
        .collect()
}

#[test]
fn nothing_to_do_is_no_step() {
    assert_eq!(Scheduler::new(limits()).step(), None);
}

#[test]
fn a_prompt_over_the_budget_takes_several_steps_and_then_one_a_token() {
    let steps = check_runs(limits(), &[(70, 3)]);
    let prompt_tokens: Vec<u32> = steps.iter().map(|step| step.work.prefill_tokens).collect();
    let emitted: Vec<usize> = steps.iter().map(|step| step.emitted.len()).collect();
    assert_eq!(prompt_tokens, [32, 32, 6, 0, 0]);
    assert_eq!(emitted, [0, 0, 1, 1, 1]);
}

#[test]
fn attention_looks_back_at_every_token_before() {
    let steps = check_runs(limits(), &[(40, 3)]);
    let looked_back: Vec<(u64, u64)> = steps
        .iter()
        .map(|step| (step.work.prefill_context, step.work.decode_context))
        .collect();
    assert_eq!(
        looked_back,
        [(31 * 32 / 2, 0), (8 * 32 + 7 * 8 / 2, 0), (0, 40), (0, 41)]
    );
}

#[test]
fn decoding_goes_on_beside_a_long_prompt() {
    let steps = check_runs(limits(), &[(4, 20), (90, 2)]);
    assert_eq!(steps[0].work.prefill_tokens, 32);
    assert_eq!(
        (steps[1].work.prefill_tokens, steps[1].work.decode_sequences),
        (31, 1)
    );
}

#[test]
fn without_chunks_a_prompt_holds_up_decoding() {
    let limits = Limits {
        has_chunked_prefill: false,
        token_budget: 100,
        ..limits()
    };
    let steps = check_runs(limits, &[(60, 5), (60, 5)]);
    let kinds: Vec<(u32, u32)> = steps
        .iter()
        .map(|step| (step.work.prefill_tokens, step.work.decode_sequences))
        .collect();
    assert_eq!(kinds, [(60, 0), (60, 0), (0, 2), (0, 2), (0, 2), (0, 2)]);
}

#[test]
fn the_batch_limit_makes_the_fifth_wait() {
    let steps = check_runs(limits(), &[(4, 3), (4, 9), (4, 9), (4, 9), (4, 2)]);
    assert_eq!(admitted(&steps[0]), [0, 1, 2, 3]);
    assert_eq!(steps.iter().position(|step| admitted(step) == [4]), Some(3));
}

#[test]
fn a_full_cache_pushes_out_the_last_one_which_then_goes_on_where_it_was() {
    let limits = Limits {
        cache_blocks: 10,
        ..limits()
    };
    let requests = [(12, 20), (12, 20)];
    let steps = check_runs(limits, &requests);
    let preempted: Vec<SequenceId> = steps
        .iter()
        .flat_map(|step| step.preempted.clone())
        .collect();
    assert_eq!(preempted, [SequenceId(1)]);
    let first = steps
        .iter()
        .position(|step| !step.preempted.is_empty())
        .unwrap();
    let again = steps[first + 1..]
        .iter()
        .find(|step| !step.admitted.is_empty())
        .unwrap();
    assert!(
        again.work.prefill_tokens > 12,
        "the answer so far is computed again: {again:?}"
    );
}

#[test]
fn a_request_that_goes_away_frees_its_blocks() {
    let mut scheduler = queue(limits(), &[(40, 10), (8, 10)]);
    scheduler.step();
    scheduler.step();
    assert!(scheduler.occupancy().cache_usage > 0.0);
    scheduler.cancel(SequenceId(0));
    scheduler.cancel(SequenceId(1));
    scheduler.cancel(SequenceId(7));
    assert_eq!(scheduler.occupancy(), Occupancy::default());
    assert_eq!(scheduler.step(), None);
}

#[test]
fn a_known_beginning_is_not_computed_again() {
    let mut scheduler = Scheduler::new(Limits {
        has_prefix_caching: true,
        ..limits()
    });
    let words = |last: &'static str| Prompt::read("a b c d e f g h".split(' ').chain([last]), 4);
    scheduler.enqueue(SequenceId(0), words("x"), 1);
    assert_eq!(scheduler.step().unwrap().work.prefill_tokens, 9);
    scheduler.enqueue(SequenceId(1), words("y"), 1);
    let step = scheduler.step().unwrap();
    assert_eq!(
        step.admitted,
        [Admission {
            id: SequenceId(1),
            cached_tokens: 8
        }]
    );
    assert_eq!(step.work.prefill_tokens, 1);
}

#[test]
fn a_prompt_that_is_known_whole_still_computes_its_last_token() {
    let mut scheduler = Scheduler::new(Limits {
        has_prefix_caching: true,
        ..limits()
    });
    let same = || Prompt::read("a b c d e f g h".split(' '), 4);
    for id in 0..2 {
        scheduler.enqueue(SequenceId(id), same(), 1);
    }
    let both = scheduler.step().unwrap();
    assert_eq!(both.admitted[1].cached_tokens, 7);
    assert_eq!(both.emitted.len(), 2);
}

prop_compose! {
    fn any_limits()(
        max_sequences in 1_usize..8,
        extra_budget in 0_u32..64,
        block_size in 1_u32..9,
        spare_tokens in 0_u32..200,
        has_chunked_prefill in any::<bool>(),
        has_prefix_caching in any::<bool>(),
    ) -> Limits {
        // The longest request below is 60 + 40 tokens; it must fit the cache, and a budget without chunks.
        let least_budget = if has_chunked_prefill { u32::try_from(max_sequences).unwrap() } else { 100 };
        Limits {
            max_sequences,
            token_budget: least_budget + extra_budget,
            block_size,
            cache_blocks: (100 + spare_tokens).div_ceil(block_size),
            has_chunked_prefill,
            has_prefix_caching,
        }
    }
}

proptest! {
    #[test]
    fn every_request_gets_its_whole_answer(
        limits in any_limits(),
        requests in prop::collection::vec((1_u32..=60, 1_u32..=40), 1..25),
    ) {
        check_runs(limits, &requests);
    }

    #[test]
    fn first_admissions_keep_the_order_of_arrival(
        limits in any_limits(),
        requests in prop::collection::vec((1_u32..=60, 1_u32..=40), 1..25),
    ) {
        let mut seen = Vec::new();
        for step in check_runs(limits, &requests) {
            for id in admitted(&step) {
                if !seen.contains(&id) {
                    seen.push(id);
                }
            }
        }
        let expected: Vec<u64> = (0..).take(requests.len()).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn leaving_at_any_time_loses_no_block(
        limits in any_limits(),
        requests in prop::collection::vec((1_u32..=60, 1_u32..=40), 1..15),
        leavers in prop::collection::vec((0_u64..15, 0_usize..60), 0..15),
    ) {
        let mut scheduler = queue(limits, &requests);
        for round in 0.. {
            for (id, _) in leavers.iter().filter(|(_, when)| *when == round) {
                scheduler.cancel(SequenceId(*id));
            }
            let Some(step) = scheduler.step() else { break };
            check_step(&scheduler, &step);
        }
        prop_assert_eq!(scheduler.pool.free(), limits.cache_blocks);
    }
}
