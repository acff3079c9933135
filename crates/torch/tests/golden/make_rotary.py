"""A layer of BERT with rotary positions (Su et al., 2021) as transformers turns them: what `encoder_layers` is compared
with.

    python make_rotary.py --out rotary.safetensors

`rotary.safetensors` was made so with torch 2.11.0 and transformers 5.23.0. It holds the tensors that `make_attention.py`
describes, for the cases `interleaved` (RoFormer's pairs of numbers that stand beside each other), `halves` (Llama's and
ModernBERT's pairs of a number in a head's first half and one in its second), and `causal`, which is `halves` under a
causal mask.
"""

import argparse

import torch
from make_attention import B, D, H, L, named
from safetensors.torch import save_file
from torch.nn import functional
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb
from transformers.models.roformer.modeling_roformer import RoFormerSelfAttention

import make_attention

A = D // H
THETA = 10_000.0


def angles():
    """[L, A / 2], in radians."""
    frequencies = THETA ** (-torch.arange(0, A, 2, dtype=torch.float64) / A)
    return torch.arange(L, dtype=torch.float64)[:, None] * frequencies


def interleaved(query, key):
    sinusoids = torch.cat([angles().sin(), angles().cos()], -1)[None, None]
    return RoFormerSelfAttention.apply_rotary_position_embeddings(sinusoids, query, key)


def halves(query, key):
    whole = torch.cat([angles(), angles()], -1)[None]
    return apply_rotary_pos_emb(query, key, whole.cos(), whole.sin())


class Layer(make_attention.Layer):
    def forward(self, x, turn, allowed):
        """`allowed` [B, L, L] is true where a query attends to a key."""
        weight, bias = self.attention.in_proj_weight, self.attention.in_proj_bias
        query, key, value = (
            part.view(B, L, H, A).transpose(1, 2) for part in functional.linear(x, weight, bias).chunk(3, -1)
        )
        query, key = turn(query, key)
        attended = functional.scaled_dot_product_attention(query, key, value, allowed[:, None])
        attended = self.attention.out_proj(attended.transpose(1, 2).reshape(B, L, D))
        x = self.attention_layer_norm(x + attended)
        return self.layer_norm(x + self.output(functional.gelu(self.intermediate(x))))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    out = parser.parse_args().out
    torch.manual_seed(4)
    layer = Layer().double()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.normal_(0.0, 0.4).add_(1.0 if name.endswith("layer_norm.weight") else 0.0)
    x = torch.randn(B, L, D, dtype=torch.float64)
    # Rounded first, so that both programs begin with the same numbers.
    with torch.no_grad():
        for tensor in [*layer.parameters(), x]:
            tensor.copy_(tensor.float())
    # Padding between tokens too: what is left out does not move the others.
    keys = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]], dtype=torch.bool)
    open_keys = keys[:, None, :].expand(B, L, L)
    cases = {
        "interleaved": (interleaved, open_keys),
        "halves": (halves, open_keys),
        "causal": (halves, open_keys & torch.ones(L, L, dtype=torch.bool).tril()),
    }
    tensors = {"x": x, **named(layer, lambda parameter: parameter.detach()), "mask.keys": keys.long()}
    for case, (turn, allowed) in cases.items():
        layer.zero_grad()
        leaf = x.clone().requires_grad_()
        output = layer(leaf, turn, allowed)
        (output * torch.arange(output.numel(), dtype=torch.float64).sin().view_as(output)).sum().backward()
        gradients = named(layer, lambda parameter: parameter.grad) | {"x": leaf.grad}
        tensors[f"{case}.output"] = output.detach()
        tensors |= {f"{case}.gradient.{name}": gradient for name, gradient in gradients.items()}
    save_file({name: tensor.float().contiguous() if tensor.is_floating_point() else tensor.contiguous()
               for name, tensor in tensors.items()}, out)


if __name__ == "__main__":
    main()
