//! One condition: a field, an operator and its operands.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

use super::field::{FieldName, Kind};
use super::operand::Operand;
use super::token::Pattern;
use super::{Fields, Value};
use crate::limits::FILTER_VALUES_MAX;
use crate::string_enum::string_enum;

string_enum! {
    /// The comparison of a field (see the [module](super)).
    pub enum Operator {
        /// The field equals the value.
        Eq = "EQ",
        /// The negation of [`Operator::Eq`].
        Neq = "NEQ",
        /// The field is below the value.
        Lt = "LT",
        /// The field is below the value or equal to it.
        Lte = "LTE",
        /// The field is above the value.
        Gt = "GT",
        /// The field is above the value or equal to it.
        Gte = "GTE",
        /// The field is at least `value` and at most `highValue`.
        Between = "BETWEEN",
        /// The field equals one of the values.
        In = "IN",
        /// The negation of [`Operator::In`].
        NotIn = "NOT_IN",
        /// The contact has the field.
        HasProperty = "HAS_PROPERTY",
        /// The negation of [`Operator::HasProperty`].
        NotHasProperty = "NOT_HAS_PROPERTY",
        /// The field contains the value as a word.
        ContainsToken = "CONTAINS_TOKEN",
        /// The negation of [`Operator::ContainsToken`].
        NotContainsToken = "NOT_CONTAINS_TOKEN",
    }
}

impl Operator {
    fn is_negation(self) -> bool {
        matches!(self, Self::Neq | Self::NotIn | Self::NotHasProperty | Self::NotContainsToken)
    }
}

/// An error in a condition or a filter. It never repeats an operand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {message}")]
pub struct FilterError {
    /// The part of the condition in the request: `propertyName`, `operator`, `value`, `values` or `highValue`. For a
    /// whole filter it is `filterGroups`.
    pub field: &'static str,
    /// The description of the expected value.
    pub message: String,
}

impl FilterError {
    pub(super) fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

/// The parts of a condition, as a request contains them. `Debug` shows no operand.
#[derive(Clone, PartialEq, Eq)]
pub struct ConditionParts {
    /// The field's name.
    pub name: String,
    /// The operator.
    pub operator: Operator,
    /// The operand, or the lower end of `BETWEEN`.
    pub value: Option<String>,
    /// The operands of `IN` and `NOT_IN`.
    pub values: Option<Vec<String>>,
    /// The upper end of `BETWEEN`.
    pub high_value: Option<String>,
}

/// A condition on one field, with parsed operands. `Debug` shows no operand.
#[derive(Clone)]
pub struct Condition {
    field: FieldName,
    test: Test,
    parts: ConditionParts,
}

/// The test of the field's value, before a negation.
#[derive(Clone)]
enum Test {
    Present,
    OneOf {
        operands: Vec<Operand>,
        /// True if an operand is empty, which stands for the absence of the field.
        absent: bool,
    },
    Ordered(Operand, fn(Ordering) -> bool),
    Between(Operand, Operand),
    HasWord(Pattern),
}

impl Condition {
    /// Creates a condition from the parts of a request. `name` is its `propertyName`.
    ///
    /// # Errors
    /// All errors of the condition: an unknown field or operator, missing or unexpected operands, too many operands,
    /// and operands that cannot be compared with the field.
    pub fn new(
        name: &str,
        operator: &str,
        value: Option<&str>,
        values: Option<&[String]>,
        high_value: Option<&str>,
    ) -> Result<Self, Vec<FilterError>> {
        let field: Result<FieldName, _> = name
            .parse()
            .map_err(|error: super::FieldNameError| FilterError::new("propertyName", error.to_string()));
        // The operands of an unknown field are checked like those of a property, so all errors are returned at once.
        let kind = field.as_ref().map_or(Kind::Text, FieldName::kind);
        let compared = operator
            .parse()
            .map_err(|error: crate::string_enum::UnknownVariant| {
                vec![FilterError::new("operator", error.to_string())]
            })
            .and_then(|operator| Ok((operator, Given { operator, kind, value, values, high_value }.test()?)));
        let (field, (operator, test)) = match (field, compared) {
            (Ok(field), Ok(compared)) => (field, compared),
            (field, compared) => {
                return Err(field.err().into_iter().chain(compared.err().into_iter().flatten()).collect());
            }
        };
        // A word is found in a text, so it is no instant.
        let kind = if matches!(test, Test::HasWord(_)) { Kind::Text } else { kind };
        let parts = ConditionParts {
            name: name.to_owned(),
            operator,
            value: value.map(|value| kind.written(value)),
            values: values.map(|values| values.iter().map(|value| kind.written(value)).collect()),
            high_value: high_value.map(|value| kind.written(value)),
        };
        Ok(Self { field, test, parts })
    }

