//! Examples as text: segments in colour, masks with what they became.

use std::io::Write;

use anyhow::Result;
use console::{Style, measure_text_width, style};
use electra_data::Batch;
use electra_tokenizer::Tokenizer;

/// The widest text that reads well.
const MAX_WIDTH: usize = 100;

/// The token of an id; an id without one is shown as a number.
pub(super) fn token(tokenizer: &Tokenizer, id: i64) -> String {
    let known = u32::try_from(id).ok().and_then(|id| tokenizer.id_to_token(id));
    known.unwrap_or_else(|| format!("<{id}>"))
}

fn segment(second: bool) -> Style {
    if second { Style::new().magenta() } else { Style::new().cyan() }
}

fn masked() -> Style {
    Style::new().black().on_yellow()
}

/// Says what the colours mean; without colours there is nothing to say but the arrow.
pub(super) fn legend(out: &mut impl Write, with_masks: bool) -> Result<()> {
    if console::colors_enabled() {
        write!(
            out,
            "{} {}",
            segment(false).apply_to("first segment"),
            segment(true).apply_to("second segment")
        )?;
        if with_masks {
            write!(out, " {}", masked().apply_to("masked→what it became"))?;
        }
        writeln!(out)?;
    } else if with_masks {
        writeln!(out, "token→what it became where it is masked")?;
    }
    Ok(writeln!(out)?)
}

/// Prints the rows of a batch.
pub(super) fn batch(
    out: &mut impl Write,
    batch: &Batch,
    tokenizer: &Tokenizer,
    with_masks: bool,
) -> Result<()> {
    let (length, slots) = (batch.max_length, batch.width("masked_positions"));
    for row in 0..batch.rows {
        let cells = row * length..(row + 1) * length;
        let ids = &batch.input_ids[cells.clone()];
        let tokens = batch.attention_mask[cells.clone()].iter().filter(|&&real| real).count();
        let slots = row * slots..(row + 1) * slots;
        let used = batch.flags("masked_valid")[slots.clone()].iter().filter(|&&valid| valid).count();
        let positions = &batch.ids("masked_positions")[slots][..used];

        let mut title = format!("example {}, {tokens} tokens", batch.examples[row]);
        if with_masks {
            title += &format!(", {used} masked ({:.1} %)", 100.0 * used as f64 / tokens as f64);
        }
        writeln!(out, "{}", style(title).bold())?;
        let words = (0..tokens).map(|position| {
            let original = token(tokenizer, ids[position]);
            if with_masks && positions.contains(&(position as i64)) {
                let now = token(tokenizer, batch.ids("masked_input_ids")[cells.start + position]);
                return masked().apply_to(format!("{original}→{now}")).to_string();
            }
            let special = u32::try_from(ids[position]).is_ok_and(|id| tokenizer.special().contains(id));
            let look = segment(batch.token_type_ids[cells.start + position] == 1);
            if special { look.dim() } else { look }.apply_to(original).to_string()
        });
        wrapped(out, words)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Prints words in lines of the terminal's width; wide characters count double.
fn wrapped(out: &mut impl Write, words: impl Iterator<Item = String>) -> Result<()> {
    let width = usize::from(console::Term::stdout().size().1).min(MAX_WIDTH);
    let mut used = 0;
    for word in words {
        let wide = measure_text_width(&word);
        if used > 0 && used + 1 + wide > width {
            writeln!(out)?;
            used = 0;
        }
        if used > 0 {
            write!(out, " ")?;
            used += 1;
        }
        write!(out, "{word}")?;
        used += wide;
    }
    Ok(writeln!(out)?)
}
