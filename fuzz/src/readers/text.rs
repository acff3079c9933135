//! Text, plain and in JSON Lines, compressed and not; Parquet.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use electra_text::{Event, Format, Inputs, ReadConfig, Reader as TextReader, Separator};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::{Outcome, Reader, place};

/// A byte of settings, then a stream.
pub(super) const TEXT: Reader = Reader { name: "text", seeds: streams, check: stream };

/// A file of Parquet.
pub(super) const PARQUET: Reader = Reader { name: "parquet", seeds: tables, check: table };

/// Bits of the first byte.
const JSON_LINES: u8 = 1;
const LOSSY: u8 = 2;
const LINES: u8 = 4;
const SHORT: u8 = 8;

const PLAIN: &str = "Rain.\n  It pours.\r\n\n \u{2003}\n비가 온다.\n\u{feff}x";
const RECORDS: &str =
    "{\"text\": \"Rain.\\n\\u00e9\\ud83d\\ude00\", \"n\": NaN}\n\n{\"n\": [{}], \"text\": \"비\"}\n";

fn streams() -> Vec<Vec<u8>> {
    let with = |flags: u8, bytes: &[u8]| [&[flags], bytes].concat();
    let mut seeds = vec![
        with(0, PLAIN.as_bytes()),
        with(LINES, PLAIN.as_bytes()),
        with(LOSSY | LINES, b"\xffab\xf0\x9f\n\xed\xa0\x80\nfine\n"),
        with(JSON_LINES, RECORDS.as_bytes()),
        with(JSON_LINES | LOSSY, b"{\"text\": \"\\ud83d\"}\n"),
        with(SHORT, b"a\nbc\n"),
    ];
    for pack in [gzip, zstd] {
        seeds.push(with(0, &pack(PLAIN.as_bytes())));
        seeds.push(with(JSON_LINES, &pack(RECORDS.as_bytes())));
    }
    let twice = [gzip(b"a\n"), gzip(b"b\n"), vec![0; 8]].concat();
    seeds.push(with(0, &twice));
    seeds
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory can be written to");
    encoder.finish().expect("memory can be written to")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 0).expect("memory can be written to")
}

/// As a stream gives them on a slow day.
struct Slow(Cursor<Vec<u8>>);

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(3);
        self.0.read(&mut buffer[..most])
    }
}

type Read_ = Result<(Vec<Event>, u64), String>;

fn read(source: impl Read + Send + 'static, config: &ReadConfig) -> Read_ {
    let name = format!("{}/stream", place::shown());
    let mut reader =
        TextReader::from_read(&name, source, config.clone()).map_err(|error| error.to_string())?;
    let events = reader.by_ref().collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok((events, reader.replaced()))
}

fn stream(bytes: &[u8]) -> Outcome {
    let (flags, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let is = |flag: u8| flags & flag != 0;
    let config = ReadConfig {
        format: Some(if is(JSON_LINES) { Format::JsonLines } else { Format::Text }),
        lossy: is(LOSSY),
        max_line_bytes: if is(SHORT) { 16 } else { 1 << 20 },
        ..ReadConfig::new(if is(LINES) { Separator::Line } else { Separator::BlankLine })
    };
    let whole = read(Cursor::new(bytes.to_vec()), &config);
    assert_eq!(whole, read(Slow(Cursor::new(bytes.to_vec())), &config), "however a stream is cut");
    if let Ok((events, replaced)) = &whole {
        check_events(events);
        assert!(config.lossy || *replaced == 0);
        // What came out goes in again.
        let lines = events.iter().map(|event| match event {
            Event::Line(line) => format!("{line}\n"),
            Event::EndOfDocument => "\n".to_owned(),
        });
        let text = lines.collect::<String>();
        let plain =
            ReadConfig { format: Some(Format::Text), lossy: false, ..ReadConfig::new(Separator::BlankLine) };
        let is_marked = ["\u{feff}", "BZh", "PAR1", "7z", "PK", "Rar!", "ARROW1", "%PDF", "version https"];
        if !is_marked.iter().any(|mark| text.starts_with(mark))
            && !text.contains('\r')
            && !text.contains("ustar")
            // LZ4's and zstd's marks end so.
            && !text.contains("M\u{18}")
        {
            for bytes in [text.clone().into_bytes(), gzip(text.as_bytes()), zstd(text.as_bytes())] {
                let again = read(Cursor::new(bytes), &plain).expect("lines are read again");
                assert_eq!(again.0, *events);
            }
        }
    }
    whole.map(drop)
}

/// Lines are not blank and have no end in them, and every document has one.
fn check_events(events: &[Event]) {
    let mut open = false;
    for event in events {
        match event {
            Event::Line(line) => {
                assert!(!line.trim().is_empty() && !line.contains('\n'), "{line:?}");
                open = true;
            }
            Event::EndOfDocument => assert!(std::mem::take(&mut open), "a document without a line"),
        }
    }
    assert!(!open, "a document without an end");
}

fn tables() -> Vec<Vec<u8>> {
    let codecs = [Codec::UNCOMPRESSED, Codec::SNAPPY, Codec::ZSTD(ZstdLevel::default()), Codec::LZ4_RAW];
    codecs.map(in_parquet).into()
}

fn in_parquet(codec: Codec) -> Vec<u8> {
    const VALID: &str = "memory can be written to";
    let schema = "message rows { required int32 id; optional binary text (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).expect("it is a schema"));
    let properties = Arc::new(WriterProperties::builder().set_compression(codec).build());
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, schema, properties).expect(VALID);
    let mut group = file.next_row_group().expect(VALID);
    let mut column = group.next_column().expect(VALID).expect("there are two");
    column.typed::<Int32Type>().write_batch(&[1, 2, 3], None, None).expect(VALID);
    column.close().expect(VALID);
    let mut column = group.next_column().expect(VALID).expect("there are two");
    let values: Vec<ByteArray> = ["Rain.\nIt pours.", "비가 온다.", "Rain."].map(Into::into).into();
    column.typed::<ByteArrayType>().write_batch(&values, Some(&[1, 1, 1]), None).expect(VALID);
    column.close().expect(VALID);
    group.close().expect(VALID);
    file.close().expect(VALID);
    bytes
}

fn table(bytes: &[u8]) -> Outcome {
    let path = place::file("table.parquet", bytes);
    let read = || {
        let inputs = Inputs::expand(&[path.to_str().expect("a temporary folder's name is text")])?;
        TextReader::new(inputs, ReadConfig::new(Separator::BlankLine))?.collect::<Result<Vec<_>, _>>()
    };
    let events = read().map_err(|error: electra_text::Error| error.to_string())?;
    check_events(&events);
    Ok(())
}
