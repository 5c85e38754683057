//! The operations of filters on properties, as conditions.
//!
//! `includeObjectsWithNoValueSet` says if contacts without the property belong to the list. If it is missing, they do with
//! an operator that excludes values, and not with any other.

use domain::filter::Operator;
use serde_json::Value;

use super::branch::{Kind, refused};
use super::time_point;
use crate::envelope::Failure;

/// An operator with its operands, as a condition has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Test {
    pub(super) operator: Operator,
    pub(super) value: Option<String>,
    pub(super) values: Option<Vec<String>>,
    pub(super) high_value: Option<String>,
}

impl Test {
    fn plain(operator: Operator) -> Self {
        Self { operator, value: None, values: None, high_value: None }
    }

    pub(super) fn of(operator: Operator, value: impl Into<String>) -> Self {
        Self { value: Some(value.into()), ..Self::plain(operator) }
    }

    fn among(operator: Operator, values: Vec<String>) -> Self {
        Self { values: Some(values), ..Self::plain(operator) }
    }

    pub(super) fn between(low: impl Into<String>, high: impl Into<String>) -> Self {
        Self { high_value: Some(high.into()), ..Self::of(Operator::Between, low) }
    }
}

/// An operation in a request.
struct Operation<'o> {
    input: &'o Value,
    kind: Kind,
    place: &'o str,
    operator: &'o str,
}

/// Reads an operation on a property of this kind. All returned tests must be true.
///
/// # Errors
///
/// A refusal that names the part that is wrong or not supported.
pub(super) fn read(input: &Value, kind: Kind, place: &str) -> Result<Vec<Test>, Failure> {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let operation = Operation { input, kind, place, operator: text("operator") };
    match (text("operationType"), operation.operator) {
        (_, "IS_KNOWN" | "IS_NOT_BLANK") => Ok(vec![operation.presence(true)]),
        (_, "IS_UNKNOWN" | "IS_BLANK") => Ok(vec![operation.presence(false)]),
        ("STRING" | "BOOL", "IS_EQUAL_TO") => operation.equality(true, false),
        ("STRING" | "BOOL", "IS_NOT_EQUAL_TO") => operation.equality(true, true),
        ("MULTISTRING", "IS_EQUAL_TO") | ("ENUMERATION", "IS_ANY_OF") => operation.equality(false, false),
        ("MULTISTRING", "IS_NOT_EQUAL_TO") | ("ENUMERATION", "IS_NONE_OF") => operation.equality(false, true),
        ("STRING" | "MULTISTRING", "CONTAINS") => operation.contains(),
        ("STRING" | "MULTISTRING", "DOES_NOT_CONTAIN") => operation.does_not_contain(),
        ("NUMBER", _) => operation.number(),
        ("NUMBER_RANGED", "IS_BETWEEN") => operation.numbers(),
        ("TIME_POINT", _) => operation.time_point(),
        ("TIME_RANGED", "IS_BETWEEN") => operation.time_range(),
        (
            "STRING" | "MULTISTRING" | "ENUMERATION" | "BOOL" | "NUMBER_RANGED" | "TIME_RANGED"
            | "ALL_PROPERTY",
            _,
        ) => Err(operation.unknown_operator()),
        _ => {
            let message = "expected STRING, MULTISTRING, ENUMERATION, BOOL, NUMBER, NUMBER_RANGED, TIME_POINT, \
                           TIME_RANGED or ALL_PROPERTY, which are supported";
            Err(operation.refused("operationType", message))
        }
    }
}

