//! Small dense linear algebra: what a Gaussian process of at most some hundred points needs.

/// The lower triangle `L` of a symmetric positive definite matrix `A = L Lᵀ`.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(super) fn as_f64(count: usize) -> f64 {
    count as f64
}

/// The sum of products, in four independent parts so that the processor can overlap them.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
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
    pub(super) fn of(matrix: &[f64], size: usize) -> Self {
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

    fn row(&self, row: usize) -> &[f64] {
        &self.lower[row * self.size..=row * self.size + row]
    }

    /// Turns `b` into `L⁻¹ b`.
    pub(super) fn forward(&self, b: &mut [f64]) {
        for index in 0..self.size {
            let row = self.row(index);
            b[index] = (b[index] - dot(&row[..index], &b[..index])) / row[index];
        }
    }

    /// Turns `b` into `L⁻ᵀ b`.
    fn backward(&self, b: &mut [f64]) {
        for index in (0..self.size).rev() {
            let row = self.row(index);
            b[index] /= row[index];
            let value = b[index];
            for (earlier, factor) in b[..index].iter_mut().zip(row) {
                *earlier -= factor * value;
            }
        }
    }

    /// `A⁻¹ b`.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        self.forward(&mut x);
        self.backward(&mut x);
        x
    }

    /// `L b`.
    pub(super) fn times(&self, b: &[f64]) -> Vec<f64> {
        (0..self.size)
            .map(|index| dot(self.row(index), &b[..=index]))
            .collect()
    }

    /// `ln det A`.
    pub(super) fn ln_det(&self) -> f64 {
        (0..self.size)
            .map(|index| 2.0 * self.row(index)[index].ln())
            .sum()
    }

    /// `A⁻¹`, row by row.
    pub(super) fn inverse(&self) -> Vec<f64> {
        let size = self.size;
        // Rows of L⁻ᵀ: row j holds column j of L⁻¹, which is zero before j.
        let mut columns = vec![0.0; size * size];
        for column in 0..size {
            let x = &mut columns[column * size..(column + 1) * size];
            x[column] = 1.0 / self.row(column)[column];
            for index in column + 1..size {
                let row = self.row(index);
                x[index] = -dot(&row[column..index], &x[column..index]) / row[index];
            }
        }
        let mut inverse = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let left = &columns[row * size + row..(row + 1) * size];
                let right = &columns[column * size + row..(column + 1) * size];
                let sum = dot(left, right);
                inverse[row * size + column] = sum;
                inverse[column * size + row] = sum;
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
        assert!((factor.ln_det() - 36.0_f64.ln()).abs() < 1e-10);
    }

    #[test]
    fn solutions_and_the_inverse_undo_the_matrix() {
        let factor = Cholesky::of(&MATRIX, 3);
        let x = [1.0, -2.0, 0.5];
        let b: Vec<f64> = MATRIX.chunks(3).map(|row| dot(row, &x)).collect();
        close(&factor.solve(&b), &x);
        let inverse = factor.inverse();
        let undone: Vec<f64> = inverse.chunks(3).map(|row| dot(row, &b)).collect();
        close(&undone, &x);
        let mut z = x.to_vec();
        factor.forward(&mut z);
        close(&factor.times(&z), &x);
    }
}
