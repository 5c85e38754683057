//! Texts of the forms' pages.

use domain::provider::Provider;

pub(crate) const CREATE: &str = "Create a form";
pub(crate) const LEDE: &str = "When the switch is on, everyone who submits the form becomes a marketing contact, \
     including existing contacts. When it is off, new contacts are non-marketing and existing ones keep their state.";
pub(crate) const CAPTION: &str = "Forms, with the counts of their submissions since each was created";
pub(crate) const FORM: &str = "Form";
pub(crate) const PROVIDER: &str = "Provider";
pub(crate) const SET_MARKETING: &str = "Set as marketing";
pub(crate) const RECEIVED: &str = "Received";
pub(crate) const SET: &str = "Set";
pub(crate) const KEPT: &str = "Kept";
pub(crate) const REPEATS: &str = "Repeats";
pub(crate) const REJECTED: &str = "Rejected";
pub(crate) const BUDGET_TODAY: &str = "Budget today";
pub(crate) const USED_UP: &str = "Used up";
pub(crate) const BY_DEFAULT: &str = "the account’s default";
pub(crate) const REJECTED_SUBMISSIONS: &str = " rejected submissions";
pub(crate) const COUNTS_SINCE: &str = "Received counts every submission, also those that changed nothing. All counts \
     are since the form was created.";
pub(crate) const EMPTY: &str = "No forms yet";
pub(crate) const EMPTY_OWN: &str =
    "Create a form of your own and paste its HTML into any page. It needs no script.";
pub(crate) const EMPTY_PROVIDER: &str =
    "Or create one for a provider such as Typeform or Tally, and enter its webhook address there.";
pub(crate) const NO_MORE: &str = "There are no forms after this one.";

pub(crate) const NAME: &str = "Name";
pub(crate) const NAME_HINT: &str = "It is shown as the source of the contacts that submit the form.";
pub(crate) const PROVIDER_HINT: &str = "A form of your own posts from your page. A provider sends a webhook for each \
     submission. It can’t be changed later.";
pub(crate) const SECRET: &str = "Secret of the provider";
pub(crate) const SECRET_NEW_HINT: &str = "16 to 255 characters; for Standard Webhooks it begins with whsec_. A form \
     of your own has none. You can add it later, and until then every webhook is refused.";
pub(crate) const SECRET_AGAIN: &str = "Type the secret again: it is not sent back to the browser.";
pub(crate) const TURN_ON: &str = "On: everyone who submits the form becomes a marketing contact and is billable, \
     including existing contacts";
pub(crate) const TURN_OFF: &str = "Off: new contacts are non-marketing, and existing ones keep their state";
pub(crate) const BUDGET: &str = "New marketing contacts a day, at most";
pub(crate) const BUDGET_HINT: &str = "Beyond that, new contacts are non-marketing. Empty: no budget, and only the tier \
     and the cap limit the form.";
pub(crate) const ORIGINS: &str = "Allowed origins";
pub(crate) const ORIGINS_HINT: &str =
    "One a line, such as https://www.example.org. Only pages there may post the form. Empty: any page may.";
pub(crate) const REDIRECT: &str = "Redirect address";
pub(crate) const REDIRECT_HINT: &str = "Browsers are sent here after posting the form, such as \
     https://www.example.org/thanks. Empty: no redirect.";
pub(crate) const OWN_FORMS_ONLY: &str = "For forms of your own";
pub(crate) const CANCEL: &str = "Cancel";

pub(crate) const SETTINGS: &str = "Settings";
pub(crate) const SETTINGS_NARROWER: &str = "This form sets contacts as marketing. Without the permission to do so you \
     can lower its limits, but not raise them. An admin can give you the permission in Settings.";
pub(crate) const MAY_RAISE_TIER: &str = "May raise the tier";
pub(crate) const MAY_RAISE_TIER_HINT: &str =
    "If it may not, new contacts beyond the tier’s limit are non-marketing.";
pub(crate) const OVERWRITE: &str = "Properties that a contact already has";
pub(crate) const OVERWRITES: [(&str, &str); 3] = [
    ("always", "Replace with what was submitted"),
    ("if_empty", "Fill only the empty ones"),
    ("never", "Leave as they are"),
];
pub(crate) const ANSWER: &str = "Answer to the page";
pub(crate) const ANSWER_HINT: &str =
    "The same answer for everyone tells nobody whether an address is already known to you.";
pub(crate) const ANSWERS: [(&str, &str); 2] =
    [("minimal", "The same for everyone"), ("full", "With the effect on the contact")];
pub(crate) const SAVE_SETTINGS: &str = "Save the settings";
pub(crate) const YES: &str = "Yes";
pub(crate) const NO: &str = "No";

