//! The properties that every account has, as in `HubSpot`.
//!
//! They are the names that forms, connectors and common integrations use. A longer list would make the requests of
//! connectors longer, which ask for every property by name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::property_definition::{Choice, FieldType, ValueType};
use domain::source::SourceType;

use super::Definition;
use crate::field::BOUNCE_REASON;

/// The groups that every account has, with their labels.
pub(crate) const GROUPS: [(&str, &str); 4] = [
    (CONTACT, "Contact information"),
    (EMAIL, "Email information"),
    (ANALYTICS, "Web analytics history"),
    (SOCIAL, "Social media information"),
];

const CONTACT: &str = domain::property_definition::DEFAULT_GROUP;
const EMAIL: &str = "emailinformation";
const ANALYTICS: &str = "analyticsinformation";
const SOCIAL: &str = "socialmediainformation";

/// A row of the table: name, label, kind, group and description.
type Row = (&'static str, &'static str, Kind, &'static str, &'static str);

/// A type with its field, and the caller's part in the values.
#[derive(Clone, Copy)]
enum Kind {
    /// A line of text.
    Line,
    /// Several lines of text.
    Lines,
    /// A text that is shown as a phone number.
    Phone,
    Number,
    DateTime,
    Flag,
    /// One of the options in [`options`]. Without options, any value.
    One,
    /// Some of these options.
    Many,
    /// True or false as options, which the program decides.
    Marketable,
    /// A value that only the program sets.
    Fixed(ValueType, FieldType),
}

