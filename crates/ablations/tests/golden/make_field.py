"""Makes golden numbers of the objectives that are not the paper's, with PyTorch and transformers.

    python make_field.py --out field --seed 4 --softmax-weight 0.7 --gen-weight 0.6 --disc-weight 20

Needs what make_golden.py needs, writes what that writes, and takes its options: here stands what differs, the networks
and the loss of each objective. What an objective is fed beside the text is in steps.safetensors under the name that its
view gives it. The samples of Electric are drawn from all tokens.
"""

import torch
from torch.func import functional_call
from torch.nn import functional as F
from transformers import ElectraForCausalLM, ElectraForMaskedLM, ElectraForPreTraining, ElectraModel

import make_golden as base
from make_golden import MASK, randomise


def decoder(config):
    """The same network under a causal mask, which is transformers' own."""
    return type(config)(**config.to_dict() | {"is_decoder": True})


def after_first(real):
    """Every token of a row but its first."""
    flags = real.clone()
    flags[:, 0] = 0
    return flags


def mean(terms):
    return sum(terms) / len(terms)


class Field(base.Objective):
    """An objective without a generator; tensors of a batch that nothing reads are left out of the file."""

    def __init__(self, name, args, big, random):
        self.name, self.args, self.generator, self.gate = name, args, None, None
        self.main = randomise(self.network(big), random)

    def network(self, config):
        return ElectraForMaskedLM(config)

    def own(self, batch, random):
        """What the objective's view adds to the text, the segments and the mask of padding."""
        raise NotImplementedError

    def batch(self, random):
        batch = base.make_batch(self.args, random)
        names = ("input_ids", "attention_mask", "token_type_ids")
        return {name: batch[name] for name in names} | self.own(batch, random)

    def losses(self, batch):
        main = self.main_loss(batch)
        return torch.zeros(()), main, self.args.softmax_weight * main


class Clm(Field):
    """transformers' own causal language model: its mask, its head. Its loss is written out."""

    def network(self, config):
        return ElectraForCausalLM(decoder(config))

    def own(self, batch, random):
        return {"continued": after_first(batch["attention_mask"])}

    def main_loss(self, batch):
        ids, real = batch["input_ids"], batch["attention_mask"]
        log_p = F.log_softmax(self.main(ids, real, batch["token_type_ids"]).logits, -1)
        return -mean([log_p[row, at - 1, ids[row, at]] for row, at in batch["continued"].nonzero().tolist()])


class GptBert(Field):
    """The second row is causal, the others are masked; each row is computed on its own by one of two classes."""

    def own(self, batch, random):
        ids, causal = batch["input_ids"], torch.zeros(len(batch["input_ids"]), 1, dtype=torch.long)
        causal[1] = 1
        masked = torch.where(causal.bool(), ids, batch["generator_input_ids"])
        return {
            "generator_input_ids": masked,
            "masked_positions": batch["masked_positions"],
            "masked_valid": batch["masked_valid"] * (1 - causal),
            "sampled_ids": batch["sampled_ids"],
            "continued": after_first(batch["attention_mask"]) * causal,
            "causal_rows": causal,
            "masked_rows": 1 - causal,
            "rows": torch.ones_like(causal),
        }

    def main_loss(self, batch):
        ids, causal = batch["input_ids"], ElectraForCausalLM(decoder(self.main.config)).eval()
        masked_terms, causal_terms = [], []
        for row in range(len(ids)):
            is_causal = bool(batch["causal_rows"][row])
            told = (batch["generator_input_ids"][row : row + 1], batch["attention_mask"][row : row + 1],
                    batch["token_type_ids"][row : row + 1])
            network = causal if is_causal else self.main
            logits = functional_call(network, dict(self.main.named_parameters()), told).logits
            log_p = F.log_softmax(logits[0], -1)
            if is_causal:
                causal_terms += [log_p[at - 1, ids[row, at]] for at in batch["continued"][row].nonzero()[:, 0]]
            else:
                used = batch["masked_positions"][row][batch["masked_valid"][row].bool()]
                masked_terms += [log_p[at - 1, ids[row, at]] for at in used]
        share = batch["causal_rows"].float().mean()
        return -(1 - share) * mean(masked_terms) - share * mean(causal_terms)


