use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;

/// What ends a document in plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Separator {
    /// One or more blank lines: lines with nothing but Unicode white space.
    BlankLine,
    /// Every line that is not blank is a document of its own.
    Line,
}

/// How a file's bytes, once decompressed, hold documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Lines of text; [`Separator`] says what a document is.
    Text,
    /// JSON Lines: one object a line, one document an object.
    JsonLines,
    /// Parquet: one document a row (feature `parquet`).
    Parquet,
}

impl Format {
    /// The format that the file name's extension announces, seen through a `.gz` or `.zst` behind it; `None`
    /// for an unknown extension.
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst"));
        let (_, extension) = plain.unwrap_or(&name).rsplit_once('.')?;
        match extension {
            "txt" | "text" => Some(Self::Text),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            // Parquet is read from its end, which a compressed stream does not allow; it compresses inside.
            "parquet" if plain.is_none() => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// How text files are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadConfig {
    /// What ends a document in plain text; JSON Lines and Parquet have one document a record.
    pub separator: Separator,
    /// The format of every file; `None` takes it from each file's extension, and plain text for an unknown
    /// one and for standard input.
    pub format: Option<Format>,
    /// The JSON field or Parquet column that holds the text.
    pub text_field: String,
    /// Whether bytes that are not UTF-8 become U+FFFD and are counted, instead of being an error.
    pub lossy: bool,
    /// The longest line in bytes that is taken into memory; a longer one is an error.
    pub max_line_bytes: usize,
}

impl ReadConfig {
    /// Strict UTF-8, format by extension, text in the field `text`, lines up to 256 MiB.
    pub fn new(separator: Separator) -> Self {
        Self {
            separator,
            format: None,
            text_field: "text".to_owned(),
            lossy: false,
            max_line_bytes: 256 << 20,
        }
    }

    /// Checks each field.
    ///
    /// # Errors
    /// [`Error::Config`] naming the field.
    pub fn validate(&self) -> Result<(), Error> {
        if self.text_field.is_empty() {
            return Err(Error::Config { field: "text_field", expected: "the name of a field" });
        }
        if self.max_line_bytes == 0 {
            return Err(Error::Config { field: "max_line_bytes", expected: "at least 1 byte" });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_follows_the_extension() {
        let format = |name: &str| Format::from_path(Path::new(name));
        assert_eq!(format("a/b.txt"), Some(Format::Text));
        assert_eq!(format("b.TXT.GZ"), Some(Format::Text));
        assert_eq!(format("b.ndjson.zst"), Some(Format::JsonLines));
        assert_eq!(format("b.parquet"), Some(Format::Parquet));
        assert_eq!(format("b.parquet.gz"), None);
        assert_eq!(format("b.json"), None);
        assert_eq!(format("txt"), None);
    }

    #[test]
    fn a_config_survives_json_and_refuses_unknown_fields() {
        let config = ReadConfig::new(Separator::BlankLine);
        let json = serde_json::to_string(&config).unwrap();
        assert!(json.contains("\"blank-line\""), "{json}");
        assert_eq!(serde_json::from_str::<ReadConfig>(&json).unwrap(), config);
        let unknown = json.replace("lossy", "lossily");
        assert!(serde_json::from_str::<ReadConfig>(&unknown).is_err());
    }

    #[test]
    fn values_that_cannot_work_are_named() {
        let mut config = ReadConfig::new(Separator::Line);
        config.max_line_bytes = 0;
        assert!(config.validate().unwrap_err().to_string().contains("max_line_bytes"));
        let mut config = ReadConfig::new(Separator::Line);
        config.text_field.clear();
        assert!(config.validate().unwrap_err().to_string().contains("text_field"));
    }
}
