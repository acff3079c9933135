"""Makes golden numbers of fine-tuning and of zero-shot scores with PyTorch and transformers.

    python make_golden.py

Needs torch 2.11, transformers 5.23, safetensors. Writes beside itself, for random weights (biases and
LayerNorms too, so that no term can be forgotten unseen), dropout off:

CLASS/config.json, model.safetensors  sequence, multi_label, regression, …: ElectraFor… of transformers
CLASS/batch.safetensors               a batch, its logits and its loss
CLASS/final.safetensors               every parameter after three steps of AdamW on that batch
rates.json                            rate, schedule and so on of those steps, and each parameter's factor
longest_first.json                    pairs of texts and the rows that truncation leaves of them
pairs/{causal,discriminator,mlm}/     networks, and scores.json: what sentences score by each score
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (
    BertTokenizerFast,
    ElectraConfig,
    ElectraForCausalLM,
    ElectraForMaskedLM,
    ElectraForMultipleChoice,
    ElectraForPreTraining,
    ElectraForQuestionAnswering,
    ElectraForSequenceClassification,
    ElectraForTokenClassification,
)

HERE = Path(__file__).parent
WORDS = "the a cat cats dog dogs sleep sleeps sees see near old , . un ##s ##ing walk".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS
CLS, SEP, MASK = 2, 3, 4
LEARNING_RATE, TOTAL, WARMUP, CLIP, DECAY = 3e-3, 10, 2, 1.0, 0.01
# Gradients that are 0 but for rounding (of the keys' biases, say) would make steps of it with an eps of 1e-6.
BETAS, EPS, LAYER_DECAY, LAYERS = (0.9, 0.999), 1e-4, 0.8, 2


def config(**more):
    return ElectraConfig(
        vocab_size=len(VOCABULARY),
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=24,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        summary_last_dropout=0.0,
        **more,
    )


@torch.no_grad()
def randomise(model, seed):
    random = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=random)
        if name.endswith("LayerNorm.weight"):
            parameter.copy_(1 + noise / 10)
        else:
            parameter.copy_(noise * (0.1 if name.endswith("bias") else 0.25))
    return model.eval()


def rows(lengths, seed):
    """Rows of several lengths with two segments."""
    random = torch.Generator().manual_seed(seed)
    most = max(lengths)
    ids = torch.zeros(len(lengths), most, dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, :length] = torch.randint(5, len(VOCABULARY), (length,), generator=random)
        middle = length // 2
        ids[row, 0], ids[row, middle], ids[row, length - 1] = CLS, SEP, SEP
        mask[row, :length] = 1
        types[row, middle + 1 : length] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def scale(name):
    """The paper's factor on the learning rate."""
    if not name.startswith("electra."):
        return 1.0
    if name.startswith("electra.encoder.layer."):
        return LAYER_DECAY ** (LAYERS - int(name.split(".")[3]))
    return LAYER_DECAY ** (LAYERS + 1)


def steps(model, forward):
    """Three steps of AdamW as the reference computes them: no bias correction, eps outside the root."""
    moments = {}
    for step in range(1, 4):
        model.zero_grad()
        forward().backward()
        used = [(name, p) for name, p in model.named_parameters() if p.grad is not None]
        norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for _, p in used))
        clip = float(CLIP / max(norm, CLIP))
        lr = LEARNING_RATE * (1 - step / TOTAL) * min(1, step / WARMUP)
        with torch.no_grad():
            for name, p in used:
                g = p.grad * clip
                m, v = moments.get(name, (torch.zeros_like(g), torch.zeros_like(g)))
                m, v = BETAS[0] * m + (1 - BETAS[0]) * g, BETAS[1] * v + (1 - BETAS[1]) * g * g
                moments[name] = (m, v)
                decay = 0.0 if "LayerNorm" in name or name.endswith("bias") else DECAY
                p -= lr * scale(name) * (m / (v.sqrt() + EPS) + decay * p)


