use electra_text::{Event, ReadConfig, Reader, Separator, sentences};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::compression::{gz, zst};
use crate::{documents, read};

fn config(separator: Separator, lossy: bool) -> ReadConfig {
    ReadConfig { lossy, ..ReadConfig::new(separator) }
}

fn separator() -> impl Strategy<Value = Separator> {
    prop_oneof![Just(Separator::BlankLine), Just(Separator::Line)]
}

/// Text with many line ends, blanks and marks.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "\\PC{0,8}",
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => "[ \t\r\u{3000}\u{feff}\u{85}\u{2028}]{1,2}",
    ];
    vec(part, 0..20).prop_map(|parts| parts.concat())
}

/// Bytes that are often nearly UTF-8.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        3 => text().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..6),
        1 => vec(0x80u8..=0xff, 0..4),
    ];
    vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// What the reader should give, in a few lines that know the whole text.
fn expected(text: &str, separator: Separator) -> Vec<Vec<&str>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => line,
    });
    let lines: Vec<_> = lines.collect();
    match separator {
        Separator::Line => {
            lines.into_iter().filter(|line| !line.trim().is_empty()).map(|line| vec![line]).collect()
        }
        Separator::BlankLine => lines
            .split(|line| line.trim().is_empty())
            .filter(|document| !document.is_empty())
            .map(<[_]>::to_vec)
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn events_reproduce_the_lines_that_are_not_blank(text in text(), separator in separator()) {
        let events = read("x.txt", text.as_bytes(), config(separator, false)).unwrap();
        prop_assert_eq!(documents(&events), expected(&text, separator));
    }

    #[test]
    fn compression_changes_nothing(text in text(), cut in any::<prop::sample::Index>(), separator in separator()) {
        let plain = read("x.txt", text.as_bytes(), config(separator, false)).unwrap();
        let (first, second) = text.as_bytes().split_at(cut.index(text.len() + 1));
        for bytes in [
            gz(text.as_bytes()),
            zst(text.as_bytes()),
            [gz(first), gz(second)].concat(),
            [zst(first), zst(second)].concat(),
        ] {
            prop_assert_eq!(&read("x.txt", &bytes, config(separator, false)).unwrap(), &plain);
        }
    }

    #[test]
    fn any_bytes_are_text_or_an_error(bytes in bytes(), separator in separator()) {
        // Bytes that happen to be a compressed stream's first are another test's business.
        let compressed = bytes.starts_with(&[0x1f, 0x8b]) || bytes.get(1..4) == Some(&[0x2a, 0x4d, 0x18]);
        prop_assume!(!compressed && !bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]));
        let strict = read("x.txt", &bytes, config(separator, false));
        match std::str::from_utf8(&bytes) {
            Ok(text) => {
                let events = strict.unwrap();
                prop_assert_eq!(documents(&events), expected(text, separator));
            }
            Err(error) => {
                let message = strict.unwrap_err().to_string();
                let offset = error.valid_up_to();
                let line = bytes[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1;
                let start = format!("x.txt: line {line}: not UTF-8 at byte {offset}:");
                prop_assert!(message.starts_with(&start), "{message} instead of {start}");
            }
        }

        let mut reader = Reader::from_read("x.txt", std::io::Cursor::new(bytes.clone()), config(separator, true)).unwrap();
        let lossy = reader.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
        let replaced = String::from_utf8_lossy(&bytes);
        prop_assert_eq!(documents(&lossy), expected(&replaced, separator));
        let broken = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
        prop_assert_eq!(reader.replaced(), broken as u64);
    }

    #[test]
    fn damaged_streams_never_panic(bytes in vec(any::<u8>(), 0..200), magic in 0usize..4, json in any::<bool>()) {
        let magic: &[u8] = [&b""[..], b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18"][magic];
        let name = if json { "x.jsonl" } else { "x.txt" };
        let _ = read(name, &[magic, &bytes].concat(), config(Separator::Line, true));
    }

    #[test]
    fn json_lines_equal_the_text_they_carry(texts in vec(text(), 0..5)) {
        let json: String = texts.iter().map(|text| format!("{}\n", serde_json::json!({"text": text}))).collect();
        let events = read("x.jsonl", json.as_bytes(), config(Separator::Line, false)).unwrap();
        let carried: Vec<Vec<&str>> = texts
            .iter()
            .map(|text| text.split('\n').enumerate().map(|(index, line)| {
                let last = index == text.matches('\n').count();
                if last { line } else { line.strip_suffix('\r').unwrap_or(line) }
            }).filter(|line| !line.trim().is_empty()).collect())
            .filter(|lines: &Vec<&str>| !lines.is_empty())
            .collect();
        prop_assert_eq!(documents(&events), carried);
    }

    #[test]
    fn sentences_lose_nothing_but_white_space(text in "[\\PC\n.!?。؟। ]{0,60}") {
        let glued: String = sentences(&text).flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
        let expected: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        prop_assert_eq!(glued, expected);
        prop_assert!(sentences(&text).all(|sentence| !sentence.is_empty() && sentence == sentence.trim()));
    }
}

#[test]
fn an_event_is_a_line_or_an_end() {
    let events = read("x.txt", b"a", config(Separator::Line, false)).unwrap();
    assert_eq!(events, [Event::Line("a".into()), Event::EndOfDocument]);
}
