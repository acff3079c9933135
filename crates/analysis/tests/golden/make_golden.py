"""Numbers that the analysis has to give, by numpy and scipy: python make_golden.py > golden.json"""

import itertools
import json

import numpy as np
from scipy import stats

# Rows are MLM, Replace MLM, ELECTRA 15 %, All-Tokens MLM, ELECTRA; columns are seeds.
SCORES = np.array(
    [
        [61.2, 60.4, 62.0, 61.1],
        [60.1, 60.6, 61.5, 60.2],
        [57.0, 58.9, 58.1, 57.7],
        [61.9, 60.0, 63.4, 62.8],
        [64.5, 64.1, 66.0, 64.4],
    ]
)


def holm(p):
    order, corrected, least = np.argsort(p), np.empty(len(p)), 0.0
    for rank, index in enumerate(order):
        least = max(least, min(1.0, p[index] * (len(p) - rank)))
        corrected[index] = least
    return corrected


k, n = SCORES.shape
residual = SCORES - SCORES.mean(1, keepdims=True) - SCORES.mean(0) + SCORES.mean()
of_arm = (residual**2).sum(1) / (n - 1)
pooled = 2 * of_arm.sum() / (k - 1)
degrees = max(n - 1, (n - 1) * (k - 1) / k * of_arm.sum() ** 2 / (of_arm**2).sum())

pairs = []
for low, high in itertools.combinations(range(k), 2):
    d = SCORES[high] - SCORES[low]
    error = np.sqrt(max(d.var(ddof=1), pooled) / n)
    half = stats.t.ppf(0.975, degrees) * error
    sums = [abs((d * signs).sum()) for signs in itertools.product([1, -1], repeat=n)]
    pairs.append(
        {
            "high": high,
            "low": low,
            "difference": d.mean(),
            "interval": [d.mean() - half, d.mean() + half],
            "p": 2 * stats.t.sf(abs(d.mean()) / error, degrees),
            "p_sign_flip": np.mean([s >= abs(d.sum()) - 1e-9 for s in sums]),
            "detectable": (stats.t.ppf(1 - 0.05 / 10 / 2, degrees) + stats.t.ppf(0.8, degrees)) * error,
        }
    )
for pair, p in zip(pairs, holm(np.array([pair["p"] for pair in pairs]))):
    pair["p_holm"] = p

own = [stats.t.interval(0.95, n - 1, row.mean(), stats.sem(row)) for row in SCORES]
golden = {
    "scores": SCORES.tolist(),
    "intervals": [list(map(float, interval)) for interval in own],
    "noise": {"standard_deviation": float(np.sqrt(pooled)), "degrees": float(degrees)},
    "pairs": pairs,
}
print(json.dumps(golden, indent=1, default=float))
