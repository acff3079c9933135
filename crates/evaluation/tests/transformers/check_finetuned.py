"""Compares `electra predict` with transformers, on model folders of `electra finetune`.

    python check_finetuned.py --electra target/release/electra MODEL TEXTS [MODEL TEXTS ...]

needs torch, transformers and safetensors (written for transformers 5.23). TEXTS has a text or a tab-separated pair a
line. Of each MODEL:

* AutoTokenizer and the class that config.json names load it, and nothing is logged or warned at level WARNING;
* on every line the label or labels, and the probabilities or the value, are those of `electra predict --json`.

Models with mean pooling are refused by intent: of those, transformers must say that it lacks the head's tensors.
Numbers agree if they differ by at most 1e-5 (of the larger for those above 1). The exit code is 1 if a check failed.
"""

import argparse
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import torch
import transformers
from transformers import AutoTokenizer


class Listener(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.heard = []

    def emit(self, record):
        self.heard.append(record.getMessage())


def load(folder):
    """The model, and what was logged or warned on the way."""
    listener = Listener()
    logger = logging.getLogger("transformers")
    logger.addHandler(listener)
    config = json.loads((folder / "config.json").read_text())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = getattr(transformers, config["architectures"][0]).from_pretrained(folder).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder)
    logger.removeHandler(listener)
    return config, model, tokenizer, listener.heard + [str(one.message) for one in caught]


def far(one, other):
    return abs(one - other) / max(1.0, abs(one), abs(other))


@torch.no_grad()
def check(electra, folder, texts):
    config, model, tokenizer, heard = load(folder)
    if config.get("classifier_pooling") == "mean":
        told = any("mean_classifier" in line or "classifier" in line for line in heard)
        return told, "mean pooling: transformers says that it lacks the head" if told else "mean pooling: no word"
    if heard:
        return False, f"heard: {heard}"
    lines = texts.read_text().splitlines()
    keys = ("text", "text_pair")
    asked = "".join(json.dumps(dict(zip(keys, line.split("\t")))) + "\n" for line in lines)
    command = [electra, "predict", "--model", str(folder), "--json"]
    answers = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout.splitlines()
    most = 0.0
    for line, answer in zip(lines, map(json.loads, answers), strict=True):
        row = tokenizer(*line.split("\t"), return_tensors="pt", truncation="longest_first")
        logits = model(**row).logits[0]
        if "value" in answer:
            most = max(most, far(float(logits[0]), answer["value"]))
            continue
        several = config.get("problem_type") == "multi_label_classification"
        probabilities = (logits.sigmoid() if several else logits.softmax(-1)).tolist()
        found = answer["labels"] if several else [answer["label"]]
        border = 0.5 if several else max(probabilities)
        for label, probability in zip(model.config.id2label.values(), probabilities, strict=True):
            most = max(most, far(probability, answer["probabilities"][label]))
            # What is within rounding of the border may be on either side.
            if abs(probability - border) > 1e-5 and (label in found) != (probability > border):
                return False, f"{line!r}: {found}, and {label} has {probability}"
    return most <= 1e-5, f"{len(lines)} lines, at most {most:.1e} apart"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--electra", required=True)
    parser.add_argument("pairs", nargs="+")
    arguments = parser.parse_args()
    failed = False
    for model, texts in zip(arguments.pairs[::2], arguments.pairs[1::2], strict=True):
        right, what = check(arguments.electra, Path(model), Path(texts))
        failed |= not right
        print("ok  " if right else "FAIL", model, what)
    sys.exit(failed)


if __name__ == "__main__":
    main()
