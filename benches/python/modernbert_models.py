"""ModernBERT: the objectives by transformers' classes, and by the best PyTorch that can be written in a day.

`EAGER` is what eager_models.py is for ELECTRA's backbone, `BEST` what best_models.py is; see there for what a batch holds.
"""

import best_models
import eager_models
import torch
import torch.nn.functional as F
from torch import nn
from transformers import ModernBertConfig, ModernBertForMaskedLM, ModernBertForTokenClassification


def configuration(sizes):
    same = ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
            "max_position_embeddings", "initializer_range", "pad_token_id", "global_attn_every_n_layers",
            "local_attention", "global_rope_theta", "local_rope_theta"]
    rates = dict(mlp_dropout=sizes["hidden_dropout_prob"], embedding_dropout=sizes["hidden_dropout_prob"],
                 attention_dropout=sizes["attention_probs_dropout_prob"])
    none = dict.fromkeys(["bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"])
    return dict(norm_eps=sizes["layer_norm_eps"], **rates, **none, **{name: sizes[name] for name in same})


def inputs(batch, ids):
    return {"input_ids": ids, "attention_mask": batch["attention_mask"]}


class EagerMlm(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.main = ModernBertForMaskedLM(ModernBertConfig(**configuration(encoder)))

    def forward(self, batch, samples=None):
        return self.main(**inputs(batch, batch["masked_input_ids"]), labels=eager_models.labels(batch)).loss


class EagerElectra(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.generator = ModernBertForMaskedLM(ModernBertConfig(**configuration(generator)))
        self.main = ModernBertForTokenClassification(ModernBertConfig(**configuration(encoder), num_labels=1))
        self.main.model.embeddings = self.generator.model.embeddings

    def forward(self, batch, samples=None):
        without_types = lambda **batch: self.generator(**{k: v for k, v in batch.items() if k != "token_type_ids"})
        gen_loss, ids = eager_models.corrupted(without_types, batch, samples)
        logits = self.main(**inputs(batch, ids)).logits.squeeze(-1)
        return gen_loss + 50 * detection_loss(logits, ids, batch)


def detection_loss(logits, ids, batch):
    losses = F.binary_cross_entropy_with_logits(logits, (ids != batch["input_ids"]).float(), reduction="none")
    return (losses * batch["attention_mask"]).sum() / batch["attention_mask"].sum()


class Layer(nn.Module):
    def __init__(self, config, index):
        super().__init__()
        width, inner, eps = config["hidden_size"], config["intermediate_size"], config["layer_norm_eps"]
        self.heads, self.is_global = config["num_attention_heads"], index % config["global_attn_every_n_layers"] == 0
        theta = config["global_rope_theta"] if self.is_global else config["local_rope_theta"]
        size = width // self.heads
        self.attn_norm = nn.LayerNorm(width, eps, bias=False) if index > 0 else nn.Identity()
        self.mlp_norm = nn.LayerNorm(width, eps, bias=False)
        linear = lambda inputs, outputs: nn.Linear(inputs, outputs, bias=False)
        self.qkv, self.out = linear(width, 3 * width), linear(width, width)
        self.up, self.down = linear(width, 2 * inner), linear(inner, width)
        angles = torch.arange(config["length"])[:, None] * theta ** (-torch.arange(0, size, 2) / size)
        self.register_buffer("cos", angles.cos().repeat(1, 2), persistent=False)
        self.register_buffer("sin", angles.sin().repeat(1, 2), persistent=False)

    def turn(self, x):
        first, second = x.chunk(2, -1)
        return x * self.cos + torch.cat([-second, first], -1) * self.sin

    def forward(self, x, mask, near):
        rows, length, width = x.shape
        q, k, v = self.qkv(self.attn_norm(x)).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = mask if self.is_global else near
        attended = F.scaled_dot_product_attention(self.turn(q), self.turn(k), v, attn_mask=seen)
        x = x + self.out(attended.transpose(1, 2).reshape(rows, length, width))
        value, gate = self.up(self.mlp_norm(x)).chunk(2, -1)
        return x + self.down(F.gelu(value) * gate)

    def load(self, its):
        if isinstance(self.attn_norm, nn.LayerNorm):
            best_models.copy(self.attn_norm, its.attn_norm)
        for mine, other in [(self.mlp_norm, its.mlp_norm), (self.qkv, its.attn.Wqkv), (self.out, its.attn.Wo),
                            (self.up, its.mlp.Wi), (self.down, its.mlp.Wo)]:
            best_models.copy(mine, other)


class Encoder(nn.Module):
    def __init__(self, config, embeddings=None):
        super().__init__()
        width, eps = config["hidden_size"], config["layer_norm_eps"]
        self.words = embeddings.words if embeddings else nn.Embedding(config["vocab_size"], width)
        self.norm = embeddings.norm if embeddings else nn.LayerNorm(width, eps, bias=False)
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config["num_hidden_layers"]))
        self.final_norm = nn.LayerNorm(width, eps, bias=False)
        place = torch.arange(config["length"])
        near = (place[:, None] - place).abs() <= config["local_attention"] // 2
        self.register_buffer("near", near, persistent=False)
        self.all_near = bool(near.all())

    def forward(self, batch, ids):
        x, mask = self.norm(self.words(ids)), batch["mask"]
        near = mask if self.all_near else self.near if mask is None else self.near & mask
        for layer in self.layers:
            x = layer(x, mask, near)
        return self.final_norm(x)

    def load(self, its):
        best_models.copy(self.words, its.embeddings.tok_embeddings)
        best_models.copy(self.norm, its.embeddings.norm)
        best_models.copy(self.final_norm, its.final_norm)
        for mine, layer in zip(self.layers, its.layers):
            mine.load(layer)


