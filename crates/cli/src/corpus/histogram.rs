//! How long the examples of a corpus are, as bars.

use std::io::Write;

use anyhow::Result;
use electra_data::Corpus;
use indicatif::HumanCount;

/// Rows of the histogram.
const BINS: usize = 16;
/// The longest bar, in characters, where there is room for it.
const WIDTH: u16 = 48;
/// The label of a bar.
const BESIDE: u16 = 34;

/// How many examples there are of each length, `[L + 1]`.
pub(super) fn lengths(corpus: &Corpus) -> Result<Vec<u64>> {
    let mut lengths = vec![0; corpus.max_length() + 1];
    for example in 0..corpus.examples() {
        lengths[corpus.example(example)?.length()] += 1;
    }
    Ok(lengths)
}

/// Prints the lengths in [`BINS`] rows.
pub(super) fn print(out: &mut impl Write, lengths: &[u64]) -> Result<()> {
    let longest = lengths.len() - 1;
    let bin = longest.div_ceil(BINS);
    let bins: Vec<u64> = lengths[1..].chunks(bin).map(|counts| counts.iter().sum()).collect();
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    let total: u64 = bins.iter().sum();
    let width = f64::from(WIDTH.min(console::Term::stdout().size().1.saturating_sub(BESIDE)).max(4));
    writeln!(out, "{}", console::style("tokens in an example").bold())?;
    for (index, &count) in bins.iter().enumerate() {
        let range = format!("{}–{}", index * bin + 1, ((index + 1) * bin).min(longest));
        let share = 100.0 * count as f64 / total.max(1) as f64;
        let bar = console::style(bar(width * count as f64 / most as f64)).cyan();
        writeln!(out, "{range:>11} {bar} {} ({share:.1} %)", HumanCount(count))?;
    }
    Ok(())
}

/// A bar of that many characters, to an eighth; what is not nothing shows.
fn bar(length: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (length * 8.0).ceil() as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    #[test]
    fn bars() {
        assert_eq!(super::bar(0.0), "");
        assert_eq!(super::bar(0.01), "▏");
        assert_eq!(super::bar(2.5), "██▌");
    }
}
