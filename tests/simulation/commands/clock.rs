//! The command that moves a sandbox's clock.

use domain::Timestamp;
use store::Account;

use super::{Applied, AtomicCommand, Context, Lookup, Sending, finish, refused, text_response};
use crate::simulation::world::State;

/// A move of a sandbox's clock. The instant is drawn before the history runs, so it may be in the clock's past.
#[derive(Debug)]
pub struct MoveClock {
    pub to: Timestamp,
}

impl AtomicCommand for MoveClock {
    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let render = text_response(|account: &Account| format!("period {}", account.period.number));
            let (account, wall_clock) = (context.account(), context.wall_clock);
            let moved = context
                .store
                .advance_test_clock(account, self.to, wall_clock, finish(context, &render))
                .await?;
            Ok(moved.body)
        })
    }

    fn apply(&self, state: &mut State, _: &Lookup<'_>) -> Applied {
        let Some(clock) = state.clock else {
            return Applied::unchanged(refused(&store::Refused::NotASandbox));
        };
        if self.to < clock {
            return Applied::unchanged(refused(&store::Refused::ClockNotForward { now: clock }));
        }
        state.clock = Some(self.to);
        // Update dates that have passed take effect at the next read. The response contains such a read.
        let mut seen = state.model.clone();
        seen.advance(self.to);
        Applied::changed(format!("period {}", seen.number))
    }
}