class Head(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["hidden_size"]
        self.dense = nn.Linear(width, width, bias=False)
        self.norm = nn.LayerNorm(width, config["layer_norm_eps"], bias=False)

    def forward(self, hidden):
        return self.norm(F.gelu(self.dense(hidden)))

    def load(self, its):
        best_models.copy(self.dense, its.dense)
        best_models.copy(self.norm, its.norm)


class MaskedLm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder, self.head = Encoder(config), Head(config)
        self.bias = nn.Parameter(torch.zeros(config["vocab_size"]))

    def forward(self, batch):
        """The loss and the logits [B, N, V] at the masked positions."""
        hidden = self.encoder(batch, batch["masked_input_ids"])
        index = batch["masked_positions"].unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        logits = F.linear(self.head(hidden.gather(1, index)), self.encoder.words.weight, self.bias)
        targets = batch["input_ids"].gather(1, batch["masked_positions"])
        losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        valid = batch["masked_valid"].flatten()
        return (losses * valid).sum() / valid.sum(), logits

    def load(self, its):
        self.encoder.load(its.model)
        self.head.load(its.head)
        self.bias.data = its.decoder.bias.data.clone()


class BestMlm(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.main = MaskedLm(encoder)

    def forward(self, batch, samples=None):
        return self.main(batch)[0]

    def load(self, eager):
        self.main.load(eager.main)


class BestElectra(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.generator = MaskedLm(generator)
        self.main = Encoder(encoder, self.generator.encoder)
        self.head, self.classifier = Head(encoder), nn.Linear(encoder["hidden_size"], 1)

    def forward(self, batch, samples=None):
        gen_loss, ids = best_models.corrupted(self.generator, batch, samples)
        logits = self.classifier(self.head(self.main(batch, ids))).squeeze(-1)
        return gen_loss + 50 * detection_loss(logits, ids, batch)

    def load(self, eager):
        self.generator.load(eager.generator)
        self.main.load(eager.main.model)
        self.head.load(eager.main.head)
        best_models.copy(self.classifier, eager.main.classifier)


EAGER = {"mlm": EagerMlm, "electra": EagerElectra}
BEST = {"mlm": BestMlm, "electra": BestElectra}
