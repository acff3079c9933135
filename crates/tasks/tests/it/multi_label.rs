//! Texts that may have several labels, and what is wrong with them.

use electra_tasks::{Label, Labels, Split};

use crate::{Folder, examples, no_task, pair, refused, sentence};

/// A task whose files are all of one name.
fn toml(lines: &str, file: &str) -> String {
    format!(
        "kind = \"sequence\"\nmulti_label = true\ntext = \"text\"\nlabel = \"emotions\"\n{lines}\n\
         [files]\ntrain = \"{file}\"\ntest = \"{file}\"\n"
    )
}

const LABELS: &str = "labels = [\"joy\", \"love\", \"fear\"]";

/// The labels of each example.
fn read(toml: &str, file: (&str, &str)) -> Vec<Vec<usize>> {
    let folder = Folder::new(&[("task.toml", toml), file]);
    let train = folder.own().read(&Split::Train).unwrap();
    let labels = examples(&train).into_iter().map(|(_, content)| match content {
        electra_tasks::Content::Sequence { label: Some(Label::MultiLabel(labels)), .. } => labels,
        other => panic!("{other:?}"),
    });
    labels.collect()
}

#[test]
fn several_labels_are_in_the_task() {
    let task = Folder::new(&[("task.toml", &toml(LABELS, "a.tsv"))]).own();
    assert_eq!(task.labels, Labels::MultiLabel(["joy", "love", "fear"].map(String::from).to_vec()));
    assert_eq!((task.score().name(), task.positive, task.separator()), ("micro-f1", None, ","));
    assert_eq!(task.metrics.len(), 1);
    let metrics =
        "metrics = [\"samples-f1\", \"accuracy\", \"macro-f1\", \"hamming-loss\"]\nseparator = \"|\"";
    let task = Folder::new(&[("task.toml", &toml(&format!("{LABELS}\n{metrics}"), "a.tsv"))]).own();
    assert_eq!((task.score().name(), task.metrics.len(), task.separator()), ("samples-f1", 4, "|"));
}

#[test]
fn a_field_has_labels_with_a_separator_or_none() {
    let file = |separator: &str| {
        let rows = ["joy", "fear|joy", "", " ", " love | joy "].map(|row| row.replace('|', separator));
        rows.iter().fold("emotions\ttext\n".to_owned(), |text, row| text + &format!("{row}\tx\n"))
    };
    let expected: [&[usize]; 5] = [&[0], &[0, 2], &[], &[], &[0, 1]];
    for (separator, line) in [
        (",", ""),
        ("|", "separator = \"|\""),
        (" ", "separator = \" \""),
        (" and ", "separator = \" and \""),
    ] {
        let toml = toml(&format!("{LABELS}\n{line}"), "a.tsv");
        assert_eq!(read(&toml, ("a.tsv", &file(separator))), expected, "{separator:?}");
    }
}

#[test]
fn pairs_and_test_sets_without_labels_are_read_too() {
    let toml = toml(LABELS, "a.tsv").replace("\"text\"", "[\"text\", \"other\"]");
    let folder = Folder::new(&[("task.toml", &toml), ("a.tsv", "text\tother\temotions\nx\ty\tlove,fear\n")]);
    let label = Some(Label::MultiLabel(vec![1, 2]));
    assert_eq!(examples(&folder.own().read(&Split::Train).unwrap()), [("0", pair("x", "y", label))]);
    folder.write("a.tsv", b"text\tother\nx\ty\n");
    let test = folder.own().read(&Split::Test).unwrap();
    assert!(!test.is_labelled());
    assert_eq!(examples(&test), [("0", pair("x", "y", None))]);
}

/// As `GoEmotions` is given out: text, numbers with commas, the comment's name; no header.
#[test]
fn labels_may_be_numbers_of_the_list() {
    let numbered = toml(&format!("{LABELS}\nlabel_encoding = \"ids\"\nheader = false\nindex = 3"), "a.tsv")
        .replace("\"text\"", "1")
        .replace("\"emotions\"", "2");
    let files =
        [("task.toml", &*numbered), ("a.tsv", "That is great\t0\ted5f\nDamn\t2,0\teez9\nWell\t\ted7d\n")];
    let folder = Folder::new(&files);
    let train = folder.own().read(&Split::Train).unwrap();
    let of = |text, labels: &[usize]| sentence(text, Some(Label::MultiLabel(labels.to_vec())));
    assert_eq!(
        examples(&train),
        [("ed5f", of("That is great", &[0])), ("eez9", of("Damn", &[0, 2])), ("ed7d", of("Well", &[]))]
    );
    for (label, expected) in [
        ("3", "expected the number of a label, 0 to 2, found \"3\""),
        ("0,joy", "expected the number of a label, 0 to 2, found \"joy\""),
        ("-1", "expected the number of a label, 0 to 2, found \"-1\""),
        ("0,,1", "expected the number of a label, 0 to 2, found \"\""),
        ("1,1", "expected each label once, found \"1\" twice"),
    ] {
        let file = format!("x\t{label}\tname\n");
        let message = refused(&[("task.toml", &numbered), ("a.tsv", &file)], &Split::Train);
        assert_eq!(message, format!("a.tsv: line 1, column 2: {expected}"));
    }
}

