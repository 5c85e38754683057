//! The demo account. It is a sandbox, so a month can be simulated in a second.

use api::token::Secret;
use chrono::{Datelike as _, NaiveDate};
use domain::Timestamp;
use domain::calendar::{Calendar, Term, TimeZone};
use domain::period::Terms;
use domain::tier::{Tier, TierError};
use store::{Account, NewAccount, Responder, Store, StoreError, StoredResponse};

/// The number of contacts in the demo account's tier, and the tier's step. Both are the API's defaults.
const INCLUDED: u64 = 1_000;

/// The error of creating the demo account.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The account could not be written.
    #[error("cannot create the demo account")]
    Store(#[from] StoreError),
    /// The tier is invalid.
    #[error("invalid tier of the demo account")]
    Tier(#[from] TierError),
}

/// Creates the demo account, whose first user has this token. Its own clock begins at `now`.
///
/// # Errors
///
/// [`DemoError`].
pub async fn create(store: &Store, token: &Secret, now: Timestamp) -> Result<(), DemoError> {
    let terms = Terms {
        calendar: Calendar {
            term: Term::Annual,
            // One year after the first day of this month, so the next update date is the first day of the next month.
            renewal_date: NaiveDate::from_ymd_opt(now.to_utc().year() + 1, now.to_utc().month(), 1)
                .unwrap_or_default(),
            time_zone: TimeZone::default(),
        },
        tier: Tier::new(INCLUDED, INCLUDED)?,
        cap: None,
        marketing_contacts: true,
        test_clock: Some(now),
    };
    let digest = token.sha256_hex();
    let new = NewAccount { name: "Demo", terms, token_sha256: &digest };
    let render =
        |_: &Account| StoredResponse { status: 201, body: String::new(), etag: None, location: None };
    store.create_account(&new, now, Responder::new(None, &render)).await?;
    Ok(())
}

/// Creates a code that signs in to the console as the owner of this token, once.
///
/// # Errors
///
/// [`DemoError`].
pub async fn sign_in_code(store: &Store, token: &Secret, now: Timestamp) -> Result<Secret, DemoError> {
    let code = Secret::random(store.rng());
    store.create_sign_in_code(&code.sha256_hex(), &token.sha256_hex(), now).await?;
    Ok(code)
}
