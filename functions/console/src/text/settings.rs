//! Texts of the settings.

pub(crate) const CAP: &str = "Cap";
pub(crate) const CAP_LABEL: &str = "Usage never passes";
pub(crate) const CAP_UNIT: &str = "marketing contacts";
pub(crate) const CAP_EMPTY: &str = "Empty means no cap.";
pub(crate) const PREVIEW: &str = "Preview the change";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const CAP_TABLE: &str = "Numbers now and with the new cap";
pub(crate) const NOW: &str = "Now";
pub(crate) const NEW: &str = "With the new cap";
pub(crate) const USAGE: &str = "Marketing contacts (billable)";
pub(crate) const PLACES_LEFT: &str = "Places left under the cap";
pub(crate) const TIER_CAN_RISE: &str = "Tier limit can rise to";
pub(crate) const NO_CAP: &str = "no cap";
pub(crate) const NO_LIMIT: &str = "no limit";
pub(crate) const REMOVE_THE_CAP: &str = "Remove the cap";
pub(crate) const CAP_REMOVED: &str = "The account has no cap now.";

pub(crate) fn places_left(usage: &str, left: Option<&str>) -> String {
    match left {
        Some(left) => format!("Usage is {usage}, so {left} more can become marketing."),
        None => format!("Usage is {usage}, and no cap is set."),
    }
}

pub(crate) fn below(usage: &str) -> String {
    format!("A cap below {usage} refuses new ones and removes nobody.")
}

/// Returns the sentence about the tier with a cap. `rise` is the number of steps and the limit after them.
pub(crate) fn tier_with(cap: &str, limit: &str, rise: Option<(u64, &str)>) -> String {
    match rise {
        None => format!("With {cap} the tier stays at {limit}."),
        Some((1, to)) => format!("With {cap} the tier can rise once, to {to}."),
        Some((2, to)) => format!("With {cap} the tier can rise twice, to {to}."),
        Some((steps, to)) => format!("With {cap} the tier can rise {steps} times, to {to}."),
    }
}

pub(crate) fn tier_without(limit: &str, block: &str) -> String {
    format!("Without a cap the first marketing contact beyond {limit} raises the tier by {block}, and so on.")
}

pub(crate) fn set_the_cap(cap: &str) -> String {
    format!("Set the cap to {cap}")
}

pub(crate) fn cap_is_same(cap: Option<&str>) -> String {
    match cap {
        Some(cap) => format!("The cap is {cap} already. Nothing would change."),
        None => "The account has no cap already. Nothing would change.".to_owned(),
    }
}

pub(crate) fn cap_leaves(left: &str) -> String {
    format!("{left} more can become marketing now.")
}

pub(crate) fn cap_below_usage(usage: &str) -> String {
    format!(
        "The cap is below the usage of {usage}. New marketing contacts are refused, and nobody is removed."
    )
}

pub(crate) fn cap_after_update(date: &str, rest: &str, left: &str) -> String {
    format!("After {date} {rest} remain, and {left} more can become marketing.")
}

pub(crate) fn cap_removed_means(limit: &str, block: &str) -> String {
    format!("Usage has no ceiling then. {}", tier_without(limit, block))
}

pub(crate) fn cap_set(cap: &str, left: &str) -> String {
    format!("The cap is {cap} now. {left} more can become marketing.")
}

pub(crate) const ACCOUNT: &str = "Account";
pub(crate) const TERMS: &str =
    "Term, renewal date, time zone and tier are part of your contract. Only your operator can change them.";
pub(crate) const TERMS_OF_A_SANDBOX: &str = "Term, renewal date, time zone and tier are part of the contract. This \
     account is a sandbox, so an admin can change them through the API.";
pub(crate) const NAME: &str = "Name";
pub(crate) const RENAME: &str = "Rename";
pub(crate) const RENAME_TITLE: &str = "Rename the account";
pub(crate) const TERM: &str = "Term";
pub(crate) const TIME_ZONE: &str = "Time zone";
pub(crate) const TIER: &str = "Tier";
pub(crate) const MARKETING_CONTACTS: &str = "Marketing contacts";
pub(crate) const PORTAL: &str = "HubSpot portal number";
pub(crate) const SAVE: &str = "Save";
pub(crate) const RENAMED: &str = "The account has its new name.";

pub(crate) fn annual(date: &str) -> String {
    format!("Annual, renews on {date}")
}