#[test]
fn single_labels_may_be_numbers_as_well() {
    let single = "kind = \"sequence\"\ntext = \"text\"\nlabel = \"y\"\nlabels = [\"no\", \"yes\"]\n\
        label_encoding = \"ids\"\n[files]\ntrain = \"a.tsv\"\n";
    let folder = Folder::new(&[("task.toml", single), ("a.tsv", "text\ty\nx\t1\n")]);
    let train = folder.own().read(&Split::Train).unwrap();
    assert_eq!(examples(&train), [("0", sentence("x", Some(Label::Class(1))))]);
    let words = "kind = \"tokens\"\nform = \"FORM\"\ntext = 1\nlabels = [\"O\", \"N\"]\nlabel_encoding = \"ids\"\n\
        [files]\ntrain = \"a\"\n";
    let jsonl = words.replace("FORM", "jsonl").replace("text = 1", "text = \"words\"\nlabel = \"tags\"");
    for (toml, file) in [
        (words.replace("FORM", "conll"), "the 0\ncat 1\n"),
        (jsonl, "{\"words\": [\"the\", \"cat\"], \"tags\": [0, 1]}\n"),
    ] {
        let folder = Folder::new(&[("task.toml", &toml), ("a", file)]);
        let train = folder.own().read(&Split::Train).unwrap();
        let content = electra_tasks::Content::Tokens {
            words: vec!["the".into(), "cat".into()],
            labels: Some(vec![0, 1]),
        };
        assert_eq!(examples(&train), [("0", content)]);
    }
}

#[test]
fn json_has_lists_of_names_of_numbers_or_of_indicators() {
    let expected: [&[usize]; 4] = [&[0], &[0, 2], &[], &[1]];
    for (encoding, fields) in [
        ("names", ["[\"joy\"]", "[\"fear\", \"joy\"]", "[]", "\"love\""]),
        ("names", ["\"joy\"", "\"fear, joy\"", "\"\"", "[\"love\"]"]),
        ("ids", ["[0]", "[2, 0]", "[]", "1"]),
        ("ids", ["\"0\"", "[\"2\", \"0\"]", "\"\"", "[1]"]),
        ("indicators", ["[1, 0, 0]", "[1.0, 0.0, 1.0]", "[0, 0, 0]", "[false, true, false]"]),
        ("indicators", ["\"1,0,0\"", "\"1, 0, 1\"", "\"0,0,0\"", "\"0,1,0\""]),
    ] {
        let toml = toml(&format!("{LABELS}\nlabel_encoding = \"{encoding}\""), "a.jsonl");
        let file = fields.iter().fold(String::new(), |text, field| {
            text + &format!("{{\"text\": \"x\", \"emotions\": {field}}}\n")
        });
        assert_eq!(read(&toml, ("a.jsonl", &file)), expected, "{file}");
    }
}

/// As Jigsaw's comments and SemEval-2018's tweets are given out.
#[test]
fn each_label_may_have_a_column_of_its_own() {
    let own =
        |lines: &str, file: &str| toml(lines, file).replace("\"emotions\"", "[\"joy\", \"love\", \"fear\"]");
    let tsv = "joy\tid\tlove\ttext\tfear\n0\t7\t1\tx\t1\n0\t8\t0\tx\t0\n1\t9\t0\tx\t0\n";
    let jsonl = "{\"text\": \"x\", \"joy\": 0, \"love\": true, \"fear\": 1}\n\
        {\"text\": \"x\", \"joy\": 0, \"love\": false, \"fear\": 0.0}\n\
        {\"text\": \"x\", \"joy\": \"1\", \"love\": 0, \"fear\": 0}\n";
    let expected: [&[usize]; 3] = [&[1, 2], &[], &[0]];
    for (name, file) in [("a.tsv", tsv), ("a.jsonl", jsonl)] {
        for lines in ["", LABELS, "labels = [\"a\", \"b\", \"c\"]"] {
            assert_eq!(read(&own(lines, name), (name, file)), expected);
        }
    }
    let unnamed = Folder::new(&[("task.toml", &own("", "a.tsv"))]).own();
    assert_eq!(unnamed.labels, Labels::MultiLabel(["joy", "love", "fear"].map(String::from).to_vec()));

    // A test set has all of them or none.
    let test = |name: &str, file: &str| {
        let folder = Folder::new(&[("task.toml", &own("", name)), (name, file)]);
        let read = folder.own().read(&Split::Test);
        read.map(|test| test.is_labelled()).map_err(|error| folder.relative(&error.to_string()))
    };
    assert_eq!(test("a.tsv", tsv), Ok(true));
    assert_eq!(test("a.tsv", "text\nx\n"), Ok(false));
    assert_eq!(test("a.jsonl", "{\"text\": \"x\"}\n"), Ok(false));
    assert_eq!(
        test("a.tsv", "text\tjoy\nx\t1\n").unwrap_err(),
        "a.tsv: line 1: expected a header with a column \"love\", as a test set needs labels, found \"text\" and \"joy\""
    );
    assert_eq!(
        test("a.jsonl", "{\"text\": \"x\", \"joy\": 1}\n").unwrap_err(),
        "a.jsonl: line 1: no labels: expected field \"love\", as a test set needs them"
    );
    let message = refused(
        &[("task.toml", &own("", "a.tsv")), ("a.tsv", "text\tjoy\tlove\tfear\nx\t1\t-1\t0\n")],
        &Split::Train,
    );
    assert_eq!(message, "a.tsv: line 2, column \"love\": expected 0 or 1, found \"-1\"");
}

