use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::vec;

use crate::decompress::decompressed;
use crate::extract::{self, Found};
use crate::lines::Lines;
use crate::mend;
use crate::progress::Counted;
use crate::{Error, Format, Input, Inputs, Progress, ReadConfig, Separator};

/// What a [`Reader`] gives: the lines of a document, then its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A line that is not blank, without its line end; white space at its ends is kept.
    Line(String),
    /// The document is complete. It had at least one line.
    EndOfDocument,
}

/// Reads documents from files, in order and as a stream: memory holds one line, or one record, at a time.
///
/// After an error the iterator ends.
pub struct Reader {
    inputs: vec::IntoIter<Input>,
    current: Option<Documents>,
    config: ReadConfig,
    progress: Progress,
    replaced: u64,
}

impl Reader {
    /// Prepares to read; each file is opened when it is reached.
    ///
    /// # Errors
    /// [`Error::Config`] if the configuration cannot work.
    pub fn new(inputs: Inputs, config: ReadConfig) -> Result<Self, Error> {
        config.validate()?;
        let inputs = inputs.into_vec().into_iter();
        Ok(Self { inputs, current: None, config, progress: Progress::default(), replaced: 0 })
    }

    /// Reads from any stream, which `name` stands for in messages and, by its extension, in the choice of
    /// the format.
    ///
    /// # Errors
    /// [`Error::Config`], or what opening a compressed stream meets. Parquet needs a file.
    pub fn from_read(
        name: &str,
        source: impl Read + Send + 'static,
        config: ReadConfig,
    ) -> Result<Self, Error> {
        config.validate()?;
        let progress = Progress::default();
        let current = Some(Documents::stream(Path::new(name), source, &config, &progress)?);
        Ok(Self { inputs: Vec::new().into_iter(), current, config, progress, replaced: 0 })
    }

    /// Bytes of the files on disk read so far.
    pub fn bytes_read(&self) -> u64 {
        self.progress.bytes_read()
    }

    /// The same count as a handle that another thread can watch.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// How many broken byte sequences became U+FFFD so far; stays 0 unless the configuration is lossy.
    pub fn replaced(&self) -> u64 {
        self.replaced + self.current.as_ref().map_or(0, Documents::replaced)
    }

    fn advance(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(documents) = &mut self.current {
                if let Some(event) = documents.next_event()? {
                    return Ok(Some(event));
                }
                self.replaced += documents.replaced();
                self.current = None;
            }
            match self.inputs.next() {
                Some(input) => self.current = Some(Documents::open(&input, &self.config, &self.progress)?),
                None => return Ok(None),
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance();
        if next.is_err() {
            self.replaced = self.replaced();
            self.current = None;
            self.inputs = Vec::new().into_iter();
        }
        next.transpose()
    }
}

/// The documents of one file.
enum Documents {
    Text {
        lines: Lines,
        separator: Separator,
        open: bool,
    },
    JsonLines {
        lines: Lines,
        field: String,
        record: Record,
    },
    #[cfg(feature = "parquet")]
    Parquet {
        rows: Box<crate::parquet::Rows>,
        record: Record,
    },
}

impl Documents {
    fn open(input: &Input, config: &ReadConfig, progress: &Progress) -> Result<Self, Error> {
        match input {
            Input::Stdin => Self::stream(Path::new("<stdin>"), io::stdin(), config, progress),
            Input::File { path, .. } => {
                let file = File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
                if format_of(path, config) == Format::Parquet {
                    Self::parquet(path, file, config, progress)
                } else {
                    Self::stream(path, file, config, progress)
                }
            }
        }
    }

    fn stream(
        path: &Path,
        source: impl Read + Send + 'static,
        config: &ReadConfig,
        progress: &Progress,
    ) -> Result<Self, Error> {
        let format = format_of(path, config);
        if format == Format::Parquet {
            let reason = "parquet is read from its end: expected a file, found a stream".to_owned();
            return Err(Error::Parquet { path: path.to_owned(), reason });
        }
        let counted = Counted { inner: source, progress: progress.clone() };
        let (source, compression) = decompressed(path, counted)?;
        let lines = Lines::new(source, compression, path.to_owned(), config);
        Ok(match format {
            Format::JsonLines => {
                Self::JsonLines { lines, field: config.text_field.clone(), record: Record::default() }
            }
            _ => Self::Text { lines, separator: config.separator, open: false },
        })
    }