class PermutationLm(Field):
    """Two streams written out, a head at a time and a row at a time."""

    def own(self, batch, random):
        ranks = torch.zeros_like(batch["input_ids"])
        for row in range(len(ranks)):
            used = batch["masked_positions"][row][batch["masked_valid"][row].bool()]
            order = torch.randperm(len(used), generator=random)
            ranks[row, used[order]] = torch.arange(1, len(used) + 1)
        names = ("generator_input_ids", "masked_positions", "masked_valid", "sampled_ids")
        return {name: batch[name] for name in names} | {"permutation_ranks": ranks}

    def layer(self, layer, queries, context, allowed):
        """One layer of BERT: `queries` [Q, D] attend to `context` [L, D] where `allowed` [Q, L] is true."""
        attention, heads = layer.attention.self, self.args.heads
        size = queries.shape[-1] // heads
        q, k, v = attention.query(queries), attention.key(context), attention.value(context)
        mixed = []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            scores = q[:, part] @ k[:, part].T / size**0.5
            mixed.append(scores.masked_fill(~allowed, float("-inf")).softmax(-1) @ v[:, part])
        output = layer.attention.output
        x = output.LayerNorm(queries + output.dense(torch.cat(mixed, -1)))
        return layer.output.LayerNorm(x + layer.output.dense(F.gelu(layer.intermediate.dense(x))))

    def main_loss(self, batch):
        electra, terms = self.main.electra, []
        project = electra.embeddings_project
        for row in range(len(batch["input_ids"])):
            n = int(batch["attention_mask"][row].sum())
            ids, second = batch["input_ids"][row : row + 1, :n], batch["token_type_ids"][row : row + 1, :n]
            ranks = batch["permutation_ranks"][row, :n]
            predicted = ranks.nonzero()[:, 0]
            embed = lambda ids: project(electra.embeddings(input_ids=ids, token_type_ids=second))[0]
            content, queries = embed(ids), embed(torch.full_like(ids, MASK))[predicted]
            # A token that is not predicted comes before all that are.
            sees = ranks[None, :] <= ranks[:, None]
            asks = ranks[None, :] < ranks[predicted][:, None]
            for layer in electra.encoder.layer:
                queries, content = (
                    self.layer(layer, queries, content, asks), self.layer(layer, content, content, sees)
                )
            log_p = self.log_softmax(self.main, queries)
            terms += [log_p[slot, ids[0, at]] for slot, at in enumerate(predicted.tolist())]
        return -mean(terms)


