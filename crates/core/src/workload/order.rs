//! In which order levels run.

use super::Workload;

impl Workload {
    /// Has the levels run that say most run first: those that weigh most, of these the ones under
    /// the greatest load. `weights` are one number a level, in the order until now, and are put in
    /// the new one.
    ///
    /// What an engine is worth shows under load: a level of one request at a time tells little of
    /// the others.
    pub fn run_heaviest_first(&mut self, weights: &mut [f64]) {
        let loads: Vec<f64> = self.levels().iter().map(|level| level.load.size()).collect();
        if loads.len() != weights.len() {
            return;
        }
        let mut order: Vec<usize> = (0..loads.len()).collect();
        order.sort_by(|left, right| {
            let weight = weights[*right].total_cmp(&weights[*left]);
            weight.then(loads[*right].total_cmp(&loads[*left]))
        });
        let before = weights.to_vec();
        for (weight, level) in weights.iter_mut().zip(&order) {
            *weight = before[*level];
        }
        self.order = order;
    }
}
