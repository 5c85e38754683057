//! The exports of other programs.

use super::{layout, rows, sample, told};

/// Returns the outcomes of the rows of an export, with the flags and only these properties.
fn exported(name: &str, shown: &[&str]) -> Vec<String> {
    let bytes = sample(name);
    let mut rows = rows(&bytes, &layout(&bytes));
    for row in &mut rows {
        if let crate::Content::Contact(contact) = &mut row.content {
            contact.properties.retain(|(name, _)| shown.contains(&name.as_str()));
        }
    }
    rows.iter().map(told).collect()
}

#[test]
fn export_of_another_program_maps_itself() {
    let person = ["firstname", "lastname", "name", "phone", "company"];
    let table: [(&str, &[&str]); 12] = [
        ("mailchimp-subscribed", &["mc1 firstname=Mo lastname=Bell phone=+31612345678", "mc2 firstname=Max"]),
        ("mailchimp-unsubscribed", &["mu1 unsubscribed firstname=Una lastname=Sub"]),
        ("mailchimp-cleaned", &["mx1 bounced firstname=Cle lastname=Aned"]),
        (
            "hubspot-contacts",
            &[
                "hs1 firstname=Gaëlle lastname=Perrin phone=04 50 11 22 33",
                "hs2 unsubscribed",
                "email: no-address",
            ],
        ),
        ("brevo", &["br1 unsubscribed lastname=Durand firstname=Bruno", "br2 lastname=Petit firstname=Zoé"]),
        (
            "klaviyo",
            &[
                "kl1 firstname=Kim lastname=Li phone=+14165550100",
                "kl2 unsubscribed firstname=Kay lastname=Lo",
                "kl3 firstname=Ken lastname=Le",
            ],
        ),
        (
            "activecampaign",
            &[
                "ac1 firstname=Al lastname=Con phone=0102030405",
                "ac2 unsubscribed firstname=Bo lastname=Con",
                "ac3 bounced firstname=Cy lastname=Con",
            ],
        ),
        (
            "constantcontact",
            &[
                "cc1 firstname=Jan lastname=Holt",
                "cc2 unsubscribed firstname=Jo lastname=Holt",
                "cc3 firstname=Ja lastname=Holt",
            ],
        ),
        (
            "google-contacts",
            &[
                "go1 firstname=Ada lastname=Lovelace company=Engines",
                "go2 firstname=Bea lastname=Lee [further-addresses]",
                "email: no-address",
            ],
        ),
        ("outlook", &["ol1 firstname=Jörg lastname=Groß company=Müller & Söhne", "email: invalid-address"]),
        ("listmonk", &["lm1 name=Lou Mo", "lm2 unsubscribed name=Li Mo"]),
        (
            "mautic",
            &[
                "ma1 firstname=Mau lastname=Tic phone=0612345678 company=Ac",
                "ma2 unsubscribed firstname=Mia lastname=Tic company=Ac",
            ],
        ),
    ];
    for (name, expected) in table {
        assert_eq!(exported(name, &person), expected, "{name}");
    }
}

#[test]
fn structured_value_of_another_program_stays_a_text() {
    let expected = r#"lm1 attributes={"city": "Delft", "age": 42, "tags": ["a"]}"#;
    assert_eq!(exported("listmonk", &["attributes"])[0], expected);
    assert_eq!(exported("mailchimp-subscribed", &["tags"])[0], r#"mc1 tags="VIP","Blog""#);
}
