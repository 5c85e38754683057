//! The encoding of changes of state, in contacts and in pages of their history.

use std::borrow::Cow;

use domain::Timestamp;
use domain::ids::{AutomationId, FormId, IntegrationId, UserId};
use domain::marketing::{Change, EffectiveState};
use domain::source::{Actor, Cause, Source};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{Entity, unreadable};
use crate::StoreError;

// Changes of state are one text and not a list of maps, because every read and write of a contact contains them. An
// item of few attributes is fast to encode and decode, and the text has no attribute names. No expression addresses a
// part of it.
//
// The text is `causes|changes`. A cause is `actor,type,id,name`, and causes are separated by `;`. The actor is its id,
// whose prefix names its kind, or empty for the program itself. The id of the source is empty if there is none, `=` if
// it is the actor's, and otherwise `:` and the id. A change is the letters of the states before and after, the position
// of its cause in base 36, a dot, and the Unix milliseconds in base 36. Changes are separated by `,`, oldest first. So
// a contact that one form changes ten times names it once. Texts are percent-encoded: also quotes and backslashes, each
// of which would be two characters in DynamoDB's JSON.

/// The characters of ids and names that are percent-encoded.
const ENCODED: &AsciiSet = &CONTROLS.add(b'"').add(b'%').add(b',').add(b';').add(b'\\').add(b'|');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

pub(super) fn actor_text(actor: Actor) -> String {
    match actor {
        Actor::User(id) => id.to_string(),
        Actor::Integration(id) => id.to_string(),
        Actor::Form(id) => id.to_string(),
        Actor::Automation(id) => id.to_string(),
        Actor::System => String::new(),
    }
}

pub(super) fn parse_actor(text: &str) -> Option<Actor> {
    if text.is_empty() {
        return Some(Actor::System);
    }
    let user = text.parse::<UserId>().map(Actor::User);
    let integration = || text.parse::<IntegrationId>().map(Actor::Integration);
    let form = || text.parse::<FormId>().map(Actor::Form);
    let automation = || text.parse::<AutomationId>().map(Actor::Automation);
    user.or_else(|_| integration()).or_else(|_| form()).or_else(|_| automation()).ok()
}

/// Serde for an actor.
pub(super) mod actor {
    use domain::source::Actor;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    use super::{actor_text, parse_actor};

    pub(in crate::items) fn serialize<S: Serializer>(
        actor: &Actor,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&actor_text(*actor))
    }

    pub(in crate::items) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Actor, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_actor(&text).ok_or_else(|| D::Error::custom("expected the id of an actor"))
    }
}

fn cause_text(source: &Source, actor: Actor) -> String {
    let actor = actor_text(actor);
    let id = match &source.id {
        None => String::new(),
        Some(id) if *id == actor => "=".to_owned(),
        Some(id) => format!(":{}", encoded(id)),
    };
    format!("{actor},{},{id},{}", source.kind, encoded(&source.name))
}

fn parse_cause(text: &str) -> Option<(Source, Actor)> {
    let mut parts = text.splitn(4, ',');
    let (actor, kind, id, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let id = match id {
        "" => None,
        "=" => Some(actor.to_owned()),
        id => Some(decoded(id.strip_prefix(':')?)?),
    };
    Some((Source { kind: kind.parse().ok()?, name: decoded(name)?, id }, parse_actor(actor)?))
}

/// Returns the text of a cause, with which an item names it outside a history.
pub(crate) fn encode_cause(cause: &Cause) -> String {
    cause_text(&cause.source, cause.actor)
}

/// Decodes what [`encode_cause`] returned.
///
/// # Errors
///
/// A fault if the text has another format.
pub(crate) fn decode_cause<E: Entity>(text: &str) -> Result<Cause, StoreError> {
    let (source, actor) = parse_cause(text).ok_or_else(|| unreadable::<E>("cause"))?;
    Ok(Cause { source, actor })
}

/// The letter of a state, with `-` for the time before a contact was created.
fn letter(state: Option<EffectiveState>) -> char {
    match state {
        None => '-',
        Some(EffectiveState::NonMarketing) => 'n',
        Some(EffectiveState::Marketing) => 'm',
        Some(EffectiveState::Leaving) => 'l',
    }
}

fn parse_letter(letter: char) -> Option<Option<EffectiveState>> {
    match letter {
        '-' => Some(None),
        'n' => Some(Some(EffectiveState::NonMarketing)),
        'm' => Some(Some(EffectiveState::Marketing)),
        'l' => Some(Some(EffectiveState::Leaving)),
        _ => None,
    }
}

/// The base of the numbers in the text: all digits and lower-case letters.
const BASE: u32 = 36;

fn base_36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit =
            u32::try_from(number % u64::from(BASE)).ok().and_then(|digit| char::from_digit(digit, BASE));
        digits.extend(digit);
        number /= u64::from(BASE);
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

fn change_text(change: &Change, cause: usize) -> String {
    let (from, to) = (letter(change.from), letter(Some(change.to)));
    // Both are far below the limits: a contact keeps few changes, and no instant is before 1970.
    let (cause, millis) = (u64::try_from(cause).unwrap_or_default(), change.at.millis().unsigned_abs());
    format!("{from}{to}{}.{}", base_36(cause), base_36(millis))
}

fn parse_change(text: &str, causes: &[(Source, Actor)]) -> Option<Change> {
    let mut letters = text.chars();
    let (from, to) = (parse_letter(letters.next()?)?, parse_letter(letters.next()?)??);
    let (cause, millis) = letters.as_str().split_once('.')?;
    let (source, actor) = causes.get(usize::from_str_radix(cause, BASE).ok()?)?.clone();
    let at = Timestamp::from_millis(i64::from_str_radix(millis, BASE).ok()?);
    Some(Change { at, from, to, source, actor })
}

/// Encodes changes, oldest first. The text is empty if there are none.
pub(crate) fn encode_changes(changes: &[Change]) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut texts = Vec::new();
    for change in changes {
        let cause = cause_text(&change.source, change.actor);
        let position = causes.iter().position(|known| *known == cause).unwrap_or_else(|| {
            causes.push(cause);
            causes.len() - 1
        });
        texts.push(change_text(change, position));
    }
    if texts.is_empty() { String::new() } else { format!("{}|{}", causes.join(";"), texts.join(",")) }
}

