//! The report's files: each appears whole or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::chart::Charts;
use crate::{Error, FORMAT, Results, html, markdown};

/// Writes `results.json`, `charts/*.svg`, `report.md` and, last, `report.html` into a folder, which is made if it is
/// not there; what lies there under these names is replaced.
///
/// # Errors
/// [`Error::Io`] if a file cannot be written.
pub fn write(results: &Results, folder: &Path) -> Result<(), Error> {
    let charts = Charts::new(results);
    let drawn = folder.join("charts");
    fs::create_dir_all(&drawn).map_err(Error::io(&drawn, "making it"))?;
    let mut json = serde_json::to_string(results).expect("results are plain data with string keys");
    json.push('\n');
    put(&folder.join("results.json"), &json)?;
    for chart in charts.all() {
        put(&drawn.join(format!("{}.svg", chart.id)), &chart.standalone())?;
    }
    put(&folder.join("report.md"), &markdown::text(results, &charts))?;
    put(&folder.join("report.html"), &html::page(results, &charts))
}

/// Reads a `results.json`, to write the report of it anew.
///
/// # Errors
/// [`Error::Io`]; [`Error::Format`] if it is none, or of another version.
pub fn read(path: &Path) -> Result<Results, Error> {
    #[derive(serde::Deserialize)]
    struct Form {
        format: String,
    }
    let text = fs::read_to_string(path).map_err(Error::io(path, "reading it"))?;
    let bad = |what: String| Error::Format { path: path.to_owned(), what };
    let form: Form =
        serde_json::from_str(&text).map_err(|error| bad(format!("{error}; expected a results.json")))?;
    if form.format != FORMAT {
        return Err(bad(format!("format {:?}; expected {FORMAT:?}", form.format)));
    }
    serde_json::from_str(&text).map_err(|error| bad(error.to_string()))
}

/// A file by a temporary sibling, made durable, then renamed. Readable by whom the umask says.
fn put(path: &Path, text: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".report.partial-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(Error::io(folder, "making a file in it"))?;
    file.write_all(text.as_bytes()).map_err(Error::io(path, "writing it"))?;
    file.as_file().sync_all().map_err(Error::io(path, "making it durable"))?;
    file.persist(path).map_err(|error| Error::io(path, "giving it its name")(error.error))?;
    Ok(())
}