pub(crate) fn monthly(date: &str) -> String {
    format!("Monthly, renews on {date}")
}

pub(crate) fn tier(limit: &str, included: &str, block: &str, at_renewal: Option<&str>) -> String {
    let then = at_renewal.map(|limit| format!(", and {limit} from the renewal on")).unwrap_or_default();
    format!("{limit} ({included} included, in steps of {block}){then}")
}

pub(crate) fn period(number: &str) -> String {
    format!("Period {number}")
}

pub(crate) const TO: &str = "to";

pub(crate) const DEFAULTS: &str = "New contacts by source";
pub(crate) const DEFAULTS_CAPTION: &str = "The initial state of a new contact, by source";
pub(crate) const SOURCE: &str = "Source";
pub(crate) const SET_AS_MARKETING: &str = "Set as marketing";
pub(crate) const CHANGE_IT: &str = "Change it";
pub(crate) const OWN_FORMS: &str = "Own forms";
pub(crate) const EXTERNAL_FORMS: &str = "External forms";
pub(crate) const EXTERNAL_FORMS_SET: &str = "External forms set contacts as marketing";
pub(crate) const CHAT_FLOWS: &str = "Chat flows";
pub(crate) const CHAT_FLOWS_SET: &str = "Chat flows set new contacts as marketing";
pub(crate) const INTEGRATIONS: &str = "Integrations";
pub(crate) const OTHERS: &str =
    "Imports, meetings, logged emails, team inbox, documents, email extension, mobile app";
pub(crate) const PER_FORM: &str = "per form";
pub(crate) const HERE_AND_PER_FORM: &str = "here, and per form";
pub(crate) const PER_INTEGRATION: &str = "per integration, when it is added";
pub(crate) const NOT_POSSIBLE: &str = "not possible";
pub(crate) const RAISE: &str = "Forms may raise the tier";
pub(crate) const RAISE_HINT: &str = "Anyone can submit a public form. While this is off, a form stops setting contacts \
     as marketing at the tier limit, and new contacts are non-marketing. A form can have a setting of its own.";
pub(crate) const NEEDS_PERMISSION: &str =
    "Switching this on needs the permission to set marketing status, which another admin can give you.";

pub(crate) fn here_and_per_chat_flow(own: usize) -> String {
    match own {
        0 => "here, and per chat flow through the API".to_owned(),
        1 => "here; 1 chat flow has a setting of its own".to_owned(),
        own => format!("here; {own} chat flows have a setting of their own"),
    }
}

pub(crate) fn defaults_now(external: bool, chat: bool, raise: bool) -> String {
    let set = |on: bool| if on { "set" } else { "do not set" };
    let may = if raise { "may" } else { "may not" };
    format!(
        "Now external forms {} contacts as marketing, chat flows {} new contacts as marketing, and forms {may} \
         raise the tier, unless they have a setting of their own.",
        set(external),
        set(chat)
    )
}

pub(crate) const USERS: &str = "Users";
pub(crate) const USERS_LEDE: &str = "Without this permission a user can view everything but not set, keep or queue \
     contacts. Forms use their own settings.";
pub(crate) const USERS_CAPTION: &str = "Users and what each may do";
pub(crate) const USER: &str = "User";
pub(crate) const ROLE: &str = "Role";
pub(crate) const CAN_SET: &str = "Can set status";
pub(crate) const ADMIN: &str = "Admin";
pub(crate) const MEMBER: &str = "Member";
pub(crate) const THIS_IS_YOU: &str = "(this is you)";
pub(crate) const ANOTHER_ADMIN: &str = "(another admin can change this)";
pub(crate) const ADD_A_USER: &str = "Add a user";
pub(crate) const EMAIL: &str = "Email address";
pub(crate) const NO_EMAIL: &str = "no email address";
pub(crate) const ROLE_HINT: &str = "An admin manages users, tokens and the account. A member does not.";
pub(crate) const MAY_SET: &str = "Can set, keep and queue contacts";
pub(crate) const OWN_ROLE: &str = "You can't change your own role. Another admin can.";
pub(crate) const OWN_PERMISSION: &str = "You can't change your own permission. Another admin can.";
pub(crate) const PERMISSION: &str = "Permission";
pub(crate) const ONLY_ADMINS_LIST: &str = "Only admins can view the users and tokens of the account.";
pub(crate) const USER_SAVED: &str = "The changes are saved.";
pub(crate) const PERMISSION_CHANGED: &str = "The permission was changed.";
pub(crate) const ADDED: &str = "The user was added. To sign in, the user needs a token: create one below.";
pub(crate) const TOKENS_OF_USER: &str = "Token";
pub(crate) const TOKEN_OF_USER_HINT: &str =
    "The user signs in to the console and calls the API with it. It is shown once.";

