//! The usual names of fields in forms, files and other programs, and the properties that such fields fill.
//!
//! Names compare by their letters and digits only, in lower case and without marks: `First Name`, `first-name` and
//! `FIRSTNAME *` are one name. The names of properties are those of `HubSpot`. It has no property for a full name.
//! Here that property is `name`, because a field of that name is ambiguous: `Name` beside `Vorname` is a last name,
//! and otherwise a full name.

use crate::latin;
use crate::limits::FORM_FIELD_NAME_CHARS_MAX;
use crate::property::PropertyName;

/// The properties, each with the usual names of its fields, the most usual first.
///
/// Names with two common meanings are left out, such as `title`, `position`, `url` and `mobile`.
const PROPERTIES: [(&str, &[&str]); 12] = [
    (
        "firstname",
        &[
            "firstname",
            "fname",
            "givenname",
            "forename",
            "namefirst",
            "vorname",
            "prenom",
            "nombredepila",
            "primernombre",
            "voornaam",
            "fornamn",
            "fornavn",
            "etunimi",
            "imie",
            "jmeno",
            "keresztnev",
            "primeironome",
        ],
    ),
    (
        "lastname",
        &[
            "lastname",
            "lname",
            "surname",
            "familyname",
            "namelast",
            "nachname",
            "familienname",
            "zuname",
            "nomdefamille",
            "apellido",
            "apellidos",
            "cognome",
            "achternaam",
            "efternamn",
            "etternavn",
            "efternavn",
            "sukunimi",
            "nazwisko",
            "prijmeni",
            "vezeteknev",
            "sobrenome",
            "ultimonome",
        ],
    ),
    (
        "name",
        &[
            "name",
            "fullname",
            "completename",
            "firstandlastname",
            "vollstandigername",
            "vorundnachname",
            "vornameundnachname",
            "nomcomplet",
            "nometprenom",
            "prenometnom",
            "nom",
            "nombrecompleto",
            "nombreyapellidos",
            "nombre",
            "nomecompleto",
            "nomeecognome",
            "nomecognome",
            "nome",
            "volledigenaam",
            "naam",
            "fulltnamn",
            "namn",
            "fuldtnavn",
            "navn",
            "kokonimi",
            "nimi",
            "imieinazwisko",
        ],
    ),
    (
        "phone",
        &[
            "phone",
            "phonenumber",
            "telephone",
            "telephonenumber",
            "tel",
            "phoneno",
            "telno",
            "telefon",
            "telefonnummer",
            "numerodetelephone",
            "telefono",
            "numerodetelefono",
            "numeroditelefono",
            "telefone",
            "numerodetelefone",
            "telefoon",
            "telefoonnummer",
            "puhelin",
            "puhelinnumero",
            "numertelefonu",
        ],
    ),
    (
        "company",
        &[
            "company",
            "companyname",
            "organization",
            "organisation",
            "organizationname",
            "organisationname",
            "businessname",
            "firma",
            "firmenname",
            "unternehmen",
            "unternehmensname",
            "societe",
            "entreprise",
            "nomdelentreprise",
            "empresa",
            "nombredelaempresa",
            "nomedaempresa",
            "azienda",
            "nomeazienda",
            "bedrijf",
            "bedrijfsnaam",
            "foretag",
            "foretagsnamn",
            "virksomhed",
            "virksomhet",
            "yritys",
            "nazwafirmy",
        ],
    ),
    (
        "jobtitle",
        &[
            "jobtitle",
            "jobposition",
            "jobrole",
            "berufsbezeichnung",
            "stellenbezeichnung",
            "intituleduposte",
            "poste",
            "fonction",
            "puesto",
            "puestodetrabajo",
            "cargo",
            "qualificaprofessionale",
            "functietitel",
            "functie",
            "stanowisko",
        ],
    ),
    (
        "address",
        &[
            "address",
            "streetaddress",
            "street",
            "address1",
            "addressline1",
            "streetaddress1",
            "streetname",
            "addressstreet",
            "addressline",
            "strasse",
            "strasseundhausnummer",
            "strassehausnummer",
            "strassenr",
            "adresse",
            "adressepostale",
            "rue",
            "direccion",
            "calle",
            "indirizzo",
            "endereco",
            "morada",
            "rua",
            "adres",
            "straat",
            "adress",
            "gatuadress",
            "ulica",
            "katuosoite",
        ],
    ),
    (
        "city",
        &[
            "city",
            "town",
            "citytown",
            "addresscity",
            "stadt",
            "ort",
            "wohnort",
            "ville",
            "ciudad",
            "localidad",
            "citta",
            "cidade",
            "localidade",
            "stad",
            "plaats",
            "woonplaats",
            "postort",
            "miasto",
            "miejscowosc",
            "kaupunki",
        ],
    ),
    (
        "zip",
        &[
            "zip",
            "zipcode",
            "postalcode",
            "postcode",
            "zippostalcode",
            "addresszip",
            "addresspostalcode",
            "addresspostcode",
            "plz",
            "postleitzahl",
            "codepostal",
            "codigopostal",
            "codicepostale",
            "cep",
            "postnummer",
            "kodpocztowy",
            "postinumero",
            "psc",
        ],
    ),
    (
        "state",
        &[
            "state",
            "stateregion",
            "stateprovince",
            "province",
            "region",
            "addressstate",
            "bundesland",
            "provincia",
            "estado",
            "provincie",
            "wojewodztwo",
        ],
    ),
    (
        "country",
        &[
            "country",
            "countryregion",
            "countryname",
            "addresscountry",
            "land",
            "pays",
            "pais",
            "paese",
            "nazione",
            "kraj",
            "maa",
        ],
    ),
    (
        "website",
        &[
            "website",
            "websiteurl",
            "websiteaddress",
            "homepage",
            "webseite",
            "internetseite",
            "siteweb",
            "siteinternet",
            "sitioweb",
            "paginaweb",
            "sitoweb",
            "stronainternetowa",
            "hemsida",
            "webbplats",
            "hjemmeside",
            "verkkosivu",
        ],
    ),
];

