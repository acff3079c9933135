//! One column of strings out of a Parquet file, row group by row group, without Arrow.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::caught::caught;
use crate::chunks::Chunks;
use crate::lines::replace_broken;
use crate::{Error, Progress, ReadConfig};

/// Rows decoded at a time: enough to spread the cost of a call, few enough to keep memory flat.
const BATCH: usize = 256;

pub(crate) struct Rows {
    file: SerializedFileReader<Chunks>,
    path: PathBuf,
    field: String,
    column: usize,
    /// Values of this definition level are there; lower levels are null.
    max_def_level: i16,
    lossy: bool,
    next_group: usize,
    reader: Option<ColumnReaderImpl<ByteArrayType>>,
    levels: Vec<i16>,
    values: std::vec::IntoIter<ByteArray>,
    position: usize,
    row: u64,
    progress: Progress,
    bytes: u64,
    bytes_told: u64,
    pub(crate) replaced: u64,
}

impl Rows {
    pub(crate) fn open(
        path: &Path,
        file: File,
        config: &ReadConfig,
        progress: Progress,
    ) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Parquet { path: path.to_owned(), reason };
        let bytes = file.metadata().map_err(|source| Error::Io { path: path.to_owned(), source })?.len();
        let file =
            caught(|| SerializedFileReader::new(Chunks(file))).map_err(|error| wrong(error.to_string()))?;
        check_places(file.metadata(), bytes).map_err(wrong)?;
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        let field = &config.text_field;
        let column = schema.columns().iter().position(|column| column.path().string() == *field);
        let Some(column) = column else {
            let names: Vec<_> = schema.columns().iter().map(|column| column.path().string()).collect();
            let names = names.join(", ");
            return Err(wrong(format!("expected a column {field:?} of strings, found the columns {names}")));
        };
        let descriptor = schema.column(column);
        if !is_text(&descriptor) {
            let found = descriptor.physical_type();
            return Err(wrong(format!("column {field:?}: expected strings, found {found}")));
        }
        Ok(Self {
            path: path.to_owned(),
            field: field.clone(),
            column,
            max_def_level: descriptor.max_def_level(),
            lossy: config.lossy,
            next_group: 0,
            reader: None,
            levels: Vec::new(),
            values: Vec::new().into_iter(),
            position: 0,
            row: 0,
            progress,
            bytes,
            bytes_told: 0,
            replaced: 0,
            file,
        })
    }

    /// The text of the next row.
    pub(crate) fn next_row(&mut self) -> Result<Option<String>, Error> {
        if self.position == self.levels.len() && !self.refill()? {
            return Ok(None);
        }
        let is_present = self.levels[self.position] == self.max_def_level;
        self.position += 1;
        self.row += 1;
        let value = if is_present { self.values.next() } else { None };
        let Some(value) = value else {
            return Err(Error::Field {
                path: self.path.clone(),
                line: self.row,
                field: self.field.clone(),
                found: "null".to_owned(),
            });
        };
        match str::from_utf8(value.data()) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) if self.lossy => {
                let (text, replaced) = replace_broken(value.data());
                self.replaced += replaced;
                Ok(Some(text))
            }
            Err(error) => Err(self.damaged(&format!(
                "row {}: not UTF-8 at byte {} of column {:?}: read it lossily to replace broken bytes",
                self.row,
                error.valid_up_to(),
                self.field
            ))),
        }
    }

    /// Decodes the next batch; `false` at the end of the file.
    fn refill(&mut self) -> Result<bool, Error> {
        loop {
            if let Some(reader) = &mut self.reader {
                let mut values = Vec::with_capacity(BATCH);
                self.levels.clear();
                self.position = 0;
                let levels = (self.max_def_level > 0).then_some(&mut self.levels);
                let (rows, _, _) = caught(|| reader.read_records(BATCH, levels, None, &mut values))
                    .map_err(|error| self.damaged(&error.to_string()))?;
                if self.max_def_level == 0 {
                    self.levels.resize(rows, 0);
                }
                self.values = values.into_iter();
                if rows > 0 {
                    return Ok(true);
                }
                self.reader = None;
            }
            if self.next_group == self.file.num_row_groups() {
                // What is left are the footer and the columns that were passed over.
                self.tell(self.bytes);
                return Ok(false);
            }
            self.open_group().map_err(|error| self.damaged(&error.to_string()))?;
        }
    }

    fn open_group(&mut self) -> Result<(), ParquetError> {
        let end = self.file.metadata().row_group(self.next_group).columns().iter().map(|column| {
            let (start, length) = column.byte_range();
            start + length
        });
        let end = end.max().unwrap_or(0).min(self.bytes);
        let reader = caught(|| self.file.get_row_group(self.next_group)?.get_column_reader(self.column))?;
        let ColumnReader::ByteArrayColumnReader(reader) = reader else {
            return Err(ParquetError::General("the column changed its type".to_owned()));
        };
        self.reader = Some(reader);
        self.next_group += 1;
        self.tell(end);
        Ok(())
    }

    /// Moves the shared counter to `end` bytes of this file.
    fn tell(&mut self, end: u64) {
        self.progress.add(end.saturating_sub(self.bytes_told));
        self.bytes_told = self.bytes_told.max(end);
    }

    fn damaged(&self, reason: &str) -> Error {
        Error::Parquet { path: self.path.clone(), reason: reason.to_owned() }
    }
}

/// Whether every column lies in the file: the library panics where one begins before it.
fn check_places(metadata: &ParquetMetaData, bytes: u64) -> Result<(), String> {
    for (number, group) in metadata.row_groups().iter().enumerate() {
        for column in group.columns() {
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let length = column.compressed_size();
            let end = u64::try_from(start).ok().zip(u64::try_from(length).ok());
            let end = end.and_then(|(start, length)| start.checked_add(length));
            if end.is_none_or(|end| end > bytes) {
                let name = column.column_path().string();
                return Err(format!(
                    "row group {number}: column {name:?} has {length} bytes from byte {start}; the file has {bytes}"
                ));
            }
        }
    }
    Ok(())
}

/// Old writers leave strings without any annotation; whether they are UTF-8 is checked value by value.
fn is_text(column: &ColumnDescriptor) -> bool {
    let annotated = match column.logical_type_ref() {
        Some(logical) => matches!(logical, LogicalType::String),
        None => matches!(column.converted_type(), ConvertedType::UTF8 | ConvertedType::NONE),
    };
    column.physical_type() == Type::BYTE_ARRAY && column.max_rep_level() == 0 && annotated
}
