"""Makes golden.json: permutations, examples and batches, computed a second time.

Run with any Python 3, without packages:  python make_golden.py > golden.json

Everything is written from its definition (the README of electra-data), not from the Rust code, so that the
numbers of a published run can be made again without it. Random numbers and masks are those of
electra-masking's program of the same name.
"""

import json
import math
import runpy
from pathlib import Path

CRATES = Path(__file__).resolve().parents[3]
masking = runpy.run_path(str(CRATES / "masking/tests/golden/make_golden.py"))
KeyedRng, mask = masking["KeyedRng"], masking["mask"]
PAD, CLS, SEP, MASK64 = (masking[name] for name in ("PAD", "CLS", "SEP", "MASK64"))


def permutation(n, seed, epoch):
    """Eight Feistel rounds over the next power of two (at least 4), walked until inside 0..n."""
    bits = max(2, (n - 1).bit_length())
    low_bits, high_bits = bits // 2, bits - bits // 2
    rng = KeyedRng(seed, "order", epoch, 0)
    keys = [rng.u64() for _ in range(8)]

    def scramble(x):
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK64
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK64
        return x ^ (x >> 31)

    def network(value):
        low, high = value % (1 << low_bits), value >> low_bits
        for at in range(0, 8, 2):
            high ^= scramble(low ^ keys[at]) % (1 << high_bits)
            low ^= scramble(high ^ keys[at + 1]) % (1 << low_bits)
        return high << low_bits | low

    result = []
    for value in range(n):
        value = network(value)
        while value >= n:
            value = network(value)
        result.append(value)
    return result


def examples(documents, length, single_prob, overflow, seed, short_prob=0.05):
    """Documents (lists of units) as examples [ids, first_segment]."""
    made = []
    for number, units in enumerate(documents):
        rng = KeyedRng(seed, "examples", 0, number)

        def draw():
            target = length
            if rng.unit() < short_prob:
                target = 5 + rng.below(length - 4)
            return target, rng.unit() < single_prob

        (target, single), waiting = draw(), []

        def emit():
            nonlocal target, single, waiting
            room = target if overflow == "carry" else length
            total = sum(map(len, waiting))
            if single:
                split = total
            else:
                half, split, later = (target - 3) // 2, len(waiting[0]), waiting[1:]
                while later and split + len(later[0]) < half:
                    split += len(later.pop(0))
                if later and split < half and rng.unit() < 0.5:
                    split += len(later.pop(0))
            flat = [token for unit in waiting for token in unit]
            a = flat[: min(split, room - 2)]
            b = flat[split:][: max(0, room - len(a) - 3)]
            ids = [CLS, *a, SEP] + ([*b, SEP] if b else [])
            made.append([ids, len(a) + 2])
            if overflow == "carry":
                taken, rest = len(a) + len(b), []
                for unit in waiting:
                    if unit[taken:]:
                        rest.append(unit[taken:])
                    taken = max(0, taken - len(unit))
                waiting = rest
            else:
                waiting = []
            target, single = draw()

        for unit in units:
            waiting.append(unit)
            while sum(map(len, waiting)) >= (target if overflow == "drop" else target - (2 if single else 3)):
                emit()
        while waiting:
            emit()
    return made


def batches(made, length, rows, seed, steps):
    """Batches under BERT's rule of packed examples, flat arrays a step."""
    slots, result = math.ceil(0.15 * length), []
    for step in range(steps):
        batch = {key: [] for key in ("examples", "input_ids", "attention_mask", "token_type_ids")}
        batch |= {key: [] for key in ("masked_input_ids", "masked_positions", "masked_valid")}
        for place in range(step * rows, (step + 1) * rows):
            number = permutation(len(made), seed, place // len(made))[place % len(made)]
            ids, first = made[number]
            positions, masked = mask("bert", seed, step, number, ids)
            pad, unused = length - len(ids), slots - len(positions)
            batch["examples"].append(number)
            batch["input_ids"] += ids + [PAD] * pad
            batch["attention_mask"] += [True] * len(ids) + [False] * pad
            batch["token_type_ids"] += [0] * first + [1] * (len(ids) - first) + [0] * pad
            batch["masked_input_ids"] += masked + [PAD] * pad
            batch["masked_positions"] += positions + [0] * unused
            batch["masked_valid"] += [True] * len(positions) + [False] * unused
        result.append(batch)
    return result


def main():
    orders = [
        {"n": n, "seed": seed, "epoch": epoch, "permutation": permutation(n, seed, epoch)}
        for n, seed, epoch in [(1, 0, 0), (2, 1, 0), (5, 1, 0), (5, 1, 1), (100, 7, 3)]
    ]
    lengths = [[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9], [40], [2, 2], [1] * 30, [25, 1, 1, 30, 2, 2]]
    documents, token = [], 10
    for units in lengths:
        documents.append([])
        for unit in units:
            documents[-1].append(list(range(token, token + unit)))
            token += unit
    packed = [
        {
            "max_length": length, "single_segment_prob": single, "overflow": overflow, "seed": seed,
            "short_prob": short, "examples": examples(documents, length, single, overflow, seed, short),
        }
        for length, single, overflow, seed, short in [
            (16, 0.1, "carry", 0, 0.05), (16, 0.1, "drop", 0, 0.05), (8, 0.5, "carry", 3, 0.5),
            (8, 0.5, "drop", 3, 0.5), (5, 0.0, "carry", 1, 1.0), (32, 1.0, "carry", 2, 0.3),
        ]
    ]
    made = examples(documents, 16, 0.1, "carry", 0)
    made_batches = [
        {"seed": seed, "max_length": 16, "batch_size": 4, "batches": batches(made, 16, 4, seed, 2 * len(made) // 4)}
        for seed in (1, 2)
    ]
    golden = {"batches": made_batches, "order": orders, "documents": documents, "examples": packed}
    print(json.dumps(golden, separators=(",", ":")))


if __name__ == "__main__":
    main()