const TABLE: [Row; 73] = [
    ("address", "Street address", Kind::Line, CONTACT, "The street address, with apartment or unit."),
    ("annualrevenue", "Annual revenue", Kind::Line, CONTACT, "The annual revenue of the contact's company."),
    ("associatedcompanyid", "Primary associated company ID", Kind::Number, CONTACT, "The id of a company."),
    ("city", "City", Kind::Line, CONTACT, "The city."),
    (
        "closedate",
        "Close date",
        Kind::DateTime,
        CONTACT,
        "The instant at which the contact became a customer.",
    ),
    ("company", "Company name", Kind::Line, CONTACT, "The name of the contact's company."),
    ("company_size", "Company size", Kind::Line, CONTACT, "The size of the contact's company."),
    ("country", "Country/Region", Kind::Line, CONTACT, "The country or region."),
    (
        "createdate",
        "Create date",
        Kind::Fixed(ValueType::DateTime, FieldType::Date),
        CONTACT,
        "The instant at which the contact was created.",
    ),
    ("date_of_birth", "Date of birth", Kind::Line, CONTACT, "The date of birth."),
    ("degree", "Degree", Kind::Line, CONTACT, "The academic degree."),
    ("email", "Email", Kind::Line, CONTACT, "The e-mail address, which belongs to one contact only."),
    ("fax", "Fax number", Kind::Line, CONTACT, "The fax number."),
    ("field_of_study", "Field of study", Kind::Line, CONTACT, "The field of study."),
    ("firstname", "First name", Kind::Line, CONTACT, "The first name."),
    ("gender", "Gender", Kind::Line, CONTACT, "The gender."),
    ("graduation_date", "Graduation date", Kind::Line, CONTACT, "The date of graduation."),
    (
        "hs_additional_emails",
        "Additional email addresses",
        Kind::Fixed(ValueType::Enumeration, FieldType::Checkbox),
        CONTACT,
        "Never set, because a contact has one address.",
    ),
    ("hs_analytics_source", "Original traffic source", Kind::One, ANALYTICS, "The first known source."),
    (
        "hs_analytics_source_data_1",
        "Original traffic source drill-down 1",
        Kind::Line,
        ANALYTICS,
        "Details of the first known source.",
    ),
    (
        "hs_analytics_source_data_2",
        "Original traffic source drill-down 2",
        Kind::Line,
        ANALYTICS,
        "Further details of the first known source.",
    ),
    ("hs_buying_role", "Buying role", Kind::Many, CONTACT, "The contact's roles in a purchase."),
    ("hs_content_membership_notes", "Membership notes", Kind::Lines, CONTACT, "Notes about a membership."),
    ("hs_content_membership_status", "Membership status", Kind::One, CONTACT, "The status of a membership."),
    ("hs_country_region_code", "Country/Region code", Kind::Line, CONTACT, "The code of the country."),
    (
        "hs_email_domain",
        "Email domain",
        Kind::Fixed(ValueType::Text, FieldType::Text),
        CONTACT,
        "The part of the address after the @.",
    ),
    (
        "hs_email_hard_bounce_reason_enum",
        "Email hard bounce reason",
        Kind::Fixed(ValueType::Enumeration, FieldType::Select),
        EMAIL,
        "Set if the address has bounced.",
    ),
    (
        "hs_email_optout",
        "Unsubscribed from all email",
        Kind::Fixed(ValueType::Bool, FieldType::BooleanCheckbox),
        EMAIL,
        "True if the contact has unsubscribed.",
    ),
    ("hs_facebook_ad_clicked", "Clicked Facebook ad", Kind::Flag, ANALYTICS, "True after a click on an ad."),
    ("hs_facebook_click_id", "Facebook click id", Kind::Line, ANALYTICS, "The id of a click on an ad."),
    ("hs_google_click_id", "Google ad click id", Kind::Line, ANALYTICS, "The id of a click on an ad."),
    ("hs_language", "Preferred language", Kind::One, CONTACT, "The language of messages to the contact."),
    ("hs_lead_status", "Lead status", Kind::One, CONTACT, "The progress of sales with the contact."),
    (
        "hs_legal_basis",
        "Legal basis for processing contact's data",
        Kind::Many,
        CONTACT,
        "The reasons for which the contact's data may be processed.",
    ),
    ("hs_linkedin_url", "LinkedIn URL", Kind::Line, SOCIAL, "The address of the profile at LinkedIn."),
    (
        "hs_marketable_reason_id",
        "Marketing contact status source name",
        Kind::Fixed(ValueType::Text, FieldType::Text),
        CONTACT,
        "The name of the source that last set the marketing state.",
    ),
    (
        "hs_marketable_reason_type",
        "Marketing contact status source type",
        Kind::Fixed(ValueType::Enumeration, FieldType::Select),
        CONTACT,
        "The type of the source that last set the marketing state.",
    ),
    (
        "hs_marketable_status",
        "Marketing contact status",
        Kind::Marketable,
        CONTACT,
        "True for marketing contacts. False queues a contact until the next update date.",
    ),
    (
        "hs_marketable_until_renewal",
        "Marketing contact until next update",
        Kind::Fixed(ValueType::Enumeration, FieldType::BooleanCheckbox),
        CONTACT,
        "True if the contact becomes non-marketing at the next update date.",
    ),
    (
        "hs_object_id",
        "Record ID",
        Kind::Fixed(ValueType::Number, FieldType::Number),
        CONTACT,
        "The contact's id.",
    ),
    ("hs_persona", "Persona", Kind::One, CONTACT, "The persona that describes the contact."),
    ("hs_state_code", "State/Region code", Kind::Line, CONTACT, "The code of the state or region."),
    ("hs_timezone", "Time zone", Kind::One, CONTACT, "The time zone."),
    ("hs_whatsapp_phone_number", "WhatsApp phone number", Kind::Phone, CONTACT, "The number at WhatsApp."),
    ("hubspot_owner_id", "Contact owner", Kind::One, CONTACT, "The id of the user who owns the contact."),
    ("industry", "Industry", Kind::Line, CONTACT, "The industry of the contact's company."),
    ("ip_city", "IP city", Kind::Line, ANALYTICS, "The city of the contact's network."),
    ("ip_country", "IP country", Kind::Line, ANALYTICS, "The country of the contact's network."),
    ("ip_country_code", "IP country code", Kind::Line, ANALYTICS, "The code of that country."),
    ("ip_state", "IP state/region", Kind::Line, ANALYTICS, "The state of the contact's network."),
    ("ip_state_code", "IP state code/region code", Kind::Line, ANALYTICS, "The code of that state."),
    ("job_function", "Job function", Kind::Line, CONTACT, "The function in the company."),
    ("jobtitle", "Job title", Kind::Line, CONTACT, "The title in the company."),
    (
        "lastmodifieddate",
        "Last modified date",
        Kind::Fixed(ValueType::DateTime, FieldType::Date),
        CONTACT,
        "The instant of the latest change.",
    ),
    ("lastname", "Last name", Kind::Line, CONTACT, "The last name."),
    ("lifecyclestage", "Lifecycle stage", Kind::One, CONTACT, "The stage in marketing and sales."),
    ("marital_status", "Marital status", Kind::Line, CONTACT, "The marital status."),
    ("message", "Message", Kind::Lines, CONTACT, "A message of the contact."),
    ("military_status", "Military status", Kind::Line, CONTACT, "The military status."),
    ("mobilephone", "Mobile phone number", Kind::Phone, CONTACT, "The mobile phone number."),
    ("numemployees", "Number of employees", Kind::One, CONTACT, "The size of the contact's company."),
    ("phone", "Phone number", Kind::Phone, CONTACT, "The phone number."),
    ("relationship_status", "Relationship status", Kind::Line, CONTACT, "The relationship status."),
    ("salutation", "Salutation", Kind::Line, CONTACT, "The title before the name."),
    ("school", "School", Kind::Line, CONTACT, "The school."),
    ("seniority", "Seniority", Kind::Line, CONTACT, "The seniority."),
    ("start_date", "Start date", Kind::Line, CONTACT, "The date on which a job began."),
    ("state", "State/Region", Kind::Line, CONTACT, "The state or region."),
    (
        "tidemark_leaves_at",
        "Leaves at",
        Kind::Fixed(ValueType::DateTime, FieldType::Date),
        CONTACT,
        "The update date at which the contact becomes non-marketing.",
    ),
    ("twitterhandle", "Twitter username", Kind::Line, SOCIAL, "The name at Twitter."),
    ("website", "Website URL", Kind::Line, CONTACT, "The website of the contact or the company."),
    ("work_email", "Work email", Kind::Line, CONTACT, "Another address, at which the contact works."),
    ("zip", "Postal code", Kind::Line, CONTACT, "The postal code."),
];

