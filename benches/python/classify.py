"""Sequence classification with transformers: the peer of benches/src/bin/classify.rs, on its inputs.

    python classify.py FOLDER SET infer|infer-sorted|finetune [--threads N]

FOLDER/model is the checkpoint, FOLDER/SET.json the examples, {"ids", "second", "label"}. Prints a JSON object
with the seconds that all examples take (the median of some passes; of fine-tuning the second epoch), the memory
at most during them, and of inference the logarithms of the classes' probabilities.

infer         batches of 32 in the order of the file, padded to the longest, as people use it
infer-sorted  the same sorted by length
finetune      shuffled batches of 32, padded to the longest; AdamW, clipping, dropout 0.1
"""

import argparse
import json
from pathlib import Path

import measure
import torch
from transformers import AutoModelForSequenceClassification, logging

BATCH, PASSES, LEARNING_RATE = 32, 3, 3e-4


def padded(examples, pad=0):
    """What a collator makes of a batch."""
    length = max(len(example["ids"]) for example in examples)
    rows = {"input_ids": [], "attention_mask": [], "token_type_ids": []}
    for example in examples:
        ids, second = example["ids"], example["second"]
        rest = length - len(ids)
        rows["input_ids"].append(ids + [pad] * rest)
        rows["attention_mask"].append([1] * len(ids) + [0] * rest)
        rows["token_type_ids"].append([0] * second + [1] * (len(ids) - second) + [0] * rest)
    return {name: torch.tensor(row) for name, row in rows.items()}


def chunks(order):
    return [order[at : at + BATCH] for at in range(0, len(order), BATCH)]


def infer(model, examples, by_length):
    model.eval()
    logits = [None] * len(examples)

    def one_pass():
        order = list(range(len(examples)))
        if by_length:
            order.sort(key=lambda at: len(examples[at]["ids"]))
        with torch.no_grad():
            for chosen in chunks(order):
                rows = model(**padded([examples[at] for at in chosen])).logits
                for at, row in zip(chosen, rows):
                    logits[at] = row

    one_pass()
    measure.reset_peak_memory()
    seconds = [measure.timed(one_pass) for _ in range(PASSES)]
    median, _ = measure.summary(seconds)
    return {"seconds": median, "logs": torch.stack(logits).log_softmax(-1).tolist()}


def finetune(model, examples):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    steps = 2 * len(chunks(examples))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)

    def epoch():
        for chosen in chunks(torch.randperm(len(examples)).tolist()):
            batch = [examples[at] for at in chosen]
            labels = torch.tensor([example["label"] for example in batch])
            loss = model(**padded(batch), labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()

    epoch()
    measure.reset_peak_memory()
    return {"seconds": measure.timed(epoch)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("set")
    parser.add_argument("job", choices=["infer", "infer-sorted", "finetune"])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    measure.use(options.threads)
    logging.disable_progress_bar()
    model = AutoModelForSequenceClassification.from_pretrained(options.folder / "model")
    examples = json.loads((options.folder / f"{options.set}.json").read_text())
    if options.job == "finetune":
        figures = finetune(model, examples)
    else:
        figures = infer(model, examples, options.job == "infer-sorted")
    figures["peak_memory_bytes"] = measure.peak_memory()
    figures["examples"] = len(examples)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
