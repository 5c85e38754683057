//! Sessions of people who are signed in to the console, and codes that sign in once.
//!
//! Both belong to the bearer token with which a user signs in, and end with it: a session whose token was deleted is
//! not opened any more. Like tokens, both are stored under the SHA-256 of their secrets only.

use domain::Timestamp;
use domain::ids::AccountId;
use domain::limits::{SESSION_TIME, SIGN_IN_CODE_TIME};
use domain::permission::{Principal, PrincipalKind};

use crate::accounts::take_account;
use crate::items::{AccountItem, BearerItem, SessionItem, SignInCodeItem, TokenOwnerItem, UserItem};
use crate::keys::Key;
use crate::store::Store;
use crate::transaction::Transaction;
use crate::{Account, Refused, StoreError};

/// A session that was opened for a request, with the account that it belongs to.
#[derive(Clone, Debug)]
pub struct Session {
    /// The user who is signed in.
    pub principal: Principal,
    /// The account with its current period.
    pub account: Account,
}

/// The owner of a bearer token that starts a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignIn {
    /// A user of an account, whose session has begun.
    Begun(AccountId),
    /// An integration. Only people use the console.
    Integration,
    /// The token or the code is unknown or no longer valid.
    Unknown,
}

impl Store {
    /// Begins a session for the user with this token. All secrets are given by their SHA-256 in hexadecimal.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn begin_session(
        &self,
        session_sha256: &str,
        token_sha256: &str,
        wall_clock: Timestamp,
    ) -> Result<SignIn, StoreError> {
        let Some(bearer) = self.get::<BearerItem>(Key::bearer(token_sha256)).await? else {
            return Ok(SignIn::Unknown);
        };
        let TokenOwnerItem::User { user } = bearer.holder else { return Ok(SignIn::Integration) };
        let session = SessionItem {
            account: bearer.account,
            user,
            token_sha256: token_sha256.to_owned(),
            expires_at: wall_clock.plus(SESSION_TIME).seconds(),
        };
        let op = self.operation(bearer.account, wall_clock);
        let mut transaction = Transaction::default();
        transaction.put(self.put_any(Key::session(session_sha256), &session)?);
        self.commit(transaction, &op.retries).await?;
        Ok(SignIn::Begun(bearer.account))
    }

    /// Opens a session: returns its user and the account with its current period, in two reads. Returns `None` if the
    /// session has ended, or its token or user is gone.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn session(
        &self,
        session_sha256: &str,
        wall_clock: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let stored: Option<SessionItem> = self.get(Key::session(session_sha256)).await?;
        let Some(stored) = stored.filter(|stored| stored.expires_at > wall_clock.seconds()) else {
            return Ok(None);
        };
        let (account, user) = (stored.account, Key::user(stored.account, stored.user));
        let bearer = Key::bearer(&stored.token_sha256);
        let op = self.operation(account, wall_clock);
        let keys = vec![bearer.clone(), user.clone(), Key::account(account)];
        let mut opened = match op.read_current_period(keys).await {
            Err(StoreError::Refused(Refused::NotFound(_))) => return Ok(None),
            opened => opened?,
        };
        let bearer: Option<BearerItem> = opened.items.take(&bearer)?;
        let user: Option<UserItem> = opened.items.take(&user)?;
        let (Some(_), Some(user)) = (bearer, user) else { return Ok(None) };
        let item: AccountItem = take_account(account, &mut opened)?;
        let principal = Principal {
            account,
            caller: PrincipalKind::User { id: user.id, role: user.role },
            name: user.name,
            modify_marketing_contacts: user.modify_marketing_contacts,
        };
        Ok(Some(Session { principal, account: item.into_account(opened.period)? }))
    }

    /// Ends a session. A session that does not exist has ended already.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn end_session(&self, session_sha256: &str) -> Result<(), StoreError> {
        self.delete_all(&[Key::session(session_sha256)], &self.retries()).await
    }

    /// Creates a code that begins one session for the owner of a token, within [`SIGN_IN_CODE_TIME`].
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn create_sign_in_code(
        &self,
        code_sha256: &str,
        token_sha256: &str,
        wall_clock: Timestamp,
    ) -> Result<(), StoreError> {
        let code = SignInCodeItem {
            token_sha256: token_sha256.to_owned(),
            expires_at: wall_clock.plus(SIGN_IN_CODE_TIME).seconds(),
        };
        self.put_item(&self.put_any(Key::sign_in_code(code_sha256), &code)?).await?;
        Ok(())
    }

    /// Begins a session with a code, which is used up by that.
    ///
    /// # Errors
    ///
    /// See [`StoreError`].
    pub async fn begin_session_with_code(
        &self,
        session_sha256: &str,
        code_sha256: &str,
        wall_clock: Timestamp,
    ) -> Result<SignIn, StoreError> {
        let key = Key::sign_in_code(code_sha256);
        let code: Option<SignInCodeItem> = self.get(key.clone()).await?;
        let Some(code) = code.filter(|code| code.expires_at > wall_clock.seconds()) else {
            return Ok(SignIn::Unknown);
        };
        // Of two requests with one code, only one deletes it.
        let retries = self.retries();
        loop {
            let mut transaction = Transaction::default();
            transaction.delete(self.delete_existing(key.clone())?);
            if self.commit(transaction, &retries).await? {
                break;
            }
            if self.get::<SignInCodeItem>(key.clone()).await?.is_none() {
                return Ok(SignIn::Unknown);
            }
        }
        self.begin_session(session_sha256, &code.token_sha256, wall_clock).await
    }
}
