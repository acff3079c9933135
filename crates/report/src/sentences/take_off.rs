//! Which runs took off.

use std::collections::BTreeSet;

use electra_analysis::{ArmFindings, DETECTOR_AUC, Findings, SHARE_OF_UNIGRAM, Threshold};

use crate::format::{list, number, percent};
use crate::series::title;

/// `4 of 5 runs of ELECTRA took off (95 % interval of the share 28 to 99 %)`, with more within the brackets.
pub(super) fn took_off(arm: &ArmFindings, level: f64, more: &str) -> Option<String> {
    let counted = arm.take_off.as_ref()?;
    let whole = |share: f64| number(100.0 * share, 0);
    Some(format!(
        "{} of {} runs of {} took off ({} interval of the share {} to {} %{more})",
        counted.took_off,
        counted.runs,
        arm.facts.title,
        percent(level),
        whole(counted.share.low),
        whole(counted.share.high),
    ))
}

/// Above the table of runs that took off: the rule, and what it found.
pub(crate) fn take_off(findings: &Findings) -> Vec<String> {
    let counted = findings.arms.iter().filter_map(|arm| arm.take_off.as_ref());
    let (runs, off) =
        counted.fold((0, 0), |(runs, off), counted| (runs + counted.runs, off + counted.took_off));
    let found = if runs == off {
        format!("All {runs} runs for which this is known took off.")
    } else {
        format!(
            "{off} of {runs} runs took off. An objective of which some runs did and some did not gets no verdict."
        )
    };
    let rule = match findings.config.take_off.as_slice() {
        [] => format!(
            "Over the last tenth of its training such a run has a discriminator with an AUC of {} or more or, where nothing detects, a masked-LM loss of at most {} of what token frequencies alone give.",
            number(DETECTOR_AUC, 2),
            percent(SHARE_OF_UNIGRAM),
        ),
        thresholds => {
            let said: Vec<String> = thresholds.iter().map(threshold).collect();
            format!(
                "Over the last tenth of its training such a run has {}{}.",
                said.join(", or "),
                if said.len() > 1 { "; the first of these that a run reports decides" } else { "" },
            )
        }
    };
    vec![
        format!(
            "At first every run knows only how frequent tokens are. A run takes off when it leaves that plateau. {rule}"
        ),
        found,
    ]
}

/// `Discriminator AUC of .7 or more`.
fn threshold(threshold: &Threshold) -> String {
    let bounds = [(threshold.at_least, "or more"), (threshold.at_most, "or less")];
    let bounds = bounds.into_iter().filter_map(|(value, side)| Some(format!("{} {side}", number(value?, 2))));
    format!("{} of {}", title(&threshold.metric), list(&bounds.collect::<Vec<_>>()))
}

/// The seeds of an arm's runs that took off, or that did not; those of pooled controls under their titles:
/// `1 to 4, 6; ELECTRA again: 1, 2`.
pub(crate) fn seeds(arm: &ArmFindings, findings: &Findings, took_off: bool) -> String {
    let runs_of = std::iter::once(&arm.facts.name).chain(&arm.pooled);
    let said = runs_of.filter_map(|name| {
        let seeds = arm.seeds.iter().filter(|seed| seed.arm == *name && seed.took_off == Some(took_off));
        let written = stretches(&seeds.map(|seed| seed.seed).collect());
        let title =
            if *name == arm.facts.name { String::new() } else { format!("{}: ", findings.title(name)) };
        (!written.is_empty()).then(|| format!("{title}{written}"))
    });
    said.collect::<Vec<_>>().join("; ")
}

/// Numbers, three and more in a row as `1 to 3`.
fn stretches(numbers: &BTreeSet<u64>) -> String {
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match stretches.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => stretches.push((*number, *number)),
        }
    }
    let written = stretches.into_iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first} to {last}"),
    });
    written.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::stretches;

    #[test]
    fn seeds_in_a_row_are_written_as_a_stretch() {
        assert_eq!(stretches(&[1, 2, 3, 5, 6, 9].into()), "1 to 3, 5, 6, 9");
        assert_eq!(stretches(&[].into()), "");
    }
}