class Electric(Field):
    """Noise-contrastive estimation as probabilities: n − k data, k noise."""

    def __init__(self, args, big, small, random):
        super().__init__("electric", args, big, random)
        self.towers = [randomise(ElectraModel(small), random) for _ in range(2)]
        wide = base.electra_config(args, 2 * args.gen_hidden, 1, args.gen_ff)
        self.head = randomise(ElectraForMaskedLM(wide), random)
        ours = self.main.electra.embeddings
        for tower in self.towers:
            for part in ("word_embeddings", "position_embeddings", "token_type_embeddings", "LayerNorm"):
                getattr(tower.embeddings, part).weight = getattr(ours, part).weight
            tower.embeddings.LayerNorm.bias = ours.LayerNorm.bias

    def network(self, config):
        return ElectraForPreTraining(config)

    def parameters(self):
        result = super().parameters()
        known = {id(parameter) for parameter in result.values()}
        for name, tower in zip(("left_to_right", "right_to_left"), self.towers):
            for key, parameter in tower.named_parameters():
                if id(parameter) not in known:
                    result[f"noise.{name}.electra.{key}"] = parameter
        for key, parameter in self.head.named_parameters():
            if key.startswith("generator_predictions") or key == "generator_lm_head.bias":
                result[f"noise.{key}"] = parameter
        return result

    def own(self, batch, random):
        ids = batch["input_ids"]
        text = batch["attention_mask"] * (ids != base.CLS) * (ids != base.SEP)
        names = ("generator_input_ids", "masked_positions", "masked_valid", "sampled_ids")
        return {name: batch[name] for name in names} | {"text": text}

    def log_q(self, ids, second):
        """log q of every token of the vocabulary at each position of one row, [n, V]."""
        n, size = ids.shape[1], self.args.gen_hidden
        rows = []
        # A tower that is shown no more than a side of the position cannot see the rest, whatever its mask.
        left, right = self.towers
        positions = torch.arange(n)[None]
        for at in range(n):
            before, after = torch.zeros(size), torch.zeros(size)
            if at > 0:
                hidden = left(ids[:, :at], token_type_ids=second[:, :at], attention_mask=self.steps(at, False))
                before = hidden.last_hidden_state[0, -1]
            if at + 1 < n:
                hidden = right(ids[:, at + 1 :], token_type_ids=second[:, at + 1 :],
                               position_ids=positions[:, at + 1 :], attention_mask=self.steps(n - at - 1, True))
                after = hidden.last_hidden_state[0, 0]
            rows.append(torch.cat([before, after]))
        table = self.main.electra.embeddings.word_embeddings.weight
        logits = self.head.generator_predictions(torch.stack(rows)) @ table.T + self.head.generator_lm_head.bias
        return F.log_softmax(logits, -1)

    @staticmethod
    def steps(length, backwards):
        """Additive, [1, 1, L, L]: each position attends to itself and those before it, or those after it."""
        allowed = torch.ones(length, length).triu() if backwards else torch.ones(length, length).tril()
        return torch.where(allowed.bool(), 0.0, float("-inf"))[None, None]

    def losses(self, batch):
        likelihoods, terms = [], []
        for row in range(len(batch["input_ids"])):
            n = int(batch["attention_mask"][row].sum())
            ids, second = batch["input_ids"][row : row + 1, :n], batch["token_type_ids"][row : row + 1, :n]
            log_q = self.log_q(ids, second)
            likelihoods += [log_q[at, ids[0, at]] for at in batch["text"][row].nonzero()[:, 0]]
            noised, noise = ids.clone(), set()
            for slot in batch["masked_valid"][row].nonzero()[:, 0]:
                at = int(batch["masked_positions"][row, slot])
                noised[0, at] = batch["sampled_ids"][row, slot]
                noise.add(at)
            energies = self.main(noised, token_type_ids=second).logits[0]
            k = len(noise)
            for at in range(n):
                q = log_q[at, noised[0, at]].detach().exp()
                p = torch.exp(-energies[at])
                of_noise, of_data = k * q, (n - k) * p
                terms.append(((of_noise if at in noise else of_data) / (of_noise + of_data)).log())
        noise, main = -mean(likelihoods), -mean(terms)
        return noise, main, self.args.gen_weight * noise + self.args.disc_weight * main


OBJECTIVES = {
    "clm": lambda args, big, small, random: Clm("clm", args, big, random),
    "gpt-bert": lambda args, big, small, random: GptBert("gpt-bert", args, big, random),
    "permutation-lm": lambda args, big, small, random: PermutationLm("permutation-lm", args, big, random),
    "electric": lambda args, big, small, random: Electric(args, big, small, random),
}


def main():
    args = base.options(__doc__)
    torch.set_num_threads(1)
    big, small = base.configs(args)
    for name, make in OBJECTIVES.items():
        # Random numbers of its own, so that another objective changes no number of this one.
        random = torch.Generator().manual_seed(args.seed)
        base.run(make(args, big, small, random), args, random, args.out / name)


if __name__ == "__main__":
    main()
