//! Small dense linear algebra: what a Gaussian process of at most some hundred points needs.

/// The lower triangle `L` of a symmetric positive definite matrix `A = L Lᵀ`.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(crate) fn as_f64(count: usize) -> f64 {
    count as f64
}

/// The sum of products, in four independent parts so that the processor can overlap them.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0_f64; 4];
    let (left_parts, left_rest) = left.as_chunks::<4>();
    let (right_parts, right_rest) = right.as_chunks::<4>();
    for (l, r) in left_parts.iter().zip(right_parts) {
        for ((sum, l), r) in sums.iter_mut().zip(l).zip(r) {
            *sum += l * r;
        }
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(l, r)| l * r).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

impl Cholesky {
    /// Factors a matrix given row by row; only its lower triangle is read. A pivot that
    /// rounding makes too small is lifted: the matrix of a kernel is never truly singular.
    pub(crate) fn of(matrix: &[f64], size: usize) -> Self {
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            let (above, current) = lower.split_at_mut(row * size);
            for column in 0..row {
                let other = &above[column * size..=column * size + column];
                let sum = matrix[row * size + column] - dot(&current[..column], &other[..column]);
                current[column] = sum / other[column];
            }
            let pivot = matrix[row * size + row] - dot(&current[..row], &current[..row]);
            current[row] = pivot.max(1e-10).sqrt();
        }
        Self { size, lower }
    }

    /// A row of `L`, as far as it is not zero.
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.lower[row * self.size..=row * self.size + row]
    }

    /// Turns `b` into `L⁻¹ b`; a shorter `b` is of the leading part of `A`.
    pub(crate) fn forward(&self, b: &mut [f64]) {
        for index in 0..b.len() {
            let row = self.row(index);
            b[index] = (b[index] - dot(&row[..index], &b[..index])) / row[index];
        }
    }

    /// Turns `b` into `L⁻ᵀ b`; a shorter `b` is of the leading part of `A`.
    pub(crate) fn backward(&self, b: &mut [f64]) {
        for index in (0..b.len()).rev() {
            let row = self.row(index);
            b[index] /= row[index];
            let value = b[index];
            for (earlier, factor) in b[..index].iter_mut().zip(row) {
                *earlier -= factor * value;
            }
        }
    }

    /// `A⁻¹ b`; a shorter `b` is of the leading part of `A`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        self.forward(&mut x);
        self.backward(&mut x);
        x
    }

    /// `L b`.
    pub(crate) fn times(&self, b: &[f64]) -> Vec<f64> {
        (0..self.size)
            .map(|index| dot(self.row(index), &b[..=index]))
            .collect()
    }

    /// `ln det` of the leading part of `A` of so many rows.
    pub(crate) fn ln_det(&self, rows: usize) -> f64 {
        (0..rows).map(|index| 2.0 * self.row(index)[index].ln()).sum()
    }

    /// The columns of `L⁻¹`, each as a row; column `j` is zero before `j`.
    pub(crate) fn inverse_columns(&self) -> Vec<f64> {
        let size = self.size;
        let mut columns = vec![0.0; size * size];
        for column in 0..size {
            let x = &mut columns[column * size..(column + 1) * size];
            x[column] = 1.0 / self.row(column)[column];
            for index in column + 1..size {
                let row = self.row(index);
                x[index] = -dot(&row[column..index], &x[column..index]) / row[index];
            }
        }
        columns
    }

    /// `Σ wᵢ lᵢ lᵢᵀ` over the rows `lᵢ` of `L⁻¹`; the lower triangle only. With weights of 1 it is
    /// `A⁻¹`. As the factor of a leading part of `A` is the leading part of `L`, weights that say
    /// how many leading parts reach as far as a row give the sum of those parts' inverses.
    pub(crate) fn weighted_inverse(&self, weights: &[f64]) -> Vec<f64> {
        let size = self.size;
        let mut columns = self.inverse_columns();
        let roots: Vec<f64> = weights.iter().map(|weight| weight.sqrt()).collect();
        for column in columns.chunks_exact_mut(size.max(1)) {
            for (value, root) in column.iter_mut().zip(&roots) {
                *value *= root;
            }
        }
        let mut inverse = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let left = &columns[row * size + row..(row + 1) * size];
                let right = &columns[column * size + row..(column + 1) * size];
                inverse[row * size + column] = dot(left, right);
            }
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f64; 9] = [4.0, 12.0, -16.0, 12.0, 37.0, -43.0, -16.0, -43.0, 98.0];

    fn close(left: &[f64], right: &[f64]) {
        assert_eq!(left.len(), right.len());
        for (l, r) in left.iter().zip(right) {
            assert!((l - r).abs() < 1e-8, "{left:?} {right:?}");
        }
    }

    #[test]
    fn a_textbook_matrix_has_its_textbook_factor() {
        let factor = Cholesky::of(&MATRIX, 3);
        close(factor.row(0), &[2.0]);
        close(factor.row(1), &[6.0, 1.0]);
        close(factor.row(2), &[-8.0, 5.0, 3.0]);
        assert!((factor.ln_det(3) - 36.0_f64.ln()).abs() < 1e-10);
    }

    #[test]
    fn solutions_and_the_inverse_undo_the_matrix() {
        let factor = Cholesky::of(&MATRIX, 3);
        let x = [1.0, -2.0, 0.5];
        let b: Vec<f64> = MATRIX.chunks(3).map(|row| dot(row, &x)).collect();
        close(&factor.solve(&b), &x);
        let inverse = factor.weighted_inverse(&[1.0; 3]);
        let undone: Vec<f64> = (0..3)
            .map(|row| {
                let at = |column: usize| inverse[row.max(column) * 3 + row.min(column)];
                dot(&[at(0), at(1), at(2)], &b)
            })
            .collect();
        close(&undone, &x);
    }

    #[test]
    fn a_leading_part_is_solved_with_the_same_factor() {
        let factor = Cholesky::of(&MATRIX, 3);
        let part = Cholesky::of(&[4.0, 12.0, 12.0, 37.0], 2);
        close(&factor.solve(&[1.0, 2.0]), &part.solve(&[1.0, 2.0]));
        assert!((factor.ln_det(2) - part.ln_det(2)).abs() < 1e-10);
        let both = factor.weighted_inverse(&[2.0, 2.0, 1.0]);
        let (whole, part) = (
            factor.weighted_inverse(&[1.0; 3]),
            part.weighted_inverse(&[1.0; 2]),
        );
        let sum = [
            whole[0] + part[0],
            whole[3] + part[2],
            whole[4] + part[3],
            whole[6],
            whole[7],
            whole[8],
        ];
        close(&[both[0], both[3], both[4], both[6], both[7], both[8]], &sum);
    }
}
