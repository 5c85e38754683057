//! Rewriting what is sent and what is answered: the store as it would be with a defect, with no defect in the store.

use serde_json::Value;

use super::wire::Call;

/// What another store would send in place of this one, and how it would read what is answered.
pub trait FaultInjector: Send {
    /// The requests that are sent in place of this one, one after another until one is refused. The store hears the
    /// last answer; if nothing is sent it hears that all went well.
    fn send(&mut self, call: Call) -> Vec<Call> {
        vec![call]
    }

    /// Rewrites what is answered: its status and its body.
    fn read(&mut self, _: &Call, _: &mut u16, _: &mut Value) {}
}
