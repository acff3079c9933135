"""Makes golden numbers of the five objectives of the ELECTRA paper with PyTorch and transformers.

    python make_golden.py --out tiny [--seed 1 --hidden 48 --heads 3 …]
    python make_golden.py --out weighted --seed 2 --layers 1 --hidden 16 --embedding 12 --ff 20 --gen-hidden 8 \
        --gen-ff 12 --gen-weight 0.3 --disc-weight 20 --softmax-weight 0.7 --temperature 0.4

Needs torch 2.11, transformers 5.23, safetensors. Writes for random weights (biases and LayerNorms too, so that
no term can be forgotten unseen), dropout off:

discriminator/, generator/     config.json of the two networks
OBJECTIVE/initial.safetensors  every parameter; tied tables once, under "generator."
OBJECTIVE/steps.safetensors    three batches with the samples that were taken, and the losses and the norm of the
                               gradient that came of them
OBJECTIVE/gradients.safetensors  of the first step, before the clip
OBJECTIVE/final.safetensors    every parameter after three steps of AdamW
OBJECTIVE/meta.json            learning rate, schedule and so on

With a temperature the samples are the generator's own, and the uniform numbers that they follow from are in the
steps, too: the first token whose cumulative probability, of the logits divided by the temperature, exceeds the
number. Without one the samples are drawn from all tokens. An objective without a generator has neither a
temperature nor a second weight, and is left out.

"main." is the kept encoder with its head, "generator." the generator. Each objective is written down here from
the paper; only the encoders and heads are transformers'.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

CLS, SEP, MASK = 2, 3, 4
LEARNING_RATE, WARMUP, TOTAL, CLIP, DECAY = 2e-3, 2, 10, 1.0, 0.01
BETAS, EPS = (0.9, 0.999), 1e-6
NAMES = ["mlm", "electra", "electra-15", "replace-mlm", "all-tokens-mlm"]


def electra_config(args, hidden, heads, inner):
    return ElectraConfig(
        vocab_size=args.vocab,
        embedding_size=args.embedding,
        hidden_size=hidden,
        num_hidden_layers=args.layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


@torch.no_grad()
def randomise(module, random):
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=random)
        if name.endswith("LayerNorm.weight"):
            parameter.copy_(1 + noise / 10)
        else:
            parameter.copy_(noise * (0.05 if name.endswith("bias") else 0.12))
    return module.eval()


def make_batch(args, random):
    """Rows of several lengths with two segments; about 15 % masked; three samples in ten are the original."""
    rows, length = args.batch, args.length
    slots = max(1, round(0.15 * length))
    ids = torch.zeros(rows, length, dtype=torch.long)
    real, second = torch.zeros_like(ids), torch.zeros_like(ids)
    positions = torch.zeros(rows, slots, dtype=torch.long)
    used, sampled = torch.zeros(rows, slots), torch.zeros(rows, slots, dtype=torch.long)
    masked = torch.zeros_like(ids)
    for row in range(rows):
        n = length if row == 0 else int(torch.randint(length // 2, length + 1, (1,), generator=random))
        ids[row, :n] = torch.randint(5, args.vocab, (n,), generator=random)
        middle = n // 2
        ids[row, 0], ids[row, middle], ids[row, n - 1] = CLS, SEP, SEP
        real[row, :n] = 1
        second[row, middle + 1 : n] = 1
        candidates = [at for at in range(n) if ids[row, at] not in (CLS, SEP)]
        k = min(slots, max(1, round(0.15 * n)))
        chosen = sorted(candidates[at] for at in torch.randperm(len(candidates), generator=random)[:k].tolist())
        masked[row] = ids[row]
        for slot, at in enumerate(chosen):
            positions[row, slot], used[row, slot], masked[row, at] = at, 1, MASK
            right = torch.rand(1, generator=random) < 0.3
            other = torch.randint(5, args.vocab, (1,), generator=random)
            sampled[row, slot] = ids[row, at] if right else other
    return {
        "input_ids": ids,
        "attention_mask": real,
        "token_type_ids": second,
        "masked_positions": positions,
        "masked_valid": used,
        "generator_input_ids": masked,
        "sampled_ids": sampled,
    }


class Objective:
    """An objective's networks, tied as the paper ties them, and its loss."""

    def __init__(self, name, args, big, small, random):
        self.name = name
        self.args = args
        sigmoid = name.startswith("electra")
        self.generator = None if name == "mlm" else randomise(ElectraForMaskedLM(small), random)
        self.main = randomise((ElectraForPreTraining if sigmoid else ElectraForMaskedLM)(big), random)
        self.gate = randomise(torch.nn.Linear(args.hidden, 1), random) if name == "all-tokens-mlm" else None
        if self.generator is not None:
            ours, theirs = self.main.electra.embeddings, self.generator.electra.embeddings
            for part in ("word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm"):
                getattr(ours, part).weight = getattr(theirs, part).weight
            ours.LayerNorm.bias = theirs.LayerNorm.bias

    def batch(self, random):
        """A batch, with samples of the generator's own where they are asked for."""
        batch = make_batch(self.args, random)
        return batch if self.args.temperature is None else batch | self.sample(batch, random)

    def parameters(self):
        parts = [("generator.", self.generator), ("main.", self.main), ("main.gate.", self.gate)]
        found, result = set(), {}
        for prefix, module in parts:
            for name, parameter in module.named_parameters() if module is not None else []:
                # The output layer is the word table; where that is tied, transformers' own is left over.
                if id(parameter) not in found and not name.endswith("generator_lm_head.weight"):
                    found.add(id(parameter))
                    result[prefix + name] = parameter
        return result

    @staticmethod
    def hidden(network, ids, batch):
        return network.electra(ids, batch["attention_mask"], batch["token_type_ids"]).last_hidden_state

    @staticmethod
    def log_softmax(network, hidden):
        table = network.electra.embeddings.word_embeddings.weight
        return F.log_softmax(network.generator_predictions(hidden) @ table.T + network.generator_lm_head.bias, -1)

    def masked_lm(self, network, ids, batch):
        """−log p of the original tokens at the masked positions, averaged over them."""
        log_p = self.log_softmax(network, self.hidden(network, ids, batch))
        loss, count = 0.0, 0.0
        for row, slot in batch["masked_valid"].nonzero().tolist():
            at = batch["masked_positions"][row, slot]
            loss, count = loss - log_p[row, at, batch["input_ids"][row, at]], count + 1
        return loss / count

    def losses(self, batch):
        """(generator's, main, together)"""
        ids, real = batch["input_ids"], batch["attention_mask"].bool()
        if self.name == "mlm":
            main = self.masked_lm(self.main, batch["generator_input_ids"], batch)
            return torch.zeros(()), main, main
        generator = self.masked_lm(self.generator, batch["generator_input_ids"], batch)
        corrupted, chosen = ids.clone(), torch.zeros_like(real)
        for row, slot in batch["masked_valid"].nonzero().tolist():
            at = batch["masked_positions"][row, slot]
            corrupted[row, at], chosen[row, at] = batch["sampled_ids"][row, slot], True
        replaced = corrupted != ids
        if self.name == "replace-mlm":
            main = self.masked_lm(self.main, corrupted, batch)
            return generator, main, self.together(generator, main)
        hidden = self.hidden(self.main, corrupted, batch)
        if self.name == "all-tokens-mlm":
            predicted = self.log_softmax(self.main, hidden).gather(-1, ids[..., None])[..., 0].exp()
            copy = torch.sigmoid(self.gate(hidden)[..., 0])
            p = (1 - copy) * predicted + copy * ~replaced
            main = -p.log()[real].mean()
            return generator, main, self.together(generator, main)
        where = real if self.name == "electra" else chosen
        p = torch.sigmoid(self.main.discriminator_predictions(hidden))[where]
        main = -torch.where(replaced[where], p.log(), (1 - p).log()).mean()
        return generator, main, self.args.gen_weight * generator + self.args.disc_weight * main

    def together(self, generator, main):
        return self.args.gen_weight * generator + self.args.softmax_weight * main

    @torch.no_grad()
    def sample(self, batch, random):
        """Samples of the generator at the temperature, and the numbers in [0, 1) that they follow from. The numbers
        are no closer than 0.001 to where another token begins, so that rounding cannot change a sample."""
        hidden = self.hidden(self.generator, batch["generator_input_ids"], batch)
        log_p = self.log_softmax(self.generator, hidden).double()
        law = lambda temperature: F.softmax(log_p / temperature, -1).cumsum(-1)
        asked, plain = law(self.args.temperature), law(1.0)
        uniforms, sampled = torch.zeros(batch["masked_valid"].shape), torch.zeros_like(batch["masked_positions"])
        slots, others = batch["masked_valid"].nonzero().tolist(), 0
        for row, slot in slots:
            at = batch["masked_positions"][row, slot]
            number = torch.rand(1, generator=random)
            while (asked[row, at] - number).abs().min() < 1e-3:
                number = torch.rand(1, generator=random)
            uniforms[row, slot] = number
            sampled[row, slot] = (asked[row, at] <= number).sum()
            others += int(sampled[row, slot] != (plain[row, at] <= number).sum())
        assert 2 * others > len(slots), "the temperature decides nothing here"
        return {"uniforms": uniforms, "sampled_ids": sampled}


