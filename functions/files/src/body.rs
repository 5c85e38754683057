//! Bodies of requests: a new import with its options, and a new export.

use std::collections::BTreeMap;

use api::describe::documented;
use api::fields::{Fields, FromFields, Reported};
use api::parse::{Parser, boolean, checked, list, map, name, nested, or_null, parsed, text, variant, whole};
use api::selection::SelectionBody;
use contact_files::{Delimiter, Encoding, Options, Target};
use domain::ids::SegmentId;
use domain::import::ImportMode;
use domain::limits::{
    EXPORT_COLUMNS_MAX, IMPORT_COLUMN_NAME_CHARS_MAX, IMPORT_COLUMNS_MAX, PERIOD_NUMBER_MAX,
};
use domain::period::PeriodNumber;
use domain::property::PropertyName;
use serde_json::json;
use store::{ExportSelection, FileFormat, ImportTerms};

/// A new import.
#[derive(Clone)]
pub(crate) struct NewImportBody {
    pub(crate) name: String,
    pub(crate) terms: ImportTerms,
    pub(crate) reading: Options,
}

impl FromFields for NewImportBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.required("name", import_name());
        let options = nested::<OptionsBody>().about("The rules for the file and its rows.");
        let options = fields.optional("options", options);
        Ok(Self::new(name?, options?.unwrap_or_default()))
    }
}

documented! { NewImportBody as "NewImport": "An import to create." }

impl NewImportBody {
    /// Creates an import with options.
    pub(crate) fn new(name: String, options: OptionsBody) -> Self {
        Self { name, terms: options.terms, reading: options.reading }
    }
}

/// Returns the parser of an import's name.
pub(crate) fn import_name() -> impl Parser<Output = String> {
    name().about("The display name, such as that of the file. The histories of the contacts show it.")
}

/// A change of an import that has not started.
pub(crate) struct UpdateImportBody {
    pub(crate) name: Option<String>,
    pub(crate) options: Option<OptionsBody>,
}

impl FromFields for UpdateImportBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let name = fields.optional("name", import_name());
        let options = nested::<OptionsBody>().about("The rules for the file and its rows, as a whole.");
        let options = fields.optional("options", options);
        Ok(Self { name: name?, options: options? })
    }
}

documented! { UpdateImportBody as "UpdateImport": "A change of an import. Fields that are left out do not change." }

/// The options of an import.
pub(crate) struct OptionsBody {
    pub(crate) terms: ImportTerms,
    pub(crate) reading: Options,
}

impl Default for OptionsBody {
    fn default() -> Self {
        let terms = ImportTerms {
            mode: ImportMode::Both,
            set_marketing: false,
            add_to_segment: None,
            automations: true,
            dry_run: false,
        };
        Self { terms, reading: Options::default() }
    }
}

impl FromFields for OptionsBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let mode = variant::<ImportMode>()
            .about("The contacts that the import may write.")
            .default_value(ImportMode::Both.as_str());
        let mode = fields.optional("mode", mode);
        let set_marketing = boolean().default_value(false).about(
            "True to set the contacts of the file marketing, which makes them billable. It needs the permission \
             modify_marketing_contacts.",
        );
        let set_marketing = fields.optional("set_marketing", set_marketing);
        let segment =
            parsed::<SegmentId>().about("A static list to which the contacts of the file are added.");
        let add_to_segment = fields.optional("add_to_segment", segment);
        let automations = boolean().about("True if automations follow the changes.").default_value(true);
        let automations = fields.optional("automations", automations);
        let dry_run = boolean()
            .default_value(false)
            .about("True to decide the rows and to write nothing. The results are those of a real import.");
        let dry_run = fields.optional("dry_run", dry_run);
        let mapping = fields.optional("mapping", mapping());
        let encoding = parsed::<Encoding>().example(json!("windows-1252")).about(
            "The character encoding of the file, by its name in the Encoding Standard. It is detected if it is left out.",
        );
        let encoding = fields.optional("encoding", encoding);
        let delimiter = variant::<Delimiter>().about("The delimiter. It is detected if it is left out.");
        let delimiter = fields.optional("delimiter", delimiter);
        let clear_flags = boolean().default_value(false).about(
            "True if the file may also clear `unsubscribed` and `bounced`. By default a file only ever adds them.",
        );
        let clear_flags = fields.optional("clear_flags", clear_flags);
        Ok(Self {
            terms: ImportTerms {
                mode: mode?.unwrap_or(ImportMode::Both),
                set_marketing: set_marketing?.unwrap_or(false),
                add_to_segment: add_to_segment?,
                automations: automations?.unwrap_or(true),
                dry_run: dry_run?.unwrap_or(false),
            },
            reading: Options {
                encoding: encoding?,
                delimiter: delimiter?,
                mapping: mapping?.unwrap_or_default(),
                clear_flags: clear_flags?.unwrap_or(false),
            },
        })
    }
}

