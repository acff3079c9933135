//! The official forms of GLUE's files, in sentences of our own.

use electra_tasks::{Content, Kind, Label, Labels, TABLE};

use crate::{Folder, examples, pair, sentence};

const NO: Option<Label> = Some(Label::Class(0));
const YES: Option<Label> = Some(Label::Class(1));

#[test]
fn the_table_scores_as_the_paper_does() {
    let rows: Vec<(&str, &str, u32)> =
        TABLE.iter().map(|entry| (entry.name, entry.metrics[0].name(), entry.epochs)).collect();
    assert_eq!(
        rows,
        [
            ("CoLA", "matthews", 3),
            ("SST-2", "accuracy", 3),
            ("MRPC", "accuracy", 3),
            ("STS-B", "spearman", 10),
            ("QQP", "accuracy", 3),
            ("MNLI", "accuracy", 3),
            ("QNLI", "accuracy", 3),
            ("RTE", "accuracy", 10),
            ("WNLI", "accuracy", 3),
            ("AX", "matthews", 3),
            ("SQuAD-1.1", "exact-match", 2),
            ("SQuAD-2.0", "exact-match", 2),
        ]
    );
}

#[test]
fn cola_has_no_header_but_in_its_test_set() {
    let folder = Folder::new(&[
        ("CoLA/train.tsv", "xx01\t1\t\tThe kettle sang.\nxx01\t0\t*\tThe kettle sang the.\n"),
        ("CoLA/dev.tsv", "yy02\t0\t*\tHim left."),
        ("CoLA/test.tsv", "index\tsentence\n0\tShe left.\n"),
    ]);
    let train = folder.read("CoLA", "train").unwrap();
    let sentences = [("0", sentence("The kettle sang.", YES)), ("1", sentence("The kettle sang the.", NO))];
    assert_eq!(examples(&train), sentences);
    assert_eq!(examples(&folder.read("CoLA", "dev").unwrap()), [("0", sentence("Him left.", NO))]);
    let test = folder.read("CoLA", "test").unwrap();
    assert_eq!(examples(&test), [("0", sentence("She left.", None))]);
    assert!(train.is_labelled() && !test.is_labelled());
}

#[test]
fn cola_may_have_a_header() {
    let folder = Folder::new(&[("CoLA/train.tsv", "sentence\tlabel\nShe left.\t1\n")]);
    assert_eq!(examples(&folder.read("CoLA", "train").unwrap()), [("0", sentence("She left.", YES))]);
}

#[test]
fn sst_2_keeps_its_spaces() {
    let folder = Folder::new(&[("SST-2/train.tsv", "sentence\tlabel\nneither \"good nor bad \t0\n")]);
    let train = folder.read("SST-2", "train").unwrap();
    assert_eq!(examples(&train), [("0", sentence("neither \"good nor bad ", NO))]);
}

#[test]
fn quotes_and_backslashes_mean_nothing() {
    let text =
        "index\tsentence1\tsentence2\tlabel\n7\t\"So\tit \\t\" began\tentailment\n8\ta\tb\tnot_entailment\n";
    let folder = Folder::new(&[("RTE/dev.tsv", text)]);
    let dev = folder.read("RTE", "dev").unwrap();
    assert_eq!(examples(&dev), [("7", pair("\"So", "it \\t\" began", NO)), ("8", pair("a", "b", YES))]);
}

#[test]
fn mrpc_has_a_byte_order_mark_and_no_labels_in_its_test_set() {
    let folder = Folder::new(&[
        (
            "MRPC/train.tsv",
            "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t11\t12\tIt ' s on .\tOn it is .\r\n",
        ),
        ("MRPC/test.tsv", "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n5\t3\t4\ta b\tc d\n"),
    ]);
    let train = folder.read("MRPC", "train").unwrap();
    assert_eq!(examples(&train), [("0", pair("It ' s on .", "On it is .", YES))]);
    assert_eq!(examples(&folder.read("MRPC", "test").unwrap()), [("5", pair("a b", "c d", None))]);
    assert_eq!(folder.find("MRPC").unwrap().positive, Some(1));
}

/// Three pairs in Microsoft's form; the second is of the dev set.
const MICROSOFT: &str = "\u{feff}Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n\
    1\t1\t2\ta\tb\r\n0\t3\t4\tc\td\r\n1\t5\t6\te\tf\r\n";

#[test]
fn mrpc_in_microsofts_file_is_parted_by_the_list_of_ids() {
    let lists = [
        ("dev_ids.tsv", "3\t4\n"),
        ("dev.tsv", "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t3\t4\tc\td\n"),
    ];
    for (name, list) in lists {
        let folder = Folder::new(&[("mrpc/msr_paraphrase_train.txt", MICROSOFT)]);
        let result = folder.read("MRPC", "train");
        assert_eq!(
            folder.message(result),
            "DATA: no files of the task MRPC: expected a folder MRPC with train.tsv, \
             dev.tsv, test.tsv"
        );
        folder.write(&format!("mrpc/{name}"), list.as_bytes());
        let train = folder.read("MRPC", "train").unwrap();
        assert_eq!(examples(&train), [("0", pair("a", "b", YES)), ("1", pair("e", "f", YES))], "{name}");
        assert_eq!(examples(&folder.read("MRPC", "dev").unwrap()), [("0", pair("c", "d", NO))], "{name}");
    }
}