/// The usual names of fields for an e-mail address, the most usual first.
const ADDRESSES: [&str; 38] = [
    "email",
    "emailaddress",
    "youremail",
    "youremailaddress",
    "mail",
    "mailaddress",
    "yourmail",
    "emailaddr",
    "useremail",
    "contactemail",
    "customeremail",
    "workemail",
    "businessemail",
    "companyemail",
    "emailid",
    "emailadresse",
    "mailadresse",
    "adresseemail",
    "courriel",
    "correo",
    "correoelectronico",
    "emailadres",
    "mailadres",
    "eposta",
    "epostaadresi",
    "epost",
    "epostadress",
    "epostadresse",
    "sahkoposti",
    "indirizzoemail",
    "adresemail",
    "enderecodeemail",
    "ihreemail",
    "ihreemailadresse",
    "votreemail",
    "votreadresseemail",
    "メール",
    "メールアドレス",
];

/// The beginnings of words that mean e-mail, and of compounds with them.
const ADDRESS_BEGINNINGS: [&str; 6] = ["email", "mailadr", "epost", "courriel", "sahkoposti", "tolvupost"];

/// Words that mean e-mail only as whole words.
const ADDRESS_WORDS: [&str; 3] = ["mail", "correo", "correio"];

/// Words for e-mail in scripts that join words or inflect them. They count anywhere within a word.
const ADDRESS_PARTS: [&str; 11] =
    ["メール", "邮箱", "郵箱", "邮件", "郵件", "이메일", "메일", "почт", "имейл", "имэйл", "אימייל"];

/// Words that mark a field that asks for the address a second time.
const REPEATING: [&str; 14] = [
    "confirm",
    "confirmation",
    "repeat",
    "retype",
    "reenter",
    "again",
    "verify",
    "wiederholen",
    "bestatigen",
    "bestatigung",
    "confirmer",
    "confirmar",
    "conferma",
    "herhaal",
];

/// Words for persons other than the visitor who fills in the form. Their addresses are not the visitor's.
const OTHER_PEOPLE: [&str; 27] = [
    "friend",
    "friends",
    "freund",
    "freundin",
    "freundes",
    "ami",
    "amie",
    "amis",
    "amigo",
    "amiga",
    "amico",
    "amica",
    "vriend",
    "colleague",
    "kollege",
    "kollegin",
    "collegue",
    "collega",
    "referral",
    "referrer",
    "referred",
    "manager",
    "boss",
    "supervisor",
    "emergency",
    "cc",
    "bcc",
];

/// Remarks at the end of field names, which do not affect their meaning.
const REMARKS: [&str; 5] = ["required", "optional", "mandatory", "pflichtfeld", "obligatoire"];

/// The names of objects around fields that do not affect a field's meaning: `contact[city]` is `city`.
const WRAPPERS: [&str; 13] = [
    "fields",
    "formfields",
    "form",
    "data",
    "contact",
    "user",
    "person",
    "profile",
    "customer",
    "lead",
    "subscriber",
    "attributes",
    "properties",
];

