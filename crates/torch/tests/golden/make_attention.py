"""A layer of BERT made of PyTorch's own modules, under four kinds of attention: what `encoder_layers` and `encoder_layer`
are compared with.

    python make_attention.py --out attention.safetensors

`attention.safetensors` was made so with torch 2.11.0. It holds the layer's parameters under the names of a checkpoint, `x`
[B, L, D], `queries` [B, Q, D], the masks `keys` [B, L], `pairs` [B, L, L] and `query_pairs` [B, Q, L] as int64, and of
each case (`keys`, `causal`, `pairs`, `streams`) `<case>.output` and `<case>.gradient.<tensor>`: gradients of the sum of the
output's elements, each times the sine of its number. Elements of queries at padding count too.
"""

import argparse

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

B, L, Q, D, F, H = 3, 7, 4, 8, 12, 2
EPS = 1e-3


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(D, H, batch_first=True)
        self.attention_layer_norm = nn.LayerNorm(D, eps=EPS)
        self.intermediate = nn.Linear(D, F)
        self.output = nn.Linear(F, D)
        self.layer_norm = nn.LayerNorm(D, eps=EPS)

    def forward(self, queries, context, allowed):
        """`allowed` [B, queries, L] is true where a query attends to a key."""
        forbidden = ~allowed.repeat_interleave(H, 0)  # [B · H, queries, L]
        attended, _ = self.attention(queries, context, context, attn_mask=forbidden, need_weights=False)
        x = self.attention_layer_norm(queries + attended)
        return self.layer_norm(x + self.output(functional.gelu(self.intermediate(x))))


def named(layer, of):
    """Parameters, or their gradients, under the names of a checkpoint."""
    weights, biases = of(layer.attention.in_proj_weight).chunk(3), of(layer.attention.in_proj_bias).chunk(3)
    tensors = {}
    for name, weight, bias in zip(("query", "key", "value"), weights, biases):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weight, bias
    modules = {"attention_output": layer.attention.out_proj, "attention_layer_norm": layer.attention_layer_norm,
               "intermediate": layer.intermediate, "output": layer.output, "layer_norm": layer.layer_norm}
    for name, module in modules.items():
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = of(module.weight), of(module.bias)
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    out = parser.parse_args().out
    torch.manual_seed(3)
    layer = Layer().double()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.normal_(0.0, 0.4).add_(1.0 if name.endswith("layer_norm.weight") else 0.0)
    x = torch.randn(B, L, D, dtype=torch.float64)
    queries = torch.randn(B, Q, D, dtype=torch.float64)
    keys = torch.arange(L) < torch.tensor([[7], [4], [1]])
    pairs, query_pairs = torch.rand(B, L, L) < 0.4, torch.rand(B, Q, L) < 0.4
    pairs[..., 2] = True  # each query has a key
    query_pairs[..., 5] = True
    causal = keys[:, None, :] & torch.ones(L, L, dtype=torch.bool).tril()
    cases = {
        "keys": (x, x, keys[:, None, :].expand(B, L, L)),
        "causal": (x, x, causal),
        "pairs": (x, x, pairs),
        "streams": (queries, x, query_pairs),
    }
    # Rounded first, so that both programs begin with the same numbers.
    with torch.no_grad():
        for tensor in [*layer.parameters(), x, queries]:
            tensor.copy_(tensor.float())
    tensors = {"x": x, "queries": queries, **named(layer, lambda parameter: parameter.detach())}
    tensors |= {"mask.keys": keys.long(), "mask.pairs": pairs.long(), "mask.query_pairs": query_pairs.long()}
    for case, (asking, context, allowed) in cases.items():
        layer.zero_grad()
        asking = asking.clone().requires_grad_()
        context = asking if case != "streams" else context.clone().requires_grad_()
        output = layer(asking, context, allowed)
        (output * torch.arange(output.numel(), dtype=torch.float64).sin().view_as(output)).sum().backward()
        gradients = named(layer, lambda parameter: parameter.grad)
        gradients |= {"x": context.grad} if case != "streams" else {"queries": asking.grad, "x": context.grad}
        tensors[f"{case}.output"] = output.detach()
        tensors |= {f"{case}.gradient.{name}": gradient for name, gradient in gradients.items()}
    save_file({name: tensor.float().contiguous() if tensor.is_floating_point() else tensor.contiguous()
               for name, tensor in tensors.items()}, out)


if __name__ == "__main__":
    main()