def fine_tuned():
    batch = rows([9, 7, 5, 8], 1)
    # Padding can be no answer here, as in the reference; in transformers it can, so the golden rows have none.
    full = rows([8, 8, 8, 8], 2)
    words = torch.full_like(batch["input_ids"], -100)
    for row, positions in enumerate([[1, 3, 5], [1, 2], [1, 3], [2, 4, 6]]):
        for position in positions:
            words[row, position] = (row + position) % 4
    spans = torch.tensor([[6, 7], [0, 0], [5, 5], [5, 6]])
    three = dict(id2label={0: "no", 1: "perhaps", 2: "yes"}, label2id={"no": 0, "perhaps": 1, "yes": 2})
    four = dict(id2label={i: f"T{i}" for i in range(4)}, label2id={f"T{i}": i for i in range(4)})
    one = dict(id2label={0: "LABEL_0"}, label2id={"LABEL_0": 0}, problem_type="regression")
    several = three | dict(problem_type="multi_label_classification")
    some = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    cases = {
        "sequence": (ElectraForSequenceClassification(config(**three)), batch, torch.tensor([2, 0, 1, 2])),
        "regression": (ElectraForSequenceClassification(config(**one)), batch, torch.tensor([0.3, -1.0, 2.5, 0.0])),
        "tokens": (ElectraForTokenClassification(config(**four)), batch, words),
        "spans": (ElectraForQuestionAnswering(config()), full, spans),
        "choice": (ElectraForMultipleChoice(config()), batch, torch.tensor([1, 0])),
        "multi_label": (ElectraForSequenceClassification(config(**several)), batch, some),
    }
    factors = {}
    for seed, (name, (model, batch, labels)) in enumerate(cases.items()):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        randomise(model, seed).save_pretrained(folder)
        shaped = {key: value.view(2, 2, -1) for key, value in batch.items()} if name == "choice" else batch
        target = {"labels": labels}
        if name == "spans":
            target = {"start_positions": labels[:, 0], "end_positions": labels[:, 1]}

        def forward():
            return model(**shaped, **target).loss

        output = model(**shaped, **target)
        logits = output.logits if name != "spans" else torch.stack([output.start_logits, output.end_logits], -1)
        save_file(
            {**batch, "labels": labels, "logits": logits.detach(), "loss": output.loss.detach()},
            folder / "batch.safetensors",
        )
        steps(model, forward)
        named = {key: value.detach().clone() for key, value in model.named_parameters()}
        save_file(named, folder / "final.safetensors")
        factors.update({key: scale(key) for key in named})
    numbers = {
        "learning_rate": LEARNING_RATE,
        "total": TOTAL,
        "warmup": WARMUP,
        "clip": CLIP,
        "eps": EPS,
        "weight_decay": DECAY,
        "layer_decay": LAYER_DECAY,
        "factors": factors,
    }
    (HERE / "rates.json").write_text(json.dumps(numbers, indent=1) + "\n")


def tokenizer():
    folder = HERE / "tokenizer"
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    return BertTokenizerFast(str(folder / "vocab.txt"))


def longest_first(tokens):
    cases = []
    for first, second, length in [(3, 4, 12), (3, 12, 12), (12, 3, 12), (9, 7, 12), (7, 9, 13), (8, 8, 12), (9, None, 6)]:
        text = " ".join(WORDS[at % 12] for at in range(first))
        pair = None if second is None else " ".join(WORDS[(at + 5) % 12] for at in range(second))
        row = tokens(text, pair, truncation="longest_first", max_length=length)
        cases.append(
            {"first": text, "second": pair, "max_length": length, "input_ids": row["input_ids"], "token_type_ids": row["token_type_ids"]}
        )
    (HERE / "longest_first.json").write_text(json.dumps(cases, indent=1) + "\n")


SENTENCES = ["the cat sleeps .", "the cats sleep", "a dog sees the old cats near the dogs .", "unwalking , dog", "zebra"]