/// The way in which a field's name refers to the person's own e-mail address, the surest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AddressName {
    /// A usual name, with its position among the usual names.
    Usual(usize),
    /// A name with a word for e-mail, and the number at its end. Such a field may ask for something else, such as
    /// consent. Only an address as its value proves that it asks for one.
    Word(u32),
    /// A name as in [`Self::Word`], of a field that asks for the address a second time.
    Repeated(u32),
}

/// A property that a field with a usual name fills.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsualProperty {
    /// The property that the field fills.
    pub property: PropertyName,
    /// The position of the field's name among the property's usual names. A lower position is more usual.
    pub place: usize,
}

/// Returns the property that a field of this name usually fills. An e-mail address is not a property: see
/// [`address_name`].
#[must_use]
pub fn property(name: &str) -> Option<UsualProperty> {
    let letters = letters(unwrapped(name));
    PROPERTIES.iter().find_map(|(property, names)| {
        let place = place_among(names, &letters)?;
        Some(UsualProperty { property: PropertyName::parse(property).ok()?, place })
    })
}

/// Returns the way in which a field's name refers to the person's e-mail address, or `None` if it does not. The name
/// `form_fields[email]` is as usual as `email`.
#[must_use]
pub fn address_name(name: &str) -> Option<AddressName> {
    let usual = [name, innermost(name)].into_iter().find_map(|name| place_among(&ADDRESSES, &letters(name)));
    if let Some(place) = usual {
        return Some(AddressName::Usual(place));
    }
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    if !words.iter().any(|word| means_address(word)) || has(&OTHER_PEOPLE) {
        return None;
    }
    let number = words.last().and_then(|word| word.parse().ok()).unwrap_or(0);
    Some(if has(&REPEATING) { AddressName::Repeated(number) } else { AddressName::Word(number) })
}

/// Returns the position of a name among usual names. A leading `your` and a remark at the end are ignored.
fn place_among(names: &[&str], letters: &str) -> Option<usize> {
    let bare = REMARKS.iter().find_map(|remark| letters.strip_suffix(remark)).unwrap_or(letters);
    let own = bare.strip_prefix("your").unwrap_or(bare);
    [letters, bare, own].into_iter().find_map(|wanted| names.iter().position(|usual| *usual == wanted))
}

/// Returns the letters and digits of a name, in lower case and without marks.
fn letters(name: &str) -> String {
    latin::plain(name).chars().filter(|c| c.is_alphanumeric()).take(FORM_FIELD_NAME_CHARS_MAX).collect()
}

/// Returns `email` for `form_fields[email]`, and a name without brackets unchanged.
fn innermost(name: &str) -> &str {
    name.trim_end_matches(']').rsplit('[').next().unwrap_or(name)
}

/// Returns the name without the outer objects in [`WRAPPERS`]: `company][name]` for `contact[company][name]`.
fn unwrapped(name: &str) -> &str {
    let mut name = name;
    while let Some((outer, inner)) = name.split_once('[') {
        if !WRAPPERS.contains(&letters(outer).as_str()) {
            break;
        }
        name = inner;
    }
    name
}

fn means_address(word: &str) -> bool {
    ADDRESS_WORDS.contains(&word)
        || ADDRESS_BEGINNINGS.iter().any(|beginning| word.starts_with(beginning))
        || ADDRESS_PARTS.iter().any(|part| word.contains(part))
}

/// Returns the words and numbers of a name. `e-mail` and `E Mail` are one word. `userEmail2` is two words and a number.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in name.chars().take(FORM_FIELD_NAME_CHARS_MAX) {
        let is_new = !last.is_alphanumeric()
            || last.is_numeric() != c.is_numeric()
            || (last.is_lowercase() && c.is_uppercase());
        match words.last_mut() {
            _ if !c.is_alphanumeric() && !is_mark(c) => {}
            Some(word) if !is_new || is_mark(c) => word.push(c),
            _ => words.push(c.to_string()),
        }
        last = c;
    }
    let mut joined: Vec<String> = Vec::new();
    for word in words.iter().map(|word| latin::plain(word)) {
        match joined.last_mut() {
            Some(e) if e == "e" => e.push_str(&word),
            _ => joined.push(word),
        }
    }
    joined
}

