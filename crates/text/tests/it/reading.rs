use electra_text::{Event, Format, Inputs, Reader, Separator};

use crate::{blank_line, documents, read, read_file};

#[test]
fn blank_lines_separate_documents() {
    let text = "\n \nA1\n  A2 \r\n\u{3000}\t\n\n\nB1\n\n";
    let events = read("x.txt", text.as_bytes(), blank_line()).unwrap();
    assert_eq!(documents(&events), [vec!["A1", "  A2 "], vec!["B1"]]);
}

#[test]
fn each_line_can_be_a_document() {
    let mut config = blank_line();
    config.separator = Separator::Line;
    let events = read("x.txt", b"A\n\n \nB\nC", config).unwrap();
    assert_eq!(documents(&events), [["A"], ["B"], ["C"]]);
}

#[test]
fn the_end_of_a_file_ends_its_document() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "A1\nA2").unwrap();
    std::fs::write(folder.path().join("b.txt"), "").unwrap();
    std::fs::write(folder.path().join("c.txt"), "C1\n").unwrap();
    let events = read_file(folder.path(), blank_line()).unwrap();
    assert_eq!(documents(&events), [vec!["A1", "A2"], vec!["C1"]]);
}

#[test]
fn json_lines_have_one_document_a_record() {
    let text = "{\"id\": 1, \"text\": \"A1\\r\\nA2\\n\\n A3\"}\n\n{\"text\": \" \\n\"}\r\n{\"text\": \"B\"}";
    let events = read("x.jsonl", text.as_bytes(), blank_line()).unwrap();
    assert_eq!(documents(&events), [vec!["A1", "A2", " A3"], vec!["B"]]);

    let mut config = blank_line();
    config.format = Some(Format::JsonLines);
    config.text_field = "body".into();
    let events = read("x.dat", "{\"body\": \"본문\"}".as_bytes(), config).unwrap();
    assert_eq!(documents(&events), [["본문"]]);
}

#[test]
fn json_errors_name_file_line_field_and_what_was_found() {
    let message = |text: &str| read("x.jsonl", text.as_bytes(), blank_line()).unwrap_err().to_string();
    assert_eq!(
        message("{\"text\": \"a\"}\n\n{\"text\": 7}\n"),
        "x.jsonl: line 3: expected a string in field \"text\", found a number"
    );
    assert_eq!(
        message("{\"txt\": \"a\"}\n"),
        "x.jsonl: line 1: expected a string in field \"text\", found no such field"
    );
    let malformed = message("{\"text\": \"a\"}\n{\"text\": \"a\"");
    assert!(
        malformed.starts_with("x.jsonl: line 2: expected one JSON object: EOF while parsing"),
        "{malformed}"
    );
    assert!(malformed.ends_with("and the whole object on that line"), "{malformed}");
    assert_eq!(
        message("[{\"text\": \"a\"}]"),
        "x.jsonl: line 1: expected one JSON object, found an array: write each of its objects on a line of its own"
    );
    assert!(message("{\n  \"text\": \"a\"\n}\n").contains("line 1: expected one JSON object: EOF"));
    let half = message(r#"{"text": "a \ud800"}"#);
    assert!(half.contains("half of a surrogate pair is not a character; read the file lossily"), "{half}");
}

#[test]
fn json_as_python_writes_it_is_read() {
    let text = r#"{"score": NaN, "range": [-Infinity, Infinity], "text": "NaN"}"#;
    assert_eq!(documents(&read("x.jsonl", text.as_bytes(), blank_line()).unwrap()), [["NaN"]]);

    let mut config = blank_line();
    config.lossy = true;
    let text = r#"{"text": "a\ud800b \ud83d\ude00 \udc00"}"#;
    let mut reader = Reader::from_read("x.jsonl", text.as_bytes(), config).unwrap();
    let events = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(documents(&events), [["a\u{fffd}b 😀 \u{fffd}"]]);
    assert_eq!(reader.replaced(), 2);
}

#[test]
fn after_an_error_the_reader_ends() {
    let mut reader = Reader::from_read("x.txt", &b"a\n\xFF\nb\n"[..], blank_line()).unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), Event::Line("a".into()));
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}

#[test]
fn lossy_reading_counts_over_all_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), b"a\xFF\xFE\n").unwrap();
    std::fs::write(folder.path().join("b.jsonl"), b"{\"text\": \"\xE2\x82b\"}\n").unwrap();
    let mut config = blank_line();
    config.lossy = true;
    let inputs = Inputs::expand(&[folder.path().to_str().unwrap()]).unwrap();
    let mut reader = Reader::new(inputs, config).unwrap();
    let events = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    assert_eq!(documents(&events), [["a\u{fffd}\u{fffd}"], ["\u{fffd}b"]]);
    assert_eq!(reader.replaced(), 3);
}

#[test]
fn progress_ends_at_the_bytes_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "some text\n".repeat(1000)).unwrap();
    std::fs::write(folder.path().join("b.txt"), "more\n").unwrap();
    let inputs = Inputs::expand(&[folder.path().to_str().unwrap()]).unwrap();
    let total = inputs.total_bytes().unwrap();
    let mut reader = Reader::new(inputs, blank_line()).unwrap();
    let progress = reader.progress();
    assert_eq!(progress.bytes_read(), 0);
    let watcher = std::thread::spawn(move || {
        let lines = reader.by_ref().filter(|event| matches!(event, Ok(Event::Line(_)))).count();
        (lines, reader.bytes_read())
    });
    assert_eq!(watcher.join().unwrap(), (1001, total));
    assert_eq!(progress.bytes_read(), total);
    assert_eq!(total, 10_005);
}

#[test]
fn a_line_too_long_is_refused_without_taking_it_in() {
    /// A file without an end.
    struct Endless;
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let mut config = blank_line();
    config.max_line_bytes = 1 << 20;
    let error = Reader::from_read("x.txt", Endless, config).unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().starts_with("x.txt: line 1: longer than 1048576 bytes"), "{error}");
}

#[test]
fn a_config_that_cannot_work_is_refused() {
    let mut config = blank_line();
    config.max_line_bytes = 0;
    let error = Reader::from_read("x.txt", &b""[..], config).unwrap_err();
    assert_eq!(error.to_string(), "read config: max_line_bytes: expected at least 1 byte");
}

#[test]
fn parquet_needs_a_file_and_the_feature() {
    let error = Reader::from_read("x.parquet", &b"PAR1"[..], blank_line()).unwrap_err();
    assert!(error.to_string().contains("expected a file, found a stream"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    std::fs::write(&path, b"not parquet").unwrap();
    let message = read_file(&path, blank_line()).unwrap_err().to_string();
    assert!(message.starts_with(path.to_str().unwrap()), "{message}");
    if cfg!(not(feature = "parquet")) {
        assert!(message.contains("build electra-text with its feature `parquet`"), "{message}");
    }
}
