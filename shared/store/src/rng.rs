//! Randomness as an argument. It is the system's in production, and seeded in repeatable runs.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// A source of randomness for ids, tokens and back-off.
#[derive(Clone)]
pub struct Rng(Arc<Mutex<StdRng>>);

impl Rng {
    /// Creates a cryptographically secure source that the operating system seeds.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(rand::make_rng())))
    }

    /// Creates a source with the same sequence for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Returns 128 random bits.
    #[must_use]
    pub fn bits(&self) -> u128 {
        let mut random = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (u128::from(random.next_u64()) << 64) | u128::from(random.next_u64())
    }

    /// Returns 128 random bits as 32 hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        format!("{:032x}", self.bits())
    }

    /// Returns a random number in `0..=most`.
    #[must_use]
    pub fn up_to(&self, most: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..=most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_128_bits_are_random() {
        let rng = Rng::seeded(1);
        let (mut ever, mut always) = (0, u128::MAX);
        for _ in 0..64 {
            let bits = rng.bits();
            ever |= bits;
            always &= bits;
        }
        assert_eq!((ever, always), (u128::MAX, 0));
    }
}