#[test]
fn what_is_no_label_is_named_with_file_line_and_field() {
    let tsv = toml(LABELS, "a.tsv");
    for (label, expected) in [
        ("joy,hate", "unknown label \"hate\"; expected \"joy\", \"love\" or \"fear\""),
        ("joy|love", "unknown label \"joy|love\"; expected \"joy\", \"love\" or \"fear\""),
        ("joy,", "unknown label \"\"; expected \"joy\", \"love\" or \"fear\""),
        ("joy, love ,joy", "expected each label once, found \"joy\" twice"),
    ] {
        let file = format!("text\temotions\nx\tlove\nx\t{label}\n");
        let message = refused(&[("task.toml", &tsv), ("a.tsv", &file)], &Split::Train);
        assert_eq!(message, format!("a.tsv: line 3, column \"emotions\": {expected}"));
    }
    let indicators = toml(&format!("{LABELS}\nlabel_encoding = \"indicators\""), "a.jsonl");
    let names = toml(LABELS, "a.jsonl");
    for (toml, field, expected) in [
        (&names, "[\"joy\", \"joy\"]", "expected each label once, found \"joy\" twice"),
        (&names, "[\"joy,love\"]", "unknown label \"joy,love\"; expected \"joy\", \"love\" or \"fear\""),
        (&names, "[0]", "unknown label \"0\"; expected \"joy\", \"love\" or \"fear\""),
        (&names, "[[\"joy\"]]", "expected a list of labels, found [\"joy\"]"),
        (&names, "[null]", "expected a list of labels, found none"),
        (&names, "{\"joy\": 1}", "expected a list of labels, found {\"joy\":1}"),
        (&indicators, "[1, 0]", "expected 0 or 1 for each of the 3 labels, found 2 values"),
        (&indicators, "\"\"", "expected 0 or 1 for each of the 3 labels, found 1 value"),
        (&indicators, "[1, 0, 2]", "expected 0 or 1, found \"2\""),
        (&indicators, "[0.5, 0, 1]", "expected 0 or 1, found \"0.5\""),
    ] {
        let file = format!("{{\"text\": \"x\", \"emotions\": {field}}}\n");
        let message = refused(&[("task.toml", toml), ("a.jsonl", &file)], &Split::Train);
        assert_eq!(message, format!("a.jsonl: line 1, field \"emotions\": {expected}"));
    }
    let file = "{\"text\": \"x\", \"emotions\": []}\n";
    assert_eq!(
        refused(&[("task.toml", &indicators), ("a.jsonl", file)], &Split::Train),
        "a.jsonl: line 1, field \"emotions\": expected 0 or 1 for each of the 3 labels, found 0 values"
    );
    assert_eq!(
        refused(
            &[("task.toml", &names), ("a.jsonl", "{\"text\": \"x\", \"emotions\": null}\n")],
            &Split::Train
        ),
        "a.jsonl: line 1: no labels: expected field \"emotions\", as a train set needs them"
    );
}

