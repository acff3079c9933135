"""Makes golden numbers of objectives that are not the ELECTRA paper's, with PyTorch and transformers.

    python make_corruption_golden.py --out corruption

Three steps of each, at sizes of which no two are the same, in the files of `make_golden.py`:

mlm           masked diffusion: each row has a share of masks of its own, and a masked position weighs m/k where k of the
              row's m maskable tokens are masked; the loss is Σ weight · −log p / Σ m (Nie et al., arXiv 2502.09992,
              eq. 14, over the tokens of the whole batch)
coco-clm      corrective language modelling (Meng et al., arXiv 2102.08473, §3): the loss of the generator, 50 times the
              binary cross-entropy of the copy gate at all tokens, and −log p at the masked positions, where
              p(v) = gate · 1[v = input] + (1 − gate) · softmax(v) and no gradient goes through the gate
electra-gdes  ELECTRA whose discriminator has the tables of the generator, stopped, plus tables of its own that begin at 0
              (He et al., DeBERTaV3, arXiv 2111.09543, §3.3); here they begin at random, so that no term is forgotten
"""

import argparse
from pathlib import Path

import torch
from torch.nn import functional as F
from transformers import ElectraForMaskedLM, ElectraForPreTraining

import make_golden as base

TABLES = ("word_embeddings", "position_embeddings", "token_type_embeddings")


class Diffusion(base.Objective):
    """The five objectives' `mlm` with another loss."""

    def losses(self, batch):
        log_p = self.log_softmax(self.main, self.hidden(self.main, batch["generator_input_ids"], batch))
        total, tokens = 0.0, batch["maskable"].sum()
        for row, slot in batch["masked_valid"].nonzero().tolist():
            at = batch["masked_positions"][row, slot]
            k, m = batch["masked_valid"][row].sum(), batch["maskable"][row].sum()
            total = total - m / k * log_p[row, at, batch["input_ids"][row, at]]
        return torch.zeros(()), total / tokens, self.args.softmax_weight * total / tokens


class CorrectiveLm(base.Objective):
    """The five objectives' `all-tokens-mlm` with another loss."""

    def losses(self, batch):
        ids, real = batch["input_ids"], batch["attention_mask"].bool()
        generator = self.masked_lm(self.generator, batch["generator_input_ids"], batch)
        corrupted = ids.clone()
        slots = batch["masked_valid"].nonzero().tolist()
        for row, slot in slots:
            corrupted[row, batch["masked_positions"][row, slot]] = batch["sampled_ids"][row, slot]
        hidden = self.hidden(self.main, corrupted, batch)
        copy = torch.sigmoid(self.gate(hidden)[..., 0])
        original = corrupted == ids
        binary = -torch.where(original[real], copy[real].log(), (1 - copy[real]).log()).mean()
        softmax, gate = self.log_softmax(self.main, hidden).exp(), copy.detach()
        main = 0.0
        for row, slot in slots:
            at = batch["masked_positions"][row, slot]
            p = (1 - gate[row, at]) * softmax[row, at, ids[row, at]] + gate[row, at] * original[row, at]
            main = main - p.log() / len(slots)
        loss = self.args.gen_weight * generator + self.args.disc_weight * binary + self.args.softmax_weight * main
        return generator, main, loss


class Disentangled(base.Objective):
    """ELECTRA whose embeddings are disentangled."""

    def __init__(self, name, args, big, small, random):
        self.name, self.args, self.gate = "electra", args, None
        self.generator = base.randomise(ElectraForMaskedLM(small), random)
        self.main = base.randomise(ElectraForPreTraining(big), random)
        embeddings = self.main.electra.embeddings
        self.deltas = {part: getattr(embeddings, part).weight for part in TABLES}
        for part in TABLES:
            getattr(embeddings, part)._parameters.pop("weight")
            getattr(embeddings, part).weight = None

    def parameters(self):
        place = "main.electra.embeddings."
        parts = [("generator.", self.generator), ("main.", self.main)]
        found = {}
        for prefix, module in parts:
            for name, parameter in module.named_parameters():
                if not name.endswith("generator_lm_head.weight"):
                    found[prefix + name] = parameter
        return found | {f"{place}{part}.delta": delta for part, delta in self.deltas.items()}

    def losses(self, batch):
        theirs, ours = self.generator.electra.embeddings, self.main.electra.embeddings
        for part in TABLES:
            getattr(ours, part).weight = getattr(theirs, part).weight.detach() + self.deltas[part]
        return super().losses(batch)


def masked_at_rates(make_batch):
    """A batch in which the rows have 1, 2, … masked tokens, in turns."""

    def make(args, random):
        batch = make_batch(args, random)
        ids, valid = batch["input_ids"], batch["masked_valid"]
        special = (ids == base.CLS) | (ids == base.SEP) | (ids == 0)
        for row in range(len(ids)):
            used = int(valid[row].sum())
            for slot in range(min(used, 1 + row % used), used):
                at = batch["masked_positions"][row, slot].item()
                valid[row, slot], batch["generator_input_ids"][row, at] = 0, ids[row, at]
                batch["masked_positions"][row, slot] = 0
        weights = (~special).sum(1, keepdim=True) / valid.sum(1, keepdim=True) * valid
        return batch | {"masked_weights": weights, "maskable": (~special).long()}

    return make


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    out = parser.parse_args().out
    args = argparse.Namespace(
        seed=3, layers=1, hidden=16, heads=2, embedding=12, ff=20, gen_hidden=8, gen_heads=1, gen_ff=12, vocab=97, batch=4,
        length=24, gen_weight=0.7, disc_weight=50.0, softmax_weight=1.3, temperature=None,
    )
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(args.seed)
    big = base.electra_config(args, args.hidden, args.heads, args.ff)
    small = base.electra_config(args, args.gen_hidden, args.gen_heads, args.gen_ff)
    for config, name in ((big, "discriminator"), (small, "generator")):
        config.save_pretrained(out / name)
    plain, make_batch = base.Objective, base.make_batch
    for name, like, kind in [
        ("mlm", "mlm", Diffusion), ("coco-clm", "all-tokens-mlm", CorrectiveLm), ("electra-gdes", "electra", Disentangled),
    ]:
        base.Objective, base.make_batch = kind, masked_at_rates(make_batch) if name == "mlm" else make_batch
        base.run(like, args, big, small, random, out / name)
    base.Objective, base.make_batch = plain, make_batch


if __name__ == "__main__":
    main()
