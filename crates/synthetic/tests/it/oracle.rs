//! One who knows the lexicon and the facts solves every task. The oracle parses the text; it shares no code with what
//! makes it.

use electra_synthetic::Sizes;

use crate::suite::{Row, Suite};

/// `agent patient [not] verb`, in whichever voice it was said.
struct Clause<'a> {
    agent: &'a str,
    /// The patient's noun or name.
    patient: &'a str,
    verb: &'a str,
    negated: bool,
}

impl Suite {
    /// The sentences of a text, without their full stops.
    fn sentences<'a>(&self, text: &'a str) -> Vec<Vec<&'a str>> {
        let words: Vec<&str> = text.split(' ').collect();
        let sentences = words.split(|word| *word == ".").map(<[_]>::to_vec);
        sentences.filter(|sentence| !sentence.is_empty()).collect()
    }

    fn has_class(&self, word: &str, class: &str) -> bool {
        self.class(word) == class
    }

    fn clause<'a>(&self, words: &[&'a str]) -> Option<Clause<'a>> {
        let passive = self.has_class(words.last()?, "passive");
        let mut rest = words.to_vec();
        if passive {
            rest.pop();
        }
        let verb = rest.pop()?;
        let negated = self.has_class(rest.last()?, "negation");
        if negated {
            rest.pop();
        }
        let (agent, patient) = if passive {
            if !self.has_class(rest.pop()?, "agent") {
                return None;
            }
            (rest.pop()?, rest)
        } else {
            let agent = rest.remove(0);
            (agent, rest)
        };
        let patient = match patient[..] {
            [determiner, noun]
                if self.has_class(determiner, "determiner") && self.has_class(noun, "noun") =>
            {
                if !self.agree(determiner, noun) {
                    return None;
                }
                noun
            }
            [name] if !self.has_class(name, "determiner") && !self.has_class(name, "noun") => name,
            _ => return None,
        };
        Some(Clause { agent, patient, verb, negated })
    }

    fn agree(&self, first: &str, second: &str) -> bool {
        ["gender", "number"].iter().all(|column| self.get(first, column) == self.get(second, column))
    }

    fn acceptable(&self, words: &[&str]) -> bool {
        if let [first, noun, second, other, near, reflexive, act] = *words
            && self.has_class(near, "near")
        {
            return self.agree(first, noun)
                && self.agree(second, other)
                && self.agree(reflexive, noun)
                && self.get(act, "number") == self.get(noun, "number");
        }
        self.clause(words).is_some_and(|clause| {
            self.has_class(clause.agent, "name")
                && self.has_class(clause.verb, "deed")
                && self.get(clause.verb, "kind") == self.get(clause.patient, "kind")
        })
    }

    fn answer(&self, task: &str, row: &Row) -> String {
        let yes = |holds: bool| if holds { "yes" } else { "no" }.to_owned();
        let texts = &row.texts;
        let clause = |index: usize| self.clause(&self.sentences(&texts[index])[0]).unwrap();
        match task {
            "acceptability" => yes(self.acceptable(&self.sentences(&texts[0])[0])),
            "polarity" => {
                let sentences = self.sentences(&texts[0]);
                let is_judgement = |sentence: &&Vec<&str>| self.has_class(sentence.last().unwrap(), "copula");
                let deed = sentences.iter().find(|sentence| !is_judgement(sentence)).unwrap();
                let thing = self.clause(deed).unwrap().patient;
                let mut judgements = sentences.iter().filter(is_judgement);
                let judged = judgements.find(|judgement| judgement[1] == thing).unwrap();
                let good = judged.iter().any(|word| self.get(word, "polarity") == Some("good"));
                let negated = judged.iter().any(|word| self.has_class(word, "negation"));
                if good == negated { "bad" } else { "good" }.to_owned()
            }
            "paraphrase" => {
                let [first, second] = [0, 1].map(clause);
                let meaning = |clause: &Clause<'_>| self.get(clause.verb, "meaning").map(str::to_owned);
                let roles = (first.agent, first.patient) == (second.agent, second.patient);
                yes(roles && meaning(&first) == meaning(&second))
            }
            "entailment" => {
                let clause = clause(1);
                let relation = self.get(clause.verb, "meaning").unwrap().parse().unwrap();
                yes(self.facts[&(clause.agent.to_owned(), relation)] == clause.patient)
            }
            "similarity" => {
                let [first, second] = [0, 1].map(clause);
                let same = |column, left, right| self.get(left, column) == self.get(right, column);
                let share = |whole: bool, part: bool, most: f64, least: f64| {
                    if whole {
                        most
                    } else if part {
                        least
                    } else {
                        0.0
                    }
                };
                let verbs = share(
                    same("meaning", first.verb, second.verb),
                    same("topic", first.verb, second.verb),
                    2.0,
                    1.0,
                );
                let things = share(
                    same("meaning", first.patient, second.patient),
                    same("topic", first.patient, second.patient),
                    1.5,
                    0.5,
                );
                let agents = share(first.agent == second.agent, false, 1.0, 0.0);
                let done = share(first.negated == second.negated, false, 0.5, 0.0);
                (verbs + things + agents + done).to_string()
            }
            _ => {
                let sentences = self.sentences(&texts[0]);
                assert_eq!(sentences.len(), 3);
                let is_meeting =
                    |sentence: &&Vec<&str>| sentence.iter().any(|word| self.has_class(word, "social"));
                let meeting = sentences.iter().find(is_meeting).unwrap();
                let name = self.clause(meeting).unwrap().agent;
                self.get(name, "topic").unwrap().to_owned()
            }
        }
    }
}

#[test]
fn an_oracle_solves_every_task() {
    for seed in [1, 2, 3] {
        let suite = Suite::new(seed, Sizes { documents: 1, train: 500, dev: 500, test: 500 });
        for task in ["acceptability", "polarity", "paraphrase", "entailment", "similarity", "topic"] {
            for set in ["train", "dev", "test"] {
                let rows = suite.rows(task, set);
                assert_eq!(rows.len(), 500);
                let wrong = rows.iter().find(|row| suite.answer(task, row) != row.label);
                let wrong = wrong.map(|row| (&row.texts, &row.label, suite.answer(task, row)));
                assert_eq!(wrong, None, "{task}, {set} set of seed {seed}");
            }
        }
    }
}

#[test]
fn a_minimal_pair_has_a_sentence_that_is_right_and_one_that_is_wrong() {
    let suite = Suite::new(3, Sizes { documents: 1, train: 1, dev: 1, test: 300 });
    for phenomenon in ["gender", "number", "reflexive", "selection", "order", "fact"] {
        let path = suite.folder.path().join(format!("language/minimal-pairs/{phenomenon}.jsonl"));
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 300);
        for line in text.lines() {
            let pair: serde_json::Value = serde_json::from_str(line).unwrap();
            let judge = |key: &str| {
                let text = pair[key].as_str().unwrap();
                let words = &suite.sentences(text)[0];
                if phenomenon != "fact" {
                    return suite.acceptable(words);
                }
                let clause = suite.clause(words).unwrap();
                let relation = suite.get(clause.verb, "meaning").unwrap().parse().unwrap();
                suite.facts[&(clause.agent.to_owned(), relation)] == clause.patient
            };
            assert_eq!(
                [judge("sentence_good"), judge("sentence_bad")],
                [true, false],
                "{phenomenon}: {line}"
            );
        }
    }
}
