//! What was measured, as text.

use std::fmt::Write;

use indicatif::HumanCount;

use super::Report;
use crate::output::escaped;

pub(super) fn text(report: &Report) -> String {
    let Report { run, objective, step, first_batch, batches, words, features, replacements } = report;
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        text,
        "{}: {objective} after {} steps; {} masked positions of {} batches from step {} on",
        escaped(run),
        HumanCount(*step),
        HumanCount(replacements.masked),
        HumanCount(*batches),
        HumanCount(*first_batch),
    );
    if let Some(loss) = replacements.masked_lm_loss {
        let whose = if replacements.kinds.is_empty() { "its own" } else { "the generator's" };
        let _ = writeln!(text, "masked-LM loss, {whose}: {loss:.4} nats");
    }
    if replacements.kinds.is_empty() {
        let _ = writeln!(text, "nothing is replaced: the encoder of {objective} sees masks");
        return text;
    }
    let named = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    let _ = writeln!(
        text,
        "{} tokens are words of the lexicon; its features: {named}\n",
        HumanCount(*words as u64)
    );
    let _ = writeln!(text, "{:<14}{:>9}{:>10}{:>10}{:>8}", "sample", "count", "share", "recall", "AUC");
    for scores in &replacements.kinds {
        let (count, share) = (HumanCount(scores.count).to_string(), percent(Some(scores.share)));
        let (recall, auc) = (percent(scores.recall), number(scores.auc));
        let _ = writeln!(text, "{:<14}{count:>9}{share:>10}{recall:>10}{auc:>8}", scores.kind.name());
    }
    let right = replacements.kinds[0].count;
    let replaced = replacements.masked - right;
    let share = percent(Some(replaced as f64 / replacements.masked.max(1) as f64));
    let (recall, auc) = match &replacements.detection {
        Some(all) => (percent(all.recall), number(all.auc)),
        None => (percent(None), number(None)),
    };
    let replaced = HumanCount(replaced).to_string();
    let _ = writeln!(text, "{:<14}{replaced:>9}{share:>10}{recall:>10}{auc:>8}", "all replaced");
    let _ = match &replacements.detection {
        Some(all) => writeln!(
            text,
            "\n{} of the tokens that are not replaced are called replaced\n\
             at masked positions: AUC {}, of the word's class alone {}, excess {}",
            percent(all.false_alarms),
            number(all.masked_auc),
            number(all.class_auc),
            number(all.excess),
        ),
        None => writeln!(text, "\nnothing in {objective} says what was replaced"),
    };
    text
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{:.2} %", 100.0 * share))
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.3}"))
}
