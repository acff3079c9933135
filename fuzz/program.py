"""Changes the files that the program reads, runs the command that reads them, and looks at how it ends.

    python fuzz/program.py --electra PROGRAM [--seconds 600] [--seed 1] [--jobs 1]

Every file is changed in one way: bytes flipped, cut, doubled, filled with zeros, replaced by what is in another file, numbers
made huge, negative, fractional or not finite, keys taken out or doubled, brackets nested, lines repeated. A command must end by
itself with exit code 0, 1, 2 or 130; with one line that begins with "error: " unless it is 0; without a panic or a trace, without a
character that moves the cursor; and within a limit on memory. Prints a table: file, inputs tried, exit codes, faults. Exit code 1
if there was a fault; the changed folder of each is kept.
"""

import argparse
import collections
import concurrent.futures
import gzip
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TEXT = [
    "the cat sat on the mat .", "a dog saw the cat , and it ran .", "한국어 문장 하나 .", "the old house stood by the river .",
    "she gave him the book .", "it rains in the city today .", "the dog ran home .", "a cat is a cat .",
]
RUN = """preset = "tiny"
objective = "electra"
seed = 5
[data]
corpus = "corpus"
[budget]
steps = 3
batch = 2
[checkpoint]
every_steps = 1
keep = 2
[log]
every_steps = 1
[device]
device = "cpu"
threads = 1
[model]
generator_multiplier = 0.5
[model.encoder]
num_hidden_layers = 1
hidden_size = 32
embedding_size = 16
intermediate_size = 48
"""
TASK = """name = "animals"
kind = "sequence"
text = ["text"]
label = "label"
labels = ["cat", "dog"]
metrics = ["accuracy"]
[files]
train = "train.tsv"
dev = "dev.tsv"
"""
WORDS = """name = "words"
kind = "tokens"
form = "conll"
labels = ["O", "B-X", "I-X"]
metrics = ["entity-f1"]
[files]
train = "train.conll"
dev = "train.conll"
"""
SPANS = """name = "spans"
kind = "spans"
form = "squad"
[files]
train = "train.json"
dev = "train.json"
"""
PLAN = """name = "micro"
title = "Micro"
settings_chosen = "Both have the same."
objectives = ["mlm"]
baseline = "mlm"
scratch = false
pretraining_seeds = [1]
finetuning_seeds = [1]
data = { max_length = 16, segments = 1, vocab_size = 200, text = ["text.txt"] }
budget = { steps = 4, match = "flops", reference = "mlm" }
tasks = { names = ["animals"], folder = "tasks", evaluate = "dev", preset = "practice", set = { epochs = 1 } }
run = { parallel = 1, threads = 1 }
estimate = { flops_per_s = 1e10, job_seconds = 1.0, finetune_seconds = 1.0, machine = "any" }
[pretrain]
preset = "tiny"
budget = { batch = 4 }
device = { device = "cpu" }
[pretrain.model.encoder]
num_hidden_layers = 1
"""
TUNE = "finetune --model export --set threads=1 --epochs 1 --batch 8 --output out --task tasks/"
# The command for each file; {stdin} is what it reads.
CASES = {
    "text.txt": "corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output out",
    "lines.jsonl": "corpus build --tokenizer tokenizer --input lines.jsonl --max-length 16 --output out",
    "text.txt.gz": "corpus build --tokenizer tokenizer --input text.txt.gz --max-length 16 --output out",
    "tokenizer/vocab.txt": "tokenizer encode --tokenizer tokenizer",
    "tokenizer/tokenizer.json": "tokenizer encode --tokenizer tokenizer",
    "tokenizer/tokenizer_config.json": "tokenizer encode --tokenizer tokenizer",
    "tokenizer/special_tokens_map.json": "tokenizer encode --tokenizer tokenizer",
    "corpus/corpus.json": "corpus inspect corpus --masked",
    "corpus/SHARD": "corpus inspect corpus --masked",
    "run.toml": "pretrain --config run.toml --run out",
    "run/config.toml": "export --run run --output out",
    "run/metrics.jsonl": "pretrain --config run.toml --set budget.steps=3 --run run",
    "run/checkpoints/step-00000003/manifest.json": "export --run run --output out",
    "run/checkpoints/step-00000003/model.safetensors": "export --run run --output out",
    "run/checkpoints/step-00000003/STATE": "pretrain --config run.toml --set budget.steps=3 --run run",
    "export/config.json": "detect --model export",
    "export/model.safetensors": "detect --model export",
    "export/tokenizer.json": "detect --model export",
    "export/vocab.txt": "detect --model export",
    "export/encoder/config.json": "probe --model export/encoder --task tasks/animals --output out",
    "tasks/animals/task.toml": TUNE + "animals",
    "tasks/animals/train.tsv": TUNE + "animals",
    "tasks/words/task.toml": TUNE + "words",
    "tasks/words/train.conll": TUNE + "words",
    "tasks/spans/task.toml": TUNE + "spans",
    "tasks/spans/train.json": TUNE + "spans",
    "tuned/animals/seed-1/model/config.json": "predict --model tuned/animals/seed-1/model",
    "tuned/animals/seed-1/model/model.safetensors": "predict --model tuned/animals/seed-1/model",
    "pairs.jsonl": "minimal-pairs --model export --pairs pairs.jsonl --output out",
    "lexicon.tsv": "replacements --run run --lexicon lexicon.tsv --batches 2 --output out",
    "plan.toml": "ablate --plan plan.toml --dry-run",
    "study/measurements.json": "report study --output out",
    "study/results.json": "report study --output out",
    "study/start.json": "ablate --plan plan.toml --output study",
    "stdin": "detect --model export --json",
}
NUMBERS = ["-1", "0", "1", "2", "65536", "2147483647", "2147483648", "4294967296", "9223372036854775807", "18446744073709551615",
           "1e300", "1e-300", "0.5", "-0.0", "nan", "inf", "NaN", "1e400", "\"7\"", "null", "true", "[]", "{}", "\"\""]
