//! Pages.

/// One page of a list, and whether there is more after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// What is on the page, in order.
    pub items: Vec<T>,
    /// Whether there may be more after the last of them.
    pub more: bool,
}