pub(crate) const WIDENS: &str = "This would let the form set more contacts as marketing. You can view contacts but \
     not set their status. An admin can give you this permission in Settings.";

pub(crate) const COUNTS: &str = "Submissions";
pub(crate) const BUDGET_FACT: &str = "Budget";
pub(crate) const NO_BUDGET: &str = "No budget: only the tier and the cap limit the form. ";
pub(crate) const CHANGE_BUDGET: &str = "Change the budget";
pub(crate) const USE_DEFAULT: &str = "Use the account’s default";
pub(crate) const FORM_ID: &str = "Form id";

pub(crate) const MAP: &str = "Field map";
pub(crate) const MAP_INTRO: &str = "Each known field, with its last answer among the rejected submissions below. \
     Fields that are not mapped go by their names. A property typed beside a list counts instead of it. Changes apply \
     to new submissions and to those you retry.";
pub(crate) const MAP_CAPTION: &str = "Fields of the form, the last answer, and the property each goes to";
pub(crate) const FIELD: &str = "Field";
pub(crate) const LAST_ANSWER: &str = "Last answer";
pub(crate) const GOES_TO: &str = "Goes to";
pub(crate) const ADD_FIELD: &str = "Add a field, by its own name";
pub(crate) const OTHER_PROPERTY: &str = "or another property";
pub(crate) const BY_ITS_NAME: &str = "By its name";
pub(crate) const EMAIL_ADDRESS: &str = "Email address";
pub(crate) const LEAVE_OUT: &str = "Leave out";
pub(crate) const SAVE_MAP: &str = "Save the field map";
pub(crate) const NAME_THE_FIELD: &str = "expected the name of the field";

/// The properties that fields usually fill, with their names.
pub(crate) const PROPERTIES: [(&str, &str); 12] = [
    ("firstname", "First name"),
    ("lastname", "Last name"),
    ("name", "Full name"),
    ("phone", "Phone"),
    ("company", "Company"),
    ("jobtitle", "Job title"),
    ("address", "Street address"),
    ("city", "City"),
    ("zip", "Postal code"),
    ("state", "State or region"),
    ("country", "Country"),
    ("website", "Website"),
];

pub(crate) const REJECTED_TITLE: &str = "Rejected submissions";
pub(crate) const REJECTED_INTRO: &str =
    "Kept for 90 days with everything that was sent. Correct the field map, then retry.";
pub(crate) const REJECTED_CAPTION: &str = "Rejected submissions, oldest first";
pub(crate) const NONE_REJECTED: &str = "None.";
pub(crate) const WHEN: &str = "When";
pub(crate) const WHY: &str = "Why";
pub(crate) const VALUE_SENT: &str = "Value sent";
pub(crate) const ACTIONS: &str = "Actions";
pub(crate) const RETRY: &str = "Retry";
pub(crate) const REMOVE: &str = "Remove";
pub(crate) const NO_VALUE: &str = "–";
pub(crate) const CUT: &str = "…";
pub(crate) const GONE: &str = "It was retried or removed in the meantime";

pub(crate) const WEBHOOK: &str = "Webhook";
pub(crate) const COPY: &str = "Copy";
pub(crate) const RELATIVE: &str =
    "This deployment does not know its own address: put its address before this path.";
pub(crate) const SECRETS: &str = "Secrets";
pub(crate) const SECRETS_CAPTION: &str = "The provider’s secrets";
pub(crate) const NEVER_SHOWN: &str = "never shown again";
pub(crate) const NO_SECRET: &str = "No secret yet: every webhook is refused until you add one.";
pub(crate) const NEW_SECRET: &str = "New secret";
pub(crate) const ADD_SECRET: &str = "Add the secret";
pub(crate) const ADD_SECOND: &str = "Add as a second one";
pub(crate) const REPLACE_SECRET: &str = "Replace the secret";
pub(crate) const REPLACE_BOTH: &str = "Replace both";
pub(crate) const ROTATE: &str =
    "To rotate: add the new secret, change it at the provider, then remove the old one. Either is accepted.";
pub(crate) const SECRETS_CHANGED: &str = "The secrets were changed in the meantime: look again and repeat it";
pub(crate) const TYPE_A_SECRET: &str = "expected a secret";

pub(crate) const EMBED: &str = "Embed";
pub(crate) const EMBED_INTRO: &str = "Paste into any page. No script needed.";
pub(crate) const EMBED_LABEL: &str = "HTML to embed";
pub(crate) const EMBED_SEND: &str = "Subscribe";
pub(crate) const EMBED_EMAIL: &str = "Email";
pub(crate) const COPY_FORM: &str = "Copy the form";

pub(crate) const DELETE: &str = "Delete the form";
pub(crate) const DELETE_SHORT: &str =
    "Its address stops working, and its counts and rejected submissions are deleted. Contacts do not change.";
