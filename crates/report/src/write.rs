//! The report's files: each appears whole or not at all.

use std::io::Write;
use std::path::Path;

use electra_analysis::Findings;
use electra_store::{NewFile, create_folder, read_to_string};
use serde::Serialize;

use crate::chart::Charts;
use crate::error::Error;
use crate::sentences::{Conclusion, conclude, notes};
use crate::{html, markdown};

/// What `results.json` says of its form.
pub const FORMAT: &str = "electra-report/2";

/// What is said of the findings: not read again, but said anew.
const SAID: [&str; 3] = ["format", "conclusion", "notes"];

/// `results.json`.
#[derive(Serialize)]
struct File<'a> {
    format: &'static str,
    conclusion: &'a Conclusion,
    notes: Vec<String>,
    #[serde(flatten)]
    findings: &'a Findings,
}

/// Writes `results.json`, `charts/*.svg`, `report.md` and `report.html` into a folder, which is made if it is not there;
/// what lies there under these names is replaced, by all of them or, if one cannot be written, by none.
///
/// # Errors
/// [`Error::Store`] if a file cannot be written.
pub fn write(findings: &Findings, folder: &Path) -> Result<(), Error> {
    let (conclusion, charts) = (conclude(findings), Charts::new(findings));
    create_folder(&folder.join("charts"))?;
    let file = File { format: FORMAT, conclusion: &conclusion, notes: notes(findings), findings };
    let mut json = serde_json::to_string(&file).expect("findings are plain data with string keys");
    json.push('\n');
    // Each is written before any is put in place of what was there: pages and numbers of two reports do not go together.
    let mut files = Vec::new();
    let mut write = |name: &str, text: &str| -> Result<(), Error> {
        let path = folder.join(name);
        let mut file = NewFile::create(&path)?;
        file.write_all(text.as_bytes()).map_err(electra_store::io(&path, "writing it"))?;
        files.push(file);
        Ok(())
    };
    write("results.json", &json)?;
    for chart in charts.all() {
        write(&format!("charts/{}.svg", chart.id), &chart.standalone())?;
    }
    write("report.md", &markdown::text(findings, &conclusion, &charts))?;
    write("report.html", &html::page(findings, &conclusion, &charts))?;
    Ok(NewFile::finish_all(files)?)
}

/// Reads the findings of a `results.json`, to write the report of them anew.
///
/// # Errors
/// [`Error::Store`]; [`Error::Format`] if the file is not a `results.json`, or of another version.
pub fn read(path: &Path) -> Result<Findings, Error> {
    let text = read_to_string(path)?;
    let wrong = |what: String| Error::Format { path: path.to_owned(), what };
    let expected = |found: String| wrong(format!("{found}; expected a results.json"));
    let mut object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&text).map_err(|error| expected(error.to_string()))?;
    match object.get("format") {
        Some(format) if format == FORMAT => {}
        Some(format) => return Err(wrong(format!("format {format}; expected {FORMAT:?}"))),
        None => return Err(expected("format: missing".into())),
    }
    object.retain(|name, _| !SAID.contains(&name.as_str()));
    let findings: Findings =
        serde_json::from_value(object.into()).map_err(|error| wrong(error.to_string()))?;
    Ok(findings.with_all_objectives())
}
