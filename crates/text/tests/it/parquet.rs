use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use electra_text::{Error, Inputs, ReadConfig, Reader, Separator};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::{blank_line, documents, read_file};

/// Writes row groups of optional values under the name `text`, with a column of numbers before it.
fn write(path: &Path, groups: &[Vec<Option<&[u8]>>]) {
    let schema = "message rows { required int32 id; optional binary text (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut file =
        SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::new(properties)).unwrap();
    for rows in groups {
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let ids: Vec<i32> = (0..rows.len() as i32).collect();
        column.typed::<Int32Type>().write_batch(&ids, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<ByteArray> = rows.iter().flatten().map(|value| value.to_vec().into()).collect();
        let levels: Vec<i16> = rows.iter().map(|value| i16::from(value.is_some())).collect();
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    file.close().unwrap();
}

fn file(folder: &tempfile::TempDir, groups: &[Vec<Option<&[u8]>>]) -> PathBuf {
    let path = folder.path().join("x.parquet");
    write(&path, groups);
    path
}

#[test]
fn rows_are_documents_over_row_groups_and_batches() {
    let folder = tempfile::tempdir().unwrap();
    let texts: Vec<String> = (0..1500).map(|row| format!("row {row}\n\n줄 {row}")).collect();
    let rows: Vec<Option<&[u8]>> = texts.iter().map(|text| Some(text.as_bytes())).collect();
    let path = file(&folder, &[rows[..700].to_vec(), rows[700..].to_vec()]);

    let inputs = Inputs::expand(&[path.to_str().unwrap()]).unwrap();
    let total = inputs.total_bytes().unwrap();
    let mut reader = Reader::new(inputs, ReadConfig::new(Separator::BlankLine)).unwrap();
    let events = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    let documents = documents(&events);
    assert_eq!(documents.len(), 1500);
    for (row, document) in documents.iter().enumerate() {
        assert_eq!(*document, [format!("row {row}"), format!("줄 {row}")]);
    }
    assert_eq!(reader.bytes_read(), total);
}

#[test]
fn null_and_broken_rows_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &[vec![Some(b"a"), None]]);
    let error = read_file(&path, blank_line()).unwrap_err();
    assert!(matches!(&error, Error::Field { line: 2, found, .. } if found == "null"), "{error}");

    let path = file(&folder, &[vec![Some(b"a")], vec![Some(b"b\xFF")]]);
    let message = read_file(&path, blank_line()).unwrap_err().to_string();
    assert!(message.contains("row 2: not UTF-8 at byte 1 of column \"text\""), "{message}");
    let lossy = ReadConfig { lossy: true, ..blank_line() };
    assert_eq!(documents(&read_file(&path, lossy).unwrap()), [["a"], ["b\u{fffd}"]]);
}

#[test]
fn a_missing_or_numeric_column_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &[vec![Some(b"a")]]);
    let message = |field: &str| {
        let config = ReadConfig { text_field: field.into(), ..blank_line() };
        read_file(&path, config).unwrap_err().to_string()
    };
    assert!(message("body").ends_with("expected a column \"body\" of strings, found the columns id, text"));
    assert!(message("id").ends_with("column \"id\": expected strings, found INT32"), "{}", message("id"));
}

#[test]
fn a_cut_or_damaged_file_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &[vec![Some(b"some text"), Some(b"more text")]]);
    let bytes = std::fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(read_file(&path, blank_line()).is_err(), "cut to {length} bytes");
    }
    for index in 0..bytes.len() {
        for byte in [0x00, 0x7f, 0x80, 0xff, bytes[index] ^ 0x01, bytes[index] ^ 0x40] {
            let mut bytes = bytes.clone();
            bytes[index] = byte;
            std::fs::write(&path, &bytes).unwrap();
            if let Err(error) = read_file(&path, blank_line()) {
                assert!(error.to_string().contains("x.parquet: "), "byte {index} as {byte}: {error}");
            }
        }
    }
}

/// Found by fuzzing: a page's header with lists that are longer than the file.
#[test]
fn a_header_without_an_end_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    std::fs::write(&path, include_bytes!("endless.parquet")).unwrap();
    let error = read_file(&path, blank_line()).unwrap_err().to_string();
    assert!(error.contains("x.parquet: "), "{error}");
}
