//! Small dense linear algebra: what a model of at most some hundred experiments needs.

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

/// `A⁻¹ b` of a symmetric positive definite matrix, given row by row with its lower triangle, in
/// whose place its factor is put.
pub(super) fn solve(matrix: &mut [f64], b: &[f64]) -> Vec<f64> {
    let size = b.len();
    for row in 0..size {
        let (above, rest) = matrix.split_at_mut(row * size);
        let current = &mut rest[..=row];
        for column in 0..row {
            let other = &above[column * size..=column * size + column];
            let sum = current[column] - dot(&current[..column], &other[..column]);
            current[column] = sum / other[column];
        }
        let pivot = current[row] - dot(&current[..row], &current[..row]);
        current[row] = pivot.max(1e-10).sqrt();
    }
    let mut x = b.to_vec();
    for index in 0..size {
        let row = &matrix[index * size..=index * size + index];
        x[index] = (x[index] - dot(&row[..index], &x[..index])) / row[index];
    }
    for index in (0..size).rev() {
        let row = &matrix[index * size..=index * size + index];
        x[index] /= row[index];
        let value = x[index];
        for (earlier, factor) in x[..index].iter_mut().zip(row) {
            *earlier -= factor * value;
        }
    }
    x
}

/// Eigenvalues of a symmetric matrix and their vectors, each a list, by Jacobi's rotations: slow
/// and exact, for a dozen of them.
pub(super) fn eigen(mut matrix: Vec<f64>, size: usize) -> Vec<(f64, Vec<f64>)> {
    let mut vectors = vec![0.0; size * size];
    for index in 0..size {
        vectors[index * size + index] = 1.0;
    }
    for _ in 0..MOST_ROTATIONS {
        let off: f64 = (0..size)
            .flat_map(|row| (0..row).map(move |column| (row, column)))
            .map(|(row, column)| matrix[row * size + column].powi(2))
            .sum();
        if off < 1e-20 {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, size, (p, q));
            }
        }
    }
    (0..size)
        .map(|index| {
            let vector = (0..size).map(|row| vectors[row * size + index]).collect();
            (matrix[index * size + index], vector)
        })
        .collect()
}

/// Sweeps over all pairs; each one squares what is left beside the diagonal.
const MOST_ROTATIONS: usize = 30;

fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, (p, q): (usize, usize)) {
    let between = matrix[p * size + q];
    if between.abs() < 1e-15 {
        return;
    }
    let theta = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * between);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    let turn = |values: &mut [f64], one: usize, other: usize| {
        let (a, b) = (values[one], values[other]);
        values[one] = cosine * a - sine * b;
        values[other] = sine * a + cosine * b;
    };
    for k in 0..size {
        turn(matrix, k * size + p, k * size + q);
    }
    for k in 0..size {
        turn(matrix, p * size + k, q * size + k);
    }
    for k in 0..size {
        turn(vectors, k * size + p, k * size + q);
    }
}