#[test]
fn a_list_of_ids_of_another_form_is_refused() {
    for (list, message) in [
        (
            "3 4\n",
            "MRPC/dev_ids.tsv: line 1: expected a header with the columns \"#1 ID\" and \"#2 ID\", or two columns with \
             ids, found \"3 4\"",
        ),
        ("3\t4\n5\n", "MRPC/dev_ids.tsv: line 2: expected at least 2 columns, found 1"),
    ] {
        let folder = Folder::new(&[("MRPC/msr_paraphrase_train.txt", MICROSOFT), ("MRPC/dev_ids.tsv", list)]);
        assert_eq!(folder.message(folder.read("MRPC", "dev")), message);
    }
}

#[test]
fn sts_b_has_values() {
    let header = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore";
    let folder = Folder::new(&[(
        "STS-B/dev.tsv",
        &format!("{header}\n0\tg\tf\t2012\t0001\tnone\tnone\ta b\tc d\t3.800\n"),
    )]);
    let task = folder.find("STS-B").unwrap();
    assert_eq!(task.labels, Labels::Values { low: 0.0, high: 5.0 });
    assert_eq!(
        examples(&folder.read("STS-B", "dev").unwrap()),
        [("0", pair("a b", "c d", Some(Label::Value(3.8))))]
    );

    for found in ["5.1", "-0.5", "NaN", "much", ""] {
        folder.write("STS-B/dev.tsv", format!("{header}\n0\tg\tf\ty\to\tn\tn\ta\tb\t{found}\n").as_bytes());
        let expected = format!(
            "STS-B/dev.tsv: line 2, column \"score\": expected a number from 0 to 5, found {found:?}"
        );
        assert_eq!(folder.message(folder.read("STS-B", "dev")), expected);
    }
}

#[test]
fn qqp_keeps_empty_questions_and_leaves_out_broken_lines() {
    let folder = Folder::new(&[
        (
            "QQP/train.tsv",
            "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n\
             4\t1\t2\tWhy?\t\t0\n5\t3\t4\tWho came\nand when?\tWhen?\t1\n6\t5\t6\tHow?\tHow so?\t1\n",
        ),
        ("QQP/test.tsv", "id\tquestion1\tquestion2\n0\tWhy?\tHow?\n"),
    ]);
    let train = folder.read("QQP", "train").unwrap();
    assert_eq!(examples(&train), [("4", pair("Why?", "", NO)), ("6", pair("How?", "How so?", YES))]);
    assert_eq!(train.left_out, ["line 3", "line 4"]);
    assert_eq!(examples(&folder.read("QQP", "test").unwrap()), [("0", pair("Why?", "How?", None))]);
}

#[test]
fn mnli_has_two_dev_sets_in_a_long_and_a_short_form() {
    let long = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\t\
        sentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label\n\
        0\t1\t1n\tg\t( a )\t( b )\t(X a)\t(X b)\ta\tb\tneutral\tentailment\tneutral\tneutral\tneutral\tneutral\n";
    let short = "index\tsentence1\tsentence2\tgold_label\n9\tc\td\tcontradiction\n";
    let folder = Folder::new(&[("mnli/dev_matched.tsv", short), ("mnli/dev_mismatched.tsv", long)]);
    let task = folder.find("MNLI").unwrap();
    assert_eq!(task.splits().map(ToString::to_string).collect::<Vec<_>>(), ["dev", "dev-mismatched"]);
    let contradiction = Some(Label::Class(2));
    assert_eq!(examples(&folder.read("MNLI", "dev").unwrap()), [("9", pair("c", "d", contradiction))]);
    let mismatched = folder.read("MNLI", "dev-mismatched").unwrap();
    assert_eq!(examples(&mismatched), [("0", pair("a", "b", YES))]);
}

#[test]
fn qnli_wnli_and_ax_are_read() {
    let folder = Folder::new(&[
        ("QNLI/dev.tsv", "index\tquestion\tsentence\tlabel\n3\tWho?\tMe.\tentailment\n"),
        ("WNLI/dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n"),
        ("diagnostic/diagnostic.tsv", "index\tsentence1\tsentence2\n1\ta\tb\n"),
    ]);
    assert_eq!(examples(&folder.read("QNLI", "dev").unwrap()), [("3", pair("Who?", "Me.", NO))]);
    assert_eq!(examples(&folder.read("WNLI", "dev").unwrap()), [("0", pair("a", "b", YES))]);
    assert_eq!(examples(&folder.read("AX", "test").unwrap()), [("1", pair("a", "b", None))]);
    assert_eq!(
        folder.message(folder.read("AX", "dev")),
        "diagnostic: no dev set of the task AX: expected one of the sets that it has: test"
    );

    let full = "Lexical Semantics\tLogic\tDomain\tPremise\tHypothesis\tLabel\nx\ty\tz\ta\tb\tneutral\n";
    folder.write("diagnostic/diagnostic-full.tsv", full.as_bytes());
    assert_eq!(examples(&folder.read("AX", "test").unwrap()), [("0", pair("a", "b", YES))]);
}

#[test]
fn squad_is_in_the_table() {
    let file = r#"{"data": [{"paragraphs": [{"context": "a b", "qas": [{"id": "q", "question": "c", "answers": []}]}]}]}"#;
    let folder = Folder::new(&[("squad/dev-v2.0.json", file)]);
    let task = folder.find("squad2.0").unwrap();
    assert_eq!(
        (task.kind, &task.articles[..]),
        (Kind::Spans { unanswerable: true }, &["a", "an", "the"].map(String::from)[..])
    );
    let dev = folder.read("SQuAD-2.0", "dev").unwrap();
    assert!(
        matches!(&dev.examples[0].content, Content::Spans { answers: Some(answers), .. } if answers.is_empty())
    );
}