    /// Creates a condition from its parts.
    ///
    /// # Errors
    /// See [`Self::new`].
    pub fn from_parts(parts: ConditionParts) -> Result<Self, Vec<FilterError>> {
        let ConditionParts { name, operator, value, values, high_value } = parts;
        Self::new(&name, operator.as_str(), value.as_deref(), values.as_deref(), high_value.as_deref())
    }

    /// Returns the parts of the request, from which [`Self::from_parts`] creates the same condition.
    ///
    /// The operands of `created_at` and `updated_at` are the RFC 3339 instants in UTC that they mean. So the parts of
    /// a date show the instant that it was read as.
    #[must_use]
    pub fn parts(&self) -> &ConditionParts {
        &self.parts
    }

    /// Returns true if the condition is true for the contact.
    pub(super) fn holds(&self, contact: &impl Fields) -> bool {
        let value = contact.field(&self.field).filter(|value| !value.is_empty());
        let holds = value.map_or_else(|| self.test.holds_for_none(), |value| self.test.holds(value));
        holds != self.parts.operator.is_negation()
    }

    /// Returns the field.
    #[must_use]
    pub fn field(&self) -> &FieldName {
        &self.field
    }

    /// Returns the operands of `EQ` or `IN`, if the condition requires that the field equals one of them.
    pub(super) fn exact(&self) -> Option<&[Operand]> {
        match &self.test {
            Test::OneOf { operands, absent: false } if !self.parts.operator.is_negation() => Some(operands),
            _ => None,
        }
    }

    /// Returns the lowest and the highest number of a contact's id with which the condition may be true.
    pub(super) fn ids(&self) -> (i64, i64) {
        let all = (i64::MIN, i64::MAX);
        let bounds = match (&self.test, self.parts.operator) {
            (Test::Ordered(operand, _), operator) => operand.id().map(|id| match operator {
                Operator::Lt => (i64::MIN, id.saturating_sub(1)),
                Operator::Lte => (i64::MIN, id),
                Operator::Gt => (id.saturating_add(1), i64::MAX),
                Operator::Gte => (id, i64::MAX),
                _ => all,
            }),
            (Test::Between(low, high), _) => low.id().zip(high.id()),
            (Test::OneOf { .. }, _) => self.exact().and_then(|operands| {
                let ids = || operands.iter().map(Operand::id);
                ids().min().flatten().zip(ids().max().flatten())
            }),
            (Test::Present | Test::HasWord(_), _) => None,
        };
        bounds.unwrap_or(all)
    }
}

impl Test {
    fn holds(&self, value: Value<'_>) -> bool {
        match self {
            Self::Present => true,
            Self::OneOf { operands, .. } => operands.iter().any(|operand| operand.equals(value)),
            Self::Ordered(operand, holds) => operand.compare(value).is_some_and(holds),
            Self::Between(low, high) => {
                low.compare(value).is_some_and(Ordering::is_ge)
                    && high.compare(value).is_some_and(Ordering::is_le)
            }
            Self::HasWord(pattern) => match value {
                Value::Text(text) => pattern.is_in(text),
                Value::Instant(at) => pattern.is_in(&at.to_string()),
                Value::Id(id) => pattern.is_in(&id.to_string()),
            },
        }
    }

    /// Returns the result for a contact without the field.
    fn holds_for_none(&self) -> bool {
        matches!(self, Self::OneOf { absent: true, .. })
    }
}

/// Conditions are equal if their parts are.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Condition {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({} {})", self.field, self.parts.operator)
    }
}

impl fmt::Debug for ConditionParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConditionParts({} {})", self.name, self.operator)
    }
}

/// An operator and the operands in the request.
struct Given<'a> {
    operator: Operator,
    kind: Kind,
    value: Option<&'a str>,
    values: Option<&'a [String]>,
    high_value: Option<&'a str>,
}

