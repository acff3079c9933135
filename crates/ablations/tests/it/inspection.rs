//! What objectives tell of a batch is what they trained on.

use electra_objective::{Inspection, auc};
use tch::{Kind, Tensor};

use crate::support::{batch, metric, names, objective};

fn value(tensor: &Tensor) -> f64 {
    tensor.double_value(&[])
}

#[test]
fn an_inspection_shows_the_batch_of_the_loss() {
    for name in names() {
        let (_parameters, network) = objective(name);
        let batch = batch(3, 1);
        // One sample of each row is right, so that masked positions are of both sorts.
        let others =
            Tensor::cat(&[batch.targets().narrow(1, 0, 1), batch.targets().narrow(1, 1, 2).full_like(9)], 1);
        let batch = batch.with("sampled_ids", others);
        let of_step = |metric_name: &str| metric(network.forward_t(&batch, false), metric_name);
        let inspection = network.inspect(&batch);
        assert_eq!(inspection.is_none(), name == "clm", "{name}: who neither masks nor replaces");
        let Some(Inspection { masked_lm_loss, corrupted_ids, replaced_logits }) = inspection else {
            continue;
        };

        let is_fixed = name.starts_with("rtd-") || name == "rts";
        assert_eq!(masked_lm_loss.is_none(), is_fixed, "{name}: who predicts from [MASK]");
        if let Some(loss) = &masked_lm_loss {
            assert!((value(loss) - of_step("masked_lm_loss")).abs() < 1e-6, "{name}");
            assert!(!loss.requires_grad(), "{name}: nothing is trained");
        }
        let is_masked = electra_ablations::info(name).unwrap().reads_masks;
        assert_eq!(corrupted_ids.is_none(), is_masked, "{name}: who sees masks");
        let Some(ids) = corrupted_ids else { continue };
        let replaced = ids.ne_tensor(&batch.input_ids);
        if name == "electric" {
            // It finds noise, of which a sample that is the original is a part.
            let noise =
                batch.input_ids.zeros_like().scatter_value(1, batch.column("masked_positions"), 1).eq(1);
            let (logits, tokens) = (replaced_logits.unwrap(), &batch.attention_mask);
            let found = value(&auc(&logits.masked_select(tokens), &noise.masked_select(tokens)));
            assert!((found - of_step("disc_auc")).abs() < 1e-6, "{name}: {found}");
            assert_eq!(replaced.logical_and(&noise.logical_not()).any().int64_value(&[]), 0);
            continue;
        }
        let rate = value(&replaced.sum(Kind::Double)) / value(&batch.attention_mask.sum(Kind::Double));
        assert!((rate - of_step("replaced_rate")).abs() < 1e-6, "{name}");

        let says = !["replace-mlm", "all-tokens-mlm-no-gate"].contains(&name);
        assert_eq!(replaced_logits.is_some(), says, "{name}: who says what was replaced");
        let Some(logits) = replaced_logits else { continue };
        assert_eq!(logits.size(), batch.input_ids.size());
        let judged = match name {
            // Its loss is at the masked positions alone, and it answers everywhere.
            "electra-15" => {
                batch.input_ids.zeros_like().scatter_value(1, batch.column("masked_positions"), 1).eq(1)
            }
            _ => batch.attention_mask.shallow_clone(),
        };
        let found = value(&auc(&logits.masked_select(&judged), &replaced.masked_select(&judged)));
        let expected = match name {
            "all-tokens-mlm" => of_step("gate_auc"),
            // Its own is against the shuffled labels.
            "electra-shuffled" | "electra-shuffled-all" => continue,
            _ => of_step("disc_auc"),
        };
        assert!((found - expected).abs() < 1e-6, "{name}: {found}, {expected}");
    }
}
