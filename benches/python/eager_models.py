"""(a): the objectives as people write them with transformers' classes, logits at every position.

A batch is a dict of [B, L] tensors: input_ids, masked_input_ids, masked (where the masks are),
attention_mask, token_type_ids. `samples` [B, N] takes the place of what would be sampled, for comparing losses.
"""

import torch
import torch.nn.functional as F
from torch import nn
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining


def inputs(batch, ids):
    return {
        "input_ids": ids,
        "attention_mask": batch["attention_mask"],
        "token_type_ids": batch["token_type_ids"],
    }


def labels(batch):
    return batch["input_ids"].masked_fill(~batch["masked"], -100)


class Mlm(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.main = ElectraForMaskedLM(ElectraConfig(**encoder))

    def forward(self, batch, samples=None):
        return self.main(**inputs(batch, batch["masked_input_ids"]), labels=labels(batch)).loss


def corrupted(generator, batch, samples):
    """The generator's loss, and the text with samples where the masks were."""
    output = generator(**inputs(batch, batch["masked_input_ids"]), labels=labels(batch))
    masked = batch["masked"]
    with torch.no_grad():
        if samples is None:
            probabilities = output.logits[masked].softmax(-1)
            samples = torch.multinomial(probabilities, 1).squeeze(-1)
        else:
            samples = samples[batch["masked_valid"]]
        ids = batch["input_ids"].clone()
        ids[masked] = samples
    return output.loss, ids


class Electra(nn.Module):
    def __init__(self, encoder, generator):
        super().__init__()
        self.generator = ElectraForMaskedLM(ElectraConfig(**generator))
        self.main = ElectraForPreTraining(ElectraConfig(**encoder))
        self.main.electra.embeddings = self.generator.electra.embeddings

    def forward(self, batch, samples=None):
        gen_loss, ids = corrupted(self.generator, batch, samples)
        replaced = (ids != batch["input_ids"]).long()
        return gen_loss + 50 * self.main(**inputs(batch, ids), labels=replaced).loss


class AllTokensMlm(nn.Module):
    """p(v) = D·1[v = input] + (1 − D)·softmax(v) at every position, D from a gate (paper §3.5)."""

    def __init__(self, encoder, generator):
        super().__init__()
        self.generator = ElectraForMaskedLM(ElectraConfig(**generator))
        self.main = ElectraForMaskedLM(ElectraConfig(**encoder))
        self.main.electra.embeddings = self.generator.electra.embeddings
        self.main.generator_lm_head.weight = self.generator.electra.embeddings.word_embeddings.weight
        self.gate = nn.Linear(encoder["hidden_size"], 1)

    def forward(self, batch, samples=None):
        gen_loss, ids = corrupted(self.generator, batch, samples)
        targets = batch["input_ids"]
        hidden = self.main.electra(**inputs(batch, ids)).last_hidden_state
        logits = self.main.generator_lm_head(self.main.generator_predictions(hidden))
        gate = self.gate(hidden).squeeze(-1)
        log_softmax = F.log_softmax(logits, dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        predicted = F.logsigmoid(-gate) + log_softmax
        copied = torch.logaddexp(F.logsigmoid(gate), predicted)
        log_p = torch.where(ids == targets, copied, predicted)
        real = batch["attention_mask"]
        return gen_loss - (log_p * real).sum() / real.sum()


MODELS = {"electra": Electra, "mlm": Mlm, "all-tokens-mlm": AllTokensMlm}
