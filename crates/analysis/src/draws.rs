//! Numbers at random, a function of a key.

/// `SplitMix64` (Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014): for drawing
/// examples, good enough and quick.
pub(crate) struct Draws(u64);

impl Draws {
    /// The stream of a key of words.
    pub(crate) fn new(key: &[u64]) -> Self {
        let mut draws = Self(0);
        for word in key {
            draws.0 ^= *word;
            draws.0 = draws.next();
        }
        draws
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0 and below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Student's t by the polar method (Bailey, *Polar generation of random variates with the t-distribution*, 1994).
    pub(crate) fn student(&mut self, degrees: f64) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let w = u * u + v * v;
            if w < 1.0 {
                return u * (degrees * (w.powf(-2.0 / degrees) - 1.0) / w).sqrt();
            }
        }
    }

    /// So many numbers below a bound, each as likely (the bias of a bound below 2³² is less than 2⁻³²).
    pub(crate) fn many(&mut self, count: usize, below: usize) -> Vec<usize> {
        (0..count).map(|_| ((u128::from(self.next()) * below as u128) >> 64) as usize).collect()
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, StudentsT};

    use super::Draws;

    #[test]
    fn draws_of_t_have_its_quantiles() {
        let mut draws = Draws::new(&[3]);
        for degrees in [2.0, 4.5, 30.0] {
            let t = StudentsT::new(0.0, 1.0, degrees).unwrap();
            let drawn: Vec<f64> = (0..40_000).map(|_| draws.student(degrees)).collect();
            for share in [0.025, 0.3, 0.5, 0.9, 0.975] {
                let below =
                    drawn.iter().filter(|value| **value < t.inverse_cdf(share)).count() as f64 / 40_000.0;
                assert!((below - share).abs() < 0.01, "{degrees}, {share}: {below}");
            }
        }
    }

    #[test]
    fn draws_are_even_and_a_function_of_the_key() {
        assert_eq!(Draws::new(&[1, 2]).many(5, 100), Draws::new(&[1, 2]).many(5, 100));
        assert_ne!(Draws::new(&[1, 2]).many(5, 100), Draws::new(&[2, 1]).many(5, 100));
        let mut counts = [0; 7];
        for draw in Draws::new(&[9]).many(70_000, 7) {
            counts[draw] += 1;
        }
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
    }
}
