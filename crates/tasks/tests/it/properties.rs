//! Whatever a file holds, it is read as it stands or refused; nothing panics.

use electra_tasks::{Label, Split, minimal_pairs};
use proptest::prelude::*;

use crate::{Folder, examples, pair};

const TSV: &str = "kind = \"sequence\"\ntext = [\"a\", \"b\"]\nlabel = \"y\"\nlabels = [\"0\", \"1\"]\n\
    [files]\ntrain = \"data\"\ntest = \"data\"\n";
const JSONL: &str = "kind = \"choice\"\nform = \"jsonl\"\ntext = \"a\"\nchoices = \"c\"\nlabel = \"y\"\n\
    [files]\ntrain = \"data\"\ntest = \"data\"\n";
const CONLL: &str =
    "kind = \"tokens\"\nlabels = [\"0\", \"1\"]\n[files]\ntrain = \"data\"\ntest = \"data\"\n";
const MULTI_LABEL: &str = "kind = \"sequence\"\nmulti_label = true\nform = \"jsonl\"\ntext = \"a\"\nlabel = \"y\"\n\
    labels = [\"1\", \"x\"]\n[files]\ntrain = \"data\"\ntest = \"data\"\n";
const SQUAD: &str = "kind = \"spans\"\n[files]\ntrain = \"data\"\ntest = \"data\"\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_come_back_as_they_were_written(
        rows in prop::collection::vec(("[^\t\n\r\u{feff}]*[^\\s\u{feff}]", "[^\t\n\r\u{feff}]*[^\\s\u{feff}]", 0..2_usize), 1..8),
        crlf: bool,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = format!("a\ty\tb{end}");
        for (first, second, label) in &rows {
            text.push_str(&format!("{first}\t{label}\t{second}{end}"));
        }
        let folder = Folder::new(&[("task.toml", TSV), ("data", &text)]);
        let train = folder.own().read(&Split::Train).unwrap();
        let contents: Vec<_> = examples(&train).into_iter().map(|(_, content)| content).collect();
        let expected: Vec<_> =
            rows.iter().map(|(first, second, label)| pair(first, second, Some(Label::Class(*label)))).collect();
        prop_assert_eq!(contents, expected);
    }

    #[test]
    fn any_bytes_are_read_or_refused_with_the_files_name(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "(a\tb\ty\n)?([ab\"01\\\\]{0,3}[\t \n\r]){0,20}".prop_map(String::into_bytes),
            r#"(\{("data"|"a"|"c"|"y"): ?(\[|"x"|1|\]|null)\}?\n?){0,6}"#.prop_map(String::into_bytes),
        ],
    ) {
        let folder = Folder::new(&[]);
        folder.write("data", &bytes);
        for definition in [TSV, JSONL, MULTI_LABEL, CONLL, SQUAD] {
            folder.write("task.toml", definition.as_bytes());
            for split in [Split::Train, Split::Test] {
                match folder.own().read(&split) {
                    Ok(dataset) => prop_assert!(!dataset.examples.is_empty()),
                    Err(error) => prop_assert!(folder.relative(&error.to_string()).starts_with("data: ")),
                }
            }
        }
        if let Err(error) = minimal_pairs(&folder.path().join("data")) {
            prop_assert!(folder.relative(&error.to_string()).starts_with("data: "));
        }
    }
}
