//! A sentence with what was probably replaced.

use console::Style;
use electra_tokenizer::Tokenizer;

use super::answer::probability;

/// Above it, a token is called replaced (paper, §2: the loss is a binary one, and so is this).
const REPLACED: f32 = 0.5;

/// The text of a row without its first and last token, which are `[CLS]` and `[SEP]`. Continuations are
/// joined to their words.
pub(super) fn sentence(ids: &[i64], logits: &[f32], tokenizer: &Tokenizer) -> String {
    let mut text = String::new();
    let inner = 1..ids.len().saturating_sub(1);
    for (&id, logit) in ids[inner.clone()].iter().zip(&logits[inner]) {
        let token = u32::try_from(id).ok().and_then(|id| tokenizer.id_to_token(id)).unwrap_or_default();
        let continues = tokenizer.continues_word().get(id as usize).copied().unwrap_or(false);
        let token = if continues { token.strip_prefix("##").unwrap_or(&token) } else { &token };
        if !continues && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&marked(token, probability(logit)));
    }
    text
}

/// The number stands there with colours too: not everybody sees them, and a copied line has none.
fn marked(token: &str, probability: f32) -> String {
    let look = look(probability);
    if probability > REPLACED {
        return look.apply_to(format!("{token}({probability:.2})")).to_string();
    }
    look.apply_to(token).to_string()
}

fn look(probability: f32) -> Style {
    match probability {
        p if p > 0.9 => Style::new().red().bold(),
        p if p > REPLACED => Style::new().red(),
        p if p > 0.2 => Style::new().yellow(),
        _ => Style::new(),
    }
}
