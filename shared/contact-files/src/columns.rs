//! The targets of a file's columns.
//!
//! - A column that the options map has its target, whatever its name.
//! - The address is in the column with the most usual name for one, of those that have addresses. Without such a name,
//!   it is in the only column whose values are addresses.
//! - Parts of a contact that the program sets itself are left out.
//! - Flags are set only by columns of known names, and by statuses whose values are known.
//! - Every other column fills a property as a form's field of its name does. No two columns fill one property: the
//!   first column of a name counts.

use std::collections::{BTreeMap, BTreeSet};

use domain::property::{PropertyName, field_key, made_name, tidy_name};
use domain::usual_names::{self, AddressName, address_name};

use crate::flags::Flag;
use crate::layout::{Column, ColumnNote};
use crate::names::{Name, PROPERTY_PREFIX};
use crate::problem::FileProblem;
use crate::sample::Sample;
use crate::target::Target;

/// The header of a file with what is known of its columns.
pub(crate) struct Headings<'h> {
    /// The names. Those of a file without a header are the positions.
    pub(crate) names: &'h [Name],
    /// The values of each column in the beginning of the file.
    pub(crate) samples: &'h [Sample],
    /// The targets that the caller has chosen.
    pub(crate) mapping: &'h BTreeMap<String, Target>,
    /// True if the names are positions.
    pub(crate) is_missing: bool,
}

/// The target of a column, with the meaning of its values and a remark.
#[derive(Clone)]
struct Choice {
    target: Target,
    flag: Option<Flag>,
    note: Option<ColumnNote>,
}

impl Choice {
    fn of(target: Target) -> Self {
        let flag = match target {
            Target::Unsubscribed => Some(Flag::Unsubscribed),
            Target::Bounced => Some(Flag::Bounced),
            _ => None,
        };
        Self { target, flag, note: None }
    }

    fn left_out(note: ColumnNote) -> Self {
        Self { target: Target::Nothing, flag: None, note: Some(note) }
    }

    fn flag(flag: Flag) -> Self {
        let target = match flag {
            Flag::Bounced | Flag::BouncedIfFilled => Target::Bounced,
            _ => Target::Unsubscribed,
        };
        Self { target, flag: Some(flag), note: None }
    }
}

/// Returns the columns with their targets.
///
/// # Errors
/// The problem of the mapping, or [`FileProblem::NoAddressColumn`].
pub(crate) fn assign(headings: &Headings<'_>) -> Result<Vec<Column>, FileProblem> {
    let mut choices = mapped(headings)?;
    let (address, note) = address(headings, &choices)?;
    if let Some(choice) = choices.get_mut(address) {
        *choice = Some(Choice { note, ..Choice::of(Target::Email) });
    }
    for (position, choice) in choices.iter_mut().enumerate() {
        if choice.is_none() {
            *choice = by_name(headings, position);
        }
    }
    Filling { headings, choices: &mut choices, taken: BTreeSet::new() }.fill();
    let named = headings.names.iter().zip(choices).enumerate();
    Ok(named
        .map(|(position, (name, choice))| {
            let Choice { target, flag, note } = choice.unwrap_or_else(|| Choice::of(Target::Nothing));
            Column { position, name: name.shown.clone(), target, flag, note }
        })
        .collect())
}

/// Returns the choices of the mapping.
fn mapped(headings: &Headings<'_>) -> Result<Vec<Option<Choice>>, FileProblem> {
    let mut choices: Vec<Option<Choice>> = vec![None; headings.names.len()];
    let mut used: BTreeSet<&Target> = BTreeSet::new();
    for (key, target) in headings.mapping {
        let position =
            position_of(headings.names, key).ok_or_else(|| FileProblem::UnknownColumn(key.clone()))?;
        let is_single = matches!(target, Target::Email | Target::Property(_));
        if is_single && !used.insert(target) {
            return Err(FileProblem::SameTarget(key.clone()));
        }
        match choices.get_mut(position) {
            Some(choice @ None) => *choice = Some(Choice::of(target.clone())),
            _ => return Err(FileProblem::MappedTwice(key.clone())),
        }
    }
    Ok(choices)
}