/// Properties with options of which this program knows none, so their values are not compared with any.
const WITHOUT_OPTIONS: [&str; 4] = ["hs_additional_emails", "hs_persona", "hs_timezone", "hubspot_owner_id"];

static DEFINITIONS: LazyLock<BTreeMap<&str, Definition>> =
    LazyLock::new(|| TABLE.into_iter().map(|row| (row.0, definition(row))).collect());

/// Returns the definition of a standard property.
pub(super) fn get(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.get(name)
}

/// Returns all definitions, ordered by name.
pub(super) fn all<'a>() -> impl Iterator<Item = &'a Definition> {
    DEFINITIONS.values()
}

fn definition((name, label, kind, group, description): Row) -> Definition {
    let (value_type, field_type) = match kind {
        Kind::Line => (ValueType::Text, FieldType::Text),
        Kind::Lines => (ValueType::Text, FieldType::TextArea),
        Kind::Phone => (ValueType::Text, FieldType::PhoneNumber),
        Kind::Number => (ValueType::Number, FieldType::Number),
        Kind::DateTime => (ValueType::DateTime, FieldType::Date),
        Kind::Flag => (ValueType::Bool, FieldType::BooleanCheckbox),
        Kind::One => (ValueType::Enumeration, FieldType::Select),
        Kind::Many => (ValueType::Enumeration, FieldType::Checkbox),
        Kind::Marketable => (ValueType::Enumeration, FieldType::BooleanCheckbox),
        Kind::Fixed(value_type, field_type) => (value_type, field_type),
    };
    let is_read_only = matches!(kind, Kind::Fixed(..));
    Definition {
        name: name.to_owned(),
        label: label.to_owned(),
        value_type,
        field_type,
        group: group.to_owned(),
        description: description.to_owned(),
        options: options(name),
        display_order: -1,
        is_hidden: false,
        is_form_field: !is_read_only,
        is_read_only,
        has_external_options: WITHOUT_OPTIONS.contains(&name),
        account: None,
    }
}

fn options(name: &str) -> Vec<Choice> {
    let listed: &[(&str, &str)] = match name {
        "hs_analytics_source" => &SOURCES,
        "hs_buying_role" => &BUYING_ROLES,
        "hs_content_membership_status" => &[("active", "Active"), ("inactive", "Inactive")],
        "hs_email_hard_bounce_reason_enum" => &[(BOUNCE_REASON, "Other")],
        "hs_language" => &LANGUAGES,
        "hs_lead_status" => &LEAD_STATUSES,
        "hs_legal_basis" => &LEGAL_BASES,
        "hs_marketable_status" | "hs_marketable_until_renewal" => &[("true", "Yes"), ("false", "No")],
        "hs_marketable_reason_type" => return source_types(),
        "lifecyclestage" => &STAGES,
        "numemployees" => &EMPLOYEES,
        _ => &[],
    };
    choices(listed.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())))
}

/// Returns the types of sources, as contacts show them.
fn source_types() -> Vec<Choice> {
    choices(SourceType::ALL.iter().map(|kind| {
        let words = kind.as_str().replace('_', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase().to_string()).unwrap_or_default();
        (kind.as_str().to_uppercase(), first + letters.as_str())
    }))
}

fn choices(all: impl Iterator<Item = (String, String)>) -> Vec<Choice> {
    let choice = |(display_order, (value, label))| Choice {
        value,
        label,
        description: String::new(),
        display_order,
        is_hidden: false,
    };
    (0..).zip(all).map(choice).collect()
}

