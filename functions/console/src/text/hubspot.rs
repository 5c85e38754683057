//! Texts of the page about programs that were written for `HubSpot`.

pub(crate) const TITLE: &str = "Programs for HubSpot";
pub(crate) const LEDE: &str = "Programs that speak HubSpot's CRM API work here by changing the host. Contacts, lists, properties and forms keep \
     their names.";
pub(crate) const SHOW: &str = "Point a program here";
pub(crate) const VALUES: &str = "Your values";
pub(crate) const ADDRESS: &str = "Address instead of https://api.hubapi.com";
pub(crate) const UNKNOWN_ADDRESS: &str = "https://…";
pub(crate) const PORTAL: &str = "Portal number (HubSpot: portalId, hub ID)";
pub(crate) const TOKEN: &str = "The access token is a token of an integration.";
pub(crate) const TOKENS: &str = "Tokens and integrations";
pub(crate) const COPY: &str = "Copy";
pub(crate) const CLIENTS: &str = "Clients";
pub(crate) const FORMS: &str = "Form endpoint of site code";
pub(crate) const OTHERS: &str = "A program with a fixed host needs a proxy or a name of its own in your network, with its own certificate.";
pub(crate) const STATUS: &str = "Marketing status";
pub(crate) const STATUS_CAPTION: &str = "Values of hs_marketable_status and their effects";
pub(crate) const WRITTEN: &str = "A program writes";
pub(crate) const EFFECT: &str = "Effect";
/// Values and their effects.
pub(crate) const EFFECTS: [(&str, &str); 3] = [
    (
        "hs_marketable_status = true",
        "The contact is marketing and billable at once. A leaving contact is kept.",
    ),
    (
        "hs_marketable_status = false",
        "The contact is queued and leaves at the next update date. Until then it shows true, and \
         hs_marketable_until_renewal is true.",
    ),
    ("hs_marketable_until_renewal", "Read only. tidemark_leaves_at shows the update date."),
];
pub(crate) const NEEDS_PERMISSION: &str = "Writing it needs the permission to modify marketing contacts. For other integrations the property is read only.";
pub(crate) const INDEX_TITLE: &str = "Index of changes";
pub(crate) const INDEX: &str = "Keep an index of changes";
pub(crate) const INDEX_LEDE: &str =
    "Incremental syncs search by lastmodifieddate. Without the index such a search reads all contacts.";
pub(crate) const INDEXED_FROM: &str = "Complete for changes since";
pub(crate) const INDEX_COST: &str = "With the index each write of a contact costs more of the table's write units. Searches of a range before its \
     beginning still read all contacts.";

/// Returns the note after the index was switched on or off.
pub(crate) fn index_now(is_on: bool) -> &'static str {
    if is_on { "The index of changes is on now." } else { "The index of changes is off now." }
}