/// Returns the position of the column that a key of the mapping means: by its name, its folded name or its position.
fn position_of(names: &[Name], key: &str) -> Option<usize> {
    let wanted = Name::of(key);
    let by_name = |is_same: &dyn Fn(&Name) -> bool| names.iter().position(is_same);
    by_name(&|name| name.shown == key)
        .or_else(|| by_name(&|name| !name.is_empty() && name.key == wanted.key))
        .or_else(|| by_name(&|name| !name.letters.is_empty() && name.letters == wanted.letters))
        .or_else(|| {
            key.trim().parse::<usize>().ok()?.checked_sub(1).filter(|position| *position < names.len())
        })
}

/// Returns the position of the column with the address, and a remark about it.
fn address(
    headings: &Headings<'_>,
    choices: &[Option<Choice>],
) -> Result<(usize, Option<ColumnNote>), FileProblem> {
    let is_email =
        |choice: &Option<Choice>| choice.as_ref().is_some_and(|choice| choice.target == Target::Email);
    if let Some(position) = choices.iter().position(is_email) {
        return Ok((position, None));
    }
    let columns = headings.names.iter().zip(headings.samples).zip(choices).enumerate();
    let free: Vec<(usize, &Name, &Sample)> = columns
        .filter(|(_, ((name, _), choice))| choice.is_none() && !name.is_never_the_address())
        .map(|(position, ((name, sample), _))| (position, name, sample))
        .collect();
    if let Some(position) = address_by_name(headings, &free) {
        return Ok((position, None));
    }
    let mut all_addresses =
        free.iter().filter(|(_, _, sample)| sample.addresses > 0 && sample.addresses == sample.filled);
    match (all_addresses.next(), all_addresses.next()) {
        (Some((position, _, _)), None) if !headings.is_missing => {
            Ok((*position, Some(ColumnNote::AddressByValues)))
        }
        _ => Err(FileProblem::NoAddressColumn),
    }
}

/// Returns the column with the most usual name for an address, of those that have addresses.
fn address_by_name(headings: &Headings<'_>, free: &[(usize, &Name, &Sample)]) -> Option<usize> {
    let has_values = headings.samples.iter().any(|sample| sample.filled > 0);
    let named = free.iter().filter_map(|(position, name, sample)| {
        let likeness = address_name(&name.bare)?;
        // A column with a word for e-mail may have something else, such as consent.
        let is_proven = matches!(likeness, AddressName::Usual(_)) || sample.addresses > 0 || !has_values;
        is_proven.then_some((sample.addresses == 0, likeness, *position))
    });
    named.min().map(|(_, _, position)| position)
}

/// Returns the choice for a column that is neither mapped nor the address, unless it fills a property by its name.
fn by_name(headings: &Headings<'_>, position: usize) -> Option<Choice> {
    let (name, sample) = (headings.names.get(position)?, headings.samples.get(position)?);
    if name.is_empty() || headings.is_missing {
        let note = (sample.filled > 0).then_some(ColumnNote::NoName);
        return Some(Choice { note, ..Choice::of(Target::Nothing) });
    }
    if name.is_own() {
        return Some(Choice::left_out(ColumnNote::SetByProgram));
    }
    if let Some(property) = name.shown.strip_prefix(PROPERTY_PREFIX) {
        let property = PropertyName::parse(property).ok().map(Target::Property);
        return Some(property.map_or(Choice::left_out(ColumnNote::InvalidPropertyName), Choice::of));
    }
    if let Some(flag) = name.flag() {
        return Some(Choice::flag(flag));
    }
    let is_of_a_program = name.is_status_of_a_program(headings.names);
    if name.is_status() && sample.statuses == sample.filled && (is_of_a_program || sample.leaving > 0) {
        return Some(Choice::flag(Flag::Status));
    }
    if matches!(address_name(&name.bare), Some(AddressName::Usual(_))) {
        return Some(Choice::left_out(ColumnNote::FurtherAddress));
    }
    let mut before = headings.names.iter().take(position);
    let is_repeated = before.any(|other| other.key == name.key);
    is_repeated.then(|| Choice::left_out(ColumnNote::RepeatedName))
}

