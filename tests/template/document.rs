//! The template as these tests read it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use yaml_serde::Value;

/// The repository's root.
pub(super) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The parsed template.
pub(super) struct Template(Value);

impl Template {
    pub(super) fn read() -> Self {
        let text = std::fs::read_to_string(repository().join("infra/template.yaml")).unwrap();
        Self(yaml_serde::from_str(&text).unwrap())
    }

    /// The whole document.
    pub(super) fn root(&self) -> &Value {
        &self.0
    }

    /// All resources by their logical ids.
    pub(super) fn resources(&self) -> BTreeMap<&str, &Value> {
        entries(&self.0["Resources"]).collect()
    }

    /// The properties of one resource.
    pub(super) fn properties(&self, logical_id: &str) -> &Value {
        let properties = &self.0["Resources"][logical_id]["Properties"];
        assert!(properties.is_mapping(), "{logical_id} is not a resource with properties");
        properties
    }

    /// The properties of the functions by their logical ids.
    pub(super) fn functions(&self) -> BTreeMap<&str, &Value> {
        let functions = self.resources().into_iter();
        let functions =
            functions.filter(|(_, resource)| text(&resource["Type"]) == "AWS::Serverless::Function");
        functions.map(|(id, resource)| (id, &resource["Properties"])).collect()
    }
}

/// A mapping's entries.
pub(super) fn entries(mapping: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = mapping.as_mapping().into_iter().flatten();
    entries.map(|(key, value)| (key.as_str().unwrap(), value))
}

/// A plain text.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value:?}"))
}

/// A list of plain texts; none if the list is not there.
pub(super) fn texts(list: &Value) -> Vec<&str> {
    list.as_sequence().into_iter().flatten().map(text).collect()
}

/// A whole number.
pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value:?}"))
}

/// An intrinsic function as it is written, such as `!GetAtt Table.Arn`.
pub(super) fn intrinsic(value: &Value) -> String {
    let Value::Tagged(tagged) = value else { panic!("not an intrinsic function: {value:?}") };
    format!("{} {}", tagged.tag, text(&tagged.value))
}

/// `set-marketing` as the template's logical ids spell it: `SetMarketing`.
pub(crate) fn logical_name(function: &str) -> String {
    let mut name = String::new();
    for word in function.split('-') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}
