//! Writes rows of weights in the number formats of the ggml project.
//!
//! The two formats of fewer bits cut a row into blocks of 32 weights; a block is one half-precision
//! scale followed by 32 small integers. Rounding follows ggml's own reference, so a model made here
//! says what the same model converted by ggml's tools would say.
//!
//! Nothing here reads weights back: only the tests do.

use crate::recipe::WeightType;

/// How many weights share one scale.
pub(crate) const BLOCK: usize = 32;

/// Appends one row of a matrix to `out`; its length must be a multiple of [`BLOCK`].
pub(crate) fn append_row(row: &[f32], weights: WeightType, out: &mut Vec<u8>) {
    debug_assert!(row.len().is_multiple_of(BLOCK), "rows come in whole blocks");
    match weights {
        WeightType::F16 => {
            for &weight in row {
                out.extend(half(weight).to_le_bytes());
            }
        }
        WeightType::Q8_0 => row.chunks(BLOCK).for_each(|block| append_q8_0(block, out)),
        WeightType::Q4_0 => row.chunks(BLOCK).for_each(|block| append_q4_0(block, out)),
    }
}

/// Size in bytes of `elements` weights, a multiple of [`BLOCK`].
pub(crate) fn size_in_bytes(elements: u64, weights: WeightType) -> u64 {
    let blocks = elements / BLOCK as u64;
    match weights {
        WeightType::F16 => elements * 2,
        WeightType::Q8_0 => blocks * 34,
        WeightType::Q4_0 => blocks * 18,
    }
}

/// Eight bits a weight: the largest weight becomes 127 or -127 times the scale.
fn append_q8_0(block: &[f32], out: &mut Vec<u8>) {
    let largest = block.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let scale = largest / 127.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    out.extend(half(scale).to_le_bytes());
    for &weight in block {
        out.extend(((weight * inverse).round() as i8).to_le_bytes());
    }
}

/// Four bits a weight: the weight farthest from zero becomes -8 times the scale. Byte `i` of a
/// block holds weight `i` in its low half and weight `i + 16` in its high half.
fn append_q4_0(block: &[f32], out: &mut Vec<u8>) {
    let farthest = block.iter().fold(
        0.0_f32,
        |most, &x| if x.abs() > most.abs() { x } else { most },
    );
    let scale = farthest / -8.0;
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    let level = |weight: f32| ((weight * inverse + 8.5) as u8).min(15);
    out.extend(half(scale).to_le_bytes());
    let (low, high) = block.split_at(BLOCK / 2);
    out.extend(
        low.iter()
            .zip(high)
            .map(|(&low, &high)| level(low) | (level(high) << 4)),
    );
}

