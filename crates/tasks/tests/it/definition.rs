//! What a `task.toml` may say.

use electra_tasks::{Kind, Labels, Scheme, Split};

use crate::{Folder, no_task};

const FILES: &str = "[files]\ntrain = \"a.tsv\"\n";

fn with(lines: &str) -> String {
    format!("kind = \"sequence\"\ntext = \"text\"\nlabel = \"label\"\n{lines}\n{FILES}")
}

fn task(definition: &str) -> electra_tasks::Task {
    Folder::new(&[("task.toml", definition)]).own()
}

#[test]
fn everything_that_is_said_is_in_the_task() {
    let definition = with(
        "name = \"tone\"\ntitle = \"Tone of letters\"\nlabels = [\"low\", \"mid\", \"high\"]\npositive = \"mid\"\n\
        metrics = [\"f1\", \"matthews\"]\nepochs = 7",
    );
    let task = task(&definition);
    assert_eq!((task.name.as_str(), task.title.as_str()), ("tone", "Tone of letters"));
    assert_eq!(task.kind, Kind::Sequence { pair: false });
    assert_eq!(task.labels, Labels::Classes(["low", "mid", "high"].map(String::from).to_vec()));
    assert_eq!((task.positive, task.epochs), (Some(1), Some(7)));
    assert_eq!(task.metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>(), ["f1", "matthews"]);
    assert!(task.articles.is_empty());
}

#[test]
fn metrics_have_defaults_by_kind() {
    let spans = format!("kind = \"spans\"\narticles = [\"der\"]\n{FILES}");
    let tokens = format!("kind = \"tokens\"\nlabels = [\"a\", \"b\"]\n{FILES}");
    let choice = format!("kind = \"choice\"\ntext = \"t\"\nchoices = [\"a\", \"b\"]\nlabel = \"y\"\n{FILES}");
    for (definition, metrics, positive) in [
        (with("labels = [\"a\", \"b\"]"), &["accuracy"][..], None),
        (with("labels = [\"a\", \"b\"]\nmetrics = [\"auc\"]"), &["auc"], Some(1)),
        (with("regression = true"), &["spearman", "pearson"], None),
        (
            with("regression = true\nmetrics = [\"pearson\", \"mean-squared-error\"]"),
            &["pearson", "mean-squared-error"],
            None,
        ),
        (spans, &["exact-match", "token-f1"], None),
        (tokens, &["accuracy"], None),
        (choice, &["accuracy"], None),
    ] {
        let task = task(&definition);
        assert_eq!(
            task.metrics.iter().map(|metric| metric.name()).collect::<Vec<_>>(),
            metrics,
            "{definition}"
        );
        assert_eq!(task.positive, positive, "{definition}");
    }
}

#[test]
fn values_have_bounds_or_none() {
    let values = |lines| task(&with(lines)).labels;
    assert_eq!(values("regression = true\nrange = [-1, 1.5]"), Labels::Values { low: -1.0, high: 1.5 });
    assert_eq!(values("regression = true"), Labels::Values { low: f64::NEG_INFINITY, high: f64::INFINITY });
}

#[test]
fn further_sets_have_names() {
    let folder = Folder::new(&[
        ("task.toml", &format!("{}dev-hard = \"sub/h.tsv\"\n", with("labels = [\"a\", \"b\"]"))),
        ("sub/h.tsv", "text\tlabel\nx\ta\n"),
    ]);
    let task = folder.own();
    assert_eq!(task.splits().collect::<Vec<_>>(), [&Split::Named("dev-hard".to_owned())]);
    assert_eq!(task.read(&"dev-hard".parse().unwrap()).unwrap().examples.len(), 1);
}

#[test]
fn keys_that_are_unknown_are_named_with_their_line() {
    for (definition, message) in [
        (with("lables = [\"a\"]"), "task.toml: line 4: lables: there is no such key; did you mean labels?"),
        (with("metric = \"f1\""), "task.toml: line 4: metric: there is no such key; did you mean metrics?"),
        (
            with("zzzzzzz = 1"),
            "task.toml: line 4: zzzzzzz: there is no such key; expected name, title, kind, form, header, text, choices, \
             label, index, labels, multi_label, separator, label_encoding, regression, range, positive, metrics, scheme, empty, broken, comments, unanswerable, \
             articles, epochs or files",
        ),
        (
            format!("{}tran = \"x\"\n", with("labels = [\"a\", \"b\"]")),
            "task.toml: line 7: files.tran: no set \"tran\"; expected train, dev, test, dev-NAME or test-NAME; did you mean \
             train?",
        ),
    ] {
        assert_eq!(no_task(&definition), message);
    }
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    for (definition, message) in [
        (
            "kind = \"sequence\"\ntext = \n",
            "task.toml: line 2, column 8: string values must be quoted, expected literal string",
        ),
        ("", "task.toml: nothing in it; expected a task's description"),
    ] {
        assert_eq!(no_task(definition), message);
    }
}

