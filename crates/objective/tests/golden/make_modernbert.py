"""ModernBERT as transformers computes it, values and gradients.

    python make_modernbert.py --out modernbert

`modernbert` was made so with torch 2.11.0 and transformers 5.23.0. Each folder in it is a network with its head, as
`save_pretrained` writes it, and `forward.safetensors`: a batch with padding, the hidden states, the logits, and the gradient
of every parameter of sum(logits · weights) over the tokens. The window of `wide` is wider than the rows, those of `narrow` and
`detector` are narrower than them.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import ModernBertConfig, ModernBertForMaskedLM, ModernBertForTokenClassification

SIZES = dict(vocab_size=50, hidden_size=24, num_attention_heads=3, intermediate_size=20, max_position_embeddings=32,
             initializer_range=0.3, norm_eps=1e-5, pad_token_id=0, bos_token_id=None, eos_token_id=None, cls_token_id=None,
             sep_token_id=None, attn_implementation="eager")

NETWORKS = {
    "narrow": (ModernBertForMaskedLM, dict(num_hidden_layers=4, local_attention=6, global_attn_every_n_layers=3)),
    "wide": (ModernBertForMaskedLM, dict(num_hidden_layers=3, local_attention=128, global_attn_every_n_layers=2,
                                         global_rope_theta=1000.0)),
    "detector": (ModernBertForTokenClassification, dict(num_hidden_layers=2, local_attention=4, num_labels=1)),
}


def write(out, name, kind, sizes):
    model = kind(ModernBertConfig(**SIZES, **sizes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    model.save_pretrained(out / name)

    lengths = torch.tensor([[23], [11], [1]])
    mask = (torch.arange(23) < lengths).long()
    ids = torch.randint(1, 50, (3, 23)) * mask
    output = model(ids, attention_mask=mask, output_hidden_states=True)
    weights = torch.randn_like(output.logits) * mask.unsqueeze(-1)
    (output.logits * weights).sum().backward()
    tensors = {"input_ids": ids, "attention_mask": mask, "weights": weights, "logits": output.logits.detach()}
    tensors |= {f"hidden_state.{index}": state.detach() for index, state in enumerate(output.hidden_states)}
    # A tied table has one gradient; [PAD], which torch does not learn from the text, has none there.
    tensors |= {f"grad.{name}": parameter.grad for name, parameter in model.named_parameters()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out / name / "forward.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    torch.manual_seed(7)
    for name, (kind, sizes) in NETWORKS.items():
        write(out, name, kind, sizes)


if __name__ == "__main__":
    main()
