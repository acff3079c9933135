//! The report's files: each appears whole or not at all.

use std::path::Path;

use electra_store::{create_folder, read_to_string};

use crate::chart::Charts;
use crate::{Error, FORMAT, Results, html, markdown};

/// Writes `results.json`, `charts/*.svg`, `report.md` and, last, `report.html` into a folder, which is made if it is
/// not there; what lies there under these names is replaced.
///
/// # Errors
/// [`Error::Store`] if a file cannot be written.
pub fn write(results: &Results, folder: &Path) -> Result<(), Error> {
    let charts = Charts::new(results);
    let drawn = folder.join("charts");
    create_folder(&drawn)?;
    let mut json = serde_json::to_string(results).expect("results are plain data with string keys");
    json.push('\n');
    electra_store::write(&folder.join("results.json"), &json)?;
    for chart in charts.all() {
        electra_store::write(&drawn.join(format!("{}.svg", chart.id)), &chart.standalone())?;
    }
    electra_store::write(&folder.join("report.md"), &markdown::text(results, &charts))?;
    Ok(electra_store::write(&folder.join("report.html"), &html::page(results, &charts))?)
}

/// Reads a `results.json`, to write the report of it anew.
///
/// # Errors
/// [`Error::Store`]; [`Error::Format`] if it is none, or of another version.
pub fn read(path: &Path) -> Result<Results, Error> {
    #[derive(serde::Deserialize)]
    struct Form {
        format: String,
    }
    let text = read_to_string(path)?;
    let bad = |what: String| Error::Format { path: path.to_owned(), what };
    let form: Form =
        serde_json::from_str(&text).map_err(|error| bad(format!("{error}; expected a results.json")))?;
    if form.format != FORMAT {
        return Err(bad(format!("format {:?}; expected {FORMAT:?}", form.format)));
    }
    serde_json::from_str(&text).map_err(|error| bad(error.to_string()))
}