#[test]
fn values_of_another_kind_are_refused_with_key_and_line() {
    for (definition, message) in [
        (
            "kind = \"pair\"\n".to_owned() + FILES,
            "task.toml: line 1: kind: \"pair\"; expected sequence, tokens, spans or choice",
        ),
        (with("labels = [1, 2]"), "task.toml: line 4: labels: 1; expected text"),
        (with("epochs = -1"), "task.toml: line 4: epochs: -1; expected a whole number of at least 0"),
        (
            FILES.to_owned(),
            "task.toml: kind is missing; expected \"sequence\", \"tokens\", \"spans\" or \"choice\"",
        ),
        (
            "kind = \"spans\"\n".to_owned(),
            "task.toml: files is missing; expected a section [files] with train, dev or test",
        ),
        (
            "kind = \"spans\"\n[files]\n".to_owned(),
            "task.toml: line 2: files: none; expected train, dev or test",
        ),
        (
            "kind = \"spans\"\n[files]\ntrain = \"\"\n".to_owned(),
            "task.toml: line 3: files.train: no name; expected a file's name",
        ),
    ] {
        assert_eq!(no_task(&definition), message);
    }
}

#[test]
fn labels_make_sense() {
    for (lines, message) in [
        ("", "task.toml: labels: missing; name the classes, or say regression = true"),
        ("labels = [\"a\"]", "task.toml: line 4: labels: 1 of them; expected two or more"),
        (
            "labels = [\"a\", \"b\", \"a\"]",
            "task.toml: line 4: labels: \"a\" is there twice, the second time as number 3",
        ),
        (
            "labels = [\"a\", \"b\"]\npositive = \"c\"",
            "task.toml: line 5: positive: \"c\" is not a label; expected \"a\" or \"b\"",
        ),
        (
            "labels = [\"a\", \"b\", \"c\"]\nmetrics = [\"f1\"]",
            "task.toml: positive: missing; expected the label that F1 is about: \"a\", \"b\" or \"c\"",
        ),
        (
            "regression = true\nrange = [5, 0]",
            "task.toml: line 5: range: [5, 0]; expected the lower bound first",
        ),
    ] {
        assert_eq!(no_task(&with(lines)), message);
    }
    assert_eq!(
        no_task(&format!("kind = \"tokens\"\n{FILES}")),
        "task.toml: labels: missing; name the classes"
    );
}

#[test]
fn metrics_fit_the_kind() {
    for (lines, message) in [
        (
            "regression = true\nmetrics = [\"pearson\", \"matthews\"]",
            "task.toml: line 5: metrics: \"matthews\" does not fit regression = true; expected \"spearman\", \"pearson\" \
             or \"mean-squared-error\"",
        ),
        (
            "regression = true\nmetrics = [\"mean-squared-error\", \"pearson\"]",
            "task.toml: line 5: metrics: \"mean-squared-error\" comes first, but the first is the score, of which more is \
             better; expected \"spearman\" or \"pearson\" before it",
        ),
        (
            "labels = [\"a\", \"b\"]\nmetrics = [\"spearman\"]",
            "task.toml: line 5: metrics: \"spearman\" does not fit two labels; expected \"accuracy\", \"f1\", \"macro-f1\", \
             \"matthews\" or \"auc\"",
        ),
        (
            "labels = [\"a\", \"b\", \"c\"]\nmetrics = [\"auc\"]",
            "task.toml: line 5: metrics: \"auc\" does not fit more than two labels; expected \"accuracy\", \"f1\", \"macro-f1\" or \"matthews\"",
        ),
        (
            "labels = [\"a\", \"b\"]\nmetrics = [\"mathews\"]",
            "task.toml: line 5: metrics: there is no metric \"mathews\"; expected \"accuracy\", \"f1\", \"macro-f1\", \"matthews\" or \"auc\"",
        ),
        (
            "labels = [\"a\", \"b\"]\nmetrics = []",
            "task.toml: line 5: metrics: none; expected \"accuracy\", \"f1\", \"macro-f1\", \"matthews\" or \"auc\"",
        ),
    ] {
        assert_eq!(no_task(&with(lines)), message);
    }
}

