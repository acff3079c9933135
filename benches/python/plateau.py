"""How soon a network leaves the plateau of token frequencies, by how it knows where a token stands.

    python plateau.py --electra target/release/electra --corpus generated-64=FOLDER:8 --corpus wiki-64=FOLDER:32 \\
        --out plateau.json

trains MLM and ELECTRA on each corpus (a folder of `electra corpus build`, and examples of a step) with learned positions,
with two neighbour heads and with rotary positions, and writes for each run the masked language model's loss and, for
ELECTRA, the discriminator's AUC, as means over twentieths of the budget. Runs that the file has already are not repeated. It
prints a table: tokens until the loss is below each threshold, and the last twentieth.
"""

import argparse
import itertools
import json
import os
import pathlib
import subprocess
import tempfile

POSITIONS = {
    "learned": {},
    "neighbours": {"model.encoder.neighbour_heads": 2},
    "rotary": {"model.encoder.position_embedding_type": '"rotary"'},
}
PARTS = 20


def settings(objective, seed, width, corpus, batch, tokens):
    rate = {64: 1e-3, 128: 1e-3, 256: 5e-4}[width]
    return f"""preset = "tiny"
objective = "{objective}"
seed = {seed}
[data]
corpus = "{corpus}"
[masking.corruption]
mask = 0.8
random = 0.1
keep = 0.1
[model]
generator_multiplier = 0.5
[model.encoder]
hidden_size = {width}
embedding_size = {width}
intermediate_size = {4 * width}
num_attention_heads = 4
initializer_range = {0.12 * (64 / width) ** 0.5}
hidden_dropout_prob = 0.0
attention_probs_dropout_prob = 0.0
[optimizer]
learning_rate = {rate}
[budget]
tokens = {tokens}
batch = {batch}
[log]
every_steps = 10
[device]
device = "cpu"
threads = 1
"""


def curve(path):
    """Means over parts of the run: tokens at the part's end, loss, AUC."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    points = []
    for part in range(PARTS):
        inside = lines[len(lines) * part // PARTS:len(lines) * (part + 1) // PARTS]
        point = {"tokens": inside[-1]["tokens"]}
        for name in ("masked_lm_loss", "disc_auc"):
            values = [line[name] for line in inside if line.get(name) is not None]
            if values:
                point[name] = round(sum(values) / len(values), 4)
        points.append(point)
    return points


def train(electra, objective, positions, seed, width, corpus, batch, tokens):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        config = folder / "run.toml"
        config.write_text(settings(objective, seed, width, corpus, batch, tokens))
        sets = itertools.chain.from_iterable(("--set", f"{key}={value}") for key, value in POSITIONS[positions].items())
        command = [electra, "pretrain", "--config", config, "--run", folder / "run", *sets]
        subprocess.run(command, check=True, capture_output=True)
        return curve(folder / "run" / "metrics.jsonl")


def table(runs, thresholds):
    print("| corpus | width | objective | positions | seed | "
          + " | ".join(f"loss < {limit}" for limit in thresholds) + " | last loss | last AUC |")
    print("|" + "---|" * (7 + len(thresholds)))
    for run in runs:
        cells = []
        for limit in thresholds:
            below = [point["tokens"] for point in run["curve"] if point["masked_lm_loss"] < limit]
            cells.append(f"{below[0] / 1e6:.1f} M" if below else "—")
        last = run["curve"][-1]
        names = [run["corpus"], run["width"], run["objective"], run["positions"], run["seed"]]
        print("| " + " | ".join(map(str, [*names, *cells, last["masked_lm_loss"], last.get("disc_auc", "")])) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--electra", required=True)
    parser.add_argument("--corpus", action="append", required=True, metavar="NAME=FOLDER:BATCH")
    parser.add_argument("--widths", type=int, nargs="+", default=[64])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--tokens", type=int, default=4_000_000)
    parser.add_argument("--thresholds", type=float, nargs="+", default=[5.8, 5.0, 4.0, 3.0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    electra = os.path.abspath(options.electra)
    runs = json.loads(options.out.read_text()) if options.out.exists() else []
    grid = itertools.product(options.widths, options.corpus, options.seeds, ("mlm", "electra"), POSITIONS)
    for width, corpus, seed, objective, positions in grid:
        name, _, where = corpus.partition("=")
        folder, _, batch = where.rpartition(":")
        key = {"corpus": name, "width": width, "objective": objective, "positions": positions, "seed": seed,
               "tokens": options.tokens}
        if any(all(run[field] == value for field, value in key.items()) for run in runs):
            continue
        points = train(electra, objective, positions, seed, width, os.path.abspath(folder), int(batch), options.tokens)
        runs.append({**key, "curve": points})
        partial = options.out.with_suffix(".partial")
        partial.write_text("[\n" + ",\n".join(json.dumps(run) for run in runs) + "\n]\n")
        partial.replace(options.out)
    table(runs, options.thresholds)


if __name__ == "__main__":
    main()