const STAGES: [(&str, &str); 8] = [
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
];

const LEAD_STATUSES: [(&str, &str); 8] = [
    ("NEW", "New"),
    ("OPEN", "Open"),
    ("IN_PROGRESS", "In Progress"),
    ("OPEN_DEAL", "Open Deal"),
    ("UNQUALIFIED", "Unqualified"),
    ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
    ("CONNECTED", "Connected"),
    ("BAD_TIMING", "Bad Timing"),
];

const LEGAL_BASES: [(&str, &str); 6] = [
    ("Legitimate interest – prospect/lead", "Legitimate interest – prospect/lead"),
    ("Legitimate interest – existing customer", "Legitimate interest – existing customer"),
    ("Legitimate interest - other", "Legitimate interest - other"),
    ("Performance of a contract", "Performance of a contract"),
    ("Freely given consent from contact", "Freely given consent from contact"),
    ("Not applicable", "Not applicable"),
];

const SOURCES: [(&str, &str); 10] = [
    ("ORGANIC_SEARCH", "Organic Search"),
    ("PAID_SEARCH", "Paid Search"),
    ("EMAIL_MARKETING", "Email Marketing"),
    ("SOCIAL_MEDIA", "Organic Social"),
    ("REFERRALS", "Referrals"),
    ("OTHER_CAMPAIGNS", "Other Campaigns"),
    ("DIRECT_TRAFFIC", "Direct Traffic"),
    ("OFFLINE", "Offline Sources"),
    ("PAID_SOCIAL", "Paid Social"),
    ("AI_REFERRALS", "AI Referrals"),
];

const BUYING_ROLES: [(&str, &str); 9] = [
    ("BLOCKER", "Blocker"),
    ("BUDGET_HOLDER", "Budget Holder"),
    ("CHAMPION", "Champion"),
    ("DECISION_MAKER", "Decision Maker"),
    ("END_USER", "End User"),
    ("EXECUTIVE_SPONSOR", "Executive Sponsor"),
    ("INFLUENCER", "Influencer"),
    ("LEGAL_AND_COMPLIANCE", "Legal & Compliance"),
    ("OTHER", "Other"),
];

const EMPLOYEES: [(&str, &str); 7] = [
    ("1-5", "1-5"),
    ("5-25", "5-25"),
    ("25-50", "25-50"),
    ("50-100", "50-100"),
    ("100-500", "100-500"),
    ("500-1000", "500-1000"),
    ("1000+", "1000+"),
];