documented! { OptionsBody as "ImportOptions": "The rules for a file and its rows." }

/// Returns the parser of a mapping of columns.
fn mapping() -> impl Parser<Output = BTreeMap<String, Target>> {
    let column = text(1..=IMPORT_COLUMN_NAME_CHARS_MAX);
    let map = map(IMPORT_COLUMNS_MAX, column, or_null(parsed::<Target>()));
    let map = checked(map, |targets| {
        let targets = targets.into_iter().map(|(name, target)| (name, target.unwrap_or(Target::Nothing)));
        Ok::<_, &str>(targets.collect::<BTreeMap<_, _>>())
    });
    map.example(json!({"E-mail": "email", "Given name": "firstname", "Notes": null})).about(
        "The columns of the file, by their name or their position from \"1\", each with its target: `email`, \
         `unsubscribed`, `bounced`, a property, or `null` for nothing. A column that is left out maps itself by its \
         name, as the fields of forms do.",
    )
}

/// A new export.
pub(crate) struct NewExportBody {
    pub(crate) selection: ExportSelection,
    pub(crate) format: FileFormat,
    pub(crate) columns: Option<Vec<PropertyName>>,
}

impl FromFields for NewExportBody {
    fn read(fields: &mut impl Fields) -> Result<Self, Reported> {
        let one = fields.exactly_one(&["selection", "statement"]);
        let selection = nested::<SelectionBody>().about("The contacts.");
        let selection = fields.optional("selection", selection);
        let statement = whole(1..=PERIOD_NUMBER_MAX).about(
            "The number of a closed period, for the contacts that its statement counts. The file contains why each of \
             them was billable.",
        );
        let statement = fields.optional("statement", statement);
        let format = variant::<FileFormat>().about("The format of the file.").default_value("csv");
        let format = fields.optional("format", format);
        let columns = list(0..=EXPORT_COLUMNS_MAX, parsed::<PropertyName>()).about(
            "The properties in the file. If it is left out, these are all properties that the contacts have. The \
             address, the flags and the marketing state are always in the file.",
        );
        let columns = fields.optional("columns", columns);
        one?;
        let statement = statement?.and_then(PeriodNumber::from_number);
        let selection = match (selection?, statement) {
            (Some(SelectionBody(selected)), _) => ExportSelection::Contacts(selected),
            (None, Some(number)) => ExportSelection::Statement(number),
            // Exactly one is present, so this is never reached.
            (None, None) => return fields.reject("selection", "is required"),
        };
        Ok(Self { selection, format: format?.unwrap_or(FileFormat::Csv), columns: columns? })
    }
}

documented! { NewExportBody as "NewExport": "An export to create." }

#[cfg(test)]
mod tests {
    use api::reading::{read, wrong};
    use serde_json::json;

    use super::*;

    #[test]
    fn options_have_safe_defaults() {
        let body: NewImportBody = read(&json!({"name": "spring.csv"})).unwrap();
        let ImportTerms { mode, set_marketing, automations, dry_run, add_to_segment } = body.terms;
        assert_eq!((mode, set_marketing, automations, dry_run), (ImportMode::Both, false, true, false));
        assert!(add_to_segment.is_none() && body.reading == Options::default());
    }

    #[test]
    fn mapping_names_targets_or_nothing() {
        let mapping = json!({"E-mail": "email", "Left": "unsubscribed", "2": "city", "Notes": null});
        let body: NewImportBody = read(&json!({"name": "x", "options": {"mapping": mapping}})).unwrap();
        assert_eq!(body.reading.mapping.get("Notes"), Some(&Target::Nothing));
        for target in ["id", "hs_x", "First Name", ""] {
            let body = json!({"name": "x", "options": {"mapping": {"a": target}}});
            assert_eq!(wrong::<NewImportBody>(&body), ["options.mapping.a"], "{target}");
        }
        let body =
            json!({"name": "x", "options": {"encoding": "klingon", "delimiter": "x", "mode": "delete"}});
        assert_eq!(wrong::<NewImportBody>(&body), ["options.mode", "options.encoding", "options.delimiter"]);
    }

    #[test]
    fn export_is_of_a_selection_or_of_a_statement() {
        assert!(read::<NewExportBody>(&json!({"selection": {"filterGroups": []}})).is_ok());
        assert!(read::<NewExportBody>(&json!({"statement": 1, "format": "ndjson"})).is_ok());
        for body in [
            json!({}),
            json!({"statement": 1, "selection": {"filterGroups": []}}),
            json!({"statement": 0}),
            json!({"statement": 1, "format": "xlsx"}),
            json!({"statement": 1, "columns": ["email"]}),
        ] {
            assert!(!wrong::<NewExportBody>(&body).is_empty(), "{body}");
        }
    }
}
