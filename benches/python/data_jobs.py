"""From text to masked batches, the way it is done in Python: the peer of benches/src/bin/data_jobs.rs.

    python data_jobs.py DIR

reads DIR/text.txt (blank lines between documents) and DIR/tokenizer, does four jobs and prints a JSON object
for each, {"job", "tokens", "seconds"}:

train vocabulary           `tokenizers`' BertWordPieceTokenizer on the file
encode                     all lines by the fast tokenizer's encode_batch_fast, all threads
text to shards             read, encode in chunks, pack by the rule of the reference's ExampleBuilder in Python
                           (with its probabilities; what does not fit is dropped), save as numpy arrays
gather and mask 128 × 128  batches of the packed examples in a random order by transformers'
                           DataCollatorForLanguageModeling (80/10/10), numpy arrays
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np
from tokenizers import BertWordPieceTokenizer, Tokenizer

VOCAB_SIZE, MAX_LENGTH, BATCH, BATCHES, CHUNK = 30522, 128, 128, 200, 4096
CLS, SEP = 2, 3


def job(name, work):
    started = time.perf_counter()
    tokens, result = work()
    seconds = time.perf_counter() - started
    print(json.dumps({"job": name, "tokens": tokens, "seconds": seconds}), flush=True)
    return result


def train(text):
    tokenizer = BertWordPieceTokenizer(lowercase=True)
    tokenizer.train([str(text)], vocab_size=VOCAB_SIZE, show_progress=False)
    return 0, tokenizer


class Packer:
    """Units of a document to examples of one or two segments."""

    def __init__(self):
        self.units, self.length, self.target = [], 0, MAX_LENGTH
        self.examples = []

    def push(self, ids):
        self.units.append(ids)
        self.length += len(ids)
        if self.length >= self.target:
            self.emit()

    def emit(self):
        if not self.length:
            return
        half = 10**9 if random.random() < 0.1 else (self.target - 3) // 2
        first, second = [], []
        for unit in self.units:
            crosses = not second and len(first) < half and random.random() < 0.5
            if not first or (not second and len(first) + len(unit) < half) or crosses:
                first += unit
            else:
                second += unit
        first = first[: MAX_LENGTH - 2]
        second = second[: max(0, MAX_LENGTH - 3 - len(first))]
        ids = [CLS, *first, SEP] + ([*second, SEP] if second else [])
        self.examples.append((np.array(ids, dtype=np.uint16), len(first) + 2))
        self.units, self.length = [], 0
        self.target = random.randint(5, MAX_LENGTH) if random.random() < 0.05 else MAX_LENGTH


def pack(text, tokenizer, output):
    packer, tokens, chunk = Packer(), 0, []

    def flush():
        nonlocal tokens
        lines = [line for line in chunk if line]
        encoded = iter(tokenizer.encode_batch_fast(lines, add_special_tokens=False))
        for line in chunk:
            if line:
                ids = next(encoded).ids
                tokens += len(ids)
                packer.push(ids)
            else:
                packer.emit()
        chunk.clear()

    with open(text, encoding="utf-8") as file:
        for line in file:
            chunk.append(line.strip())
            if len(chunk) == CHUNK:
                flush()
    flush()
    packer.emit()
    np.save(output / "ids.npy", np.concatenate([ids for ids, _ in packer.examples]))
    np.save(output / "ends.npy", np.cumsum([len(ids) for ids, _ in packer.examples]))
    np.save(output / "first.npy", np.array([first for _, first in packer.examples]))
    return tokens, packer.examples


def collate(examples, collator, rows, order):
    tokens = 0
    for step in range(BATCHES):
        batch = [examples[at] for at in order[step * BATCH : (step + 1) * BATCH]]
        made = collator([rows(ids, first) for ids, first in batch])
        tokens += int(made["attention_mask"].sum())
    return tokens, None


def main():
    from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

    folder = Path(sys.argv[1])
    text, path = folder / "text.txt", folder / "tokenizer" / "tokenizer.json"
    job("train vocabulary", lambda: train(text))

    tokenizer = Tokenizer.from_file(str(path))
    lines = [line for line in text.read_text(encoding="utf-8").split("\n") if line.strip()]

    def encode():
        encoded = tokenizer.encode_batch_fast(lines, add_special_tokens=False)
        return sum(len(one.ids) for one in encoded), encoded

    job("encode", encode)
    examples = job("text to shards", lambda: pack(text, tokenizer, folder))

    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    fast = PreTrainedTokenizerFast(tokenizer_file=str(path), **{f"{k}_token": v for k, v in names.items()})
    collator = DataCollatorForLanguageModeling(fast, pad_to_multiple_of=MAX_LENGTH, return_tensors="np")

    def rows(ids, first):
        return {
            "input_ids": ids.astype(np.int64),
            "attention_mask": np.ones(len(ids), dtype=np.int64),
            "token_type_ids": (np.arange(len(ids)) >= first).astype(np.int64),
        }

    order = np.random.permutation(max(len(examples), BATCH * BATCHES)) % len(examples)
    job("gather and mask 128 × 128", lambda: collate(examples, collator, rows, order))


if __name__ == "__main__":
    main()