impl Given<'_> {
    /// Returns the test of the operator with its operands, or all errors.
    fn test(&self) -> Result<Test, Vec<FilterError>> {
        let unexpected = self.unexpected();
        match self.compile() {
            Ok(test) if unexpected.is_empty() => Ok(test),
            compiled => Err(compiled.err().into_iter().flatten().chain(unexpected).collect()),
        }
    }

    fn compile(&self) -> Result<Test, Vec<FilterError>> {
        match self.operator {
            Operator::Eq | Operator::Neq => self.equal().map_err(|error| vec![error]),
            Operator::Lt => self.ordered(Ordering::is_lt),
            Operator::Lte => self.ordered(Ordering::is_le),
            Operator::Gt => self.ordered(Ordering::is_gt),
            Operator::Gte => self.ordered(Ordering::is_ge),
            Operator::Between => {
                match (self.bound("value", self.value), self.bound("highValue", self.high_value)) {
                    (Ok(low), Ok(high)) => Ok(Test::Between(low, high)),
                    (low, high) => Err(low.err().into_iter().chain(high.err()).collect()),
                }
            }
            Operator::In | Operator::NotIn => self.one_of(),
            Operator::HasProperty | Operator::NotHasProperty => Ok(Test::Present),
            Operator::ContainsToken | Operator::NotContainsToken => self.word().map_err(|error| vec![error]),
        }
    }

    fn ordered(&self, holds: fn(Ordering) -> bool) -> Result<Test, Vec<FilterError>> {
        let operand = self.bound("value", self.value);
        operand.map(|operand| Test::Ordered(operand, holds)).map_err(|error| vec![error])
    }

    fn word(&self) -> Result<Test, FilterError> {
        let text = self.needed("value", self.value)?;
        Pattern::read(text).map(Test::HasWord).map_err(|message| FilterError::new("value", message))
    }

    fn equal(&self) -> Result<Test, FilterError> {
        let operand = match self.needed("value", self.value)? {
            text if self.is_absence(text) => None,
            _ => Some(self.operand("value", self.value)?),
        };
        Ok(Test::OneOf { absent: operand.is_none(), operands: operand.into_iter().collect() })
    }

    /// Returns true if the operand stands for the absence of the field. An empty text is no property.
    fn is_absence(&self, text: &str) -> bool {
        text.is_empty() && matches!(self.kind, Kind::Address | Kind::Text)
    }

    fn one_of(&self) -> Result<Test, Vec<FilterError>> {
        let values = self.needed("values", self.values).map_err(|error| vec![error])?;
        if !(1..=FILTER_VALUES_MAX).contains(&values.len()) {
            let message = format!("expected 1 to {FILTER_VALUES_MAX} values");
            return Err(vec![FilterError::new("values", message)]);
        }
        let absent = values.iter().any(|value| self.is_absence(value));
        let (mut operands, mut errors) = (Vec::new(), Vec::new());
        for (index, value) in values.iter().enumerate().filter(|(_, value)| !self.is_absence(value)) {
            match Operand::read(self.kind, value) {
                Ok(operand) => operands.push(operand),
                Err(message) => {
                    errors.push(FilterError::new("values", format!("{message} (value {})", index + 1)));
                }
            }
        }
        if errors.is_empty() { Ok(Test::OneOf { operands, absent }) } else { Err(errors) }
    }

    /// Returns the operand of an operator that orders. An empty text is no value, so nothing is above or below it.
    fn bound(&self, field: &'static str, text: Option<&str>) -> Result<Operand, FilterError> {
        if text.is_some_and(|text| self.is_absence(text)) {
            return Err(FilterError::new(field, format!("may not be empty with {}", self.operator)));
        }
        self.operand(field, text)
    }

    fn operand(&self, field: &'static str, text: Option<&str>) -> Result<Operand, FilterError> {
        let text = self.needed(field, text)?;
        Operand::read(self.kind, text).map_err(|message| FilterError::new(field, message))
    }

    fn needed<T>(&self, field: &'static str, given: Option<T>) -> Result<T, FilterError> {
        given.ok_or_else(|| FilterError::new(field, format!("is required with {}", self.operator)))
    }

    /// Returns an error for each operand that the operator does not accept.
    fn unexpected(&self) -> Vec<FilterError> {
        let (accepts_value, accepts_values) = match self.operator {
            Operator::In | Operator::NotIn => (false, true),
            Operator::HasProperty | Operator::NotHasProperty => (false, false),
            _ => (true, false),
        };
        let operands = [
            ("value", self.value.is_some(), accepts_value),
            ("values", self.values.is_some(), accepts_values),
            ("highValue", self.high_value.is_some(), self.operator == Operator::Between),
        ];
        operands
            .into_iter()
            .filter(|(_, given, accepted)| *given && !accepted)
            .map(|(field, ..)| FilterError::new(field, format!("is not allowed with {}", self.operator)))
            .collect()
    }
}