#[test]
fn entities_need_labels_of_their_scheme() {
    let tokens = |lines: &str| format!("kind = \"tokens\"\n{lines}\n{FILES}");
    let good = tokens(
        "labels = [\"O\", \"B-PER\", \"I-PER\"]\nmetrics = [\"entity-f1\", \"macro-f1\"]\nscheme = \"iob2\"",
    );
    let good = task(&good);
    assert_eq!((good.score().name(), good.scheme, good.positive), ("entity-f1", Scheme::Iob2, None));
    for (lines, message) in [
        (
            "labels = [\"O\", \"PER\"]\nmetrics = [\"entity-f1\"]",
            "task.toml: line 2: labels: \"PER\" marks no entity; expected O, B-TYPE, I-TYPE, E-TYPE and S-TYPE, as \
             entity-f1 needs them",
        ),
        (
            "labels = [\"O\", \"S-PER\"]\nmetrics = [\"entity-f1\"]\nscheme = \"iob1\"",
            "task.toml: line 2: labels: \"S-PER\" marks no entity; expected O, B-TYPE and I-TYPE, as entity-f1 needs them",
        ),
        (
            "labels = [\"O\", \"B-PER\"]\nscheme = \"iob1\"",
            "task.toml: line 3: scheme: has no meaning without the metric entity-f1; take it out",
        ),
        (
            "labels = [\"O\", \"B-PER\"]\nscheme = \"io\"",
            "task.toml: line 3: scheme: \"io\"; expected conll, iob1, iob2 or bioes",
        ),
    ] {
        assert_eq!(no_task(&tokens(lines)), message);
    }
}

#[test]
fn keys_without_effect_are_refused() {
    let spans = format!("kind = \"spans\"\ntext = \"x\"\n{FILES}");
    let conll = format!("kind = \"tokens\"\nlabels = [\"a\", \"b\"]\nheader = true\n{FILES}");
    for (definition, message) in [
        (spans, "task.toml: line 2: text: has no meaning with kind = \"spans\"; take it out"),
        (conll, "task.toml: line 3: header: has no meaning with form = \"conll\"; take it out"),
        (
            with("labels = [\"a\", \"b\"]\nchoices = [\"x\"]"),
            "task.toml: line 5: choices: has no meaning with kind = \"sequence\"; take it out",
        ),
        (
            with("labels = [\"a\", \"b\"]\nregression = true"),
            "task.toml: line 4: labels: has no meaning with regression = true; take it out",
        ),
        (
            with("labels = [\"a\", \"b\"]\nrange = [0, 1]"),
            "task.toml: line 5: range: has no meaning with labels that are classes; take it out",
        ),
        (
            with("labels = [\"a\", \"b\"]\nform = \"jsonl\"\nbroken = \"skip\""),
            "task.toml: line 6: broken: has no meaning with form = \"jsonl\"; take it out",
        ),
    ] {
        assert_eq!(no_task(&definition), message);
    }
}

#[test]
fn columns_and_forms_fit() {
    let labels = "labels = [\"a\", \"b\"]";
    let choice = |lines: &str| format!("kind = \"choice\"\n{lines}\n{FILES}");
    for (definition, message) in [
        (
            with(&format!("{labels}\nform = \"conll\"")),
            "task.toml: line 5: form: \"conll\" is not a form of kind = \"sequence\"; expected \"tsv\" or \"jsonl\"",
        ),
        (
            with(&format!("{labels}\nheader = false")),
            "task.toml: line 2: text: \"text\"; expected the number of a column, from 1, as there is no header",
        ),
        (
            with(&format!("{labels}\nheader = false")).replace("\"text\"", "0"),
            "task.toml: line 2: text: 0; expected the number of a column, from 1, as there is no header",
        ),
        (
            with(labels).replace("\"text\"", "2"),
            "task.toml: line 2: text: 2; expected the name of a column or field",
        ),
        (with(labels).replace("\"text\"", "[]"), "task.toml: line 2: text: an empty list; expected columns"),
        (
            with(labels).replace("\"text\"", "[\"a\", \"b\", \"c\"]"),
            "task.toml: line 2: text: 3 columns; expected one or two",
        ),
        (
            with(labels).replace("text = \"text\"\n", ""),
            "task.toml: text: missing; expected the column of the text, or a list of two",
        ),
        (
            with(labels).replace("label = \"label\"\n", ""),
            "task.toml: label: missing; expected the column of the label",
        ),
        (choice("text = \"q\"\nlabel = \"y\""), "task.toml: choices: missing; expected a list of columns"),
        (
            choice("text = \"q\"\nlabel = \"y\"\nchoices = \"c\""),
            "task.toml: line 4: choices: one column; expected two or more",
        ),
        (
            with(&format!("{labels}\nname = \"a/b\"")),
            "task.toml: line 5: name: \"a/b\"; expected a name that a folder can have",
        ),
    ] {
        assert_eq!(no_task(&definition), message);
    }
}