pub(crate) const DELETE_ADDRESS: &str = "Its address";
pub(crate) const DELETE_REJECTED: &str = "Its rejected submissions";
pub(crate) const DELETE_REJECTED_EFFECT: &str = "They are deleted at once with everything that was sent, and so are \
     the counts. Retry first the ones you need.";
pub(crate) const SEE_REJECTED: &str = "See the rejected submissions";
pub(crate) const DELETE_CONTACTS: &str = "Its contacts";
pub(crate) const DELETE_CONTACTS_EFFECT: &str = "Contacts that came through it stay as they are. Marketing contacts \
     among them stay billable, so the usage does not change.";
pub(crate) const DELETE_FINAL: &str = "This can’t be undone: a new form has another address.";

pub(crate) const DONE_CREATED_OWN: &str =
    "The form was created. Paste its HTML into a page, and submit it once.";
pub(crate) const DONE_CREATED_PROVIDER: &str =
    "The form was created. Enter its webhook address at the provider, and send a test submission.";
pub(crate) const DONE_SAVED: &str = "The settings were saved.";
pub(crate) const DONE_MAPPED: &str =
    "The field map was saved. It applies to new submissions, and to rejected ones when you retry them.";
pub(crate) const DONE_RETRIED: &str =
    "Everything that was retried was applied. No contact was set as marketing by it.";
pub(crate) const DONE_RETRIED_SET: &str =
    "Everything that was retried was applied, and contacts were set as marketing or kept by it.";
pub(crate) const DONE_REMOVED: &str = "The rejected submission was removed.";
pub(crate) const DONE_SECRETS: &str = "The secrets were changed.";
pub(crate) const DONE_DELETED: &str =
    "The form was deleted. Its address no longer accepts submissions. No contact was changed.";

/// Returns a provider in words.
pub(crate) fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::Native => "Own form",
        Provider::Typeform => "Typeform",
        Provider::Tally => "Tally",
        Provider::Jotform => "Jotform",
        Provider::Webflow => "Webflow",
        Provider::Netlify => "Netlify",
        Provider::Calendly => "Calendly",
        Provider::GravityForms => "Gravity Forms",
        Provider::Wpforms => "WPForms",
        Provider::StandardWebhooks => "Standard Webhooks",
        Provider::Generic => "Any other program",
    }
}

/// Returns the provider with the way in which its submissions are checked.
pub(crate) fn verified(of: Provider, secrets: usize) -> String {
    let name = provider(of);
    match (checks(of), secrets) {
        (Checks::Nothing, _) => format!("{name}, posted by visitors’ browsers"),
        (_, 0) => format!("{name}, no secret yet: every webhook is refused"),
        (Checks::Signature, _) => format!("{name}, signature verified"),
        (Checks::SharedSecret, _) => format!("{name}, shared secret verified"),
        (Checks::Either, _) => format!("{name}, signature or shared secret verified"),
    }
}

/// Returns the setup at the provider.
pub(crate) fn setup(of: Provider) -> &'static str {
    match checks(of) {
        Checks::Nothing => "",
        Checks::Signature => {
            "Enter the address and the secret at the provider, which signs every webhook with it."
        }
        Checks::SharedSecret => {
            "Enter the address at the provider, with ?secret= and the secret after it, or let it send the secret in \
             the header X-Tidemark-Secret."
        }
        Checks::Either => {
            "An app signs its webhooks with the secret. For a webhook made in the dashboard, enter the address with \
             ?secret= and the secret after it."
        }
    }
}

/// The way in which a provider's webhooks are verified.
enum Checks {
    Nothing,
    Signature,
    SharedSecret,
    Either,
}

fn checks(provider: Provider) -> Checks {
    match provider {
        Provider::Native => Checks::Nothing,
        Provider::Typeform
        | Provider::Tally
        | Provider::Netlify
        | Provider::Calendly
        | Provider::StandardWebhooks => Checks::Signature,
        Provider::Webflow => Checks::Either,
        Provider::Jotform | Provider::GravityForms | Provider::Wpforms | Provider::Generic => {
            Checks::SharedSecret
        }
    }
}

pub(crate) fn set_who_submits(form: &str) -> String {
    format!("Set who submits {form} as marketing")
}

pub(crate) fn budget_used(used: &str, most: &str) -> String {
    format!("{used} of {most}")
}

/// Returns the sentence about a form's budget.
pub(crate) fn budget_sentence(used: &str, most: &str) -> String {
    format!(
        "{used} of {most} new marketing contacts used today. Beyond that, new contacts are non-marketing. "
    )
}

/// Returns the rest of the sentence about a form whose budget is used up.
pub(crate) fn used_up(zone: &str) -> String {
    format!(" has used up its budget: until midnight ({zone}), new contacts from it are non-marketing. ")
}