    #[cfg(feature = "parquet")]
    fn parquet(path: &Path, file: File, config: &ReadConfig, progress: &Progress) -> Result<Self, Error> {
        let rows = Box::new(crate::parquet::Rows::open(path, file, config, progress.clone())?);
        Ok(Self::Parquet { rows, record: Record::default() })
    }

    #[cfg(not(feature = "parquet"))]
    fn parquet(path: &Path, _: File, _: &ReadConfig, _: &Progress) -> Result<Self, Error> {
        Err(Error::MissingFeature { path: path.to_owned(), feature: "parquet" })
    }

    fn replaced(&self) -> u64 {
        match self {
            Self::Text { lines, .. } | Self::JsonLines { lines, .. } => lines.replaced,
            #[cfg(feature = "parquet")]
            Self::Parquet { rows, .. } => rows.replaced,
        }
    }

    fn next_event(&mut self) -> Result<Option<Event>, Error> {
        match self {
            Self::Text { lines, separator, open } => next_text(lines, *separator, open),
            Self::JsonLines { lines, field, record } => loop {
                if let Some(event) = record.next_event() {
                    return Ok(Some(event));
                }
                match lines.next_line()? {
                    None => return Ok(None),
                    Some(line) if line.trim().is_empty() => {}
                    Some(line) => *record = Record::new(text_of(&line, lines, field)?),
                }
            },
            #[cfg(feature = "parquet")]
            Self::Parquet { rows, record } => loop {
                if let Some(event) = record.next_event() {
                    return Ok(Some(event));
                }
                match rows.next_row()? {
                    None => return Ok(None),
                    Some(text) => *record = Record::new(text),
                }
            },
        }
    }
}

fn format_of(path: &Path, config: &ReadConfig) -> Format {
    config.format.or_else(|| Format::from_path(path)).unwrap_or(Format::Text)
}

/// `open` tells whether a document has begun and not ended.
fn next_text(lines: &mut Lines, separator: Separator, open: &mut bool) -> Result<Option<Event>, Error> {
    if *open && separator == Separator::Line {
        *open = false;
        return Ok(Some(Event::EndOfDocument));
    }
    loop {
        let line = lines.next_line()?;
        let ends = line.as_ref().is_none_or(|line| line.trim().is_empty());
        match line {
            _ if ends && *open => {
                *open = false;
                return Ok(Some(Event::EndOfDocument));
            }
            None => return Ok(None),
            Some(_) if ends => {}
            Some(line) => {
                *open = true;
                return Ok(Some(Event::Line(line)));
            }
        }
    }
}

fn text_of(line: &str, lines: &mut Lines, field: &str) -> Result<String, Error> {
    let path = lines.path.clone();
    let number = lines.line;
    let wrong = |found: &str| Error::Field {
        path: path.clone(),
        line: number,
        field: field.to_owned(),
        found: found.to_owned(),
    };
    let found = extract::field(line, field).or_else(|error| {
        // Only now, so that a proper line is read once.
        let (mended, replaced) = mend::mended(line, lines.lossy, mend::NUMBER);
        let found = extract::field(&mended, field).map_err(|_| error)?;
        lines.replaced += replaced;
        Ok(found)
    });
    match found {
        Ok(Found::Text(text)) => Ok(text),
        Ok(Found::Missing) => Err(wrong("no such field")),
        Ok(Found::Other(kind)) => Err(wrong(kind)),
        Err(error) => Err(Error::Json { path, line: number, reason: mend::reason(line, &error) }),
    }
}

/// The text of one record, handed out line by line.
#[derive(Default)]
struct Record {
    text: String,
    position: usize,
    open: bool,
}

impl Record {
    fn new(text: String) -> Self {
        Self { text, position: 0, open: false }
    }

    fn next_event(&mut self) -> Option<Event> {
        while self.position < self.text.len() {
            let rest = &self.text[self.position..];
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            self.position += line.len();
            let line = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
            if !line.trim().is_empty() {
                self.open = true;
                return Some(Event::Line(line.to_owned()));
            }
        }
        std::mem::take(&mut self.open).then_some(Event::EndOfDocument)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("config", &self.config)
            .field("bytes_read", &self.bytes_read())
            .finish_non_exhaustive()
    }
}