pub(crate) fn can_set(name: &str) -> String {
    format!("{name} can set marketing status")
}

pub(crate) fn permission_now(name: &str, may: bool) -> String {
    if may {
        format!("{name} can set, keep and queue contacts now.")
    } else {
        format!("{name} can view contacts now, but not set, keep or queue them.")
    }
}

pub(crate) const PAGES_OF_USERS: &str = "Pages of users";
pub(crate) const PAGES_OF_TOKENS: &str = "Pages of tokens";

pub(crate) fn counted(count: &str) -> String {
    format!("{count} on this page")
}

pub(crate) const TOKENS: &str = "Tokens and integrations";
pub(crate) const TOKENS_LEDE: &str =
    "A token is shown once, when it is created. Revoking it also ends its console sessions, at once.";
pub(crate) const TOKENS_CAPTION: &str = "Tokens and integrations, oldest first";
pub(crate) const OWNER: &str = "Owner";
pub(crate) const CREATED: &str = "Created";
pub(crate) const ACTIONS: &str = "Actions";
pub(crate) const REVOKE: &str = "Revoke";
pub(crate) const CREATE_A_TOKEN: &str = "Create a token";
pub(crate) const ADD_AN_INTEGRATION: &str = "Add an integration";
pub(crate) const A_DELETED_USER: &str = "A user";
pub(crate) const FOR_USER: &str = "User";
pub(crate) const FOR_USER_HINT: &str = "The token can do what this user can do.";
pub(crate) const MORE_USERS: &str =
    "Users who are not in this list have their own page, where you can create a token.";
pub(crate) const INTEGRATION_LEDE: &str =
    "An integration is a program that acts for the account with a token of its own.";
pub(crate) const SETS_MARKETING: &str = "Contacts that it creates are set as marketing, and are billable";
pub(crate) const INTEGRATION_MAY_SET: &str = "It may set, keep and queue contacts";
pub(crate) const INTEGRATION_FIXED: &str =
    "These two settings stay as they are. To change them, add the integration anew and revoke the old token.";
pub(crate) const TOKEN_TITLE: &str = "The new token";
pub(crate) const TOKEN_LABEL: &str = "Token";
pub(crate) const COPY: &str = "Copy";
pub(crate) const NOT_AGAIN: &str =
    "Copy it now: it is not shown again. If it is lost, revoke it and create another one.";
pub(crate) const KEEP_SECRET: &str =
    "Keep it like a password: anyone who has it can do what its owner can do.";
pub(crate) const DONE: &str = "Done";
pub(crate) const REVOKE_THE_TOKEN: &str = "Revoke the token";
pub(crate) const KEEP_THE_TOKEN: &str = "Keep it";
pub(crate) const REVOKE_MEANS: &str = "Requests with it are refused from then on, and its console sessions end at \
     once. This can't be undone.";
pub(crate) const REVOKE_INTEGRATION: &str = "The integration is gone with its token. Its contacts stay.";
pub(crate) const REVOKE_OWN: &str =
    "It is one of your own tokens. If you are signed in with it, you are signed out.";
pub(crate) const REVOKED: &str = "The token is revoked, and its console sessions have ended.";

pub(crate) fn owner_user(is_self: bool) -> &'static str {
    if is_self { "user, this is you" } else { "user" }
}

pub(crate) fn owner_integration(sets: bool, may: bool) -> String {
    let state = if sets { "marketing" } else { "non-marketing" };
    let may = if may { "can set status" } else { "cannot set status" };
    format!("Integration, new contacts: {state}, {may}")
}

pub(crate) fn created_for(owner: &str) -> String {
    format!("This is the token of {owner}.")
}

pub(crate) fn revoke_title(owner: &str) -> String {
    format!("Revoke a token of {owner}?")
}

pub(crate) fn of_owner(owner: &str) -> String {
    format!(" a token of {owner}")
}

pub(crate) fn created_on(date: &str) -> String {
    format!("It was created on {date}.")
}