def run(objective, args, random, folder):
    parameters = objective.parameters()
    copies = lambda: {key: value.detach().clone().contiguous() for key, value in parameters.items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(copies(), folder / "initial.safetensors")
    first = {key: torch.zeros_like(value) for key, value in parameters.items()}
    second = {key: torch.zeros_like(value) for key, value in parameters.items()}
    steps = {}
    for t in range(1, 4):
        batch = objective.batch(random)
        generator, main, loss = objective.losses(batch)
        gradients = dict(zip(parameters, torch.autograd.grad(loss, parameters.values(), allow_unused=True)))
        gradients = {key: value for key, value in gradients.items() if value is not None}
        norm = torch.linalg.vector_norm(torch.cat([value.double().flatten() for value in gradients.values()]))
        if t == 1:
            save_file({key: value.contiguous() for key, value in gradients.items()}, folder / "gradients.safetensors")
        rate = LEARNING_RATE * (1 - t / TOTAL) * min(1.0, t / WARMUP)
        with torch.no_grad():
            for key, gradient in gradients.items():
                gradient = gradient * (CLIP / max(CLIP, norm.item()))
                first[key] = BETAS[0] * first[key] + (1 - BETAS[0]) * gradient
                second[key] = BETAS[1] * second[key] + (1 - BETAS[1]) * gradient**2
                update = first[key] / (second[key].sqrt() + EPS)
                if "LayerNorm" not in key and not key.endswith("bias"):
                    update = update + DECAY * parameters[key]
                parameters[key].sub_(rate * update)
        steps |= {f"{t}.{key}": value.contiguous() for key, value in batch.items()}
        figures = {"gen_loss": generator, "main_loss": main, "loss": loss, "grad_norm": norm}
        steps |= {f"{t}.{key}": value.detach().float().reshape(1).clone() for key, value in figures.items()}
    save_file(steps, folder / "steps.safetensors")
    save_file(copies(), folder / "final.safetensors")
    meta = {
        "objective": objective.name, "lambda_": args.disc_weight, "gen_weight": args.gen_weight,
        "softmax_weight": args.softmax_weight, "temperature": args.temperature, "lr": LEARNING_RATE, "warmup": WARMUP, "total": TOTAL, "eps": EPS,
        "betas": BETAS, "weight_decay": DECAY, "clip": CLIP, "args": vars(args) | {"out": None},
        "torch": torch.__version__.split("+")[0],
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


def options(doc):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path)
    defaults = {
        "seed": 1, "layers": 2, "hidden": 32, "heads": 2, "embedding": 24, "ff": 40, "gen-hidden": 16,
        "gen-heads": 1, "gen-ff": 24, "vocab": 97, "batch": 3, "length": 20,
    }
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--gen-weight", type=float, default=1.0)
    parser.add_argument("--disc-weight", type=float, default=50.0)
    parser.add_argument("--softmax-weight", type=float, default=1.0)
    parser.add_argument("--temperature", type=float)
    return parser.parse_args()


def configs(args):
    """Of the kept encoder and of the generator, which are written into their folders."""
    big = electra_config(args, args.hidden, args.heads, args.ff)
    small = electra_config(args, args.gen_hidden, args.gen_heads, args.gen_ff)
    for config, name in ((big, "discriminator"), (small, "generator")):
        config.save_pretrained(args.out / name)
    return big, small


def main():
    args = options(__doc__)
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(args.seed)
    big, small = configs(args)
    for name in NAMES if args.temperature is None else NAMES[1:]:
        run(Objective(name, args, big, small, random), args, random, args.out / name)


if __name__ == "__main__":
    main()
