//! Questions with answers in a text.

use electra_tasks::{Answer, Content, Split};

use crate::{Folder, examples, refused};

const TOML: &str = "kind = \"spans\"\nunanswerable = true\n\
    [files]\ntrain = \"a.json\"\ndev = \"a.json\"\ntest = \"a.json\"\n";

/// One question about a text with characters of several bytes.
fn file(question: &str) -> String {
    format!(
        "{{\"version\": \"x\", \"data\": [{{\"title\": \"t\", \"paragraphs\": [\n\
         {{\"context\": \"Žofie žije v Brně.\", \"qas\": [\n{{\"id\": \"q1\", \"question\": \"Kde?\"{question}}}\n]}}\n]}}]}}\n"
    )
}

fn answered(text: &str, start: usize) -> String {
    file(&format!(", \"answers\": [{{\"text\": {text:?}, \"answer_start\": {start}}}]"))
}

fn spans(answers: Option<Vec<Answer>>) -> Content {
    Content::Spans { question: "Kde?".into(), context: "Žofie žije v Brně.".into(), answers }
}

#[test]
fn answers_have_bytes_for_characters() {
    let folder = Folder::new(&[("task.toml", TOML), ("a.json", &answered("v Brně", 11))]);
    let answer = Answer { text: "v Brně".into(), start: 13 };
    for split in [Split::Train, Split::Dev, Split::Test] {
        let dataset = folder.own().read(&split).unwrap();
        assert_eq!(examples(&dataset), [("q1", spans(Some(vec![answer.clone()])))]);
    }
}

#[test]
fn a_question_may_have_no_answer() {
    for question in
        [", \"answers\": [], \"is_impossible\": true", ", \"is_impossible\": true", ", \"answers\": []"]
    {
        let folder = Folder::new(&[("task.toml", TOML), ("a.json", &file(question))]);
        assert_eq!(examples(&folder.own().read(&Split::Train).unwrap()), [("q1", spans(Some(vec![])))]);
    }
}

#[test]
fn converters_write_no_answer_as_an_empty_one() {
    for question in [
        ", \"is_impossible\": true, \"answers\": [{\"text\": \"\", \"answer_start\": -1}]",
        ", \"answers\": [{\"text\": \"\", \"answer_start\": -1}]",
        ", \"is_impossible\": true, \"answers\": [{\"text\": \"\", \"answer_start\": 0}]",
    ] {
        // Ids may be numbers.
        let text = file(question).replace("\"q1\"", "7");
        let folder = Folder::new(&[("task.toml", TOML), ("a.json", &text)]);
        assert_eq!(examples(&folder.own().read(&Split::Train).unwrap()), [("7", spans(Some(vec![])))]);
    }
}

#[test]
fn an_answer_may_have_other_white_space() {
    let text = answered("Žofie  žije\tv", 0).replace("Žofie žije v", "Žofie \\n žije v");
    let folder = Folder::new(&[("task.toml", TOML), ("a.json", &text)]);
    let train = folder.own().read(&Split::Train).unwrap();
    let Content::Spans { context, answers: Some(answers), .. } = &train.examples[0].content else {
        panic!("a question")
    };
    assert_eq!(answers[..], [Answer { text: "Žofie \n žije v".into(), start: 0 }]);
    assert!(context.starts_with(&answers[0].text));
    // A word that is not whole is not found.
    let text = answered("Žofie žijev", 0);
    assert!(Folder::new(&[("task.toml", TOML), ("a.json", &text)]).own().read(&Split::Train).is_err());
}

#[test]
fn misplaced_answers_may_be_left_out() {
    let text = answered("v Brně", 11);
    let two = text.replace(
        "{\"id\": \"q1\"",
        "{\"id\": \"q0\", \"question\": \"?\", \"answers\": [{\"text\": \"Brně\", \"answer_start\": 2}]}, {\"id\": \"q1\"",
    );
    let toml = TOML.replace("[files]", "broken = \"skip\"\n[files]");
    let folder = Folder::new(&[("task.toml", &toml), ("a.json", &two)]);
    let train = folder.own().read(&Split::Train).unwrap();
    assert_eq!(train.examples.iter().map(|example| &*example.index).collect::<Vec<_>>(), ["q1"]);
    assert_eq!(train.left_out, ["question \"q0\""]);
    // Where nothing is learnt, the place of an answer does not count.
    let dev = folder.own().read(&Split::Dev).unwrap();
    assert_eq!((dev.examples.len(), dev.note()), (2, None));
}