pub(crate) fn since(date: &str) -> String {
    format!("{COUNTS} since {date}")
}

/// Returns the counts that are not zero in words, as `311 received: 86 set, 22 repeats.`
pub(crate) fn counts(received: &str, parts: &[(String, &str)]) -> String {
    let words: Vec<String> = parts.iter().map(|(count, word)| format!("{count} {word}")).collect();
    if words.is_empty() {
        format!("{received} received.")
    } else {
        format!("{received} received: {}.", words.join(", "))
    }
}

/// The words of a form's counts, by their names in the API.
pub(crate) const COUNT_WORDS: [(&str, &str); 10] = [
    ("set", "set"),
    ("kept", "kept"),
    ("unchanged", "unchanged"),
    ("not_set", "stored as non-marketing"),
    ("not_set_by_budget", "not set because of the budget"),
    ("not_set_by_tier", "not set because of the tier"),
    ("not_set_by_cap", "not set because of the cap"),
    ("duplicates", "repeats"),
    ("rejected", "rejected"),
    ("ignored", "other events"),
];

pub(crate) fn left_out(count: &str) -> String {
    format!(" {count} left out, because the form does not accept them or a contact has too many.")
}

pub(crate) fn switched(is_on: bool) -> &'static str {
    if is_on {
        "Set as marketing is on: everyone who submits the form becomes a marketing contact, including existing \
         contacts."
    } else {
        "Set as marketing is off: new contacts are non-marketing, and existing ones keep their state."
    }
}

pub(crate) fn switched_form(form: &str, is_on: bool) -> String {
    format!("{form}: {}", switched(is_on))
}

pub(crate) fn account_default(is_on: bool) -> &'static str {
    if is_on { "The account’s default, which is on" } else { "The account’s default, which is off" }
}

pub(crate) fn tier_default(may: bool) -> String {
    format!("The account’s default ({})", if may { "yes" } else { "no" })
}

pub(crate) fn goes_to(field: &str) -> String {
    format!("{GOES_TO}, field {field}")
}

pub(crate) fn goes_to_other(field: &str) -> String {
    format!("Another property for field {field}")
}

/// Returns the target of a field by its name alone.
pub(crate) fn by_name(target: Option<&str>) -> String {
    target.map_or_else(|| BY_ITS_NAME.to_owned(), |target| format!("{BY_ITS_NAME} ({target})"))
}

pub(crate) const NEW_FIELD: &str = "the added field";

/// Returns the rest of the name of a button of a rejected submission, for screen readers.
pub(crate) fn the_submission_of(date: &str, clock: &str) -> String {
    format!(" the submission of {date}, {clock}")
}

pub(crate) fn answers(count: u64, number: &str) -> String {
    if count == 1 { "The only answer".to_owned() } else { format!("All {number} answers") }
}

pub(crate) fn retry_shown(count: u64, number: &str) -> String {
    if count == 1 { "Retry it".to_owned() } else { format!("Retry all {number} on this page") }
}

pub(crate) fn shown(count: &str, has_more: bool) -> String {
    if has_more { format!("{count} on this page, and more follow") } else { format!("{count} on this page") }
}

pub(crate) fn retried(applied: &str, of: &str) -> String {
    format!("Applied: {applied} of {of}. ")
}

pub(crate) fn still_invalid(count: u64) -> &'static str {
    if count == 1 { "One stays rejected:" } else { "These stay rejected:" }
}

/// Returns a reason with its field. Errors of the API name answers as `fields.Your email`.
pub(crate) fn reason(field: &str, message: &str) -> String {
    let field = field.strip_prefix("fields.").unwrap_or(field);
    if field.is_empty() { message.to_owned() } else { format!("{field}: {message}") }
}

pub(crate) fn entry(number: usize, message: &str) -> String {
    format!("entry {number}: {message}")
}

pub(crate) fn address_for(of: Provider) -> String {
    format!("Address for {}", if of == Provider::Generic { "the program" } else { provider(of) })
}

pub(crate) fn secret_number(place: usize, count: usize) -> &'static str {
    match (place, count) {
        (_, 1) => "One secret",
        (0, _) => "First secret",
        _ => "Second secret",
    }
}

pub(crate) fn the_secret(name: &str) -> String {
    format!(" the {}", name.to_lowercase().replace("one ", ""))
}

pub(crate) fn delete_title(form: &str) -> String {
    format!("Delete {form}?")
}

pub(crate) fn delete_button(form: &str) -> String {
    format!("Delete {form}")
}

pub(crate) fn delete_address_effect(is_native: bool) -> &'static str {
    if is_native {
        "Pages that still contain the form get an error (404) from then on, and what visitors enter is lost."
    } else {
        "The provider’s webhooks get an error (404) from then on. Remove the webhook at the provider."
    }
}
