//! Moving a sandbox's clock.

use domain::Timestamp;
use store::Account;

use super::{Applied, Asked, Context, Deed, Sending, finish, refused, told};
use crate::simulation::world::State;

/// A sandbox's clock is moved: to an instant that is drawn before the history begins, so it may lie behind.
#[derive(Debug)]
pub struct MoveClock {
    pub to: Timestamp,
}

impl Deed for MoveClock {
    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let render = told(|account: &Account| format!("period {}", account.period.number));
            let (account, wall_clock) = (context.account(), context.wall_clock);
            let moved = context
                .store
                .advance_test_clock(account, self.to, wall_clock, finish(context, &render))
                .await?;
            Ok(moved.body)
        })
    }

    fn apply(&self, state: &mut State, _: &Asked<'_>) -> Applied {
        let Some(clock) = state.clock else {
            return Applied::unchanged(refused(&store::Refused::NotASandbox));
        };
        if self.to < clock {
            return Applied::unchanged(refused(&store::Refused::ClockNotForward { now: clock }));
        }
        state.clock = Some(self.to);
        // The update dates that have passed take effect when somebody looks, which the answer already does.
        let mut seen = state.model.clone();
        seen.advance(self.to);
        Applied::changed(format!("period {}", seen.number))
    }
}