#[test]
fn a_test_set_may_say_nothing() {
    let folder = Folder::new(&[("task.toml", TOML), ("a.json", &file(""))]);
    assert_eq!(examples(&folder.own().read(&Split::Test).unwrap()), [("q1", spans(None))]);
}

#[test]
fn a_test_set_says_all_answers_or_none() {
    let with = ["\"answers\": [{\"text\": \"v\", \"answer_start\": 11}]", "\"is_impossible\": true"];
    for with in with {
        for (first, second, expected) in [
            (None, Some(with), "question \"2\": it says its answers, and the questions before it do not"),
            (Some(with), None, "question \"2\": no answers; expected some"),
        ] {
            let second = second.map(|with| format!(", {with}")).unwrap_or_default();
            let first = first.map(|with| format!(", {with}")).unwrap_or_default();
            let text = file(&format!("{first}}}, {{\"id\": \"2\", \"question\": \"Kdy?\"{second}"));
            let folder = Folder::new(&[("task.toml", TOML), ("a.json", &text)]);
            let message = folder.own().read(&Split::Test).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}

#[test]
fn where_an_answer_stands_counts_in_train_sets_alone() {
    let folder = Folder::new(&[("task.toml", TOML), ("a.json", &answered("v Brně", 99))]);
    let dev = folder.own().read(&Split::Dev).unwrap();
    assert_eq!(examples(&dev), [("q1", spans(Some(vec![Answer { text: "v Brně".into(), start: 21 }])))]);
}

#[test]
fn messages_name_file_line_and_question() {
    let unanswerable = ", \"answers\": [], \"is_impossible\"";
    for (file, expected) in [
        (
            answered("v Brně", 12),
            "expected the answer \"v Brně\" at character 12 of the context, found \" Brně.\"; broken = \"skip\" in \
             task.toml leaves such questions out",
        ),
        (
            answered("v Brně", 99),
            "expected the answer \"v Brně\" at character 99 of the context, the context has 18 characters; broken = \
             \"skip\" in task.toml leaves such questions out",
        ),
        (
            answered("v Brně", 0).replace(": 0}", ": -1}"),
            "answer_start is -1; expected a character of the context",
        ),
        (answered("  ", 0), "an answer is empty; expected text"),
        (file(""), "no answers; expected some, as a train set needs them"),
        (
            file(&format!("{unanswerable}: false")),
            "it has no answer, and is_impossible is false; expected an answer",
        ),
        (
            file(", \"is_impossible\": true, \"answers\": [{\"text\": \"v\", \"answer_start\": 11}]"),
            "it has an answer, and is_impossible is true; expected no answer",
        ),
        (file("").replace("Kde?", ""), "its question is empty; expected text"),
        (file("").replace("Žofie žije v Brně.", "\u{a0}"), "its context is empty; expected text"),
    ] {
        let message = refused(&[("task.toml", TOML), ("a.json", &file)], &Split::Train);
        assert_eq!(message, format!("a.json: line 3, question \"q1\": {expected}"));
    }
    let toml = TOML.replace("unanswerable = true\n", "");
    let message =
        refused(&[("task.toml", &toml), ("a.json", &file(&format!("{unanswerable}: true")))], &Split::Dev);
    assert_eq!(
        message,
        "a.json: line 3, question \"q1\": it has no answer; expected one, or a task with unanswerable = true"
    );
}

#[test]
fn another_form_is_refused_with_line_and_column() {
    let whole = answered("v Brně", 11);
    for (file, expected) in [
        (
            &whole[..whole.len() - 8],
            "a.json: line 4, column 0: expected SQuAD's form: EOF while parsing a list; the file may be cut off",
        ),
        (
            &whole.replace("qas", "questions"),
            "a.json: line 4, column 2: expected SQuAD's form: missing field `qas`",
        ),
        (
            "[]",
            "a.json: line 1, column 2: expected SQuAD's form: an empty list, expected an object with a list \"data\"",
        ),
        (
            "{\"data\": [{\"paragraphs\": 3}]}",
            "a.json: line 1, column 26: expected SQuAD's form: invalid type: integer `3`, expected a sequence",
        ),
        ("{\"data\": []}", "a.json: nothing in it; expected examples of the task answers"),
    ] {
        let toml = format!("name = \"answers\"\n{TOML}");
        assert_eq!(refused(&[("task.toml", &toml), ("a.json", file)], &Split::Train), expected);
    }
}