/// Returns true for a mark that belongs to the letter before it.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c) || matches!(c, '\u{3099}' | '\u{309a}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(name: &str) -> Option<String> {
        property(name).map(|usual| usual.property.to_string())
    }

    #[test]
    fn usual_name_fills_the_hubspot_property() {
        for (names, expected) in [
            (
                &[
                    "firstname",
                    "First Name",
                    "FIRSTNAME",
                    "FNAME",
                    "Given Name",
                    "Vorname",
                    "Prénom",
                    "first_name *",
                ][..],
                "firstname",
            ),
            (
                &[
                    "Your first name (required)",
                    "contact[first_name]",
                    "name[first]",
                    "form[fields][first_name]",
                    "Imię",
                    "firstName",
                ],
                "firstname",
            ),
            (
                &["Last Name", "LNAME", "Surname", "Nachname", "Nom de famille", "Apellidos", "name[last]"],
                "lastname",
            ),
            (&["Name", "your-name", "Full name", "Nom", "Vor- und Nachname", "Imię i nazwisko"], "name"),
            (&["Phone", "Phone Number", "Tel.", "Telefonnummer", "Téléphone", "Teléfono"], "phone"),
            (
                &[
                    "Company",
                    "Company Name",
                    "contact[company][name]",
                    "Organisation",
                    "Firma",
                    "Société",
                    "Azienda",
                ],
                "company",
            ),
            (&["Job Title", "jobtitle", "Puesto", "Berufsbezeichnung"], "jobtitle"),
            (&["Street", "Address", "Straße", "Address Line 1", "Dirección", "Rue"], "address"),
            (&["City", "Ort", "Città", "Ville", "address[city]", "contact[address][city]"], "city"),
            (&["ZIP", "Zip / Postal Code", "PLZ", "Postcode", "Code postal"], "zip"),
            (&["State/Region", "Province", "Bundesland"], "state"),
            (&["Country", "Land", "País", "Country/Region"], "country"),
            (&["Website", "Homepage", "Site web"], "website"),
        ] {
            for name in names {
                assert_eq!(filled(name).as_deref(), Some(expected), "{name}");
            }
        }
        for name in [
            "",
            "first",
            "title",
            "mobile",
            "product[name]",
            "friend[phone]",
            "phone2",
            "names",
            "имя",
            "お名前",
            "email",
            "message",
            "first_name_of_child",
            "product name",
        ] {
            assert_eq!(filled(name), None, "{name}");
        }
    }

    #[test]
    fn usual_names_are_unique_and_in_comparison_form() {
        let properties = PROPERTIES.iter().flat_map(|(_, names)| names.iter());
        let mut all: Vec<&str> = properties.chain(&ADDRESSES).copied().collect();
        for name in &all {
            assert_eq!(letters(name), **name);
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for (property, names) in PROPERTIES {
            assert_eq!(names.first(), Some(&property), "a property's own name is the most usual");
        }
    }

    #[test]
    fn usual_address_name_has_its_position() {
        for (name, place) in [
            ("email", 0),
            (" E-Mail *", 0),
            ("form_fields[email]", 0),
            ("Email (optional)", 0),
            ("emailAddress", 1),
            ("Email Address (required)", 1),
            ("your-email", 2),
            ("Correo electrónico", 20),
        ] {
            assert_eq!(address_name(name), Some(AddressName::Usual(place)), "{name}");
        }
        for name in [
            "E-mailadres",
            "E-Posta",
            "Indirizzo e-mail",
            "Adres e-mail",
            "E-postadress",
            "Endereço de e-mail",
            "Ihre E-Mail-Adresse",
            "メールアドレス",
        ] {
            assert!(matches!(address_name(name), Some(AddressName::Usual(_))), "{name}");
        }
    }

    #[test]
    fn word_for_email_is_found_within_a_name() {
        use AddressName::{Repeated, Word};
        for (name, expected) in [
            ("Email 2", Some(Word(2))),
            ("email4", Some(Word(4))),
            ("userEmail1", Some(Word(1))),
            ("login email", Some(Word(0))),
            ("LOGIN_EMAIL", Some(Word(0))),
            ("What is your e-mail?", Some(Word(0))),
            ("email_opt_in", Some(Word(0))),
            ("お客様のメールアドレス", Some(Word(0))),
            ("Адрес электронной почты", Some(Word(0))),
            ("Confirm email", Some(Repeated(0))),
            ("E-Mail-Adresse bestätigen", Some(Repeated(0))),
            ("Friend's email", None),
            ("E-Mail eines Freundes", None),
            ("mailing_list", None),
            ("female", None),
            ("e", None),
            ("", None),
        ] {
            assert_eq!(address_name(name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn lookup_of_any_name_does_not_panic(name in "\\PC{0,40}|[\\s\\S]{0,300}|([a-z_ \\[\\]E-]|mail){0,30}") {
            let _ = (property(&name), address_name(&name));
        }
    }
}
