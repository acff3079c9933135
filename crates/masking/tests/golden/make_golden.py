"""Makes golden.json: keyed random numbers and masks, computed a second time.

Run with any Python 3, without packages:  python make_golden.py > golden.json

Everything is written from its definition (the README of electra-masking; RFC 8439 for ChaCha's round, with 8
rounds, a 64-bit counter and a 64-bit nonce), not from the Rust code, so that the masks of a published run
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


PAD, UNK, CLS, SEP, MASK = SPECIAL = range(5)
VOCAB = 1000


def mask(rule, seed, step, example, ids, steps=None):
    """Single tokens: positions first, then what each becomes, in ascending order of position."""
    rng = KeyedRng(seed, "mask", step, example)
    maskable = [at for at, token in enumerate(ids) if token not in (PAD, CLS, SEP, MASK)]
    n = len(ids)
    if rule == "reference":
        k = min(max(1, round(n * 0.15)), max(1, int(0.155 * n)))
        positions = [maskable[rng.below(len(maskable))] for _ in range(k)]
        shares = (0.85, 0.0)
    else:
        if rule == "uniform":
            k = 1 + KeyedRng(seed, "rate", step, example).below(len(maskable))
        elif rule == "linear":
            k = min(math.ceil((0.3 - 0.15 * min(1, step / steps)) * n - 1e-9), len(maskable))
        else:
            k = min(math.ceil(0.15 * n - 1e-9), len(maskable))
        for at in range(k):
            other = at + rng.below(len(maskable) - at)
            maskable[at], maskable[other] = maskable[other], maskable[at]
        positions = maskable[:k]
        shares = (1.0, 0.0) if rule != "bert" else (0.8, 0.1)
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
    rates = []
    for rule in ("uniform", "linear"):
        for step, example in [(0, 0), (1, 4), (50, 4), (99, 7), (100, 7)]:
            ids = [CLS] + [5 + (37 * at + example) % (VOCAB - 5) for at in range(46)] + [SEP]
            positions, masked = mask(rule, 3, step, example, ids, 100)
            rates.append(
                {
                    "rule": rule, "seed": 3, "step": step, "steps": 100, "example": example,
                    "input_ids": ids, "positions": positions, "masked_input_ids": masked,
                }
            )
    print(json.dumps({"rng": rng_cases, "mask": masks, "rate": rates}, separators=(",", ":")))


if __name__ == "__main__":
    main()
