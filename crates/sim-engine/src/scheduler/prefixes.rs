//! Which prompt beginnings are still in the cache.
//!
//! A simplification that keeps the memory honest: as many blocks of beginnings are remembered
//! as there are free blocks, and the longest unused go first. A sequence that finds its
//! beginning saves the computing, not the memory: blocks are not shared.

use std::collections::{BTreeMap, HashMap};

/// Remembers the blocks of prompt beginnings, each by the number that stands for all tokens up
/// to its end.
#[derive(Debug, Default)]
pub(crate) struct PrefixCache {
    last_use: HashMap<u64, u64>,
    by_use: BTreeMap<u64, u64>,
    uses: u64,
}

impl PrefixCache {
    /// How many blocks, counted from the first, are remembered.
    pub(crate) fn known(&self, prefixes: &[u64]) -> u32 {
        let known = prefixes
            .iter()
            .take_while(|prefix| self.last_use.contains_key(prefix))
            .count();
        u32::try_from(known).expect("a prompt has fewer blocks than tokens")
    }

    /// Remembers a prompt's blocks as just used; the last block is the first to be forgotten.
    pub(crate) fn remember(&mut self, prefixes: &[u64]) {
        for prefix in prefixes.iter().rev() {
            self.uses += 1;
            if let Some(before) = self.last_use.insert(*prefix, self.uses) {
                self.by_use.remove(&before);
            }
            self.by_use.insert(self.uses, *prefix);
        }
    }

    /// Forgets the longest unused until at most `blocks` are remembered.
    pub(crate) fn shrink(&mut self, blocks: u32) {
        let blocks = usize::try_from(blocks).expect("32 bits fit a usize");
        while self.last_use.len() > blocks {
            let Some((_, prefix)) = self.by_use.pop_first() else {
                return;
            };
            self.last_use.remove(&prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_known_as_far_as_they_agree() {
        let mut cache = PrefixCache::default();
        cache.remember(&[1, 2, 3]);
        assert_eq!(cache.known(&[1, 2, 3]), 3);
        assert_eq!(cache.known(&[1, 2, 9]), 2);
        assert_eq!(cache.known(&[9, 2, 3]), 0);
    }

    #[test]
    fn the_longest_unused_and_the_ends_go_first() {
        let mut cache = PrefixCache::default();
        cache.remember(&[1, 2]);
        cache.remember(&[5, 6]);
        cache.shrink(3);
        assert_eq!((cache.known(&[1, 2]), cache.known(&[5, 6])), (1, 2));
        cache.remember(&[1]);
        cache.shrink(1);
        assert_eq!((cache.known(&[1, 2]), cache.known(&[5, 6])), (1, 0));
        cache.shrink(0);
        assert_eq!(cache.known(&[1]), 0);
    }
}
