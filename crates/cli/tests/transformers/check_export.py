"""Compares `electra detect` with transformers, on folders of `electra export` and on folders of transformers.

    python check_export.py --electra target/release/electra [EXPORT ...]

needs torch, transformers and safetensors (written for transformers 5.23). Of each EXPORT, the folder itself and
its generator/ are checked:

* AutoTokenizer and the class that config.json names load it, and AutoModel loads its encoder/; nothing is logged
  or warned at level WARNING or above. AutoModel of a folder with a head says that it leaves the head out: there the
  notice must name the head's tensors, all of them and nothing else, and no tensor may be missing.
* AutoTokenizer gives the ids of `electra tokenizer encode`.
* Logits and last hidden states are those of transformers on texts, on padded rows of ids with two segments, and
  at the padding too.

Then transformers writes discriminators and generators of several shapes with random weights (E = D, E < D, E > D,
one head, an odd length, other eps), and `electra detect` must say of them what transformers says.

Two numbers agree if they differ by at most 1e-5, or by 1e-5 of the larger for those above 1. A line for each
check goes to standard output; the exit code is 1 if one failed.
"""

import argparse
import json
import logging
import math
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
import transformers
from transformers import AutoModel, AutoTokenizer, ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

TOLERANCE = 1e-5
HEADS = {
    "ElectraForPreTraining": ("discriminator_predictions.",),
    "ElectraForMaskedLM": ("generator_predictions.", "generator_lm_head."),
}
TEXTS = [
    "the chef cooked the meal in the small kitchen",
    "The [MASK] of the world, since 1923: Café & naïve — 12,345.67?",
    "한국어 문장과 中文 and \U0001f600 unheard-of-ness",
    "",
    "a " * 40,
]
failures = []


def say(ok, what, figure=""):
    print(f"{'ok    ' if ok else 'FAILED'}  {what}{'  ' if figure else ''}{figure}", flush=True)
    if not ok:
        failures.append(what)