@torch.no_grad()
def asked(network, ids, at):
    """log p [V] by a second stream: its query knows that it stands at `at`, and attends to the others, which attend to one
    another."""
    others = torch.tensor([place for place in range(ids.shape[1]) if place != at])
    electra = network.electra
    embed = lambda ids: electra.embeddings_project(electra.embeddings(input_ids=ids))[0]
    content, query = embed(ids)[others], embed(torch.full_like(ids, MASK))[at : at + 1]
    for layer in electra.encoder.layer:
        attention, output = layer.attention.self, layer.attention.output
        heads = lambda x: x.view(len(x), attention.num_attention_heads, -1).transpose(0, 1)

        def step(queries):
            q, k, v = heads(attention.query(queries)), heads(attention.key(content)), heads(attention.value(content))
            mixed = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).softmax(-1) @ v
            x = output.LayerNorm(queries + output.dense(mixed.transpose(0, 1).flatten(1)))
            return layer.output.LayerNorm(x + layer.output.dense(layer.intermediate(x)))

        query, content = step(query), step(content)
    hidden = network.generator_predictions(query)
    return network.generator_lm_head(hidden).double().log_softmax(-1)[0]


def pairs(tokens):
    shutil.rmtree(HERE / "pairs", ignore_errors=True)
    mlm = randomise(ElectraForMaskedLM(config()), 11)
    rtd = randomise(ElectraForPreTraining(config()), 12)
    causal = randomise(ElectraForCausalLM(config(is_decoder=True)), 13)
    # The same network attending to all tokens, as GPT-BERT does where it reads masks.
    both_ways = ElectraForMaskedLM(config()).eval()
    both_ways.load_state_dict(causal.state_dict())
    names = ("pseudo-log-likelihood", "unmasked", "discriminator", "energy", "log-likelihood", "masked-next-token",
             "two-stream")
    scores = {"sentences": SENTENCES} | {name: [] for name in names}
    for sentence in SENTENCES:
        row = tokens(sentence, return_tensors="pt")
        ids = row["input_ids"]
        inner = range(1, ids.shape[1] - 1)
        masked, masked_next = 0.0, 0.0
        for at in inner:
            hidden = ids.clone()
            hidden[0, at] = MASK
            logits = mlm(input_ids=hidden).logits.double()
            masked += float(logits[0, at].log_softmax(-1)[ids[0, at]])
            logits = both_ways(input_ids=hidden).logits.double()
            masked_next += float(logits[0, at - 1].log_softmax(-1)[ids[0, at]])
        logits = mlm(input_ids=ids).logits.double().log_softmax(-1)
        scores["pseudo-log-likelihood"].append(masked)
        scores["unmasked"].append(sum(float(logits[0, at, ids[0, at]]) for at in inner))
        replaced = rtd(input_ids=ids).logits.double()
        scores["discriminator"].append(sum(float(torch.nn.functional.logsigmoid(-replaced[0, at])) for at in inner))
        scores["two-stream"].append(sum(float(asked(mlm, ids, at)[ids[0, at]]) for at in inner))
        scores["energy"].append(-sum(float(replaced[0, at]) for at in inner))
        scores["masked-next-token"].append(masked_next)
        # Token by token, with nothing behind to look at.
        last = lambda at: causal(input_ids=ids[:, :at]).logits.double()[0, -1].log_softmax(-1)
        scores["log-likelihood"].append(sum(float(last(at)[ids[0, at]]) for at in inner))
    for name, model in [("mlm", mlm), ("discriminator", rtd), ("causal", causal)]:
        model.save_pretrained(HERE / "pairs" / name)
        shutil.copy(HERE / "tokenizer" / "vocab.txt", HERE / "pairs" / name)
    (HERE / "pairs" / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    fine_tuned()
    tokens = tokenizer()
    longest_first(tokens)
    pairs(tokens)
