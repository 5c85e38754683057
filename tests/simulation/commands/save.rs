//! The command that creates or updates a contact by its address, through various sources.

use domain::Timestamp;
use domain::ids::{IntegrationId, UserId};
use domain::source::{Actor, Intake, Source, SourceType};
use store::{SaveContact, SaveMode, Saved};
use testkit::property;

use super::{Applied, AtomicCommand, Context, Lookup, Sending, email, finish, outcome, text_response};
use crate::model::rules::{BY_HAND, Effect, Place, Sets};
use crate::simulation::raw::NOTE;
use crate::simulation::world::State;

/// The source of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// A user, with the marketing choice if the request contains one.
    Hand(Option<bool>),
    /// An integration. True if it sets the contacts that it creates marketing.
    Integration(bool),
    /// A source that never sets contacts marketing.
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

/// Returns the actor of users' commands.
pub fn user() -> Actor {
    Actor::User(UserId::new(Timestamp::MIN, 1))
}

/// Returns the source of users' commands.
pub fn by_hand() -> Source {
    Through::Hand(None).source()
}

/// A creation of a contact, or an update if the contact may exist.
#[derive(Debug)]
pub struct Save {
    pub address: Option<usize>,
    pub capitals: bool,
    pub may_exist: bool,
    pub through: Through,
    pub note: Option<u64>,
}

impl AtomicCommand for Save {
    fn takes_key(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, context: &'a Context) -> Sending<'a> {
        Box::pin(async move {
            let email = self.address.map(|address| email(address, self.capitals));
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
            let render = text_response(|saved: &Saved| {
                let made = if saved.created { "made" } else { "found" };
                let status = saved.status.map_or("not asked", outcome);
                format!("{made} {} {status}", saved.contact.id)
            });
            let answer =
                context.store.upsert_contact(&request, context.wall_clock, finish(context, &render)).await?;
            Ok(answer.body)
        })
    }

    fn apply(&self, state: &mut State, _: &Lookup<'_>) -> Applied {
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

    fn apply_late(&self, state: &mut State, _: &Lookup<'_>, then: &State) -> Option<Applied> {
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

/// Applies an arrival that was decided on the earlier state `then` (see [`AtomicCommand::apply_late`]). `arrive`
/// applies it to a state. Returns the person, the effect, and true if the person is new.
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
        // The person returned to its billable unit, which the update date has removed since.
        Some(Place::Deleted) => {
            let (_, effect, _) = arrive(&mut decided);
            let alone = matches!(effect, Effect::NotAsked | Effect::Refused);
            let who = holder.filter(|who| alone && state.model.person(*who).is_none())?;
            let number = usize::try_from(then.model.number).ok()?;
            let (left_at, ..) = *state.model.statements.get(number - 1)?;
            state.model.left_with_the_others(who, decided.model.person(who)?.clone(), left_at);
            Some((who, effect, true))
        }
        // The capacity was used up then. It may have grown since.
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
