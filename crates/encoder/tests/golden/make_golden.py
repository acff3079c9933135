"""What transformers computes with random ELECTRA networks: the numbers that the tests of this crate compare with.

    python make_golden.py --out FOLDER [--seed N] [--hidden 24 --heads 4 …]

writes checkpoints in the Hub's layout, FOLDER/discriminator and FOLDER/generator, which share nothing, and
FOLDER/forward.safetensors: a padded batch (input_ids, attention_mask, token_type_ids: int64, [B, L]) and, without
dropout, `<network>_hidden` [B, L, D], `<network>_logits` ([B, L] or [B, L, V]) and, for each layer and for what the
first one sees, `<network>_hidden_state.<index>` [B, L, D].

`equal-sizes` was made by: python make_golden.py --out equal-sizes (torch 2.11.0, transformers 5.23.0).
`tiny` is of the same form, made by another program from the same two libraries; it lacks the states of each layer.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

DEFAULTS = {
    "layers": 3, "vocab": 61, "positions": 24, "embedding": 24, "batch": 4, "length": 17, "seed": 5,
    "hidden": 24, "heads": 4, "feed_forward": 40,
    "generator_hidden": 12, "generator_heads": 3, "generator_feed_forward": 20,
}


def network(kind, sizes, prefix=""):
    """A network without dropout whose every parameter is random: none can be forgotten without being missed."""
    config = ElectraConfig(
        vocab_size=sizes["vocab"], embedding_size=sizes["embedding"], max_position_embeddings=sizes["positions"],
        num_hidden_layers=sizes["layers"], hidden_size=sizes[prefix + "hidden"],
        num_attention_heads=sizes[prefix + "heads"], intermediate_size=sizes[prefix + "feed_forward"],
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    made = kind(config).eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            parameter.normal_(0.0, 0.15).add_(centre)
    return made


def padded_batch(sizes):
    """Rows of every length from 2 to L, the first the longest, in two segments; padding is id 0 of segment 0."""
    rows, length = sizes["batch"], sizes["length"]
    lengths = torch.randint(2, length + 1, (rows, 1))
    lengths[0] = length
    places = torch.arange(length).expand(rows, length)
    is_token = places < lengths
    ids = torch.randint(1, sizes["vocab"], (rows, length)) * is_token
    segments = ((places > lengths // 3) & is_token).long()
    return {"input_ids": ids, "attention_mask": is_token.long(), "token_type_ids": segments}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    for name, value in DEFAULTS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    sizes = vars(parser.parse_args())
    torch.manual_seed(sizes["seed"])
    networks = {
        "discriminator": network(ElectraForPreTraining, sizes),
        "generator": network(ElectraForMaskedLM, sizes, "generator_"),
    }
    batch = padded_batch(sizes)
    results = dict(batch)
    for name, made in networks.items():
        made.save_pretrained(sizes["out"] / name)
        with torch.no_grad():
            output = made(**batch, output_hidden_states=True)
        results[f"{name}_logits"] = output.logits
        results[f"{name}_hidden"] = output.hidden_states[-1]
        for index, state in enumerate(output.hidden_states):
            results[f"{name}_hidden_state.{index}"] = state
    # Of each its own copy: the last state is there twice.
    save_file({name: value.clone().contiguous() for name, value in results.items()},
              sizes["out"] / "forward.safetensors")


main()
