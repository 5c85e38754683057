//! The totals of an account, as attributes of the items that contain them.

use std::fmt;

use domain::period::Totals;
use domain::source::{BySource, SourceType};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The attribute with the number of writes that changed the counts.
pub(crate) const COUNTED: &str = "counted";
/// The attribute with the instant of the latest of these writes.
pub(crate) const COUNTED_AT: &str = "counted_at";

const KEPT: &str = "kept";
const QUEUED: &str = "queued";
const LEFT: &str = "left";
/// The prefix of the attributes with the contacts that were set, by the type of their source.
const SET_PREFIX: &str = "set_";

/// The totals of an account, as attributes of their own. An absent attribute is zero, so an update can add to any of
/// them, and older items have none.
#[derive(Clone, Copy, Default)]
pub(crate) struct TotalsItem(pub(crate) Totals);

/// Returns the attributes of the totals that are not zero, with their numbers.
pub(crate) fn additions(totals: &Totals) -> Vec<(String, u64)> {
    let Totals { counted, by_source, kept, queued, left } = totals;
    let named = [(COUNTED, *counted), (KEPT, *kept), (QUEUED, *queued), (LEFT, *left)];
    let named = named.into_iter().map(|(name, number)| (name.to_owned(), number));
    let sets = by_source.iter().map(|(kind, number)| (format!("{SET_PREFIX}{kind}"), number));
    named.chain(sets).filter(|(_, number)| *number > 0).collect()
}

impl Serialize for TotalsItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(additions(&self.0))
    }
}

impl<'de> Deserialize<'de> for TotalsItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

/// Reads the totals among the attributes of an item, and ignores the others.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = TotalsItem;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the attributes of an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut attributes: A) -> Result<TotalsItem, A::Error> {
        let mut totals = Totals::default();
        let mut by_source = BySource::default();
        while let Some(name) = attributes.next_key::<String>()? {
            let total = match name.as_str() {
                COUNTED => &mut totals.counted,
                KEPT => &mut totals.kept,
                QUEUED => &mut totals.queued,
                LEFT => &mut totals.left,
                name => {
                    match name.strip_prefix(SET_PREFIX).and_then(|kind| kind.parse::<SourceType>().ok()) {
                        Some(kind) => by_source.add(kind, attributes.next_value()?),
                        None => drop(attributes.next_value::<IgnoredAny>()?),
                    }
                    continue;
                }
            };
            *total = attributes.next_value()?;
        }
        Ok(TotalsItem(Totals { by_source, ..totals }))
    }
}
