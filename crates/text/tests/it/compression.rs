use std::io::Write;

use electra_text::Error;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{blank_line, documents, read, read_file};

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// A skippable frame with four bytes in it.
const SKIPPABLE: &[u8] = b"\x5a\x2a\x4d\x18\x04\0\0\0skip";

#[test]
fn names_play_no_part() {
    for name in ["x.txt", "x.gz", "x.zst", "<stdin>"] {
        for bytes in [gz(b"A\n\nB\n"), zst(b"A\n\nB\n"), [SKIPPABLE, &zst(b"A\n\nB\n")].concat()] {
            let events = read(name, &bytes, blank_line()).unwrap();
            assert_eq!(documents(&events), [["A"], ["B"]], "{name}");
        }
    }
}

#[test]
fn several_members_and_frames_are_one_stream() {
    for bytes in
        [[gz(b"A\nA"), gz(b"A\n\nB")].concat(), [&zst(b"A\nA")[..], SKIPPABLE, &zst(b"A\n\nB")].concat()]
    {
        let events = read("x.txt", &bytes, blank_line()).unwrap();
        assert_eq!(documents(&events), [vec!["A", "AA"], vec!["B"]]);
    }
}

#[test]
fn long_windows_are_read() {
    // 1 << 28 is beyond the decoder's default limit of 1 << 27.
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(28).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(b"A\n").unwrap();
    let events = read("x.txt", &encoder.finish().unwrap(), blank_line()).unwrap();
    assert_eq!(documents(&events), [["A"]]);
}

#[test]
fn a_truncated_file_is_named_as_such() {
    let text = (0..5000).map(|number| format!("line {number}\n")).collect::<String>();
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("x.txt.gz", gz(text.as_bytes())), ("x.txt.zst", zst(text.as_bytes()))] {
        let path = folder.path().join(name);
        for length in [0, 1, 2, 3, 4, 5, 12, bytes.len() / 2, bytes.len() - 5, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..length]).unwrap();
            match read_file(&path, blank_line()) {
                Err(Error::Truncated { path: named, .. }) => assert_eq!(named, path),
                // A name alone says little about two or three bytes, and a magic number needs four.
                other => panic!("{name} cut to {length} bytes: {other:?}"),
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read_file(&path, blank_line()).unwrap().len(), 5001);
    }
}

#[test]
fn a_damaged_file_is_an_error_that_names_it() {
    for mut bytes in [gz(b"some text, some more text\n"), zst(&b"some text, some more text\n".repeat(99))] {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x5a;
        bytes[middle + 1] ^= 0xa5;
        if let Err(error) = read("x.txt", &bytes, blank_line()) {
            assert!(error.to_string().starts_with("x.txt: "), "{error}");
        } else {
            panic!("damage went unseen");
        }
    }
}

#[test]
fn zeros_behind_gzip_are_padding() {
    let padded = [gz(b"A\n\nB"), vec![0; 300_000]].concat();
    assert_eq!(documents(&read("x.txt", &padded, blank_line()).unwrap()), [["A"], ["B"]]);
    let more = [padded, gz(b"C")].concat();
    let error = read("x.txt", &more, blank_line()).unwrap_err().to_string();
    assert_eq!(error, "x.txt: expected the end of the gzip data, found more behind zeros");
    let garbage = [gz(b"A"), b"garbage".to_vec()].concat();
    assert!(read("x.txt", &garbage, blank_line()).is_err());
}

#[test]
fn formats_that_are_not_read_are_named() {
    let mut tar = vec![0; 1024];
    tar[..5].copy_from_slice(b"a.txt");
    tar[257..262].copy_from_slice(b"ustar");
    let lossy = || {
        let mut config = blank_line();
        config.lossy = true;
        config
    };
    for (bytes, name) in [
        (b"BZh91AY&SY\x19\x93\x9b\x6b".to_vec(), "bzip2"),
        (b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46".to_vec(), "xz"),
        (b"PK\x03\x04\x14\0\0\0".to_vec(), "a zip archive"),
        (b"\xff\xfea\0\n\0".to_vec(), "UTF-16"),
        (gz(&tar), "a tar archive"),
        (zst(&tar), "a tar archive"),
        (tar.clone(), "a tar archive"),
    ] {
        for config in [blank_line(), lossy()] {
            let message = read("a.txt", &bytes, config).unwrap_err().to_string();
            let expected =
                format!("a.txt: {name}, which is not read; expected text, plain or in gzip or zstd");
            assert_eq!(message, expected);
        }
    }
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let message = read("a.jsonl", pointer, blank_line()).unwrap_err().to_string();
    assert_eq!(message, "a.jsonl: a pointer of Git LFS, not the file itself: fetch it with git lfs pull");
}
