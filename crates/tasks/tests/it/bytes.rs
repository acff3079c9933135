//! Files as bytes: compression, encodings, and what is no file.

use std::io::Write;

use electra_tasks::{Label, Split};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{Folder, examples, sentence};

const TEXT: &str = "sentence\tlabel\nfine\t1\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 0).unwrap()
}

#[test]
fn compressed_files_are_unpacked_whatever_their_names() {
    for (name, bytes) in [
        ("train.tsv.gz", gzip(TEXT)),
        ("train.tsv.zst", zstd(TEXT)),
        ("train.tsv", gzip(TEXT)),
        ("train.tsv", [gzip("sentence\tlabel\n"), gzip("fine\t1\n")].concat()),
        ("train.tsv", zstd(TEXT)),
    ] {
        let folder = Folder::new(&[]);
        folder.write(&format!("SST-2/{name}"), &bytes);
        let train = folder.read("SST-2", "train").unwrap();
        assert_eq!(examples(&train), [("0", sentence("fine", Some(Label::Class(1))))], "{name}");
    }
}

#[test]
fn compressed_files_that_were_cut_off_are_refused() {
    for (name, bytes) in [("gzip", gzip(TEXT)), ("zstd", zstd(TEXT))] {
        let folder = Folder::new(&[]);
        folder.write("SST-2/train.tsv", &bytes[..bytes.len() - 6]);
        let message = folder.message(folder.read("SST-2", "train"));
        assert_eq!(
            message,
            format!(
                "SST-2/train.tsv: truncated: the {name} data ends too early; fetch or write the file again"
            )
        );
    }
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_line() {
    for (bytes, message) in [
        (
            &b"sentence\tlabel\nfine\t1\ncaf\xe9\t1\n"[..],
            "SST-2/train.tsv: line 3: not UTF-8 at byte 4 of the line; convert the file to UTF-8",
        ),
        (
            b"\xff\xfes\0e\0",
            "SST-2/train.tsv: UTF-16, which is not read; expected text, plain or in gzip or zstd",
        ),
        (
            b"BZh91AY&SY\x19\x93",
            "SST-2/train.tsv: bzip2, which is not read; expected text, plain or in gzip or zstd",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            "SST-2/train.tsv: a pointer of Git LFS, not the file itself: fetch it with git lfs pull",
        ),
    ] {
        let folder = Folder::new(&[]);
        folder.write("SST-2/train.tsv", bytes);
        assert_eq!(folder.message(folder.read("SST-2", "train")), message);
    }
}

#[test]
fn a_folder_is_no_file() {
    let folder = Folder::new(&[("SST-2/train.tsv/x", "")]);
    assert_eq!(folder.message(folder.read("SST-2", "train")), "SST-2/train.tsv: a folder; expected a file");
}

#[test]
fn line_ends_and_byte_order_marks_are_no_text() {
    for text in ["\u{feff}sentence\tlabel\r\nfine\t1\r\n\r\n\r\n", "sentence\tlabel\nfine\t1"] {
        let folder = Folder::new(&[("SST-2/train.tsv", text)]);
        let train = folder.find("SST-2").unwrap().read(&Split::Train).unwrap();
        assert_eq!(examples(&train), [("0", sentence("fine", Some(Label::Class(1))))]);
    }
}