/// The bits of the IEEE 754 half-precision number nearest to `value`, ties to even.
fn half(value: f32) -> u16 {
    let bits = value.to_bits();
    let sign = ((bits >> 16) & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    let rounded = if magnitude > 0x7f80_0000 {
        0x7e00 // not a number
    } else if magnitude >= 0x4780_0000 {
        0x7c00 // 65536 and above: infinity (65520 to 65535 become it by rounding below)
    } else if magnitude >= 0x3880_0000 {
        // Normal in both: take the difference of the exponents' biases off (127 - 15, in the
        // exponent's place) and drop 13 bits of fraction; a carry may run into the exponent.
        drop_bits(magnitude - (112 << 23), 13)
    } else {
        // Subnormal in half precision: a whole number of units of 2^-24.
        let exponent = magnitude >> 23;
        let fraction = (magnitude & 0x007f_ffff) | 0x0080_0000;
        if exponent < 102 {
            0
        } else {
            drop_bits(fraction, 126 - exponent)
        }
    };
    sign | rounded
}

/// Drops the `count` (13 to 24) lowest bits and rounds to the nearest, ties to even.
fn drop_bits(bits: u32, count: u32) -> u16 {
    let kept = bits >> count;
    let dropped = bits & ((1 << count) - 1);
    let middle = 1 << (count - 1);
    let is_up = dropped > middle || (dropped == middle && kept & 1 == 1);
    (kept + u32::from(is_up)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// What a half-precision number is worth, by its definition.
    fn worth(half: u16) -> f32 {
        let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
        let exponent = i32::from((half >> 10) & 0x1f);
        let fraction = f32::from(half & 0x3ff);
        sign * match exponent {
            0 => fraction * 2.0_f32.powi(-24),
            31 if fraction == 0.0 => f32::INFINITY,
            31 => f32::NAN,
            _ => (1024.0 + fraction) * 2.0_f32.powi(exponent - 25),
        }
    }

    #[test]
    fn every_half_comes_back() {
        for bits in 0..=u16::MAX {
            let value = worth(bits);
            if !value.is_nan() {
                assert_eq!(half(value), bits, "{value}");
            }
        }
        assert!(worth(half(f32::NAN)).is_nan());
    }

    #[test]
    fn halves_round_to_the_nearest_and_ties_to_even() {
        for low in 0..0x7bff_u16 {
            let (below, above) = (worth(low), worth(low + 1));
            let middle = (below + above) / 2.0;
            assert_eq!(half(middle), low + (low & 1), "{middle}");
            assert_eq!(half(middle.next_down()), low, "{middle}");
            assert_eq!(half(middle.next_up()), low + 1, "{middle}");
        }
        for (value, expected) in [
            (65_519.0, 0x7bff),
            (65_520.0, 0x7c00),
            (1e30, 0x7c00),
            (1e-30, 0),
            (-1e-30, 0x8000),
            (2.0_f32.powi(-25), 0),
        ] {
            assert_eq!(half(value), expected, "{value}");
        }
    }

    fn read_back(bytes: &[u8], weights: WeightType) -> Vec<f32> {
        let number = |pair: &[u8]| worth(u16::from_le_bytes([pair[0], pair[1]]));
        match weights {
            WeightType::F16 => bytes.chunks(2).map(number).collect(),
            WeightType::Q8_0 => bytes
                .chunks(34)
                .flat_map(|block| {
                    let scale = number(block);
                    block[2..]
                        .iter()
                        .map(move |&x| f32::from(x.cast_signed()) * scale)
                })
                .collect(),
            WeightType::Q4_0 => bytes
                .chunks(18)
                .flat_map(|block| {
                    let scale = number(block);
                    let low = block[2..].iter().map(|x| x & 15);
                    let high = block[2..].iter().map(|x| x >> 4);
                    low.chain(high)
                        .map(|level| (f32::from(level) - 8.0) * scale)
                        .collect::<Vec<_>>()
                })
                .collect(),
        }
    }

    /// Writes `row`, reads it back, and holds every weight to `steps` of its block's largest.
    fn check(row: &[f32], weights: WeightType, steps: f32) {
        let mut bytes = Vec::new();
        append_row(row, weights, &mut bytes);
        assert_eq!(bytes.len() as u64, size_in_bytes(row.len() as u64, weights));
        let back = read_back(&bytes, weights);
        for (before, after) in row.chunks(BLOCK).zip(back.chunks(BLOCK)) {
            let largest = before.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
            for (x, y) in before.iter().zip(after) {
                assert!(
                    (x - y).abs() <= largest * steps,
                    "{weights:?}: {x} became {y}"
                );
            }
        }
    }

    #[test]
    fn rows_survive_but_for_rounding() {
        let mut random_row = vec![0.0; 4096];
        Random::new(3, 0).fill(&mut random_row, 0.1);
        let mut spiked = random_row.clone();
        spiked.iter_mut().step_by(64).for_each(|x| *x = -40.0);
        let ramp: Vec<f32> = (0..64_u8).map(|x| f32::from(x) - 20.0).collect();
        for row in [random_row, spiked, ramp, vec![0.0; 32]] {
            check(&row, WeightType::F16, 1.0 / 2048.0);
            // Half a step, and the rounding of the scale itself.
            check(&row, WeightType::Q8_0, 0.57 / 127.0);
            // The far end of four bits is 7 steps on one side and 8 on the other.
            check(&row, WeightType::Q4_0, 1.01 / 8.0);
        }
    }

    #[test]
    fn a_block_has_the_layout_of_the_format() {
        let row: Vec<f32> = (0..32_u8)
            .map(|x| f32::from(x) - 8.0)
            .map(|x| x.min(7.0))
            .collect();
        let mut bytes = Vec::new();
        append_row(&row, WeightType::Q4_0, &mut bytes);
        assert_eq!(bytes[..2], half(1.0).to_le_bytes());
        assert_eq!((bytes[2], bytes[3], bytes[17]), (0xf0, 0xf1, 0xff));

        let row: Vec<f32> = (0..32_u8).map(|x| 127.0 - f32::from(x) * 8.0).collect();
        bytes.clear();
        append_row(&row, WeightType::Q8_0, &mut bytes);
        assert_eq!(bytes[..2], half(1.0).to_le_bytes());
        assert_eq!(
            (bytes[2], bytes[3], bytes[33]),
            (127, 119, (-121_i8).cast_unsigned())
        );
    }
}