STRINGS = ["", "\\u0000", "x" * 5000, "../../etc/passwd", "/dev/zero", "\\u001b[31m", "한", "[MASK]", "\\ud800", "a\\nb", "‮abc"]


def changed(data, rng, others):
    """The bytes with one change, and its name."""
    kind = rng.choice(["flip", "cut", "double", "zeros", "insert", "splice", "number", "number", "number", "string", "key", "nest",
                       "lines", "empty", "bom", "utf16", "header"])
    data = bytearray(data)
    at = rng.randrange(len(data) + 1)
    if kind == "flip":
        for _ in range(rng.choice([1, 1, 2, 8])):
            if data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[at:at + rng.choice([1, 4, 64, len(data)])]
    elif kind == "double":
        data[at:at] = data[at:at + rng.choice([1, 16, 1000])]
    elif kind == "zeros":
        data[at:at + 64] = bytes(len(data[at:at + 64]))
    elif kind == "insert":
        data[at:at] = rng.choice([b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[2J", b"\r", b"\t\t\t", b'"', b"{" * 50, b"9" * 400])
    elif kind == "splice":
        other = rng.choice(others)
        data[at:] = other[rng.randrange(len(other) + 1):][:1 << 20]
    elif kind == "number":
        found = list(re.finditer(rb"-?\d+(\.\d+)?(e-?\d+)?", data))
        if found:
            match = rng.choice(found)
            data[match.start():match.end()] = rng.choice(NUMBERS).encode()
    elif kind == "string":
        found = list(re.finditer(rb'"[^"\n]*"', data))
        if found:
            match = rng.choice(found)
            data[match.start() + 1:match.end() - 1] = rng.choice(STRINGS).encode("utf-8", "surrogatepass")
    elif kind == "key":
        lines = data.split(b"\n")
        line = rng.randrange(len(lines))
        if rng.random() < 0.5:
            del lines[line]
        else:
            lines.insert(rng.randrange(len(lines) + 1), lines[line])
        data = bytearray(b"\n".join(lines))
    elif kind == "nest":
        depth = rng.choice([100, 200, 100000])
        opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
        data[at:at] = opening * depth + b"1" + closing * depth
    elif kind == "lines":
        data = data * rng.choice([2, 50])
    elif kind == "empty":
        data = bytearray(rng.choice([b"", b"\n", b"{}", b"[]", b"null", b"0", b" "]))
    elif kind == "bom":
        data[:0] = b"\xef\xbb\xbf"
    elif kind == "utf16":
        data = bytearray(data.decode("latin-1").encode("utf-16"))
    elif kind == "header" and len(data) > 16:
        data[:8] = rng.choice([0, 1, 8, 1 << 20, 1 << 40, (1 << 63) - 1, (1 << 64) - 1]).to_bytes(8, "little")
    return bytes(data), kind


def build(electra, place):
    """A folder with every file of the table."""
    def run(line):
        subprocess.run([electra, *line.split()], cwd=place, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def write(name, text):
        path = os.path.join(place, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    write("text.txt", "\n".join(TEXT * 12) + "\n")
    write("lines.jsonl", "".join(json.dumps({"text": line}) + "\n" for line in TEXT * 4))
    write("run.toml", RUN)
    write("plan.toml", PLAN)
    rows = "".join(f"{line}\t{'cat' if 'cat' in line else 'dog'}\n" for line in TEXT * 3)
    write("tasks/animals/task.toml", TASK)
    write("tasks/animals/train.tsv", "text\tlabel\n" + rows)
    write("tasks/animals/dev.tsv", "text\tlabel\n" + rows)
    write("tasks/words/task.toml", WORDS)
    write("tasks/words/train.conll", "".join("".join(f"{w} {'B-X' if w == 'cat' else 'O'}\n" for w in line.split()) + "\n"
                                             for line in TEXT))
    write("tasks/spans/task.toml", SPANS)
    questions = [{"id": str(n), "question": "who sat ?", "answers": [{"text": "cat", "answer_start": 4}]} for n in range(4)]
    squad = {"version": "1.1", "data": [{"title": "t", "paragraphs": [{"context": TEXT[0], "qas": questions}]}]}
    write("tasks/spans/train.json", json.dumps(squad, indent=1))
    write("pairs.jsonl", '{"sentence_good": "the cat sat", "sentence_bad": "cat the sat"}\n' * 3)
    write("lexicon.tsv", "word\tclass\nthe\tarticle\ncat\tnoun\ndog\tnoun\nsat\tverb\n")
    write("stdin", '{"text": "the cat"}\n{"text": "the dog ran"}\n{"input_ids": [2, 5, 6, 3]}\n')
    with open(os.path.join(place, "text.txt"), "rb") as text, gzip.open(os.path.join(place, "text.txt.gz"), "wb") as packed:
        packed.write(text.read())
    run("tokenizer train --input text.txt --vocab-size 200 --output tokenizer")
    run("corpus build --tokenizer tokenizer --input text.txt --max-length 16 --output corpus")
    run("pretrain --config run.toml --run run")
    run("export --run run --output export")
    run(TUNE.replace("--output out", "--output tuned") + "animals")
    run("ablate --plan plan.toml --output study")


def names(place):
    """Where the files of the table lie; some names are found."""
    for name, command in CASES.items():
        folder, last = os.path.split(name)
        if last == "SHARD":
            last = min(file for file in os.listdir(os.path.join(place, folder)) if "shard" in file)
        if last == "STATE":
            kept = ("manifest.json", "model.safetensors")
            last = min(file for file in os.listdir(os.path.join(place, folder)) if file not in kept)
        path = os.path.join(folder, last)
        if os.path.exists(os.path.join(place, path)):
            yield path, command
        else:
            print(f"not there: {path}", file=sys.stderr)


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def judge(code, err, rss, took, args):
    """What is wrong with how a command ended."""
    faults = []
    if code not in (0, 1, 2, 130):
        faults.append(f"exit code {code}")
    if any(word in err for word in ("panicked", "backtrace", "Exception raised", "terminate called", "memory allocation of")):
        faults.append("a panic or a trace")
    errors = [line for line in err.split("\n") if line.startswith("error: ")]
    if code in (1, 2) and len(errors) != 1 and "failed; the same command" not in err:
        faults.append(f"{len(errors)} lines of error")
    if code in (1, 2) and err.rstrip("\n").split("\n")[-1:] != errors[-1:] and "failed; the same command" not in err:
        faults.append("the error is not the last line")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", err.replace("\r", "")):
        faults.append("control characters")
    if rss > args.memory:
        faults.append(f"{rss} MiB")
    if took > args.longest:
        faults.append(f"{took:.0f} s")
    return faults


def attempt(number, name, command, args, place, others):
    rng = random.Random(f"{args.seed}-{number}")
    data, kind = changed(others[name], rng, list(others.values()))
    folder = tempfile.mkdtemp(prefix=f"case-{number}-", dir=args.work)
    copy = os.path.join(folder, "place")
    shutil.copytree(place, copy)
    with open(os.path.join(copy, name), "wb") as file:
        file.write(data)
    stdin = open(os.path.join(copy, "stdin"), "rb")
    begun = time.monotonic()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    child = subprocess.Popen([args.electra, *command.split()], cwd=copy, stdin=stdin, stdout=subprocess.DEVNULL,
                             stderr=open(os.path.join(folder, "stderr"), "wb"), preexec_fn=limits, env=environment)
    code = None
    while time.monotonic() - begun < 4 * args.longest:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.01)
    if code is None:
        child.kill()
        _, _, usage = os.wait4(child.pid, 0)
        code = "none"
    err = open(os.path.join(folder, "stderr"), "rb").read().decode("utf-8", "replace")
    # Of the processor: how busy the machine is does not matter.
    took = usage.ru_utime + usage.ru_stime
    faults = judge(code, err, usage.ru_maxrss // 1024, took, args)
    if faults:
        with open(os.path.join(folder, "what"), "w") as file:
            file.write(f"{name} ({kind})\n{command}\n{faults}\n")
    else:
        shutil.rmtree(folder)
    return name, code, faults, kind, folder, err


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--electra", required=True)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--memory", type=int, default=1500, help="MiB that a command may take")
    parser.add_argument("--longest", type=float, default=30, help="seconds of a processor that a command may take; it is ended after four times as many")
    parser.add_argument("--only", default="", help="files whose name has this in it")
    args = parser.parse_args()
    args.electra = os.path.abspath(args.electra)
    args.work = tempfile.mkdtemp(prefix="electra-fuzz-")
    place = os.path.join(args.work, "place")
    os.mkdir(place)
    build(args.electra, place)
    cases = [case for case in names(place) if args.only in case[0]]
    others = {name: open(os.path.join(place, name), "rb").read() for name, _ in cases}
    tried = collections.defaultdict(collections.Counter)
    found = []
    until = time.monotonic() + args.seconds
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        numbers = iter(range(10**9))
        waiting = set()
        while time.monotonic() < until or waiting:
            while time.monotonic() < until and len(waiting) < args.jobs:
                number = next(numbers)
                name, command = cases[number % len(cases)]
                waiting.add(pool.submit(attempt, number, name, command, args, place, others))
            done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for each in done:
                name, code, faults, kind, folder, err = each.result()
                tried[name][code] += 1
                if faults:
                    found.append((name, kind, faults, folder))
                    print(f"{name} ({kind}): {faults}: {folder}\n    {err[-300:]!r}", file=sys.stderr, flush=True)
    print("| file | inputs | exit codes |\n|---|---|---|")
    for name, codes in tried.items():
        shown = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items(), key=str))
        print(f"| `{name}` | {sum(codes.values())} | {shown} |")
    print(f"\n{sum(sum(codes.values()) for codes in tried.values())} inputs, {len(found)} faults")
    if not found:
        shutil.rmtree(args.work)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
