//! Sources and changes of state, as contacts and the pages of their history store them.

use domain::Timestamp;
use domain::ids::{FormId, IntegrationId, UserId};
use domain::marketing::{Change, State};
use domain::source::{Actor, Source};
use serde::{Deserialize, Serialize};

use super::{Entity, unreadable};
use crate::StoreError;

/// Changes of state as one text of JSON.
///
/// One text and not a list of maps, because every read and write of a contact carries it: an item of few attributes is
/// quick to encode and decode, and the names of the attributes cost nothing. No expression addresses a part of it.
#[derive(Serialize, Deserialize)]
struct Changes {
    /// The distinct causes of the changes, so that a contact that one form changes ten times names it once.
    by: Vec<Cause>,
    /// The changes, oldest first: the Unix milliseconds, the states before and after (see [`letter`]), and the position of
    /// the cause in `by`.
    at: Vec<(i64, String, usize)>,
}

/// A source and the actor behind it.
#[derive(PartialEq, Serialize, Deserialize)]
struct Cause {
    /// The actor's id, whose prefix names its kind. Empty for the program itself.
    a: String,
    /// The source's type.
    k: String,
    /// The source's name.
    n: String,
    /// The source's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    i: Option<SourceId>,
}

/// The id of a source.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum SourceId {
    /// It is the actor's. The value is always true.
    OfActor(bool),
    /// Another one.
    Other(String),
}

fn actor_text(actor: Actor) -> String {
    match actor {
        Actor::User(id) => id.to_string(),
        Actor::Integration(id) => id.to_string(),
        Actor::Form(id) => id.to_string(),
        Actor::System => String::new(),
    }
}

fn parse_actor(text: &str) -> Option<Actor> {
    if text.is_empty() {
        return Some(Actor::System);
    }
    let user = text.parse::<UserId>().map(Actor::User);
    let integration = || text.parse::<IntegrationId>().map(Actor::Integration);
    user.or_else(|_| integration()).or_else(|_| text.parse::<FormId>().map(Actor::Form)).ok()
}

impl Cause {
    fn of(source: &Source, actor: Actor) -> Self {
        let a = actor_text(actor);
        let i = source
            .id
            .as_ref()
            .map(|id| if *id == a { SourceId::OfActor(true) } else { SourceId::Other(id.clone()) });
        Self { a, k: source.kind.to_string(), n: source.name.clone(), i }
    }

    fn read(&self) -> Option<(Source, Actor)> {
        let id = self.i.as_ref().map(|id| match id {
            SourceId::OfActor(_) => self.a.clone(),
            SourceId::Other(id) => id.clone(),
        });
        let source = Source { kind: self.k.parse().ok()?, name: self.n.clone(), id };
        Some((source, parse_actor(&self.a)?))
    }
}

/// The letter of a state, with `-` for the time before a contact was created.
fn letter(state: Option<State>) -> char {
    match state {
        None => '-',
        Some(State::NonMarketing) => 'n',
        Some(State::Marketing) => 'm',
        Some(State::Leaving) => 'l',
    }
}

fn parse_letter(letter: char) -> Option<Option<State>> {
    match letter {
        '-' => Some(None),
        'n' => Some(Some(State::NonMarketing)),
        'm' => Some(Some(State::Marketing)),
        'l' => Some(Some(State::Leaving)),
        _ => None,
    }
}

/// Encodes changes, oldest first. The text is empty if there are none.
///
/// # Errors
///
/// A fault, which does not happen: every part has a JSON form.
pub(crate) fn encode_changes(changes: &[Change]) -> Result<String, StoreError> {
    if changes.is_empty() {
        return Ok(String::new());
    }
    let mut encoded = Changes { by: Vec::new(), at: Vec::new() };
    for change in changes {
        let cause = Cause::of(&change.source, change.actor);
        let position = encoded.by.iter().position(|known| *known == cause).unwrap_or_else(|| {
            encoded.by.push(cause);
            encoded.by.len() - 1
        });
        let states = [letter(change.from), letter(Some(change.to))].into_iter().collect();
        encoded.at.push((change.at.millis(), states, position));
    }
    serde_json::to_string(&encoded)
        .map_err(|error| StoreError::Fault("could not encode changes".to_owned(), Some(error.into())))
}

/// Decodes what [`encode_changes`] returned.
///
/// # Errors
///
/// A fault if the text is none of its.
pub(crate) fn decode_changes<E: Entity>(text: &str) -> Result<Vec<Change>, StoreError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    read_changes(text).ok_or_else(|| unreadable::<E>("history"))
}

fn read_changes(text: &str) -> Option<Vec<Change>> {
    let Changes { by, at } = serde_json::from_str(text).ok()?;
    let causes: Vec<(Source, Actor)> = by.iter().map(Cause::read).collect::<Option<_>>()?;
    let change = |(at, states, cause): (i64, String, usize)| {
        let mut states = states.chars();
        let (from, to) = (parse_letter(states.next()?)?, parse_letter(states.next()?)??);
        let (source, actor) = causes.get(cause)?.clone();
        Some(Change { at: Timestamp::from_millis(at), from, to, source, actor })
    };
    at.into_iter().map(change).collect()
}

/// A page of changes, oldest first. Its key has the number of the first; a page never changes.
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

    fn change(at: i64, from: Option<State>, to: State, source: Source, actor: Actor) -> Change {
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
            change(1_800_000_000_000, None, State::Marketing, source.clone(), Actor::User(user)),
            change(1_800_000_000_001, Some(State::Marketing), State::Leaving, source, Actor::User(user)),
            change(
                1_800_000_000_002,
                Some(State::Leaving),
                State::NonMarketing,
                Source::update_date(),
                Actor::System,
            ),
        ];
        let text = encode_changes(&changes).unwrap();
        assert_eq!(text.matches("usr_").count(), 1);
        assert!(text.len() < 240, "{text}");
        assert_eq!(decode_changes::<HistoryPageItem>(&text).unwrap(), changes);
    }

    #[test]
    fn text_of_another_kind_is_a_fault() {
        for text in [
            "x",
            "{}",
            "[]",
            r#"{"by":[],"at":[[1,"-m",0]]}"#,
            r#"{"by":[{"a":"","k":"manual","n":""}],"at":[[1,"m-",0]]}"#,
            r#"{"by":[{"a":"acc_1","k":"manual","n":""}],"at":[[1,"-m",0]]}"#,
        ] {
            assert!(matches!(decode_changes::<HistoryPageItem>(text), Err(StoreError::Fault(..))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn changes_round_trip(
            parts in prop::collection::vec((0_i64..2_000_000_000_000, 0_usize..4, 0_usize..3, ".{0,20}", prop::option::of(".{0,9}"), 0_usize..4), 0..9),
        ) {
            let states = [State::NonMarketing, State::Marketing, State::Leaving];
            let now = Timestamp::from_millis(1_800_000_000_000);
            let actors = [
                Actor::User(UserId::new(now, 1)),
                Actor::Integration(IntegrationId::new(now, 2)),
                Actor::Form(FormId::new(now, 3)),
                Actor::System,
            ];
            let changes: Vec<Change> = parts.into_iter().map(|(at, from, to, name, id, actor)| {
                let source = Source { kind: SourceType::ExternalForm, name, id };
                change(at, states.get(from).copied(), states[to], source, actors[actor])
            }).collect();
            let text = encode_changes(&changes).unwrap();
            prop_assert_eq!(decode_changes::<HistoryPageItem>(&text).unwrap(), changes);
        }
    }
}
