"""Makes golden.json: keyed random numbers, permutations, masks and examples, computed a second time.

Run with any Python 3, without packages:  python make_golden.py > golden.json

Everything is written from its definition (the README of electra-data; RFC 8439 for ChaCha's round, with 8
rounds, a 64-bit counter and a 64-bit nonce), not from the Rust code, so that the numbers of a published run
can be made again without it.
"""

import json
import math
import struct

MASK32, MASK64 = (1 << 32) - 1, (1 << 64) - 1


class KeyedRng:
    """The ChaCha8 key stream of (seed, stream, step, example), as 32-bit words."""

    def __init__(self, seed, stream, step, example):
        name = stream.encode().ljust(8, b"\0")
        self.key = struct.unpack("<8I", struct.pack("<Q8sQQ", seed, name, step, example))
        self.block, self.words = 0, []

    @staticmethod
    def quarter(x, a, b, c, d):
        def rotate(v, n):
            return ((v << n) | (v >> (32 - n))) & MASK32

        for n, m in ((16, 12), (8, 7)):
            x[a] = (x[a] + x[b]) & MASK32
            x[d] = rotate(x[d] ^ x[a], n)
            x[c] = (x[c] + x[d]) & MASK32
            x[b] = rotate(x[b] ^ x[c], m)

    def refill(self):
        constants = struct.unpack("<4I", b"expand 32-byte k")
        state = [*constants, *self.key, self.block & MASK32, self.block >> 32, 0, 0]
        x = list(state)
        for _ in range(4):
            for i in range(4):
                self.quarter(x, i, 4 + i, 8 + i, 12 + i)
            for i in range(4):
                self.quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
        self.words = [(a + b) & MASK32 for a, b in zip(x, state)]
        self.block += 1

    def u32(self):
        if not self.words:
            self.refill()
        return self.words.pop(0)

    def u64(self):
        low = self.u32()
        return low | self.u32() << 32

    def unit(self):
        return self.u32() / 2**32

    def below(self, n):
        """Lemire's bounded integer."""
        while True:
            product = self.u32() * n
            if product & MASK32 >= (1 << 32) % n:
                return product >> 32


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


PAD, UNK, CLS, SEP, MASK = SPECIAL = range(5)
VOCAB = 1000


def mask(rule, seed, step, example, ids):
    """Single tokens: positions first, then what each becomes, in ascending order of position."""
    rng = KeyedRng(seed, "mask", step, example)
    maskable = [at for at, token in enumerate(ids) if token not in (PAD, CLS, SEP, MASK)]
    n = len(ids)
    if rule == "reference":
        k = min(max(1, round(n * 0.15)), max(1, int(0.155 * n)))
        positions = [maskable[rng.below(len(maskable))] for _ in range(k)]
        shares = (0.85, 0.0)
    else:
        k = min(math.ceil(0.15 * n - 1e-9), len(maskable))
        for at in range(k):
            other = at + rng.below(len(maskable) - at)
            maskable[at], maskable[other] = maskable[other], maskable[at]
        positions = maskable[:k]
        shares = (1.0, 0.0) if rule == "electra" else (0.8, 0.1)
    masked = list(ids)
    for at in sorted(positions):
        if shares[0] == 1.0:
            masked[at] = MASK
            continue
        share = rng.unit()
        if share < shares[0]:
            masked[at] = MASK
        elif share < shares[0] + shares[1]:
            token = rng.below(VOCAB - len(SPECIAL))
            for special in SPECIAL:
                token += token >= special
            masked[at] = token
        else:
            masked[at] = ids[at]
    return sorted(positions), masked


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
    rng_cases = []
    for key in [(0, "mask", 0, 0), (1, "order", 2, 3), (MASK64, "examples", MASK64 - 1, 1 << 40)]:
        words, bounded = KeyedRng(*key), KeyedRng(*key)
        rng_cases.append(
            {
                "seed": key[0], "stream": key[1], "step": key[2], "example": key[3],
                "words": [words.u32() for _ in range(40)],
                "below": [[n, bounded.below(n)] for n in (1, 2, 3, 10, 1000, 3 << 30, MASK32)],
            }
        )
    orders = [
        {"n": n, "seed": seed, "epoch": epoch, "permutation": permutation(n, seed, epoch)}
        for n, seed, epoch in [(1, 0, 0), (2, 1, 0), (5, 1, 0), (5, 1, 1), (100, 7, 3)]
    ]
    masks = []
    for rule in ("electra", "bert", "reference"):
        for n, seed, step, example in [(3, 1, 0, 0), (20, 1, 0, 7), (128, 9, 1 << 33, 5), (128, 9, 1, 6)]:
            ids = [CLS] + [5 + (31 * at + example) % (VOCAB - 5) for at in range(n - 2)] + [SEP]
            if n == 128:
                ids[60], ids[61] = SEP, UNK
            positions, masked = mask(rule, seed, step, example, ids)
            masks.append(
                {
                    "rule": rule, "seed": seed, "step": step, "example": example,
                    "input_ids": ids, "positions": positions, "masked_input_ids": masked,
                }
            )
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
    golden = {"batches": made_batches, "rng": rng_cases, "order": orders, "mask": masks, "documents": documents, "examples": packed}
    print(json.dumps(golden, separators=(",", ":")))


if __name__ == "__main__":
    main()
