//! The portal numbers of accounts.

use std::fmt;
use std::str::FromStr;

use super::{Id, IdError};

/// An account's portal number, by which HubSpot's clients name the account. It is unique in a deployment and never
/// changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortalId(u32);

/// The lowest portal number. It has eight digits, like HubSpot's own.
const LOWEST: u32 = 10_000_000;
/// The highest portal number: 2^31 − 1, because some clients store it in a signed integer of 32 bits.
const HIGHEST: u32 = (1 << 31) - 1;

impl PortalId {
    /// Creates a portal number from 128 random bits.
    #[must_use]
    pub fn new(random: u128) -> Self {
        let span = u128::from(HIGHEST - LOWEST) + 1;
        // The remainder is below the span, so it fits.
        Self(LOWEST + u32::try_from(random % span).unwrap_or_default())
    }

    /// Returns the portal with this number, or `None` if the number is out of range.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        (LOWEST..=HIGHEST).contains(&number).then_some(Self(number))
    }

    /// Returns the number, which has 8 to 10 digits.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Id for PortalId {
    const NOUN: &'static str = "account";
    const PATTERN: &'static str = "^[1-9][0-9]{7,9}$";
    const CHARS_MIN: usize = 8;
    const CHARS_MAX: usize = 10;
}

impl FromStr for PortalId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        digits
            .then(|| text.parse().ok())
            .flatten()
            .and_then(Self::from_number)
            .ok_or(IdError { expected: "a portal number of 8 to 10 digits" })
    }
}

impl fmt::Display for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_8_to_10_digits_and_fit_32_bits() {
        for random in [0, 1, 2_137_483_647, 2_137_483_648, u128::MAX] {
            let portal = PortalId::new(random);
            assert!((LOWEST..=HIGHEST).contains(&portal.number()));
            assert_eq!(portal.to_string().parse(), Ok(portal));
        }
        assert_eq!(PortalId::new(2_137_483_647).number(), HIGHEST);
    }

    #[test]
    fn other_text_is_rejected() {
        for wrong in ["", "9999999", "2147483648", "012345678", "+12345678", "12345678x", "acc_1"] {
            assert!(wrong.parse::<PortalId>().is_err(), "{wrong}");
        }
    }
}
