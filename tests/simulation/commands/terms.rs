//! The command that changes an account's terms: cap, calendar, tier, defaults, and the switch for marketing contacts.

use domain::calendar::Calendar;
use domain::tier::Tier;
use store::{Account, ChangedBy, UpdateAccount};

use super::{Applied, AtomicCommand, Context, Lookup, Sending, finish, text_response};
use crate::simulation::world::State;

/// One change of an account's terms.
#[derive(Clone, Debug)]
pub enum Terms {
    Cap(Option<u64>),
    Calendar(Calendar),
    Switch(bool),
    /// The number of contacts that the contract covers, and the step in which it grows.
    Tier(u64, u64),
    /// True if external forms without an own setting set contacts marketing.
    ExternalForm(bool),
    /// True if forms without an own setting may raise the tier limit.
    FormsMayRaiseTier(bool),
}

/// The response to a change of a default.
const DEFAULT: &str = "the default";

impl AtomicCommand for Terms {
    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let by = ChangedBy::Operator;
            let change = match self {
                Self::Cap(cap) => UpdateAccount { cap: (*cap).into(), ..UpdateAccount::default() },
                Self::Calendar(calendar) => UpdateAccount {
                    term: Some(calendar.term),
                    renewal_date: Some(calendar.renewal_date),
                    time_zone: Some(calendar.time_zone),
                    by,
                    ..UpdateAccount::default()
                },
                Self::ExternalForm(on) => {
                    UpdateAccount { external_form: Some(*on), ..UpdateAccount::default() }
                }
                Self::FormsMayRaiseTier(on) => {
                    UpdateAccount { forms_may_raise_tier: Some(*on), ..UpdateAccount::default() }
                }
                Self::Tier(included, block) => {
                    let tier = Tier::new(*included, *block).ok();
                    UpdateAccount { tier, by, ..UpdateAccount::default() }
                }
                Self::Switch(on) => {
                    UpdateAccount { marketing_contacts: Some(*on), by, ..UpdateAccount::default() }
                }
            };
            let render = text_response(|account: &Account| match self {
                // The update does not change the period, so the response would contain a period that was read earlier.
                Self::ExternalForm(_) => DEFAULT.to_owned(),
                _ => format!("period {} ends at {}", account.period.number, account.period.ends_at),
            });
            let (account, wall_clock) = (context.account(), context.wall_clock);
            let answer =
                context.store.update_account(account, &change, wall_clock, finish(context, &render)).await?;
            Ok(answer.body)
        })
    }

    fn apply(&self, state: &mut State, _: &Lookup<'_>) -> Applied {
        if let Self::ExternalForm(on) = self {
            state.external_form = *on;
            return Applied::changed(DEFAULT);
        }
        let model = &mut state.model;
        match self {
            Self::ExternalForm(_) => {}
            Self::Cap(cap) => model.cap = *cap,
            Self::FormsMayRaiseTier(on) => model.forms_may_raise_tier = *on,
            Self::Calendar(calendar) if *calendar == model.calendar => {}
            Self::Calendar(calendar) => model.change_calendar(calendar, model.now),
            Self::Tier(included, block) => {
                let (usage, _) = model.usage();
                model.tier = model.tier.changed_to(*included, *block, usage);
            }
            Self::Switch(on) => {
                if !model.switch(*on) {
                    return Applied::unchanged("marketing contacts are in use");
                }
            }
        }
        Applied::changed(format!("period {} ends at {}", model.number, model.ends_at))
    }
}
