//! The history of a contact's properties.

use std::collections::BTreeMap;
use std::fmt;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entity, as_millis};

/// The changes of a contact's properties by one write. The sort key is the version that it made.
#[derive(Serialize, Deserialize)]
pub(crate) struct PropertyChangeItem {
    /// The contact's time of creation. A contact that returned with the same id has another one.
    #[serde(with = "as_millis")]
    pub(crate) created_at: Timestamp,
    #[serde(with = "as_millis")]
    pub(crate) at: Timestamp,
    /// The cause (see [`super::encode_cause`]). An erased contact has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// The values by the names of the properties, and of the address and the flags.
    pub(crate) changes: BTreeMap<String, ValuesItem>,
}

/// The values of a property before and after a change. An absent value means that there was none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ValuesItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
}

impl fmt::Debug for ValuesItem {
    /// Omits the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValuesItem").finish_non_exhaustive()
    }
}

impl Entity for PropertyChangeItem {
    const TAG: &'static str = "property-change";
}