/// Decodes what [`encode_changes`] returned.
///
/// # Errors
///
/// A fault if the text has another format.
pub(crate) fn decode_changes<E: Entity>(text: &str) -> Result<Vec<Change>, StoreError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    read_changes(text).ok_or_else(|| unreadable::<E>("history"))
}

fn read_changes(text: &str) -> Option<Vec<Change>> {
    let (causes, changes) = text.split_once('|')?;
    let causes: Vec<(Source, Actor)> = causes.split(';').map(parse_cause).collect::<Option<_>>()?;
    changes.split(',').map(|change| parse_change(change, &causes)).collect()
}

/// A page of changes, oldest first. Its key contains the number of the first change. A page never changes.
#[derive(Serialize, Deserialize)]
pub(crate) struct HistoryPageItem {
    pub(crate) first: u64,
    /// See [`encode_changes`].
    pub(crate) changes: String,
}

impl Entity for HistoryPageItem {
    const TAG: &'static str = "history";
    const SCHEMA: u32 = 2;
}

#[cfg(test)]
mod tests {
    use domain::source::SourceType;
    use proptest::prelude::*;

    use super::*;

    fn change(
        at: i64,
        from: Option<EffectiveState>,
        to: EffectiveState,
        source: Source,
        actor: Actor,
    ) -> Change {
        Change { at: Timestamp::from_millis(at), from, to, source, actor }
    }

    fn manual(id: Option<String>) -> Source {
        Source { kind: SourceType::Manual, name: "Ada".to_owned(), id }
    }

    #[test]
    fn changes_by_one_user_name_the_user_once() {
        let user = UserId::new(Timestamp::from_millis(1_800_000_000_000), 7);
        let source = manual(Some(user.to_string()));
        let changes = [
            change(1_800_000_000_000, None, EffectiveState::Marketing, source.clone(), Actor::User(user)),
            change(
                1_800_000_000_001,
                Some(EffectiveState::Marketing),
                EffectiveState::Leaving,
                source,
                Actor::User(user),
            ),
            change(
                1_800_000_000_002,
                Some(EffectiveState::Leaving),
                EffectiveState::NonMarketing,
                Source::update_date(),
                Actor::System,
            ),
        ];
        let text = encode_changes(&changes);
        assert_eq!(text.matches("usr_").count(), 1);
        assert_eq!(
            text,
            "usr_01mcc5rm000000000000000007,manual,=,Ada;,update_date,,Update date|\
             -m0.mywpiww0,ml0.mywpiww1,ln1.mywpiww2"
        );
        assert_eq!(decode_changes::<HistoryPageItem>(&text).unwrap(), changes);
    }

    #[test]
    fn text_of_another_format_is_a_fault() {
        for text in [
            "x",
            "|",
            ",manual,,Ada|",
            ",manual,,Ada|-m1.0",
            ",manual,,Ada|m-0.0",
            ",manual,,Ada|-m0",
            ",manual,x,Ada|-m0.0",
            ",manual,,%ff|-m0.0",
            ",nobody,,Ada|-m0.0",
            "acc_1,manual,,Ada|-m0.0",
        ] {
            assert!(matches!(decode_changes::<HistoryPageItem>(text), Err(StoreError::Fault(..))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn changes_round_trip(
            parts in prop::collection::vec((0_i64..2_000_000_000_000, 0_usize..4, 0_usize..3, ".{0,20}", prop::option::of(".{0,9}"), 0_usize..4), 0..9),
        ) {
            let states = [EffectiveState::NonMarketing, EffectiveState::Marketing, EffectiveState::Leaving];
            let now = Timestamp::from_millis(1_800_000_000_000);
            let actors = [
                Actor::User(UserId::new(now, 1)),
                Actor::Integration(IntegrationId::new(now, 2)),
                Actor::Form(FormId::new(now, 3)),
                Actor::Automation(AutomationId::new(now, 4)),
                Actor::System,
            ];
            let changes: Vec<Change> = parts.into_iter().map(|(at, from, to, name, id, actor)| {
                let source = Source { kind: SourceType::ExternalForm, name, id };
                change(at, states.get(from).copied(), states[to], source, actors[actor])
            }).collect();
            let text = encode_changes(&changes);
            prop_assert_eq!(decode_changes::<HistoryPageItem>(&text).unwrap(), changes);
        }
    }
}