class Records(logging.Handler):
    """Keeps what is logged or warned while it is entered."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())

    def __enter__(self):
        self.messages = []
        self.catch = warnings.catch_warnings(record=True)
        self.warned = self.catch.__enter__()
        warnings.simplefilter("always")
        transformers.utils.logging.set_verbosity_warning()
        for name in (None, "transformers"):
            logging.getLogger(name).addHandler(self)
        return self

    def __exit__(self, *error):
        for name in (None, "transformers"):
            logging.getLogger(name).removeHandler(self)
        self.catch.__exit__(*error)
        self.messages = sorted({*self.messages, *(str(one.message) for one in self.warned)})


def detect(electra, folder, requests, *options):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    command = [electra, "detect", "--model", folder, "--json", "--hidden", *options]
    done = subprocess.run(command, input=lines, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def furthest(found, expected):
    """The largest difference, in units of the larger number where that is above 1."""
    found = torch.tensor(found, dtype=torch.float32)
    if found.shape != expected.shape:
        raise RuntimeError(f"shape {tuple(found.shape)}, expected {tuple(expected.shape)}")
    difference = float(((found - expected).abs() / expected.abs().clamp(min=1)).max())
    # max() passes over NaN, which is what should not pass.
    return difference if math.isfinite(difference) else math.inf


def compare(electra, folder, what, model, requests):
    """Every request must be of ids; one forward pass of transformers for each, one process of detect for all."""
    is_generator = isinstance(model, ElectraForMaskedLM)
    field = "vocabulary_logits" if is_generator else "logits"
    answers = detect(electra, folder, requests, *(["--vocabulary-logits"] if is_generator else []))
    hidden, logits, largest = 0.0, 0.0, 0.0
    for request, answer in zip(requests, answers, strict=True):
        nested = isinstance(request["input_ids"][0], list)
        inputs = {name: torch.tensor(rows if nested else [rows]) for name, rows in request.items()}
        with torch.no_grad():
            states = model.electra(**inputs).last_hidden_state
            expected = model(**inputs).logits
        if not nested:
            states, expected = states[0], expected[0]
        hidden = max(hidden, furthest(answer["last_hidden_state"], states))
        logits = max(logits, furthest(answer[field], expected))
        largest = max(largest, float(expected.abs().max()))
        if not is_generator:
            logits = max(logits, furthest(answer["probabilities"], expected.sigmoid()))
    figure = f"hidden {hidden:.1e}, logits {logits:.1e} (up to {largest:.2f})"
    say(max(hidden, logits) <= TOLERANCE, f"{what}: {len(requests)} requests", figure)


def rows_of_ids(config, seed):
    """Rows with padding and two segments, single rows of several lengths, and a row without mask and segments."""
    draw = torch.Generator().manual_seed(seed)
    most = config.max_position_embeddings
    number = lambda low, high, *shape: torch.randint(low, high, shape, generator=draw)
    requests = []
    for rows, length in ((4, most), (3, max(2, most // 3)), (1, 1)):
        lengths = number(1, length + 1, rows)
        lengths[0] = length
        mask = (torch.arange(length) < lengths[:, None]).long()
        segments = (torch.arange(length) >= lengths[:, None] // 2).long() * mask
        ids = number(0, config.vocab_size, rows, length)
        requests.append(
            {"input_ids": ids.tolist(), "attention_mask": mask.tolist(), "token_type_ids": segments.tolist()}
        )
    for length in (2, most // 2, most):
        requests.append({"input_ids": number(0, config.vocab_size, max(1, length)).tolist()})
    return requests


def check_loading(folder, name, config):
    """The model with its head, loaded without a word."""
    kind = getattr(transformers, config["architectures"][0])
    records = Records()
    for auto in (kind, transformers.AutoModelForMaskedLM if kind is ElectraForMaskedLM else transformers.AutoModelForPreTraining):
        with records:
            model, info = auto.from_pretrained(folder, output_loading_info=True)
        odd = {key: value for key, value in info.items() if value}
        say(not odd and not records.messages and type(model) is kind, f"{name}: {auto.__name__}", f"{odd or ''}{records.messages or ''}")
    with records:
        _, info = AutoModel.from_pretrained(folder, output_loading_info=True)
    unexpected = info.pop("unexpected_keys")
    own = {key for key in model.state_dict() if key.startswith(HEADS[kind.__name__]) and key != "generator_lm_head.weight"}
    reports = [message for message in records.messages if "LOAD REPORT" in message]
    # One report: this is also what shows that a warning does not pass unheard here.
    ok = not any(info.values()) and set(unexpected) == own and len(reports) == len(records.messages) == 1
    say(ok, f"{name}: AutoModel", f"all but its head's {len(own)} tensors" if ok else f"{info} {records.messages}")
    return model.eval()


def check_headless(electra, folder, name, model):
    """encoder/ loads as AutoModel without a word, and is the encoder of the model with its head."""
    with Records() as records:
        encoder, info = AutoModel.from_pretrained(folder, output_loading_info=True)
    ok = not any(info.values()) and not records.messages
    say(ok, f"{name}: AutoModel", "" if ok else f"{info} {records.messages}")
    with Records() as records:
        AutoTokenizer.from_pretrained(folder)
    say(not records.messages, f"{name}: AutoTokenizer", str(records.messages or ""))
    ids = torch.arange(model.config.max_position_embeddings)[None] % model.config.vocab_size
    with torch.no_grad():
        ours = encoder.eval()(ids).last_hidden_state
        theirs = model.electra(ids).last_hidden_state
    say(torch.equal(ours, theirs), f"{name}: hidden states are those with the head")
    answer = detect(electra, folder, [{"input_ids": ids.tolist()}])[0]
    worst = furthest(answer["last_hidden_state"], ours)
    say(worst <= TOLERANCE, f"{name}: electra detect --hidden", f"{worst:.1e}")


def check_tokenizer(electra, folder, name, config):
    with Records() as records:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    say(not records.messages, f"{name}: AutoTokenizer", str(records.messages or ""))
    lines = [text.strip() for text in TEXTS]
    command = [electra, "tokenizer", "encode", "--tokenizer", folder, "--json"]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    ours = [json.loads(line) for line in done.stdout.splitlines()]
    theirs = [tokenizer(line)["input_ids"] for line in lines]
    same = [one["input_ids"] for one in ours] == theirs
    same &= [one["tokens"] for one in ours] == [tokenizer.convert_ids_to_tokens(ids) for ids in theirs]
    say(same, f"{name}: ids of {len(lines)} texts")
    most = config["max_position_embeddings"]
    cut = len(tokenizer("the " * 2 * most, truncation=True)["input_ids"])
    say(cut == most, f"{name}: truncation=True cuts at {cut} tokens")
    return tokenizer


def check_texts(electra, folder, name, model, tokenizer):
    """Texts of one line each, all padded together by transformers and by nobody for electra."""
    lines = [text.strip() for text in TEXTS if len(tokenizer(text)["input_ids"]) <= model.config.max_position_embeddings]
    inputs = tokenizer(lines, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model.electra(**inputs).last_hidden_state
        logits = model(**inputs).logits
    is_generator = isinstance(model, ElectraForMaskedLM)
    answers = detect(electra, folder, [{"text": line} for line in lines], *(["--vocabulary-logits"] if is_generator else []))
    worst = 0.0
    for row, answer in enumerate(answers):
        real = inputs["attention_mask"][row].bool()
        worst = max(worst, furthest(answer["last_hidden_state"], states[row][real]))
        worst = max(worst, furthest(answer["vocabulary_logits" if is_generator else "logits"], logits[row][real]))
    say(worst <= TOLERANCE, f"{name}: {len(lines)} texts", f"{worst:.1e}")


def check_exported(electra, folder, name):
    config = json.loads((folder / "config.json").read_text())
    model = check_loading(folder, name, config)
    if (folder / "encoder").exists():
        check_headless(electra, folder / "encoder", f"{name}/encoder", model)
    tokenizer = check_tokenizer(electra, folder, name, config)
    check_texts(electra, folder, name, model, tokenizer)
    compare(electra, folder, f"{name}: padded rows of ids", model, rows_of_ids(model.config, 1))


SHAPES = {
    "E < D": dict(embedding_size=16, hidden_size=48, num_attention_heads=3, intermediate_size=80),
    "E = D, one head": dict(embedding_size=32, hidden_size=32, num_attention_heads=1, intermediate_size=64),
    "E > D": dict(embedding_size=40, hidden_size=24, num_attention_heads=4, intermediate_size=24),
    "33 positions, 3 segments": dict(
        embedding_size=8, hidden_size=40, num_attention_heads=5, intermediate_size=96,
        max_position_embeddings=33, type_vocab_size=3, layer_norm_eps=1e-6,
    ),
    "5 layers, 512 positions": dict(
        embedding_size=64, hidden_size=128, num_attention_heads=2, intermediate_size=512,
        max_position_embeddings=512, num_hidden_layers=5,
    ),
}


def check_written_by_transformers(electra):
    for at, (shape, sizes) in enumerate(SHAPES.items()):
        defaults = dict(vocab_size=311, num_hidden_layers=3, max_position_embeddings=64, initializer_range=0.1)
        config = ElectraConfig(**{**defaults, **sizes})
        for kind in (ElectraForPreTraining, ElectraForMaskedLM):
            torch.manual_seed(at)
            model = kind(config).eval()
            # Biases are born 0 and LayerNorms as ones: a swapped one would not show.
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    if parameter.dim() == 1:
                        parameter.add_(torch.randn_like(parameter) * 0.1)
            with tempfile.TemporaryDirectory() as folder:
                model.save_pretrained(folder)
                compare(electra, folder, f"written by transformers, {shape}, {kind.__name__}", model, rows_of_ids(config, at))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--electra", required=True, type=Path, help="the electra program")
    parser.add_argument("export", nargs="*", type=Path, help="folders of `electra export`")
    arguments = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    electra = arguments.electra.resolve()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    for folder in arguments.export:
        check_exported(electra, folder, folder.name)
        if (folder / "generator").is_dir():
            check_exported(electra, folder / "generator", f"{folder.name}/generator")
    check_written_by_transformers(electra)
    print(f"{len(failures)} failed" if failures else "all agree")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
