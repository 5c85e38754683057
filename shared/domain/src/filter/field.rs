//! The fields of a contact that conditions compare.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::property::{PropertyName, PropertyNameError};

/// A field of a contact that a condition can compare.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum FieldName {
    /// The address, in its given spelling.
    Email,
    /// True if the address is unsubscribed from marketing.
    Unsubscribed,
    /// True if the address has bounced.
    Bounced,
    /// The instant of the contact's creation.
    CreatedAt,
    /// The instant of the contact's latest change.
    UpdatedAt,
    /// True if the contact is billable.
    HsMarketableStatus,
    /// True if the contact is leaving.
    HsMarketableUntilRenewal,
    /// The type of the source that set the marketing state.
    HsMarketableReasonType,
    /// The id of the source that set the marketing state.
    HsMarketableReasonId,
    /// The contact's id, a number.
    HsObjectId,
    /// One of the account's own properties.
    Property(PropertyName),
}

/// The error for a text that does not name a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FieldNameError {
    /// The text begins with `hs_`, but there is no such field.
    #[error(
        "expected one of hs_marketable_status, hs_marketable_until_renewal, hs_marketable_reason_type, \
         hs_marketable_reason_id, hs_object_id, or a property of HubSpot such as hs_lead_status, among the names that \
         begin with hs_"
    )]
    Own,
    /// The text names a part of the contact that cannot be searched.
    #[error(
        "expected a property, or one of email, unsubscribed, bounced, created_at, updated_at, hs_object_id"
    )]
    NotSearched,
    /// The text is not a valid property name.
    #[error(transparent)]
    Name(PropertyNameError),
}

/// The kind of a field's values, which determines how operands are parsed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Address,
    Flag,
    Id,
    Instant,
    Text,
}

impl FieldName {
    /// The fields that are not properties.
    pub const NAMED: [Self; 10] = [
        Self::Email,
        Self::Unsubscribed,
        Self::Bounced,
        Self::CreatedAt,
        Self::UpdatedAt,
        Self::HsMarketableStatus,
        Self::HsMarketableUntilRenewal,
        Self::HsMarketableReasonType,
        Self::HsMarketableReasonId,
        Self::HsObjectId,
    ];

    /// Returns the field's name in requests.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email => "email",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::HsMarketableStatus => "hs_marketable_status",
            Self::HsMarketableUntilRenewal => "hs_marketable_until_renewal",
            Self::HsMarketableReasonType => "hs_marketable_reason_type",
            Self::HsMarketableReasonId => "hs_marketable_reason_id",
            Self::HsObjectId => "hs_object_id",
            Self::Property(name) => name.as_str(),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Email => Kind::Address,
            Self::Unsubscribed | Self::Bounced => Kind::Flag,
            Self::HsMarketableStatus | Self::HsMarketableUntilRenewal => Kind::Flag,
            Self::CreatedAt | Self::UpdatedAt => Kind::Instant,
            Self::HsObjectId => Kind::Id,
            Self::HsMarketableReasonType | Self::HsMarketableReasonId | Self::Property(_) => Kind::Text,
        }
    }
}

impl FromStr for FieldName {
    type Err = FieldNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(named) = Self::NAMED.into_iter().find(|field| field.as_str() == text) {
            return Ok(named);
        }
        let name = PropertyName::parse(text).map_err(|error| match error {
            PropertyNameError::Own => FieldNameError::Own,
            PropertyNameError::Reserved => FieldNameError::NotSearched,
            PropertyNameError::Characters => FieldNameError::Name(error),
        })?;
        Ok(Self::Property(name))
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
