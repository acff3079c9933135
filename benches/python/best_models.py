"""(b): the same losses by the best PyTorch that can be written in a day.

One product for Q, K and V, scaled_dot_product_attention, vocabulary heads at masked positions only, samples
by inverting the cumulative distribution (one random number a sample instead of V), no mask where no row is
padded.
`load` takes the weights of eager_models.py's model of the same objective.

B rows, L positions, N slots for masked positions, D width, E of the embeddings, V words.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Layer(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, inner, eps = config["hidden_size"], config["intermediate_size"], config["layer_norm_eps"]
        self.heads = config["num_attention_heads"]
        self.dropout = config["hidden_dropout_prob"]
        self.attention_dropout = config["attention_probs_dropout_prob"]
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)

    def forward(self, x, mask):
        rows, length, width = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        rate = self.attention_dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)
        attended = self.out(attended.transpose(1, 2).reshape(rows, length, width))
        x = self.norm1(x + F.dropout(attended, self.dropout, self.training))
        return self.norm2(x + F.dropout(self.down(F.gelu(self.up(x))), self.dropout, self.training))

    def load(self, its):
        attention, output = its.attention.self, its.attention.output
        parts = [attention.query, attention.key, attention.value]
        self.qkv.weight.data = torch.cat([part.weight.data for part in parts])
        self.qkv.bias.data = torch.cat([part.bias.data for part in parts])
        copy(self.out, output.dense)
        copy(self.norm1, output.LayerNorm)
        copy(self.up, its.intermediate.dense)
        copy(self.down, its.output.dense)
        copy(self.norm2, its.output.LayerNorm)


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["embedding_size"]
        self.dropout = config["hidden_dropout_prob"]
        self.words = nn.Embedding(config["vocab_size"], width)
        self.positions = nn.Embedding(config["max_position_embeddings"], width)
        self.types = nn.Embedding(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, config["layer_norm_eps"])

    def forward(self, ids, types):
        x = self.words(ids) + self.types(types) + self.positions.weight[: ids.shape[1]]
        return F.dropout(self.norm(x), self.dropout, self.training)

    def load(self, its):
        copy(self.words, its.word_embeddings)
        copy(self.positions, its.position_embeddings)
        copy(self.types, its.token_type_embeddings)
        copy(self.norm, its.LayerNorm)


class Encoder(nn.Module):
    def __init__(self, config, embeddings=None):
        super().__init__()
        self.embeddings = embeddings or Embeddings(config)
        width, embedding = config["hidden_size"], config["embedding_size"]
        self.project = nn.Identity() if width == embedding else nn.Linear(embedding, width)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))

    def forward(self, batch, ids):
        x = self.project(self.embeddings(ids, batch["token_type_ids"]))
        for layer in self.layers:
            x = layer(x, batch["mask"])
        return x

    def load(self, its):
        self.embeddings.load(its.embeddings)
        if hasattr(its, "embeddings_project"):
            copy(self.project, its.embeddings_project)
        for mine, layer in zip(self.layers, its.encoder.layer):
            mine.load(layer)


class VocabularyHead(nn.Module):
    """… × D to … × V, tied to the word table."""

    def __init__(self, config, embeddings):
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["embedding_size"])
        self.norm = nn.LayerNorm(config["embedding_size"], config["layer_norm_eps"])
        self.bias = nn.Parameter(torch.zeros(config["vocab_size"]))
        self.table = embeddings.words

    def forward(self, hidden):
        return F.linear(self.norm(F.gelu(self.dense(hidden))), self.table.weight, self.bias)

    def load(self, its):
        copy(self.dense, its.generator_predictions.dense)
        copy(self.norm, its.generator_predictions.LayerNorm)
        self.bias.data = its.generator_lm_head.bias.data.clone()


class MaskedLm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.encoder = Encoder(config)
        self.head = VocabularyHead(config, self.encoder.embeddings)

    def forward(self, batch):
        """The loss and the logits [B, N, V] at the masked positions."""
        hidden = self.encoder(batch, batch["masked_input_ids"])
        index = batch["masked_positions"].unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        logits = self.head(hidden.gather(1, index))
        targets = batch["input_ids"].gather(1, batch["masked_positions"])
        losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        valid = batch["masked_valid"].flatten()
        return (losses * valid).sum() / valid.sum(), logits

    def load(self, its):
        self.encoder.load(its.electra)
        self.head.load(its)


@torch.no_grad()
def sample(logits):
    """[B, N, V] to [B, N]: the first word whose cumulative probability exceeds a random number."""
    cumulative = logits.softmax(-1).cumsum(-1)
    wanted = torch.rand(logits.shape[:-1]).unsqueeze(-1) * cumulative[..., -1:]
    return torch.searchsorted(cumulative, wanted, right=True).squeeze(-1).clamp_max(logits.shape[-1] - 1)


def corrupted(generator, batch, samples):
    loss, logits = generator(batch)
    samples = sample(logits.detach()) if samples is None else samples
    written = torch.where(
        batch["masked_valid"], samples, batch["input_ids"].gather(1, batch["masked_positions"])
    )
    return loss, batch["input_ids"].scatter(1, batch["masked_positions"], written)


class Mlm(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.main = MaskedLm(encoder)

    def forward(self, batch, samples=None):
        return self.main(batch)[0]

    def load(self, its):
        self.main.load(its.main)


class Electra(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.generator = MaskedLm(generator)
        self.main = Encoder(encoder, self.generator.encoder.embeddings)
        self.dense = nn.Linear(encoder["hidden_size"], encoder["hidden_size"])
        self.predict = nn.Linear(encoder["hidden_size"], 1)

    def forward(self, batch, samples=None):
        gen_loss, ids = corrupted(self.generator, batch, samples)
        logits = self.predict(F.gelu(self.dense(self.main(batch, ids)))).squeeze(-1)
        replaced = (ids != batch["input_ids"]).to(logits.dtype)
        real = batch["attention_mask"].to(logits.dtype)
        losses = F.binary_cross_entropy_with_logits(logits, replaced, weight=real, reduction="sum")
        return gen_loss + 50 * losses / real.sum()

    def load(self, its):
        self.generator.load(its.generator)
        self.main.load(its.main.electra)
        copy(self.dense, its.main.discriminator_predictions.dense)
        copy(self.predict, its.main.discriminator_predictions.dense_prediction)


class AllTokensMlm(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.generator = MaskedLm(generator)
        self.main = Encoder(encoder, self.generator.encoder.embeddings)
        self.head = VocabularyHead(encoder, self.main.embeddings)
        self.gate = nn.Linear(encoder["hidden_size"], 1)

    def forward(self, batch, samples=None):
        gen_loss, ids = corrupted(self.generator, batch, samples)
        targets = batch["input_ids"]
        hidden = self.main(batch, ids)
        gate = self.gate(hidden).squeeze(-1)
        losses = F.cross_entropy(self.head(hidden).flatten(0, 1), targets.flatten(), reduction="none")
        predicted = F.logsigmoid(-gate) - losses.view_as(gate)
        log_p = torch.where(ids == targets, torch.logaddexp(F.logsigmoid(gate), predicted), predicted)
        real = batch["attention_mask"]
        return gen_loss - (log_p * real).sum() / real.sum()

    def load(self, its):
        self.generator.load(its.generator)
        self.main.load(its.main.electra)
        self.head.load(its.main)
        copy(self.gate, its.gate)


def initialise(model):
    """As BERT is: matrices from a normal distribution, biases 0."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    return model


def copy(mine, its):
    for name, parameter in mine.named_parameters():
        parameter.data = its.get_parameter(name).data.clone()


MODELS = {"electra": Electra, "mlm": Mlm, "all-tokens-mlm": AllTokensMlm}
