"""Which layout to take where each seed has a language of its own, by numpy: python layouts.py > layouts.txt

Of studies of five equal arms, the share in which any of ten intervals leaves out 0 (at most .05 is asked for), by Tukey's
q and by Šidák's t, and the median half-width of Šidák's intervals of the first and the last pair (less is more power):

welch    one-way, languages are noise; Welch and Satterthwaite (with q: Games and Howell)
paired   differences within languages, each pair by itself
fixed    languages as fixed blocks, a variance of runs for each arm
mixed    languages as random blocks, a variance of runs for each arm; welch where they show no effect
"""

import itertools

import numpy as np
from scipy import stats

ARMS, STUDIES = 5, 6000
PAIRS = list(itertools.combinations(range(ARMS), 2))
A, B = np.array(PAIRS).T
GRID = np.array([1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60, 200, 1e4])
TUKEY = np.array([stats.studentized_range.ppf(0.95, ARMS, df) for df in GRID]) / np.sqrt(2)
SIDAK = stats.t.ppf(1 - (1 - 0.95 ** (1 / len(PAIRS))) / 2, GRID)


def quantile(table, df):
    return np.interp(1 / np.clip(df, 1, 1e4), 1 / GRID[::-1], table[::-1])


def covariance(y):
    c = y - y.mean(2, keepdims=True)
    return np.einsum("aik,ajk->aij", c, c) / (y.shape[2] - 1)


def diagonal(s):
    return np.einsum("aii->ai", s)


def welch(y):
    n, v = y.shape[2], y.var(2, ddof=1)
    both = v[:, A] + v[:, B]
    return both / n, both**2 * (n - 1) / (v[:, A] ** 2 + v[:, B] ** 2)


def paired(y):
    n = y.shape[2]
    return (y[:, A] - y[:, B]).var(2, ddof=1) / n, np.full((len(y), len(PAIRS)), n - 1.0)


def satterthwaite(v, information, n):
    inverse = np.linalg.pinv(information)
    both = v[:, A] + v[:, B]
    spread = inverse[:, A, A] + inverse[:, B, B] + 2 * inverse[:, A, B]
    return both / n, (n - 1) * both**2 / spread


def fixed(y, steps=60):
    n, s = y.shape[2], covariance(y)
    v = np.repeat(((diagonal(s).sum(1) - s.sum((1, 2)) / ARMS) / (ARMS - 1))[:, None], ARMS, 1)
    for _ in range(steps):
        w = 1 / v
        all_w, sw = w.sum(1), np.einsum("aij,aj->ai", s, w)
        q = diagonal(s) - 2 * sw / all_w[:, None] + ((w * sw).sum(1) / all_w**2)[:, None]
        v = q + 1 / all_w[:, None]
    w = 1 / v
    p = -w[:, :, None] * w[:, None, :] / w.sum(1)[:, None, None]
    p[:, range(ARMS), range(ARMS)] += w
    return satterthwaite(v, p * p, n)


def mixed(y, steps=150):
    n, s = y.shape[2], covariance(y)
    d = diagonal(s)
    t = np.maximum((s.sum((1, 2)) - d.sum(1)) / (ARMS * (ARMS - 1)), 0.05 * d.mean(1))
    v = np.maximum(d - t[:, None], 0.1 * d)
    for _ in range(steps):
        w = 1 / v
        p = 1 / (1 / t + w.sum(1))
        sw = np.einsum("aij,aj->ai", s, w)
        m = p**2 * (w * sw).sum(1)
        t, v = np.maximum(p + m, 1e-9 * d.mean(1)), d - 2 * p[:, None] * sw + (m + p)[:, None]
    none = t < 0.02 * v.mean(1)
    w = 1 / v
    p = -(1 / (1 / t + w.sum(1)))[:, None, None] * w[:, :, None] * w[:, None, :]
    p[:, range(ARMS), range(ARMS)] += w
    sums = p.sum(2)
    information = np.empty((len(y), ARMS + 1, ARMS + 1))
    information[:, :ARMS, :ARMS] = p * p
    information[:, ARMS, :ARMS] = information[:, :ARMS, ARMS] = sums**2
    information[:, ARMS, ARMS] = sums.sum(1) ** 2
    variance, df = satterthwaite(v, information, n)
    alone, df_alone = welch(y)
    variance[none], df[none] = alone[none], df_alone[none]
    return variance, df


random = np.random.default_rng(2)
spreads = {
    "equal": [1] * 5,
    "one 5 x": [5, 1, 1, 1, 1],
    "two 5 x": [5, 5, 1, 1, 1],
    "graded": [0.2, 0.4, 0.6, 0.8, 1],
    "one quiet": [1, 1, 1, 1, 0.2],
}
print("runs  noise      languages   layout: any of ten by q, by t; half-widths of two pairs by t")
for n in (3, 5, 6, 10):
    for name, spread in spreads.items():
        for languages in (0, 1, 3):
            y = random.normal(size=(STUDIES, ARMS, n)) * np.array(spread)[:, None]
            y += languages * random.normal(size=(STUDIES, 1, n))
            d = np.abs(y.mean(2)[:, A] - y.mean(2)[:, B])
            found = []
            for layout in (welch, paired, fixed, mixed):
                variance, df = layout(y)
                error = np.sqrt(variance)
                half = quantile(SIDAK, df) * error
                by_q = (d > quantile(TUKEY, df) * error).any(1).mean()
                by_t = (d > half).any(1).mean()
                widths = "/".join(f"{np.median(half[:, pair]):.2f}" for pair in (0, -1))
                found.append(f"{layout.__name__} {by_q:.3f} {by_t:.3f} {widths}")
            print(f"{n:4}  {name:<10} {languages:<10}", "   ".join(found), flush=True)
