//! Numbers that look random and are the same for ever.
//!
//! The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
//! generators", 2014), written out here because the bytes of a model file are a promise: a
//! library's generator may change with its next version. It is no good for secrets.

/// A stream of evenly spread numbers.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// The stream number `stream` of a seed; streams of one seed do not resemble each other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self {
            state: mix(mix(seed) ^ stream),
        }
    }

    /// Fills `row` with numbers whose mean is 0 and whose standard deviation is `deviation`.
    ///
    /// They are spread evenly, not along a bell curve: sums over hundreds of them, which is all a
    /// model makes of its weights, cannot tell, and no logarithm is taken, whose last bit could
    /// differ from one machine to the next.
    pub(crate) fn fill(&mut self, row: &mut [f32], deviation: f32) {
        /// The half-width of an even spread whose standard deviation is 1: the root of 3.
        const HALF_WIDTH: f32 = 1.732_050_8;
        /// Makes a signed 24-bit number a fraction of 1; both are exact in single precision.
        const UNIT: f32 = 1.0 / 8_388_608.0;
        let scale = deviation * HALF_WIDTH * UNIT;
        for pair in row.chunks_mut(2) {
            let bits = self.next();
            let halves = [bits as u32, (bits >> 32) as u32];
            for (weight, half) in pair.iter_mut().zip(halves) {
                *weight = ((half as i32) >> 8) as f32 * scale;
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }
}

/// Scrambles 64 bits so that every bit of the input matters to every bit of the output.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_generator() {
        let mut random = Random { state: 1_234_567 };
        assert_eq!(
            [random.next(), random.next(), random.next()],
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn has_the_mean_and_deviation_asked_for() {
        let mut row = vec![0.0; 100_000];
        Random::new(1, 0).fill(&mut row, 0.25);
        let count = row.len() as f32;
        let mean = row.iter().sum::<f32>() / count;
        let deviation = (row.iter().map(|x| x * x).sum::<f32>() / count).sqrt();
        assert!(mean.abs() < 0.005, "{mean}");
        assert!((deviation - 0.25).abs() < 0.005, "{deviation}");
    }

    #[test]
    fn streams_and_seeds_differ() {
        let first = |seed, stream| Random::new(seed, stream).next();
        assert_ne!(first(1, 0), first(1, 1));
        assert_ne!(first(1, 0), first(2, 0));
        assert_ne!(first(1, 2), first(2, 1));
        assert_eq!(first(1, 2), first(1, 2));
    }
}
