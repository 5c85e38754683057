//! Limits of the CRM API in `HubSpot`'s format. Most of them are `HubSpot`'s own, so a client meets no other.

use chrono::TimeDelta;

/// The maximum number of contacts on a page of the list.
pub const CRM_LIST_MAX: usize = 100;

/// The maximum number of objects in a request of many.
pub const CRM_BATCH_MAX: usize = 100;

/// The maximum number of objects in a request of many that also reads the history.
pub const CRM_BATCH_HISTORY_MAX: usize = 50;

/// The maximum number of versions of a property in a response.
pub const CRM_HISTORY_MAX: usize = 20;

/// The maximum number of contacts on a page of a search.
pub const CRM_SEARCH_MAX: usize = 200;

/// The number of results of a search beyond which no page begins.
pub const CRM_SEARCH_RESULTS_MAX: usize = 10_000;

/// The number of contacts of one request that are written at once. Contacts that become marketing write the same period, so
/// more of them would only conflict.
pub const CRM_BATCH_PARALLEL: usize = 4;

/// The maximum number of groups of a search's filters.
pub const CRM_SEARCH_GROUPS_MAX: usize = 6;

/// The maximum number of filters in a group.
pub const CRM_SEARCH_GROUP_FILTERS_MAX: usize = 10;

/// The maximum number of words in the `query` of a search. Each of them is compared with several properties.
pub const CRM_QUERY_TERMS_MAX: usize = 10;

/// The maximum number of properties that an account defines, without the standard ones. Names that are first used elsewhere
/// count, and anyone may submit a public form, so the number bounds what a request of the CRM reads.
pub const CRM_PROPERTIES_MAX: usize = 1_000;

/// The maximum number of groups of properties that an account defines.
pub const CRM_GROUPS_MAX: usize = 100;

/// The maximum number of options of a property.
pub const CRM_OPTIONS_MAX: usize = 500;

/// The maximum size of a property's definition in bytes: its texts with those of its options. Requests read all definitions
/// of an account at once.
pub const CRM_DEFINITION_BYTES_MAX: usize = 20 * 1024;

/// The maximum length of the name of a group of properties, as of a property.
pub const CRM_GROUP_NAME_CHARS_MAX: usize = 100;

/// The time after which an archived definition is deleted. `HubSpot` restores properties for as long.
pub const CRM_ARCHIVED_KEPT: TimeDelta = TimeDelta::days(90);

/// The maximum number of definitions in one transaction, which also has their count.
pub const CRM_DEFINITIONS_PER_TRANSACTION: usize = 50;

/// The number of names of properties that a process remembers as defined, about a megabyte.
pub const CRM_NAMES_REMEMBERED: usize = 10_000;

/// The maximum number of lists that a request reads by their ids.
pub const CRM_LIST_IDS_MAX: usize = 100;

/// The maximum number of lists on a page of a search.
pub const CRM_LIST_SEARCH_MAX: usize = 500;

/// The maximum number of members on a page of a list.
pub const CRM_MEMBERSHIPS_PAGE_MAX: usize = 250;

/// The maximum number of contacts that a request adds to a list, and of those that it removes. `HubSpot` accepts 100,000.
/// This number is about 100 transactions, so the request ends before the gateway's limit of 30 seconds.
pub const CRM_MEMBERSHIPS_MAX: usize = 5_000;

/// The maximum number of pages of a filter that are read to fill one page of members.
pub const CRM_MEMBERSHIP_PAGES_MAX: usize = 5;

/// The maximum number of pages of a filter that are read to fill a snapshot.
pub const CRM_SNAPSHOT_PAGES_MAX: usize = 20;

/// The maximum number of imports, errors of an import, or forms on a page.
pub const CRM_PAGE_MAX: usize = 100;

/// The maximum number of owners on a page.
pub const CRM_OWNERS_MAX: usize = 500;

/// The maximum size of a form's appearance in bytes of JSON. Each submission reads the form's item, so it stays small.
pub const CRM_FORM_APPEARANCE_BYTES_MAX: usize = 64 * 1024;

/// The maximum depth of fields in a form's definition that depend on other fields.
pub const CRM_FORM_DEPTH_MAX: usize = 10;
