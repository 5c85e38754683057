//! Definitions of properties: the type, the texts and the options of the properties that an account knows.
//!
//! Definitions matter only to the CRM API in `HubSpot`'s format. It refuses names without one, and holds values to their
//! type. Everything else stores any name with any text.

use crate::limits::{CRM_DEFINITION_BYTES_MAX, CRM_GROUP_NAME_CHARS_MAX, CRM_OPTIONS_MAX};
use crate::property::PropertyName;
use crate::string_enum::string_enum;

string_enum! {
    /// The type of a property's values, in `HubSpot`'s words.
    pub enum ValueType {
        /// True or false.
        Bool = "bool",
        /// A day.
        Date = "date",
        /// An instant.
        DateTime = "datetime",
        /// One of some options, or several.
        Enumeration = "enumeration",
        /// A decimal number.
        Number = "number",
        /// A text that is shown as a phone number.
        PhoneNumber = "phone_number",
        /// Any text.
        Text = "string",
    }
}

string_enum! {
    /// The field in which people enter a property's values, in `HubSpot`'s words.
    pub enum FieldType {
        /// One checkbox.
        BooleanCheckbox = "booleancheckbox",
        /// A checkbox for each option, so a value may have several of them.
        Checkbox = "checkbox",
        /// A calendar.
        Date = "date",
        /// A file, stored as its address.
        File = "file",
        /// A text with markup.
        Html = "html",
        /// A number.
        Number = "number",
        /// A phone number.
        PhoneNumber = "phonenumber",
        /// A button for each option.
        Radio = "radio",
        /// A list of the options.
        Select = "select",
        /// One line of text.
        Text = "text",
        /// Several lines of text.
        TextArea = "textarea",
    }
}

impl ValueType {
    /// Returns the fields in which values of the type can be entered.
    #[must_use]
    pub const fn fields(self) -> &'static [FieldType] {
        use FieldType as Field;
        match self {
            Self::Bool => &[Field::BooleanCheckbox],
            Self::Date | Self::DateTime => &[Field::Date],
            Self::Enumeration => &[Field::BooleanCheckbox, Field::Checkbox, Field::Radio, Field::Select],
            Self::Number => &[Field::Number],
            Self::PhoneNumber => &[Field::PhoneNumber],
            Self::Text => &[Field::Text, Field::TextArea, Field::Html, Field::File, Field::PhoneNumber],
        }
    }
}

/// An option of an enumeration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The value that contacts store.
    pub value: String,
    /// The readable name.
    pub label: String,
    /// The description, which may be empty.
    pub description: String,
    /// The place among the options. Negative numbers are behind all others.
    pub display_order: i64,
    /// True if forms do not offer the option.
    pub is_hidden: bool,
}

/// The definition of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PropertyDefinition {
    /// The name.
    pub name: PropertyName,
    /// The readable name.
    pub label: String,
    /// The type of the values.
    pub value_type: ValueType,
    /// The field in which people enter values.
    pub field_type: FieldType,
    /// The name of the group to which the property belongs.
    pub group: String,
    /// The description, which may be empty.
    pub description: String,
    /// The options of an enumeration. Other types have none.
    pub options: Vec<Choice>,
    /// The place among the properties. Negative numbers are behind all others.
    pub display_order: i64,
    /// True if `HubSpot`'s pages do not show the property.
    pub is_hidden: bool,
    /// True if forms may have the property.
    pub is_form_field: bool,
}

/// The group of the properties that no request has assigned to another one.
pub const DEFAULT_GROUP: &str = "contactinformation";

impl PropertyDefinition {
    /// Returns the definition of a name that was first used for a contact. It is a text.
    #[must_use]
    pub fn of_used(name: PropertyName) -> Self {
        Self {
            label: label_of(name.as_str()),
            name,
            value_type: ValueType::Text,
            field_type: FieldType::Text,
            group: DEFAULT_GROUP.to_owned(),
            description: String::new(),
            options: Vec::new(),
            display_order: -1,
            is_hidden: false,
            is_form_field: true,
        }
    }

    /// Checks what depends on several parts of a definition.
    ///
    /// # Errors
    ///
    /// The field of the request, and the expected value.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let fields = self.value_type.fields();
        if !fields.contains(&self.field_type) {
            let names: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
            let expected = format!("expected one of {} for the type {}", names.join(", "), self.value_type);
            return Err(("fieldType", expected));
        }
        if self.value_type != ValueType::Enumeration && !self.options.is_empty() {
            return Err(("options", "expected none, because only enumerations have options".to_owned()));
        }
        if self.options.len() > CRM_OPTIONS_MAX {
            return Err(("options", format!("expected at most {CRM_OPTIONS_MAX}")));
        }
        let mut values: Vec<&str> = self.options.iter().map(|option| option.value.as_str()).collect();
        values.sort_unstable();
        if values.iter().any(|value| value.is_empty() || value.contains(';')) {
            return Err(("options", "expected values that are not empty and have no semicolon".to_owned()));
        }
        if values.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
            return Err(("options", "expected each value once".to_owned()));
        }
        if self.bytes() > CRM_DEFINITION_BYTES_MAX {
            return Err((
                "options",
                format!("expected at most {CRM_DEFINITION_BYTES_MAX} bytes with all texts"),
            ));
        }
        Ok(())
    }

    /// Returns the size of all texts in bytes.
    fn bytes(&self) -> usize {
        let option = |option: &Choice| option.value.len() + option.label.len() + option.description.len();
        let options: usize = self.options.iter().map(option).sum();
        self.name.as_str().len() + self.label.len() + self.group.len() + self.description.len() + options
    }
}

