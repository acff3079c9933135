"""The curves of real runs that the rules of `src/health` are tested on.

    python make_curves.py --electra target/release/electra --text wiki_en_00.txt.zst --work FOLDER

trains a network of width 64 (neighbour heads or not, masks alone or BERT's) on 32 MB of English Wikipedia with 4,096 tokens
and on a generated language, a minute each, and writes beside this script for each run a file: the first line has what
token frequencies alone give and the masked tokens of a step, each other line a step, its masked-LM loss and its
discriminator's recall. Needs NumPy.
"""

import argparse
import json
import os
import pathlib
import struct
import subprocess

import numpy as np

HERE = pathlib.Path(__file__).parent
SETTINGS = """preset = "tiny"
seed = 1
[model]
generator_multiplier = 0.5
[model.encoder]
num_attention_heads = 4
initializer_range = 0.12
hidden_dropout_prob = 0.0
attention_probs_dropout_prob = 0.0
[optimizer]
learning_rate = 1e-3
[budget]
tokens = 4000000
[log]
every_steps = 10
[device]
device = "cpu"
threads = 1
"""
BERT = ["masking.corruption.mask=0.8", "masking.corruption.random=0.1", "masking.corruption.keep=0.1"]
HEADS = ["model.encoder.neighbour_heads=2"]
# Name, text, rows a step, other settings.
RUNS = [
    ("wiki-mlm", "wiki", 32, ["objective=mlm", *BERT]),
    ("wiki-electra", "wiki", 32, ["objective=electra"]),
    ("wiki-mlm-heads", "wiki", 32, ["objective=mlm", *BERT, *HEADS]),
    ("generated-electra", "generated", 8, ["objective=electra", "budget.tokens=3000000"]),
    ("generated-electra-heads", "generated", 8, ["objective=electra", *HEADS, "budget.tokens=1500000"]),
]


def counts(folder):
    """How often each token that may be masked occurs, by the layout of shards in crates/data/README.md."""
    manifest = json.loads((folder / "corpus.json").read_text())
    vocabulary = manifest["vocabulary"]
    found = np.zeros(vocabulary["size"], np.int64)
    for shard in manifest["shards"]:
        data = (folder / shard["file"]).read_bytes()
        examples, _, blocks, index = struct.unpack("<4Q", data[-64:-32])
        for block in range(blocks):
            offset, length, _ = struct.unpack_from("<QII", data, index + 16 * block)
            rows = min(1024, examples - 1024 * block)
            end = struct.unpack_from("<I", data, offset + 4 * (rows - 1))[0]
            ids = np.frombuffer(data, "<u2", end, offset + 8 * rows)
            found += np.bincount(ids, minlength=len(found))
    for name in ("pad", "cls", "sep", "mask"):
        found[vocabulary[name]] = 0
    return found, vocabulary["unk"]


def unigram_loss(folder, mask, random, keep):
    """H(original | seen) in nats, of a table of both."""
    found, unk = counts(folder)
    p = found / found.sum()
    ordinary = np.ones(len(p))
    ordinary[:5] = 0
    assert unk < 5
    joint = random / ordinary.sum() * np.outer(p, ordinary) + keep * np.diag(p)
    entropy = lambda q: -np.sum(q[q > 0] * np.log(q[q > 0]))
    return mask * entropy(p) + entropy(joint.ravel()) - entropy(joint.sum(0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--electra", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    options = parser.parse_args()
    electra, text = os.path.abspath(options.electra), os.path.abspath(options.text)
    options.work.mkdir(exist_ok=True)

    def run(*arguments):
        subprocess.run([electra, *map(str, arguments)], check=True, cwd=options.work)

    def corpus(name, files, vocab_size):
        if not (options.work / name).exists():
            run("tokenizer", "train", "--input", *files, "--vocab-size", vocab_size, "--output", f"{name}-tokenizer")
            run("corpus", "build", "--tokenizer", f"{name}-tokenizer", "--max-length", 64, "--input", *files,
                "--output", name)

    if not (options.work / "language").exists():
        run("corpus", "synthesize", "--seed", 101, "--documents", 90000, "--output", "language")
    corpus("wiki", [text], 4096)
    corpus("generated", ["language/corpus.txt"], 2000)
    (options.work / "run.toml").write_text(SETTINGS)
    for name, data, rows, settings in RUNS:
        if not (options.work / name).exists():
            sets = [f"data.corpus={data}", f"budget.batch={rows}", *settings]
            run("pretrain", "--config", "run.toml", "--run", name, *sum((["--set", line] for line in sets), []))
        lines = [json.loads(line) for line in (options.work / name / "metrics.jsonl").read_text().splitlines()]
        shares = (0.8, 0.1, 0.1) if set(BERT) <= set(settings) else (1, 0, 0)
        loss = unigram_loss(options.work / data, *shares)
        masked = round(np.mean([line["masked_rate"] for line in lines]) * rows * 64)
        with (HERE / f"{name}.tsv").open("w") as file:
            file.write(f"{loss:.4f}\t{masked}\n")
            for line in lines:
                recall = line.get("disc_recall")
                file.write(f"{line['step']}\t{line['masked_lm_loss']:.3f}\t{'' if recall is None else f'{recall:.3f}'}\n")


if __name__ == "__main__":
    main()
