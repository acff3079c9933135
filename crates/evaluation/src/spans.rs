//! Answers from the logits of starts and ends.

use electra_tasks::Content;

use crate::data::{Part, Set};

/// An answer in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The answer; empty for "there is none".
    pub text: String,
    /// The sum of the logits of its start and end.
    pub score: f32,
    /// How much more the sum of "no answer" is than that of the best answer.
    pub none_margin: f32,
}

/// How answers are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search {
    /// Starts and ends of each window that are looked at.
    pub(crate) n_best: usize,
    /// Longest answer in tokens.
    pub(crate) max_answer: usize,
    /// How much more "no answer" has to score than the best answer; none where every question has one.
    pub(crate) none_threshold: Option<f64>,
}

/// The best answer of each example: over its windows, the start and end, in that order and not too far apart,
/// of the greatest sum of logits (Devlin et al., 2019, §4.2). "No answer" scores as `[CLS]` does, in the
/// window where it does so least (§4.3).
///
/// `logits` of each item are (start, end) for each token.
pub(crate) fn answers(set: &Set<'_>, logits: &[Vec<f32>], search: &Search) -> Vec<Span> {
    /// The sum of an answer's logits, and its first and last id in the text.
    type Best = Option<(f32, usize, usize)>;
    let mut found: Vec<(Best, f32)> = vec![(None, f32::INFINITY); set.examples.len()];
    for ((example, part), logits) in set.parts.iter().zip(logits) {
        let Part::Window { first, count, begin } = *part else { continue };
        let (best, no_answer) = &mut found[*example];
        *no_answer = no_answer.min(logits[0] + logits[1]);
        let logit = |position: usize, which: usize| logits[2 * (begin + position) + which];
        let (starts, ends) = (
            likeliest(count, search.n_best, |position| logit(position, 0)),
            likeliest(count, search.n_best, |position| logit(position, 1)),
        );
        for &start in &starts {
            for &end in ends.iter().filter(|&&end| end >= start && end - start < search.max_answer) {
                let score = logit(start, 0) + logit(end, 1);
                if best.is_none_or(|(most, ..)| score > most) {
                    *best = Some((score, first + start, first + end));
                }
            }
        }
    }
    let answer = |(number, (best, no_answer)): (usize, (Best, f32))| {
        let Content::Spans { context, .. } = &set.examples[number].content else { return nothing(no_answer) };
        let Some((score, first, last)) = best else { return nothing(no_answer) };
        let none_margin = no_answer - score;
        if search.none_threshold.is_some_and(|threshold| f64::from(none_margin) > threshold) {
            return Span { text: String::new(), score: no_answer, none_margin };
        }
        let bytes = &set.pieces[number].bytes;
        Span { text: context[bytes[first].start..bytes[last].end].to_owned(), score, none_margin }
    };
    found.into_iter().enumerate().map(answer).collect()
}

/// Of a text without a token.
fn nothing(no_answer: f32) -> Span {
    Span { text: String::new(), score: no_answer, none_margin: f32::INFINITY }
}

/// The positions below `count` with the `n` greatest values, the first of equals first.
fn likeliest(count: usize, n: usize, value: impl Fn(usize) -> f32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&first, &second| value(second).total_cmp(&value(first)));
    order.truncate(n);
    order
}
