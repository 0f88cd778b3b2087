//! How many completions are in flight, and whether there is a place for one more.
//!
//! A place is held for as long as its answer goes on, and given back when that is dropped, in
//! whatever way it ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::refusal::Refusal;

/// All places of an engine.
#[derive(Debug)]
pub(crate) struct Places {
    taken: Arc<AtomicU64>,
    most: Option<u64>,
}

/// One place that is taken.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicU64>);

impl Places {
    /// So many places, or as many as are wanted.
    pub(crate) fn new(most: Option<u64>) -> Self {
        Self {
            taken: Arc::default(),
            most,
        }
    }

    /// Takes one.
    pub(crate) fn take(&self) -> Result<Place, Refusal> {
        let place = Place(Arc::clone(&self.taken));
        let before = self.taken.fetch_add(1, Ordering::Relaxed);
        match self.most {
            // The place is given back as it is dropped.
            Some(most) if before >= most => Err(Refusal::Overloaded(most)),
            _ => Ok(place),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back() {
        let places = Places::new(Some(2));
        let one = places.take().unwrap();
        let _two = places.take().unwrap();
        assert!(matches!(places.take(), Err(Refusal::Overloaded(2))));
        drop(one);
        let _again = places.take().unwrap();
        assert!(places.take().is_err());
    }
}