/// The columns while their properties are chosen.
struct Filling<'f> {
    headings: &'f Headings<'f>,
    choices: &'f mut [Option<Choice>],
    /// The properties that a column fills.
    taken: BTreeSet<PropertyName>,
}

impl Filling<'_> {
    /// Chooses the properties of all columns without a choice.
    fn fill(&mut self) {
        self.claim();
        self.by_usual_name();
        self.by_nearest_name();
    }

    /// Takes the properties that are chosen already. Of two columns of one property, the first has it.
    fn claim(&mut self) {
        for choice in self.choices.iter_mut().flatten() {
            if let Target::Property(property) = &choice.target
                && !self.taken.insert(property.clone())
            {
                *choice = Choice::left_out(ColumnNote::PropertyTaken);
            }
        }
    }

    /// Fills the properties that names usually mean. The column with the property's own name has priority, then the
    /// more usual name.
    fn by_usual_name(&mut self) {
        let mut usual: Vec<(bool, usize, usize, PropertyName)> = self
            .open()
            .filter_map(|(position, name)| {
                let usual =
                    usual_names::property(&name.shown).or_else(|| usual_names::property(&name.bare))?;
                Some((!is_called(name, &usual.property), usual.place, position, usual.property))
            })
            .collect();
        usual.sort();
        for (_, _, position, property) in usual {
            if self.taken.insert(property.clone()) {
                self.choose(position, Choice::of(Target::Property(property)));
            }
        }
    }

    /// Fills the properties nearest to the names. The column with the property's own name has priority.
    fn by_nearest_name(&mut self) {
        let mut others: Vec<(bool, usize, Option<PropertyName>)> = self
            .open()
            .map(|(position, name)| {
                let nearest = nearest(self.headings, position);
                let is_other = nearest.as_ref().is_none_or(|property| !is_called(name, property));
                (is_other, position, nearest)
            })
            .collect();
        others.sort();
        for (_, position, nearest) in others {
            let choice = match nearest {
                Some(property) if self.taken.insert(property.clone()) => {
                    Choice::of(Target::Property(property))
                }
                Some(_) => Choice::left_out(ColumnNote::PropertyTaken),
                None => Choice::left_out(ColumnNote::NoName),
            };
            self.choose(position, choice);
        }
    }

    /// Returns the positions and names of the columns without a choice.
    fn open(&self) -> impl Iterator<Item = (usize, &Name)> {
        let named = self.headings.names.iter().zip(self.choices.iter()).enumerate();
        named.filter(|(_, (_, choice))| choice.is_none()).map(|(position, (name, _))| (position, name))
    }

    fn choose(&mut self, position: usize, choice: Choice) {
        if let Some(open) = self.choices.get_mut(position) {
            *open = Some(choice);
        }
    }
}

/// Returns true if the column has the property's own name.
fn is_called(name: &Name, property: &PropertyName) -> bool {
    field_key(&name.bare) == property.as_str()
}

/// Returns the property nearest to a column's name. Words in brackets count only if other columns differ in them alone:
/// `Size (cm)` and `Size (in)`.
fn nearest(headings: &Headings<'_>, position: usize) -> Option<PropertyName> {
    let name = headings.names.get(position)?;
    let others = headings.names.iter().enumerate().filter(|(other, _)| *other != position);
    let is_ambiguous = others.into_iter().any(|(_, other)| other.letters == name.letters);
    let text = if is_ambiguous { &name.shown } else { &name.bare };
    tidy_name(text).or_else(|| made_name(text))
}

/// Returns true if a column of this name fills this property in any file.
pub(crate) fn always_fills(name: &str, property: &PropertyName) -> bool {
    let name = Name::of(name);
    let target =
        usual_names::property(&name.shown).map(|usual| usual.property).or_else(|| tidy_name(&name.shown));
    !name.is_own()
        && !name.is_status()
        && name.flag().is_none()
        && address_name(&name.bare).is_none()
        && target.as_ref() == Some(property)
}
