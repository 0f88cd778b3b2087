//! The cache's blocks, counted: how many are held and how many are free.
//!
//! Blocks have no identity; who holds how many stands with the holder.

/// A fixed number of blocks.
#[derive(Debug)]
pub(crate) struct BlockPool {
    total: u32,
    free: u32,
}

impl BlockPool {
    /// A pool with all blocks free.
    pub(crate) fn new(total: u32) -> Self {
        Self { total, free: total }
    }

    /// Blocks that nobody holds.
    pub(crate) fn free(&self) -> u32 {
        self.free
    }

    /// Blocks that an admission leaves free for those already running: one in a hundred.
    pub(crate) fn watermark(&self) -> u32 {
        self.total / 100
    }

    /// Share of the blocks that is held.
    pub(crate) fn usage(&self) -> f64 {
        f64::from(self.total - self.free) / f64::from(self.total.max(1))
    }

    /// Raises a holding to `wanted` blocks; false, with nothing changed, if too few are free.
    pub(crate) fn grow(&mut self, held: &mut u32, wanted: u32) -> bool {
        let more = wanted.saturating_sub(*held);
        if more > self.free {
            return false;
        }
        self.free -= more;
        *held += more;
        true
    }

    /// Takes a holding back.
    pub(crate) fn release(&mut self, held: u32) {
        self.free += held;
    }
}
