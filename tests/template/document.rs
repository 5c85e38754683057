//! The parsed template, and helpers to read its values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use yaml_serde::Value;

/// Returns the repository's root folder.
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

    /// Returns the complete document.
    pub(super) fn root(&self) -> &Value {
        &self.0
    }

    /// Returns all resources by their logical ids.
    pub(super) fn resources(&self) -> BTreeMap<&str, &Value> {
        entries(&self.0["Resources"]).collect()
    }

    /// Returns the properties of one resource.
    pub(super) fn properties(&self, logical_id: &str) -> &Value {
        let properties = &self.0["Resources"][logical_id]["Properties"];
        assert!(properties.is_mapping(), "{logical_id} is not a resource with properties");
        properties
    }

    /// Returns the properties of the functions by their logical ids.
    pub(super) fn functions(&self) -> BTreeMap<&str, &Value> {
        let functions = self.resources().into_iter();
        let functions =
            functions.filter(|(_, resource)| text(&resource["Type"]) == "AWS::Serverless::Function");
        functions.map(|(id, resource)| (id, &resource["Properties"])).collect()
    }
}

/// Returns a mapping's entries.
pub(super) fn entries(mapping: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = mapping.as_mapping().into_iter().flatten();
    entries.map(|(key, value)| (key.as_str().unwrap(), value))
}

/// Returns a string value, and panics if it is of another type.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value:?}"))
}

/// Returns a list of strings, which is empty if the list is missing.
pub(super) fn texts(list: &Value) -> Vec<&str> {
    list.as_sequence().into_iter().flatten().map(text).collect()
}

/// Returns an integer value, and panics if it is of another type.
pub(super) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value:?}"))
}

/// Returns an intrinsic function in its short form, such as `!GetAtt Table.Arn`.
///
/// A reference to the table is that to the stack's own one, after a check that the existing one has the same place.
pub(super) fn intrinsic(value: &Value) -> String {
    let Value::Tagged(tagged) = value else { panic!("not an intrinsic function: {value:?}") };
    let parts = tagged.value.as_sequence().map(Vec::as_slice);
    match (tagged.tag.to_string().as_str(), parts) {
        ("!If", Some([condition, own, existing])) if text(condition) == "MakesTable" => {
            let own = intrinsic(own);
            assert_eq!(existing_table(existing), own);
            own
        }
        ("!Join", Some([index, of])) if text(index) == "/index/" => {
            let table = intrinsic(&of[0]);
            format!("!Sub ${{{}}}/index/{}", table.trim_start_matches("!GetAtt "), text(&of[1]))
        }
        (_, Some(parts)) => {
            let parts: Vec<String> = parts.iter().map(operand).collect();
            format!("{} [{}]", tagged.tag, parts.join(", "))
        }
        (_, None) => format!("{} {}", tagged.tag, text(&tagged.value)),
    }
}

/// Returns an operand of an intrinsic function: a text, or another function.
fn operand(value: &Value) -> String {
    if let Value::Tagged(_) = value { intrinsic(value) } else { text(value).to_owned() }
}

/// Returns the reference to the stack's own table that has the meaning of this one to an existing table.
fn existing_table(value: &Value) -> &'static str {
    let Value::Tagged(tagged) = value else { panic!("not an intrinsic function: {value:?}") };
    if tagged.tag == "!Select" {
        // The name follows the only slash of the ARN.
        assert_eq!(tagged.value[0].as_u64(), Some(1));
        let Value::Tagged(split) = &tagged.value[1] else { panic!("not a split: {value:?}") };
        assert_eq!((split.tag.to_string().as_str(), text(&split.value[0])), ("!Split", "/"));
        assert_eq!(intrinsic(&split.value[1]), "!Ref ExistingTableArn");
        return "!Ref Table";
    }
    match intrinsic(value).as_str() {
        "!Ref ExistingTableArn" => "!GetAtt Table.Arn",
        "!Ref ExistingTableStreamArn" => "!GetAtt Table.StreamArn",
        other => panic!("not an existing table: {other}"),
    }
}

/// Returns the name of a function, which its properties have as the folder of what `infra/build` built.
pub(super) fn function_of(properties: &Value) -> &str {
    text(&properties["CodeUri"]).strip_prefix("../target/lambda/").expect("a folder of infra/build")
}

/// Returns a function's name in the spelling of logical ids: `set-marketing` becomes `SetMarketing`.
pub(crate) fn logical_name(function: &str) -> String {
    let mut name = String::new();
    for word in function.split('-') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}
