"""An encoder with rotary positions as transformers computes it: RoFormerModel, under the names of an export.

    python make_rotary.py --out rotary

`rotary` was made so with torch 2.11.0 and transformers 5.23.0: `config.json` and `model.safetensors` as `electra export` names
things, and `forward.safetensors` with a batch and its hidden states after each layer.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import RoFormerConfig, RoFormerModel

SIZES = dict(vocab_size=50, embedding_size=10, hidden_size=24, num_hidden_layers=2, num_attention_heads=3,
             intermediate_size=40, max_position_embeddings=16, type_vocab_size=2, initializer_range=0.3,
             hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1, layer_norm_eps=1e-12, pad_token_id=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    model = RoFormerModel(RoFormerConfig(**SIZES, hidden_act="gelu", rotary_value=False)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embed_positions" not in name and parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    weights = {name: tensor for name, tensor in model.state_dict().items() if "embed_positions" not in name}
    save_file({f"electra.{name}": tensor.contiguous() for name, tensor in weights.items()}, out / "model.safetensors",
              metadata={"format": "pt"})
    config = dict(SIZES, architectures=["ElectraModel"], model_type="electra-rotary", position_embedding_type="rotary",
                  hidden_act="gelu")
    (out / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

    mask = (torch.arange(11) < torch.tensor([[11], [6], [1]])).long()
    ids = torch.randint(1, 50, (3, 11)) * mask
    types = (torch.arange(11) > 4).long().expand(3, 11) * mask
    with torch.no_grad():
        states = model(ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True).hidden_states
    tensors = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types.contiguous()}
    tensors |= {f"hidden_state.{index}": state.contiguous() for index, state in enumerate(states)}
    save_file(tensors, out / "forward.safetensors")


if __name__ == "__main__":
    main()