impl Operation<'_> {
    fn refused(&self, name: &str, message: &str) -> Failure {
        refused(&format!("{}.{name}", self.place), message)
    }

    fn unknown_operator(&self) -> Failure {
        self.refused("operator", "is not supported with this operationType")
    }

    /// Returns true if contacts without the property belong to the list.
    fn includes_absent(&self, default: bool) -> bool {
        let name = "includeObjectsWithNoValueSet";
        self.input.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// Refuses contacts without the property where the operator cannot include them.
    fn require_value(&self) -> Result<(), Failure> {
        if self.kind == Kind::Text && self.includes_absent(false) {
            let message = "true is not supported with this operator";
            return Err(self.refused("includeObjectsWithNoValueSet", message));
        }
        Ok(())
    }

    fn presence(&self, is_known: bool) -> Test {
        match self.kind {
            Kind::Mark => Test::of(Operator::Eq, is_known.to_string()),
            _ if is_known => Test::plain(Operator::HasProperty),
            _ => Test::plain(Operator::NotHasProperty),
        }
    }

    fn equality(&self, is_single: bool, is_negated: bool) -> Result<Vec<Test>, Failure> {
        let mut values = if is_single { vec![self.value("value")?] } else { self.values()? };
        let may_be_absent = self.kind == Kind::Text;
        // An empty operand stands for the absence of the property.
        let names_absent = may_be_absent && self.includes_absent(is_negated) != is_negated;
        if names_absent {
            values.push(String::new());
        }
        let test = match (is_single && !names_absent, is_negated) {
            (true, false) => Test::of(Operator::Eq, values.concat()),
            (true, true) => Test::of(Operator::Neq, values.concat()),
            (false, false) => Test::among(Operator::In, values),
            (false, true) => Test::among(Operator::NotIn, values),
        };
        Ok(vec![test])
    }

    fn contains(&self) -> Result<Vec<Test>, Failure> {
        self.require_value()?;
        let parts = self.parts()?;
        let [part] = parts.as_slice() else {
            return Err(
                self.refused("values", "expected one value, because only one is supported with CONTAINS")
            );
        };
        Ok(vec![Test::of(Operator::ContainsToken, part)])
    }

    fn does_not_contain(&self) -> Result<Vec<Test>, Failure> {
        let parts = self.parts()?;
        let mut tests: Vec<Test> =
            parts.into_iter().map(|part| Test::of(Operator::NotContainsToken, part)).collect();
        if self.kind == Kind::Text && !self.includes_absent(true) {
            tests.push(Test::plain(Operator::HasProperty));
        }
        Ok(tests)
    }

    /// Returns patterns for texts that contain the values. A pattern finds text within a word, so a value has no spaces.
    fn parts(&self) -> Result<Vec<String>, Failure> {
        if self.kind != Kind::Text {
            return Err(self.unknown_operator());
        }
        let values =
            if self.input.get("values").is_some() { self.values()? } else { vec![self.value("value")?] };
        let pattern = |value: String| {
            let is_word = !value.contains(|c: char| c == '*' || c.is_whitespace());
            let message = "expected a value without spaces and without an asterisk with this operator";
            if is_word { Ok(format!("*{value}*")) } else { Err(self.refused("value", message)) }
        };
        values.into_iter().map(pattern).collect()
    }

    fn number(&self) -> Result<Vec<Test>, Failure> {
        let operator = match self.operator {
            "IS_EQUAL_TO" => return self.number_equality(false),
            "IS_NOT_EQUAL_TO" => return self.number_equality(true),
            "IS_GREATER_THAN" => Operator::Gt,
            "IS_GREATER_THAN_OR_EQUAL_TO" => Operator::Gte,
            "IS_LESS_THAN" => Operator::Lt,
            "IS_LESS_THAN_OR_EQUAL_TO" => Operator::Lte,
            _ => return Err(self.unknown_operator()),
        };
        self.require_value()?;
        Ok(vec![Test::of(operator, self.decimal("value")?)])
    }

    fn number_equality(&self, is_negated: bool) -> Result<Vec<Test>, Failure> {
        self.decimal("value")?;
        self.equality(true, is_negated)
    }

    fn numbers(&self) -> Result<Vec<Test>, Failure> {
        self.require_value()?;
        Ok(vec![Test::between(self.decimal("lowerBound")?, self.decimal("upperBound")?)])
    }

    fn time_point(&self) -> Result<Vec<Test>, Failure> {
        self.require_instant()?;
        let is_inclusive = self.endpoint("endpointBehavior", false);
        let operator = match (self.operator, is_inclusive) {
            ("IS_AFTER", false) => Operator::Gt,
            ("IS_AFTER", true) => Operator::Gte,
            ("IS_BEFORE", false) => Operator::Lt,
            ("IS_BEFORE", true) => Operator::Lte,
            _ => return Err(self.unknown_operator()),
        };
        Ok(vec![Test::of(operator, self.instant("timePoint")?)])
    }

    fn time_range(&self) -> Result<Vec<Test>, Failure> {
        self.require_instant()?;
        let (low, high) = (self.instant("lowerBoundTimePoint")?, self.instant("upperBoundTimePoint")?);
        let includes_low = self.endpoint("lowerBoundEndpointBehavior", true);
        let includes_high = self.endpoint("upperBoundEndpointBehavior", true);
        if includes_low && includes_high {
            return Ok(vec![Test::between(low, high)]);
        }
        let after = if includes_low { Operator::Gte } else { Operator::Gt };
        let before = if includes_high { Operator::Lte } else { Operator::Lt };
        Ok(vec![Test::of(after, low), Test::of(before, high)])
    }

    /// Returns true if an end of a range belongs to it.
    fn endpoint(&self, name: &str, default: bool) -> bool {
        match self.input.get(name).and_then(Value::as_str) {
            Some(behavior) => behavior.eq_ignore_ascii_case("INCLUSIVE"),
            None => default,
        }
    }

    fn require_instant(&self) -> Result<(), Failure> {
        if self.kind == Kind::Instant {
            return Ok(());
        }
        let message = "is supported for createdate and lastmodifieddate only";
        Err(self.refused("operationType", message))
    }

    fn instant(&self, name: &str) -> Result<String, Failure> {
        let point = self.input.get(name).unwrap_or(&Value::Null);
        time_point::read(point).map_err(|(part, message)| self.refused(&format!("{name}.{part}"), message))
    }

    fn value(&self, name: &str) -> Result<String, Failure> {
        let text = self.input.get(name).and_then(scalar).filter(|text| !text.is_empty());
        text.ok_or_else(|| self.refused(name, "expected a value that is not empty"))
    }

    fn values(&self) -> Result<Vec<String>, Failure> {
        let values = self.input.get("values").and_then(Value::as_array).into_iter().flatten();
        let values: Option<Vec<String>> =
            values.map(|value| scalar(value).filter(|text| !text.is_empty())).collect();
        let values = values.filter(|values| !values.is_empty());
        values.ok_or_else(|| self.refused("values", "expected values that are not empty, at least one"))
    }

    /// Returns a number in the only spelling in which conditions compare numbers.
    fn decimal(&self, name: &str) -> Result<String, Failure> {
        let text = self.value(name)?;
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_decimal = is_digits(whole) && is_digits(fraction);
        if is_decimal { Ok(text) } else { Err(self.refused(name, "expected a number such as -12.5")) }
    }
}

/// Returns the text of a value that is one text, number or boolean.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
