//! What moves the objective: found where it is, and not where it is not.

use rand_distr::{Distribution as _, StandardNormal};

use super::*;
use crate::insight::variance;

/// Four switches and sizes, named p0 to p4.
fn usual() -> Vec<Parameter> {
    vec![
        parameter("p0", list([1, 2, 4, 8])),
        parameter("p1", words(&["a", "b", "c"])),
        parameter("p2", list([16, 32, 64])),
        parameter("p3", Domain::boolean()),
        parameter(
            "p4",
            Domain::Continuous {
                low: 0.5,
                high: 0.9,
                log: false,
            },
        ),
    ]
}

fn noise(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Experiments whose objective is the exponential of this.
fn measured(count: usize, seed: u64, logarithm: impl Fn(&Candidate, &mut ChaCha8Rng) -> f64) -> Variance {
    let parameters = usual();
    let findings = drawn(&parameters, count, seed, |candidate, rng| {
        -logarithm(candidate, rng).exp()
    });
    insight(&parameters, &findings).variance
}

fn standing_out(told: &Variance) -> Vec<String> {
    let effects = told.effects.iter().filter(|effect| effect.stands_out);
    let mut names: Vec<String> = effects.map(|effect| effect.name.to_string()).collect();
    names.sort();
    names
}

fn together(told: &Variance) -> Vec<String> {
    let pairs = told.interactions.iter().filter(|pair| pair.stands_out);
    pairs
        .map(|pair| format!("{}*{}", pair.first, pair.second))
        .collect()
}

#[test]
fn equal_configurations_with_noise_give_nothing() {
    let mut claimed = 0;
    for seed in 0..6 {
        for count in [12, 30] {
            let told = measured(count, seed, |_, rng| 0.05 * noise(rng));
            let is_silent = standing_out(&told).is_empty() && together(&told).is_empty();
            claimed += u32::from(!is_silent);
            assert_eq!(told.note.is_some(), is_silent);
            assert!(told.unexplained.expect("a model").high > 0.5);
        }
    }
    assert!(claimed <= 1, "{claimed} of 12");
}

#[test]
fn what_adds_up_is_found_and_nothing_is_said_of_pairs() {
    for seed in 0..4 {
        let told = measured(40, seed, |candidate, rng| {
            let of = |name| along(&usual(), name, candidate);
            of("p0") + 0.8 * of("p2") + 0.15 * noise(rng)
        });
        assert_eq!(standing_out(&told), ["p0", "p2"], "seed {seed}: {told:#?}");
        assert_eq!(together(&told), Vec::<String>::new(), "seed {seed}");
        let effect = &told.effects[0];
        assert!(effect.main.low <= effect.main.share && effect.main.share <= effect.main.high);
        assert_eq!(told.note, None);
    }
}

#[test]
fn a_pair_that_matters_only_together_is_found() {
    for seed in 0..4 {
        let told = measured(45, seed, |candidate, rng| {
            let of = |name| along(&usual(), name, candidate) - 0.5;
            of("p3") + 2.5 * of("p0") * of("p2") + 0.15 * noise(rng)
        });
        assert_eq!(together(&told), ["p0*p2"], "seed {seed}: {told:#?}");
        assert_eq!(standing_out(&told), ["p0", "p2", "p3"], "seed {seed}");
        let first = told
            .effects
            .iter()
            .find(|effect| effect.name.as_str() == "p0")
            .expect("told");
        assert!(
            first.total.share > first.main.share + 0.1,
            "seed {seed}: {first:?}"
        );
    }
}

/// Half of what varies is one switch: its interval says so.
#[test]
fn intervals_hold_the_truth() {
    let mut inside = 0;
    for seed in 0..10 {
        // A switch between 0 and 1 has a variance of 0.25.
        let told = measured(40, seed, |candidate, rng| {
            along(&usual(), "p3", candidate) + 0.5 * noise(rng)
        });
        let effect = told
            .effects
            .iter()
            .find(|effect| effect.name.as_str() == "p3")
            .expect("told");
        inside += u32::from(effect.main.low <= 0.5 && 0.5 <= effect.main.high);
    }
    assert!(inside >= 8, "{inside} of 10");
}

/// A search that runs after luck is not taken for knowledge: each experiment is the best so far with one
/// value changed, and all are worth the same.
#[test]
fn running_after_luck_gives_nothing() {
    let parameters = usual();
    let space = Space::new(parameters.clone(), Vec::new()).expect("a sound space");
    let mut claimed = 0;
    for seed in 0..6 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut findings: Vec<Finding> = Vec::new();
        for number in 1..=30 {
            let fresh = space.sample(&mut rng as &mut dyn Rng);
            let best = findings
                .iter()
                .max_by(|a, b| a.outcome.as_ref().ok().cmp(&b.outcome.as_ref().ok()));
            let candidate = match best {
                Some(best) if number > 8 => {
                    let changed = rng.random_range(0..parameters.len());
                    let pairs = best.candidate.iter().zip(fresh.iter()).enumerate();
                    let pick = pairs.map(|(index, (old, new))| if index == changed { new } else { old });
                    Candidate::new(pick.map(|(name, value)| (name.clone(), value.clone())))
                }
                _ => fresh,
            };
            let value = -(0.05 * noise(&mut rng)).exp();
            findings.push(finding(number, candidate, Ok(worth(value))));
        }
        let told = insight(&parameters, &findings).variance;
        claimed += u32::from(!standing_out(&told).is_empty() || !together(&told).is_empty());
    }
    assert!(claimed <= 1, "{claimed} of 6");
}

#[test]
fn shares_need_several_values_and_enough_experiments() {
    let told = measured(7, 1, |_, rng| noise(rng));
    assert_eq!(told.effects, []);
    assert!(
        told.note
            .expect("why")
            .contains("1 more scored experiment needed")
    );
    let told = measured(30, 1, |_, _| 0.0);
    assert_eq!((told.effects.len(), told.unexplained), (0, None));
    let one = [parameter("fixed", list([1]))];
    let findings = drawn(&one, 10, 1, |_, rng| -noise(rng).exp());
    assert_eq!(insight(&one, &findings).variance.effects, []);
}

#[test]
fn equal_experiments_give_equal_shares() {
    let told = || {
        measured(20, 3, |candidate, rng| {
            along(&usual(), "p4", candidate) + 0.1 * noise(rng)
        })
    };
    assert_eq!(told(), told());
    assert_eq!(told().effects[0].name.as_str(), "p4");
}

#[test]
fn of_very_many_experiments_evenly_spaced_ones_are_taken() {
    let findings = drawn(&usual(), 400, 3, |_, _| 1.0);
    let scored: Vec<Scored<'_>> = findings.iter().filter_map(scored).collect();
    let kept = variance::thinned(&scored);
    assert_eq!((kept.len(), kept[0].number.0, kept[149].number.0), (150, 1, 398));
    assert_eq!(variance::thinned(&scored[..20]).len(), 20);
}