/// Returns true for a valid name of a group: like that of a property, but with fewer exceptions.
#[must_use]
pub fn is_group_name(text: &str) -> bool {
    let is_name_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(is_name_char)
        && text.len() <= CRM_GROUP_NAME_CHARS_MAX
}

/// Returns the label of a name without one: `first_name` becomes `First name`.
fn label_of(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut chars = words.trim().chars();
    match chars.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + chars.as_str(),
        None => name.to_owned(),
    }
}

/// Returns true for a property that every account has.
#[must_use]
pub fn is_standard(name: &str) -> bool {
    STANDARD.binary_search(&name).is_ok()
}

/// The names of the properties that every account has, in order. Their definitions are a part of the CRM API.
pub const STANDARD: [&str; 73] = [
    "address",
    "annualrevenue",
    "associatedcompanyid",
    "city",
    "closedate",
    "company",
    "company_size",
    "country",
    "createdate",
    "date_of_birth",
    "degree",
    "email",
    "fax",
    "field_of_study",
    "firstname",
    "gender",
    "graduation_date",
    "hs_additional_emails",
    "hs_analytics_source",
    "hs_analytics_source_data_1",
    "hs_analytics_source_data_2",
    "hs_buying_role",
    "hs_content_membership_notes",
    "hs_content_membership_status",
    "hs_country_region_code",
    "hs_email_domain",
    "hs_email_hard_bounce_reason_enum",
    "hs_email_optout",
    "hs_facebook_ad_clicked",
    "hs_facebook_click_id",
    "hs_google_click_id",
    "hs_language",
    "hs_lead_status",
    "hs_legal_basis",
    "hs_linkedin_url",
    "hs_marketable_reason_id",
    "hs_marketable_reason_type",
    "hs_marketable_status",
    "hs_marketable_until_renewal",
    "hs_object_id",
    "hs_persona",
    "hs_state_code",
    "hs_timezone",
    "hs_whatsapp_phone_number",
    "hubspot_owner_id",
    "industry",
    "ip_city",
    "ip_country",
    "ip_country_code",
    "ip_state",
    "ip_state_code",
    "job_function",
    "jobtitle",
    "lastmodifieddate",
    "lastname",
    "lifecyclestage",
    "marital_status",
    "message",
    "military_status",
    "mobilephone",
    "numemployees",
    "phone",
    "relationship_status",
    "salutation",
    "school",
    "seniority",
    "start_date",
    "state",
    "tidemark_leaves_at",
    "twitterhandle",
    "website",
    "work_email",
    "zip",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str) -> PropertyDefinition {
        PropertyDefinition::of_used(PropertyName::parse(name).unwrap())
    }

    fn choice(value: &str) -> Choice {
        Choice {
            value: value.to_owned(),
            label: value.to_owned(),
            description: String::new(),
            display_order: 0,
            is_hidden: false,
        }
    }

    #[test]
    fn used_name_is_a_text_with_a_readable_label() {
        for (name, label) in [("plan", "Plan"), ("first_order_at", "First order at"), ("a__", "A")] {
            let used = definition(name);
            assert_eq!((used.label.as_str(), used.value_type), (label, ValueType::Text), "{name}");
            assert_eq!(used.check(), Ok(()), "{name}");
        }
    }

    #[test]
    fn standard_names_are_sorted() {
        assert!(STANDARD.is_sorted());
        assert!(is_standard("firstname") && !is_standard("plan"));
    }

    #[test]
    fn check_names_the_wrong_field() {
        let wrong = |change: fn(&mut PropertyDefinition)| {
            let mut changed = definition("plan");
            change(&mut changed);
            changed.check().map_err(|(field, _)| field)
        };
        assert_eq!(wrong(|plan| plan.field_type = FieldType::Select), Err("fieldType"));
        assert_eq!(wrong(|plan| plan.options = vec![choice("a")]), Err("options"));
        let select = |plan: &mut PropertyDefinition| {
            (plan.value_type, plan.field_type) = (ValueType::Enumeration, FieldType::Select);
        };
        let options = |options: Vec<Choice>| {
            let mut changed = definition("plan");
            select(&mut changed);
            changed.options = options;
            changed.check().map_err(|(field, _)| field)
        };
        let numbered = |count: usize| (0..count).map(|number| choice(&number.to_string())).collect();
        assert_eq!(options(vec![choice("a"), choice("b")]), Ok(()));
        assert_eq!(options(numbered(CRM_OPTIONS_MAX)), Ok(()));
        for wrong in [
            vec![choice("a"), choice("a")],
            vec![choice("")],
            vec![choice("a;b")],
            vec![choice(&"x".repeat(CRM_DEFINITION_BYTES_MAX))],
            numbered(CRM_OPTIONS_MAX + 1),
        ] {
            assert_eq!(options(wrong), Err("options"));
        }
    }

    #[test]
    fn group_name_has_no_spaces() {
        for name in ["contactinformation", "a", "my-app_2"] {
            assert!(is_group_name(name), "{name}");
        }
        for name in ["", "My group", "1st", "gruppe_ä", &"a".repeat(CRM_GROUP_NAME_CHARS_MAX + 1)] {
            assert!(!is_group_name(name), "{name}");
        }
    }
}
