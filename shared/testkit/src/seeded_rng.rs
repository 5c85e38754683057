//! Random numbers that are the same for the same seed, on every machine and in every version.

/// A generator of random numbers (SplitMix64). It is small, so every decision can have its own generator. Then the
/// numbers in one part of a test do not depend on those in another.
#[derive(Clone, Debug)]
pub struct SeededRng(u64);

impl SeededRng {
    /// Creates a generator with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Creates a generator whose seed is derived from these numbers and their order.
    #[must_use]
    pub fn of(names: &[u64]) -> Self {
        let mut rng = Self(0x7469_6465_6d61_726b);
        for name in names {
            rng = Self(rng.bits() ^ name.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        rng
    }

    /// Returns 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`. Panics if `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "the bound must not be zero");
        // The bias of a remainder is too small for a test to detect.
        self.bits() % bound
    }

    /// Returns a number from `least` to `most`, inclusive.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// Returns an index into a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("an index")
    }

    /// Returns a random item of a list that is not empty.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// Returns true with a probability of `per_mille` in a thousand.
    pub fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// Returns true with a probability of one half.
    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_names_give_the_same_numbers() {
        let draw = |names: &[u64]| {
            let mut rng = SeededRng::of(names);
            [rng.bits(), rng.bits(), rng.bits()]
        };
        assert_eq!(draw(&[1, 2]), draw(&[1, 2]));
        assert_ne!(draw(&[1, 2]), draw(&[2, 1]));
        assert_ne!(draw(&[1]), draw(&[1, 0]));
    }

    #[test]
    fn numbers_stay_within_and_reach_their_bounds() {
        let mut rng = SeededRng::new(7);
        let drawn: Vec<u64> = (0..1_000).map(|_| rng.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
        let often = (0..10_000).filter(|_| rng.happens(100)).count();
        assert!((800..1_200).contains(&often), "{often}");
    }
}
