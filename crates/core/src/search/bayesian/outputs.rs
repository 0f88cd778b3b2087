//! Rows of outputs, some of which end early, and how outputs hang together.
//!
//! A trial that was given up has the outputs of the levels it was measured at and no others.
//! Outputs that are seen often go first, and so do rows that reach far; then each output is seen
//! of the first rows only, and the later ones can be built on the earlier: what is left of an
//! output once its forerunners have explained their part has a process of its own. With one
//! kernel for all that is exact, however many rows end early (an autoregressive model; Kennedy
//! and O'Hagan, 2000).

use crate::linear::{Cholesky, as_f64, dot};

/// How many observations the prior guess of the outputs' covariance counts for.
const PRIOR_WEIGHT: f64 = 3.0;

/// Correlation between outputs that the prior guesses.
const PRIOR_CORRELATION: f64 = 0.7;

/// Rows in an order in which each output is seen of the first of them.
pub(super) struct Rows {
    /// The rows' numbers.
    pub(super) order: Vec<usize>,
    /// The outputs' numbers, those that are seen most often first.
    pub(super) outputs: Vec<usize>,
    /// What was seen of each output, in units of standard deviations from its mean.
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
}

impl Rows {
    /// Orders rows; what follows a gap is left out.
    pub(super) fn of(rows: &[Vec<Option<f64>>]) -> Self {
        let count = rows.first().map_or(0, Vec::len);
        let seen = |output: usize| rows.iter().filter(|row| row[output].is_some()).count();
        let mut outputs: Vec<usize> = (0..count).collect();
        outputs.sort_by_key(|output| std::cmp::Reverse(seen(*output)));
        let reach = |row: &usize| {
            let row = &rows[*row];
            outputs
                .iter()
                .take_while(|output| row[**output].is_some())
                .count()
        };
        let mut order: Vec<usize> = (0..rows.len()).filter(|row| reach(row) > 0).collect();
        order.sort_by_key(|row| std::cmp::Reverse(reach(row)));
        let mut found = Self {
            order,
            outputs,
            columns: Vec::new(),
            means: Vec::new(),
            scales: Vec::new(),
        };
        let mut before: Vec<f64> = Vec::new();
        for output in &found.outputs {
            let values = found.order.iter().map_while(|row| rows[*row][*output]);
            let column: Vec<f64> = values.collect();
            let whole = completed(&column, &before);
            let (mean, variance) = moments(&whole);
            let scale = variance.sqrt().max(1e-6 * mean.abs()).max(1e-9);
            found
                .columns
                .push(column.iter().map(|value| (value - mean) / scale).collect());
            found.means.push(mean);
            found.scales.push(scale);
            before = whole;
        }
        found
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = as_f64(values.len().max(1));
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance)
}

/// A column with what is missing guessed from its forerunner, so that mean and deviation are
/// those of all rows and not those of the better ones that reach further.
fn completed(column: &[f64], before: &[f64]) -> Vec<f64> {
    let mut whole = column.to_vec();
    if column.len() >= before.len() {
        return whole;
    }
    let seen = &before[..column.len()];
    let ((x, _), (y, _)) = (moments(seen), moments(column));
    // One observation's worth of a guess that both move alike.
    let guess = moments(before).1.max(1e-300);
    let shared: f64 = seen
        .iter()
        .zip(column)
        .map(|(left, right)| (left - x) * (right - y))
        .sum();
    let own: f64 = seen.iter().map(|left| (left - x).powi(2)).sum();
    let slope = (shared + guess) / (own + guess);
    whole.extend(before[column.len()..].iter().map(|left| y + slope * (left - x)));
    whole
}

/// How each output is made of independent parts: the rows of a lower triangle.
pub(super) type Mix = Vec<Vec<f64>>;

/// The outputs' covariance under the kernel that a factor is of (`B = Yᵀ K⁻¹ Y / n`, the maximum
/// likelihood of the intrinsic coregionalisation model, with a prior's help while observations
/// are few), as a lower triangle.
pub(super) fn mix(columns: &[Vec<f64>], factor: &Cholesky) -> Mix {
    let mut mix: Mix = Vec::new();
    for (output, column) in columns.iter().enumerate() {
        let count = column.len();
        let size = output + 1;
        let mut covariance = vec![0.0; size * size];
        for (right, other) in columns[..size].iter().enumerate() {
            let solved = factor.solve(&other[..count]);
            for left in right..size {
                let guess = if left == right { 1.0 } else { PRIOR_CORRELATION };
                let seen = dot(&columns[left][..count], &solved);
                covariance[left * size + right] =
                    (seen + PRIOR_WEIGHT * guess) / (as_f64(count) + PRIOR_WEIGHT);
            }
        }
        let lower = Cholesky::of(&covariance, size);
        // By how much the output moves with each of its forerunners.
        let mut shares = lower.row(output)[..output].to_vec();
        lower.backward(&mut shares);
        let mut parts = vec![0.0; size];
        for (share, forerunner) in shares.iter().zip(&mix) {
            for (part, own) in parts.iter_mut().zip(forerunner) {
                *part += share * own;
            }
        }
        parts[output] = lower.row(output)[output];
        mix.push(parts);
    }
    mix
}

/// The independent parts that columns are made of.
pub(super) fn parts(columns: &[Vec<f64>], mix: &Mix) -> Vec<Vec<f64>> {
    let mut parts: Vec<Vec<f64>> = Vec::new();
    for (column, shares) in columns.iter().zip(mix) {
        let mut part = column.clone();
        for (share, earlier) in shares.iter().zip(&parts) {
            for (value, earlier) in part.iter_mut().zip(earlier) {
                *value -= share * earlier;
            }
        }
        let own = shares[parts.len()];
        part.iter_mut().for_each(|value| *value /= own);
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_end_early_go_last_and_do_not_move_what_they_lack() {
        let rows = [
            vec![Some(1.0), Some(2.0)],
            vec![None, Some(1.0)],
            vec![Some(3.0), Some(4.0)],
            vec![None, Some(0.0)],
        ];
        let rows = Rows::of(&rows);
        assert_eq!((rows.order, rows.outputs), (vec![0, 2, 1, 3], vec![1, 0]));
        assert_eq!((rows.columns[0].len(), rows.columns[1].len()), (4, 2));
        // Both moved alike where both were seen: so they are taken to do elsewhere.
        assert!((rows.means[1] - (rows.means[0] - 1.0)).abs() < 1e-9);
        assert!((rows.scales[1] - rows.scales[0]).abs() < 1e-9);
    }

    #[test]
    fn parts_make_up_what_they_are_parts_of() {
        let columns = vec![vec![1.0, -0.5, 0.3], vec![0.8, -0.6], vec![0.5]];
        let factor = Cholesky::of(&[1.0, 0.0, 0.0, 0.2, 1.0, 0.0, 0.1, 0.3, 1.0], 3);
        let mix = mix(&columns, &factor);
        let parts = parts(&columns, &mix);
        for (column, shares) in columns.iter().zip(&mix) {
            for (row, value) in column.iter().enumerate() {
                let sum: f64 = shares
                    .iter()
                    .zip(&parts)
                    .map(|(share, part)| share * part[row])
                    .sum();
                assert!((sum - value).abs() < 1e-9);
            }
        }
    }
}
