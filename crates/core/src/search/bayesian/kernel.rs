//! How alike two points are: a sum of what single axes do, of what pairs do together, and
//! of a small rest that only all of them explain.
//!
//! `k(x, y) = c + Σ aᵢ kᵢ + p Σ aᵢ aⱼ kᵢ kⱼ + f Π kᵢ` (Duvenaud et al., "Additive Gaussian
//! Processes", 2011, orders 1, 2 and all). On an ordered axis `kᵢ` is Matérn 5/2 in the
//! level's position; on the others it is 1 for equal levels and 0 for unequal ones.

use super::problem::Axis;

/// Variance of the constant, in units of the outputs' own variance.
const CONSTANT: f64 = 1.0;

/// What a kernel leaves open. All in natural logarithms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shape {
    /// Variance of each axis' own effect.
    pub(super) main: Vec<f64>,
    /// Weight of pairs.
    pub(super) pair: f64,
    /// Weight of the rest.
    pub(super) full: f64,
    /// Lengths of the axes, in units of a whole axis; those of unordered axes are unused.
    pub(super) length: Vec<f64>,
}

/// One axis: how alike its levels are, and how that changes with the logarithm of its length.
#[derive(Debug, Clone)]
struct Table {
    levels: usize,
    alike: Vec<f64>,
    slope: Vec<f64>,
}

/// A kernel of a given shape, with what axes contribute worked out for every two levels.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    tables: Vec<Table>,
    main: Vec<f64>,
    pair: f64,
    full: f64,
}

/// One value of the kernel, with what its slopes are made of.
#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    sum: f64,
    squares: f64,
    product: f64,
}

/// Matérn 5/2 and its slope against the logarithm of the length.
fn matern(distance: f64, length: f64) -> (f64, f64) {
    let r = 5.0_f64.sqrt() * distance / length;
    let decay = (-r).exp();
    ((1.0 + r + r * r / 3.0) * decay, r * r * (1.0 + r) / 3.0 * decay)
}

impl Table {
    fn of(axis: &Axis, length: f64) -> Self {
        let levels = axis.levels();
        let mut alike = vec![0.0; levels * levels];
        let mut slope = vec![0.0; levels * levels];
        for left in 0..levels {
            for right in 0..levels {
                let place = left * levels + right;
                match axis.positions() {
                    Some(positions) => {
                        (alike[place], slope[place]) =
                            matern((positions[left] - positions[right]).abs(), length);
                    }
                    None => alike[place] = f64::from(u8::from(left == right)),
                }
            }
        }
        Self { levels, alike, slope }
    }

    fn place(&self, left: u16, right: u16) -> usize {
        usize::from(left) * self.levels + usize::from(right)
    }
}

impl Kernel {
    /// The kernel of this shape.
    pub(super) fn of(axes: &[Axis], shape: &Shape) -> Self {
        let tables = axes
            .iter()
            .zip(&shape.length)
            .map(|(axis, length)| Table::of(axis, length.exp()))
            .collect();
        Self {
            tables,
            main: shape.main.iter().map(|main| main.exp()).collect(),
            pair: shape.pair.exp(),
            full: shape.full.exp(),
        }
    }

    fn parts(&self, x: &[u16], y: &[u16]) -> Parts {
        let mut parts = Parts {
            product: 1.0,
            ..Parts::default()
        };
        for (((table, main), x), y) in self.tables.iter().zip(&self.main).zip(x).zip(y) {
            let alike = table.alike[table.place(*x, *y)];
            let own = main * alike;
            parts.sum += own;
            parts.squares += own * own;
            parts.product *= alike;
        }
        parts
    }

    fn value(&self, parts: Parts) -> f64 {
        let pairs = 0.5 * (parts.sum * parts.sum - parts.squares);
        CONSTANT + parts.sum + self.pair * pairs + self.full * parts.product
    }

    /// What share each axis has in all that single axes do.
    pub(super) fn shares(&self) -> Vec<f64> {
        let sum: f64 = self.main.iter().sum();
        self.main.iter().map(|main| main / sum).collect()
    }

    /// How alike two points are.
    pub(super) fn between(&self, x: &[u16], y: &[u16]) -> f64 {
        self.value(self.parts(x, y))
    }

    /// Adds `weight` times the slope of `k(x, y)` against every number of the shape, in the
    /// order main, pair, full, length.
    pub(super) fn add_slopes(&self, x: &[u16], y: &[u16], weight: f64, slopes: &mut [f64]) {
        let parts = self.parts(x, y);
        let axes = self.tables.len();
        for (axis, table) in self.tables.iter().enumerate() {
            let place = table.place(x[axis], y[axis]);
            let alike = table.alike[place];
            let main = self.main[axis];
            let own = main * alike;
            let by_alike = 1.0 + self.pair * (parts.sum - own);
            slopes[axis] += weight * own * by_alike;
            let slope = table.slope[place];
            if slope != 0.0 {
                let rest = if alike > 1e-12 { parts.product / alike } else { 0.0 };
                slopes[axes + 2 + axis] += weight * slope * (main * by_alike + self.full * rest);
            }
        }
        slopes[axes] += weight * self.pair * 0.5 * (parts.sum * parts.sum - parts.squares);
        slopes[axes + 1] += weight * self.full * parts.product;
    }
}

impl Shape {
    /// The shape of the numbers in a row: main, pair, full, length.
    pub(super) fn of_row(row: &[f64], axes: usize) -> Self {
        Self {
            main: row[..axes].to_vec(),
            pair: row[axes],
            full: row[axes + 1],
            length: row[axes + 2..2 * axes + 2].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_what_small_steps_measure() {
        let axes = [Axis::ordered(5), Axis::categorical(3), Axis::ordered(4)];
        let shape = Shape {
            main: vec![-1.0, -0.5, -2.0],
            pair: -0.7,
            full: -1.5,
            length: vec![-0.6, 0.0, 0.3],
        };
        for (x, y) in [
            ([0, 1, 3], [2, 1, 0]),
            ([4, 0, 1], [1, 2, 2]),
            ([3, 2, 2], [3, 2, 2]),
        ] {
            let row = [&shape.main[..], &[shape.pair, shape.full], &shape.length].concat();
            let mut slopes = vec![0.0; row.len()];
            Kernel::of(&axes, &shape).add_slopes(&x, &y, 1.0, &mut slopes);
            for (index, slope) in slopes.iter().enumerate() {
                let at = |step: f64| {
                    let mut moved = row.clone();
                    moved[index] += step;
                    Kernel::of(&axes, &Shape::of_row(&moved, 3)).between(&x, &y)
                };
                let measured = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((measured - slope).abs() < 1e-7, "{index}: {measured} {slope}");
            }
        }
    }
}
