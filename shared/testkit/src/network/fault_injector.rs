//! Rewriting of requests and responses, to simulate a defect of the store without changing the store.

use serde_json::Value;

use super::wire::Call;

/// A defect of the store, as its effect on requests and responses.
pub trait FaultInjector: Send {
    /// Returns the requests to send instead of this one. They are sent in order until one is refused, and the store
    /// receives the last response. If the list is empty, the store receives a response of success.
    fn send(&mut self, call: Call) -> Vec<Call> {
        vec![call]
    }

    /// Rewrites the status and the body of a response.
    fn read(&mut self, _: &Call, _: &mut u16, _: &mut Value) {}
}
