//! Making contacts and making sure of them, through the sources that do so.

use domain::Timestamp;
use domain::ids::{IntegrationId, UserId};
use domain::source::{Actor, Intake, Source, SourceType};
use store::{SaveContact, SaveMode, Saved};
use testkit::property;

use super::{Applied, Asked, Context, Deed, Sending, email, finish, outcome, told};
use crate::model::rules::{BY_HAND, Effect, Place, Sets};
use crate::simulation::raw::NOTE;
use crate::simulation::world::State;

/// Through what somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// A user, who says what is wanted or does not.
    Hand(Option<bool>),
    /// An integration, which sets the contacts it makes, or does not.
    Integration(bool),
    /// A source whose contacts are never set.
    Meeting,
}

impl Through {
    fn intake(self) -> Intake {
        match self {
            Self::Hand(marketing) => Intake::Manual { marketing },
            Self::Integration(set_marketing) => Intake::Integration { set_marketing },
            Self::Meeting => Intake::AlwaysNonMarketing,
        }
    }

    fn source(self) -> Source {
        let kind = match self {
            Self::Hand(_) => SourceType::Manual,
            Self::Integration(_) => SourceType::Integration,
            Self::Meeting => SourceType::Meeting,
        };
        Source { kind, name: "Ada".to_owned(), id: None }
    }

    fn actor(self) -> Actor {
        match self {
            Self::Integration(_) => Actor::Integration(IntegrationId::new(Timestamp::MIN, 1)),
            Self::Hand(_) | Self::Meeting => user(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hand(_) => BY_HAND,
            Self::Integration(_) => "integration",
            Self::Meeting => "meeting",
        }
    }

    fn sets(self) -> Sets {
        match self {
            Self::Hand(Some(true)) => Sets::EVERYBODY,
            Self::Integration(true) => Sets::THE_NEW,
            Self::Hand(_) | Self::Integration(false) | Self::Meeting => Sets::NOBODY,
        }
    }
}

/// By whom users' commands are sent.
pub fn user() -> Actor {
    Actor::User(UserId::new(Timestamp::MIN, 1))
}

/// Through what users' commands come.
pub fn by_hand() -> Source {
    Through::Hand(None).source()
}

/// A contact is made, or made sure of.
#[derive(Debug)]
pub struct Save {
    pub address: Option<usize>,
    pub loud: bool,
    pub may_exist: bool,
    pub through: Through,
    pub note: Option<u64>,
}

impl Deed for Save {
    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let email = self.address.map(|address| email(address, self.loud));
            let properties: Vec<_> = self.note.iter().map(|note| property(NOTE, &note.to_string())).collect();
            let request = SaveContact {
                account: context.account(),
                mode: if self.may_exist { SaveMode::CreateOrUpdate } else { SaveMode::Create },
                email: email.as_ref(),
                properties: &properties,
                unsubscribed: None,
                bounced: None,
                intake: self.through.intake(),
                source: self.through.source(),
                actor: self.through.actor(),
                if_match: None,
            };
            let render = told(|saved: &Saved| {
                let made = if saved.created { "made" } else { "found" };
                let status = saved.status.map_or("not asked", outcome);
                format!("{made} {} {status}", saved.contact.id)
            });
            let answer =
                context.store.upsert_contact(&request, context.wall_clock, finish(context, &render)).await?;
            Ok(answer.body)
        })
    }

    fn apply(&self, state: &mut State, _: &Asked<'_>) -> Applied {
        let model = &mut state.model;
        if self.through == Through::Hand(Some(true)) && !model.marketing_contacts {
            return Applied::unchanged("marketing contacts are off");
        }
        let holder = self.address.and_then(|address| model.holder(address));
        if let Some(who) = holder.filter(|who| !self.may_exist && model.state_of(*who).is_some()) {
            return Applied::unchanged(format!("#{who} exists"));
        }
        let before = holder.and_then(|who| model.person(who).cloned());
        let (who, effect, new) = model.arrive(self.address, self.through.sets(), self.through.name());
        if let Some(note) = self.note {
            model.note(who, note);
        }
        let changed = model.person(who) != before.as_ref();
        Applied { changed, ..Applied::changed(answer(who, effect, new)) }
    }

    fn apply_late(&self, state: &mut State, _: &Asked<'_>, then: &State) -> Option<Applied> {
        let (sets, through) = (self.through.sets(), self.through.name());
        let arrive = |state: &mut State| state.model.arrive(self.address, sets, through);
        let (who, effect, new) = arrive_late(state, then, self.address, through, arrive)?;
        if let Some(note) = self.note {
            state.model.note(who, note);
        }
        Some(Applied::changed(answer(who, effect, new)))
    }
}

fn answer(who: usize, effect: Effect, new: bool) -> String {
    let made = if new { "made" } else { "found" };
    let status = match effect {
        Effect::Set => "set",
        Effect::Kept => "kept",
        Effect::Queued => "queued",
        Effect::Unchanged => "unchanged",
        Effect::Refused => "refused",
        Effect::NotAsked => "not asked",
        Effect::NotFound => "not found",
    };
    format!("{made} #{who} {status}")
}

/// Somebody's arrival, decided on what the account was `then` (see [`Deed::apply_late`]): who it is, what came of
/// it, and whether they are new. `arrive` says what it would have been.
pub fn arrive_late(
    state: &mut State,
    then: &State,
    address: Option<usize>,
    through: &'static str,
    arrive: impl Fn(&mut State) -> (usize, Effect, bool),
) -> Option<(usize, Effect, bool)> {
    let mut decided = then.clone();
    decided.model.now = state.model.now;
    let holder = address.and_then(|address| then.model.holder(address));
    match holder.and_then(|who| then.model.person(who)).map(|person| person.place) {
        // They came back to their place, which the update date has ended since.
        Some(Place::Deleted) => {
            let (_, effect, _) = arrive(&mut decided);
            let alone = matches!(effect, Effect::NotAsked | Effect::Refused);
            let who = holder.filter(|who| alone && state.model.person(*who).is_none())?;
            let number = usize::try_from(then.model.number).ok()?;
            let (left_at, ..) = *state.model.statements.get(number - 1)?;
            state.model.left_with_the_others(who, decided.model.person(who)?.clone(), left_at);
            Some((who, effect, true))
        }
        // There was no room, and there may be now.
        _ => {
            let (_, effect, _) = arrive(&mut decided);
            if effect != Effect::Refused {
                return None;
            }
            let (who, _, new) = state.model.arrive(address, Sets::NOBODY, through);
            Some((who, Effect::Refused, new))
        }
    }
}