#[test]
fn definitions_make_sense() {
    let files = "[files]\ntrain = \"a.tsv\"\n";
    let with = |lines: &str| format!("kind = \"sequence\"\ntext = \"t\"\n{lines}\n{files}");
    let multi = |lines: &str| with(&format!("multi_label = true\nlabel = \"y\"\n{lines}"));
    let columns = |lines: &str| with(&format!("multi_label = true\nlabel = [\"a\", \"b\"]\n{lines}"));
    let single = |lines: &str| with(&format!("label = \"y\"\nlabels = [\"a\", \"b\"]\n{lines}"));
    for (definition, expected) in [
        (multi(""), "labels: missing; name all that a text may have"),
        (multi("labels = [\"a\"]"), "line 5: labels: 1 of them; expected two or more"),
        (
            multi("labels = [\"a\", \"b\", \"a\"]"),
            "line 5: labels: \"a\" is there twice, the second time as number 3",
        ),
        (
            multi("labels = [\"a\", \"b,c\"]"),
            "line 5: labels: \"b,c\" holds the separator \",\"; expected another separator",
        ),
        (
            multi("labels = [\"a\", \"b\tc\"]\nseparator = \" \"").replace('\t', "\\t"),
            "line 5: labels: \"b\\tc\" holds the separator \" \"; expected another separator",
        ),
        (
            multi("labels = [\"a\", \" b\"]"),
            "line 5: labels: \" b\"; expected a name without white space around it",
        ),
        (
            multi("labels = [\"a\", \"\"]"),
            "line 5: labels: \"\"; expected a name without white space around it",
        ),
        (
            multi("labels = [\"a\", \"b\"]\nseparator = \"\""),
            "line 6: separator: \"\"; expected text without tabs and line breaks, such as \"|\"",
        ),
        (
            multi("labels = [\"a\", \"b\"]\nseparator = \"\\t\""),
            "line 6: separator: \"\\t\"; expected text without tabs and line breaks, such as \"|\"",
        ),
        (
            multi("labels = [\"a\", \"b\"]\nlabel_encoding = \"one-hot\""),
            "line 6: label_encoding: \"one-hot\"; expected names, ids or indicators",
        ),
        (
            multi("labels = [\"a\", \"b\"]\npositive = \"a\""),
            "line 6: positive: has no meaning with multi_label = true; take it out",
        ),
        (
            multi("regression = true"),
            "line 5: regression: has no meaning with multi_label = true; take it out",
        ),
        (
            multi("labels = [\"a\", \"b\"]\nmetrics = [\"f1\"]"),
            "line 6: metrics: \"f1\" does not fit multi_label = true; expected \"micro-f1\", \"macro-f1\", \"samples-f1\", \
             \"accuracy\" or \"hamming-loss\"",
        ),
        (
            multi("labels = [\"a\", \"b\"]\nmetrics = [\"hamming-loss\", \"micro-f1\"]"),
            "line 6: metrics: \"hamming-loss\" comes first, but the first is the score, of which more is better; expected \
             \"micro-f1\", \"macro-f1\", \"samples-f1\" or \"accuracy\" before it",
        ),
        (
            columns("labels = [\"a\", \"b\", \"c\"]"),
            "line 5: labels: 3 of them; expected one for each of the 2 columns of label",
        ),
        (
            columns("label_encoding = \"ids\""),
            "line 5: label_encoding: has no meaning with a column for each label; take it out",
        ),
        (
            columns("").replace("\"b\"", "\"a\""),
            "line 4: label: \"a\" is there twice, the second time as number 2",
        ),
        (
            columns("header = false").replace("[\"a\", \"b\"]", "[1, 2]").replace("\"t\"", "3"),
            "labels: missing; name all that a text may have",
        ),
        (
            with("label = [\"a\", \"b\"]\nlabels = [\"a\", \"b\"]"),
            "line 3: label: [\"a\", \"b\"]; expected the name of a column or field",
        ),
        (single("separator = \",\""), "line 5: separator: has no meaning with one label a text; take it out"),
        (
            single("label_encoding = \"indicators\""),
            "line 5: label_encoding: \"indicators\" needs multi_label = true; expected \"names\" or \"ids\"",
        ),
        (
            single("metrics = [\"micro-f1\"]"),
            "line 5: metrics: \"micro-f1\" does not fit two labels; expected \"accuracy\", \"f1\", \"macro-f1\", \
             \"matthews\" or \"auc\"",
        ),
        (
            format!("kind = \"tokens\"\nlabels = [\"a\", \"b\"]\nmulti_label = true\n{files}"),
            "line 3: multi_label: has no meaning with kind = \"tokens\"; take it out",
        ),
        (
            format!(
                "kind = \"choice\"\ntext = \"t\"\nchoices = [\"a\", \"b\"]\nlabel = \"y\"\nlabel_encoding = \"ids\"\n{files}"
            ),
            "line 5: label_encoding: has no meaning with labels that are no classes; take it out",
        ),
        (
            with("label = \"y\"\nregression = true\nlabel_encoding = \"ids\""),
            "line 5: label_encoding: has no meaning with labels that are no classes; take it out",
        ),
    ] {
        assert_eq!(no_task(&definition), format!("task.toml: {expected}"), "{definition}");
    }
}
