//! Finding a point that is allowed and new, without listing the space.

use std::collections::HashSet;

use rand::{Rng, RngExt};

use super::{Proposal, SearchContext};
use crate::space::{Candidate, CandidateKey, Size};

/// Spaces of at most this many points are walked when drawing no longer finds a new one.
pub(super) const WALKABLE: u128 = 100_000;

/// Draws before a space is walked.
const DRAWS: usize = 2_000;

/// Draws before a space that is too large to walk is given up: constraints may well leave
/// one point in ten thousand.
const MOST_DRAWS: usize = 100_000;

/// What a search for a new point came to.
enum Fresh {
    /// A point that is allowed and new.
    Found(Candidate),
    /// There is none.
    Exhausted,
    /// None was found in so many draws from a space too large to walk.
    NotFound(usize),
}

/// A point drawn at random among those that are allowed and new, for this reason; where there is
/// none the search ends.
pub(super) fn drawn(context: &SearchContext<'_>, rng: &mut dyn Rng, reason: &str) -> Proposal {
    let why = match draw(context, rng) {
        Fresh::Found(candidate) => {
            return Proposal::Try {
                candidate,
                reason: reason.into(),
            };
        }
        Fresh::Exhausted => "every configuration has been tried".into(),
        Fresh::NotFound(draws) => {
            format!("no further configuration that meets the constraints was found in {draws} draws")
        }
    };
    Proposal::Stop { why }
}

fn draw(context: &SearchContext<'_>, rng: &mut dyn Rng) -> Fresh {
    let known = context.known();
    let walkable = match context.space.size() {
        Size::Finite(size) if size <= WALKABLE => Some(size),
        Size::Finite(_) | Size::Infinite => None,
    };
    let draws = if walkable.is_some() { DRAWS } else { MOST_DRAWS };
    for _ in 0..draws {
        let candidate = context.space.sample(rng);
        if is_fresh(context, &known, &candidate) {
            return Fresh::Found(candidate);
        }
    }
    match walkable {
        Some(size) => {
            let mut left: Vec<Candidate> = walk(context, size)
                .filter(|candidate| is_fresh(context, &known, candidate))
                .collect();
            if left.is_empty() {
                return Fresh::Exhausted;
            }
            Fresh::Found(left.swap_remove(rng.random_range(0..left.len())))
        }
        None => Fresh::NotFound(draws),
    }
}

/// Every allowed point of a space of `size` points, in order; lazily.
pub(super) fn walk<'a>(context: &'a SearchContext<'_>, size: u128) -> impl Iterator<Item = Candidate> + 'a {
    (0..size)
        .map_while(|rank| context.space.nth(rank))
        .filter(|candidate| context.space.allows(candidate))
}

/// Whether a point meets the constraints and is not known.
pub(super) fn is_fresh(
    context: &SearchContext<'_>,
    known: &HashSet<CandidateKey>,
    candidate: &Candidate,
) -> bool {
    context.space.allows(candidate) && !known.contains(&(context.identity)(candidate))
}
