//! The recognition of files that are not CSV, by their beginning.

use crate::problem::FileProblem;

/// The beginnings of archives: gzip, bzip2, xz, 7-Zip, RAR and Zstandard.
const ARCHIVES: [&[u8]; 6] =
    [b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd"];

/// The beginnings of a ZIP archive: with files, empty, and in parts.
const ZIP: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];

/// The parts of a ZIP archive that is a spreadsheet: one of Office Open XML, of OpenDocument, and of Numbers.
const SPREADSHEET_PARTS: [&[u8]; 4] =
    [b"[Content_Types].xml", b"xl/workbook", b"application/vnd.oasis.opendocument", b"Index/Document.iwa"];

/// The beginning of an OLE compound file, which older spreadsheets are.
const OLE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// The mark of a tar archive, and its place.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// The beginnings of web pages, in lower case.
const PAGES: [&str; 8] = ["<!doctype", "<html", "<head", "<body", "<table", "<?xml", "<!--", "<script"];

/// Returns the problem of a file of bytes that are not text.
pub(crate) fn binary(beginning: &[u8]) -> Option<FileProblem> {
    let begins = |marks: &[&[u8]]| marks.iter().any(|mark| beginning.starts_with(mark));
    let has = |part: &[u8]| beginning.windows(part.len()).any(|window| window == part);
    if begins(&[OLE]) {
        return Some(FileProblem::Spreadsheet);
    }
    if begins(&ZIP) {
        let is_spreadsheet = SPREADSHEET_PARTS.iter().any(|part| has(part));
        return Some(if is_spreadsheet { FileProblem::Spreadsheet } else { FileProblem::Archive });
    }
    let (place, mark) = TAR;
    let is_tar = beginning.get(place..).is_some_and(|rest| rest.starts_with(mark));
    (is_tar || begins(&ARCHIVES)).then_some(FileProblem::Archive)
}

/// Returns the problem of a file of text that is not a table.
pub(crate) fn text(beginning: &str) -> Option<FileProblem> {
    let text = beginning.trim_start();
    if text.is_empty() {
        return Some(FileProblem::Empty);
    }
    let begins = |mark: &str| text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark));
    if PAGES.iter().any(|page| begins(page)) {
        return Some(FileProblem::WebPage);
    }
    if begins("BEGIN:VCARD") {
        return Some(FileProblem::VCard);
    }
    is_json(text).then_some(FileProblem::Json)
}

fn is_json(text: &str) -> bool {
    let second = |rest: &str| rest.trim_start().chars().next();
    let in_object = |c: Option<char>| matches!(c, Some('"' | '}'));
    let in_list = |c: Option<char>| matches!(c, Some('{' | '[' | '"' | ']'));
    text.strip_prefix('{').is_some_and(|rest| in_object(second(rest)))
        || text.strip_prefix('[').is_some_and(|rest| in_list(second(rest)))
}
