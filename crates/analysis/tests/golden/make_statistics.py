"""Numbers that the analysis has to give, by numpy, scipy and statsmodels:
python make_statistics.py > statistics.json   (numpy 2, scipy 1.17, statsmodels 0.15)
"""

import itertools
import json

import numpy as np
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_ind

# Of one arm a row, with unequal numbers of runs and unequal noise.
ONE_WAY = [
    [61.2, 60.4, 62.0, 61.1, 60.2],
    [60.1, 60.6, 61.5, 60.2, 60.9, 61.3],
    [57.0, 63.9, 52.1, 59.7, 48.2],
    [61.9, 60.0, 63.4, 62.8, 61.0, 62.2, 60.7],
    [64.5, 64.1, 66.0, 64.4, 65.2],
]
# Of one arm a row, of one language a column; None where the run failed.
BLOCKS = [
    [58.1, 63.9, 60.2, 66.8, 55.3, 61.0],
    [57.2, 64.4, None, 66.1, 56.4, 60.1],
    [52.9, 65.3, 49.8, 60.0, 57.7, 51.2],
    [59.9, 64.2, 61.8, 68.9, None, None],
    [61.7, 66.6, 62.9, 69.2, 58.8, 63.5],
]
MARGIN = 2.0
LEVEL = 0.95


def judged(difference, error, degrees, family):
    """Šidák's interval and p, and the p of two one-sided tests."""
    each = 1 - LEVEL ** (1 / family)
    half = stats.t.ppf(1 - each / 2, degrees) * error
    p = 2 * stats.t.sf(abs(difference) / error, degrees)
    return {
        "difference": difference,
        "standard_error": error,
        "degrees": degrees,
        "interval": [difference - half, difference + half],
        "p": p,
        "p_adjusted": 1 - (1 - p) ** family,
    }


def one_way():
    pairs = list(itertools.combinations(range(len(ONE_WAY)), 2))
    found = []
    for low, high in pairs:
        a, b = np.array(ONE_WAY[high]), np.array(ONE_WAY[low])
        welch = stats.ttest_ind(a, b, equal_var=False)
        difference = a.mean() - b.mean()
        pair = judged(difference, difference / welch.statistic, welch.df, len(pairs))
        assert np.isclose(pair["p"], welch.pvalue)
        pair["p_tost"] = ttost_ind(a, b, -MARGIN, MARGIN, usevar="unequal")[0]
        pair["p_same"] = 1 - (1 - min(1.0, 2 * pair["p_tost"])) ** len(pairs)
        pair["effect"] = difference / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
        found.append({"high": high, "low": low, **pair})
    corrected = multipletests([pair["p"] for pair in found], method="sidak")[1]
    assert np.allclose(corrected, [pair["p_adjusted"] for pair in found])
    return found


def blocks():
    """Restricted likelihood by a general optimiser, degrees of freedom by numerical slopes."""
    cells = [(a, s, y) for a, row in enumerate(BLOCKS) for s, y in enumerate(row) if y is not None]
    arm, language, y = (np.array(column) for column in zip(*cells))
    k = len(BLOCKS)
    x = (arm[:, None] == np.arange(k)).astype(float)
    parts = [np.diag((arm == a).astype(float)) for a in range(k)]
    parts.append((language[:, None] == language[None]).astype(float))

    def projected(variances):
        v = np.linalg.inv(sum(variance * part for variance, part in zip(variances, parts)))
        c = np.linalg.inv(x.T @ v @ x)
        return v, c, v - v @ x @ c @ x.T @ v

    def loss(logs):
        v, c, p = projected(np.exp(logs))
        return (-np.linalg.slogdet(v)[1] - np.linalg.slogdet(c)[1] + y @ p @ y) / 2

    best = min(
        (optimize.minimize(loss, np.full(k + 1, start), method="BFGS", options={"gtol": 1e-9}) for start in (0, 1, 2)),
        key=lambda result: result.fun,
    )
    best = optimize.minimize(loss, best.x, method="Nelder-Mead", options={"xatol": 1e-11, "fatol": 1e-13, "maxiter": 10**5, "maxfev": 10**5})
    variances = np.exp(best.x)
    v, c, p = projected(variances)
    information = np.array([[np.trace(p @ a @ p @ b) / 2 for b in parts] for a in parts])
    means = c @ x.T @ v @ y
    pairs = list(itertools.combinations(range(k), 2))
    found = []
    for low, high in pairs:
        contrast = np.eye(k)[high] - np.eye(k)[low]
        of = lambda variances: contrast @ projected(variances)[1] @ contrast
        step = 1e-5 * variances
        slope = np.array(
            [(of(variances + d) - of(variances - d)) / (2 * d.sum()) for d in np.diag(step)]
        )
        degrees = 2 * of(variances) ** 2 / (slope @ np.linalg.inv(information) @ slope)
        pair = judged(contrast @ means, np.sqrt(of(variances)), degrees, len(pairs))
        found.append({"high": high, "low": low, **pair})
    return {"runs": np.sqrt(variances[:k]).tolist(), "languages": float(np.sqrt(variances[k])), "pairs": found}


golden = {
    "level": LEVEL,
    "margin": MARGIN,
    "one_way": {"scores": ONE_WAY, "pairs": one_way()},
    "blocks": {"scores": BLOCKS, **blocks()},
    "clopper_pearson": [
        {"k": k, "n": n, "interval": list(map(float, proportion_confint(k, n, 0.05, method="beta")))}
        for k, n in [(0, 5), (1, 5), (4, 6), (6, 6), (7, 10)]
    ],
    "detectable": [
        {
            "degrees": degrees,
            "error": error,
            # The shift of a noncentral t that passes the quantile on its side with power .8.
            "standard_errors": optimize.brentq(
                lambda shift: stats.nct.sf(stats.t.ppf(1 - error / 2, degrees), degrees, shift) - 0.8,
                0.1,
                12,
            ),
        }
        for degrees, error in [(4, 0.05), (8, 0.05), (10, 0.00511), (5.5, 0.00511), (18, 0.01)]
    ],
}
print(json.dumps(golden, indent=1, default=float))
