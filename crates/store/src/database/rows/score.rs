//! What a result is worth.

use autotuner_core::score::{Objective, Score, ScoreParts, SloMetric, Violation};

use super::{Kept, Strange, fields};

impl Kept for Score {
    type Row = ScoreRow;
    fn keep(&self) -> ScoreRow {
        self.parts().keep()
    }
    fn recall(row: ScoreRow) -> Result<Self, Strange> {
        Ok(Self::from_parts(ScoreParts::recall(row)?))
    }
}

fields!(ScoreRow of ScoreParts {
    feasible: bool,
    value: f64,
    objective: Objective,
    objective_value: f64,
    penalty: f64,
    violations: Vec<Violation>,
    low_n: bool,
});

fields!(ViolationRow of Violation {
    metric: SloMetric,
    threshold: f64,
    actual: f64,
    ratio: f64,
});