const LANGUAGES: [(&str, &str); 113] = [
    ("af", "Afrikaans"),
    ("sq", "Albanian"),
    ("ar", "Arabic"),
    ("ar-ae", "Arabic - United Arab Emirates"),
    ("ar-bh", "Arabic - Bahrain"),
    ("ar-dz", "Arabic - Algeria"),
    ("ar-eg", "Arabic - Egypt"),
    ("ar-iq", "Arabic - Iraq"),
    ("ar-jo", "Arabic - Jordan"),
    ("ar-kw", "Arabic - Kuwait"),
    ("ar-lb", "Arabic - Lebanon"),
    ("ar-ma", "Arabic - Morocco"),
    ("ar-om", "Arabic - Oman"),
    ("ar-qa", "Arabic - Qatar"),
    ("ar-sa", "Arabic - Saudi Arabia"),
    ("ar-tn", "Arabic - Tunisia"),
    ("hy", "Armenian"),
    ("az", "Azerbaijani"),
    ("eu", "Basque"),
    ("be", "Belarusian"),
    ("bn", "Bengali"),
    ("bs", "Bosnian"),
    ("bg", "Bulgarian"),
    ("ca", "Catalan"),
    ("zh", "Chinese"),
    ("zh-cn", "Chinese - China"),
    ("zh-hk", "Chinese - Hong Kong SAR"),
    ("zh-mo", "Chinese - Macau SAR"),
    ("zh-sg", "Chinese - Singapore"),
    ("zh-tw", "Chinese - Taiwan"),
    ("zh-chs", "Chinese (Simplified)"),
    ("zh-cht", "Chinese (Traditional)"),
    ("hr", "Croatian"),
    ("cs", "Czech"),
    ("da", "Danish"),
    ("nl", "Dutch"),
    ("nl-be", "Dutch - Belgium"),
    ("nl-nl", "Dutch - The Netherlands"),
    ("en", "English"),
    ("en-au", "English - Australia"),
    ("en-ca", "English - Canada"),
    ("en-gb", "English - United Kingdom"),
    ("en-hk", "English - Hong Kong"),
    ("en-ie", "English - Ireland"),
    ("en-in", "English - India"),
    ("en-nz", "English - New Zealand"),
    ("en-ph", "English - Philippines"),
    ("en-sg", "English - Singapore"),
    ("en-us", "English - United States"),
    ("en-za", "English - South Africa"),
    ("et", "Estonian"),
    ("fo", "Faroese"),
    ("fa", "Farsi"),
    ("fi", "Finnish"),
    ("fr", "French"),
    ("fr-be", "French - Belgium"),
    ("fr-ca", "French - Canada"),
    ("fr-ch", "French - Switzerland"),
    ("fr-fr", "French - France"),
    ("fr-lu", "French - Luxembourg"),
    ("gl", "Galician"),
    ("ka", "Georgian"),
    ("de", "German"),
    ("de-at", "German - Austria"),
    ("de-ch", "German - Switzerland"),
    ("de-de", "German - Germany"),
    ("de-li", "German - Liechtenstein"),
    ("de-lu", "German - Luxembourg"),
    ("el", "Greek"),
    ("gu", "Gujarati"),
    ("he", "Hebrew"),
    ("hi", "Hindi"),
    ("hu", "Hungarian"),
    ("is", "Icelandic"),
    ("id", "Indonesian"),
    ("it", "Italian"),
    ("it-ch", "Italian - Switzerland"),
    ("it-it", "Italian - Italy"),
    ("ja", "Japanese"),
    ("kk", "Kazakh"),
    ("ko", "Korean"),
    ("lv", "Latvian"),
    ("lt", "Lithuanian"),
    ("mk", "Macedonian"),
    ("ms", "Malay"),
    ("mt", "Maltese"),
    ("mn", "Mongolian"),
    ("no", "Norwegian"),
    ("nb", "Norwegian Bokmal"),
    ("nn", "Norwegian Nynorsk"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("pt-br", "Portuguese - Brazil"),
    ("pt-pt", "Portuguese - Portugal"),
    ("ro", "Romanian"),
    ("ru", "Russian"),
    ("sr", "Serbian"),
    ("sk", "Slovak"),
    ("sl", "Slovenian"),
    ("es", "Spanish"),
    ("es-ar", "Spanish - Argentina"),
    ("es-cl", "Spanish - Chile"),
    ("es-co", "Spanish - Colombia"),
    ("es-es", "Spanish - Spain"),
    ("es-mx", "Spanish - Mexico"),
    ("es-pe", "Spanish - Peru"),
    ("es-us", "Spanish - United States"),
    ("sv", "Swedish"),
    ("th", "Thai"),
    ("tr", "Turkish"),
    ("uk", "Ukrainian"),
    ("ur", "Urdu"),
    ("vi", "Vietnamese"),
];

#[cfg(test)]
mod tests {
    use domain::property::STORED_WITH_PREFIX;
    use domain::property_definition::STANDARD;

    use super::*;
    use crate::field::{DEFAULT, Field};

    #[test]
    fn names_are_those_that_the_change_feed_knows() {
        let names: Vec<&str> = all().map(|definition| definition.name.as_str()).collect();
        assert_eq!(names, STANDARD);
        assert_eq!(names.len(), TABLE.len(), "each name is defined once");
    }

    #[test]
    fn every_property_is_a_part_of_contacts() {
        for definition in all() {
            let field = Field::named(&definition.name);
            let is_stored = matches!(field, Some(Field::Stored(_)));
            assert!(field.is_some(), "{}", definition.name);
            assert!(!(definition.is_read_only && is_stored), "{}", definition.name);
        }
        for name in STORED_WITH_PREFIX.into_iter().chain(DEFAULT) {
            assert!(get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn field_suits_the_type_and_group_exists() {
        for definition in all() {
            let name = &definition.name;
            assert!(definition.value_type.fields().contains(&definition.field_type), "{name}");
            assert!(GROUPS.iter().any(|(group, _)| *group == definition.group), "{name}");
            assert!(!definition.label.is_empty() && !definition.description.is_empty(), "{name}");
        }
    }

    #[test]
    fn enumeration_has_options_unless_they_are_elsewhere() {
        for definition in all() {
            let has_options = !definition.options.is_empty();
            let expected =
                definition.value_type == ValueType::Enumeration && !definition.has_external_options;
            assert_eq!(has_options, expected, "{}", definition.name);
            let mut values: Vec<&str> =
                definition.options.iter().map(|option| option.value.as_str()).collect();
            values.sort_unstable();
            values.dedup();
            assert_eq!(values.len(), definition.options.len(), "{}", definition.name);
        }
    }
}
