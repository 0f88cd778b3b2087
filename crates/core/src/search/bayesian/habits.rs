//! What the best have in common, each axis alone: a second opinion, which no model stands behind.
//!
//! A model that has seen a value in bad company only is sure that it is bad, and once it knows the
//! neighbours of the best it expects nothing more of anything. A Parzen estimator believes
//! nothing about how values go together: it puts those together that the best have more often
//! than the rest, and so it changes several of them at once.

use rand::RngExt;

use super::model::Model;
use super::parzen::Parzen;
use super::problem::Point;
use super::suggest::Turn;

/// Points made before none is found.
const TRIES: usize = 200;

impl Turn<'_> {
    /// A new point of values that the best have more often than the rest. The less likely it is to
    /// run, the less likely it is taken.
    pub(super) fn habitual(&mut self, model: &Model<'_>) -> Option<Point> {
        let search = self.search;
        let parzen = Parzen::of(search.axes, search.goal, search.history)?;
        (0..TRIES).find_map(|_| {
            let point = (search.settled)(parzen.draw(&mut self.rng));
            let is_tried = self.is_fresh(&point) && self.rng.random::<f64>() < model.crashes.runs(&point);
            is_tried.then_some(point)
        })
    }
}
