"""How often the rule of the verdict errs and sees, for the crate's README: python simulate.py"""

import itertools

import numpy as np
from scipy import stats

STUDIES, ARMS, TASKS = 100_000, 5, 6
PAIRS = list(itertools.combinations(range(ARMS), 2))
random = np.random.default_rng(1)


def study(seeds, spreads, means=(0,) * ARMS):
    noise = random.normal(size=(STUDIES, ARMS, seeds)) * np.array(spreads)[:, None]
    return np.array(means)[:, None] + noise + random.normal(size=(STUDIES, 1, seeds))


def holm(p):
    order = np.argsort(p, 1)
    ranked = np.take_along_axis(p, order, 1) * (p.shape[1] - np.arange(p.shape[1]))
    corrected = np.empty_like(p)
    np.put_along_axis(corrected, order, np.maximum.accumulate(ranked, 1), 1)
    return corrected


def p_values(scores, shared):
    n = scores.shape[2]
    centre = scores.mean(2, keepdims=True) + scores.mean(1, keepdims=True) - scores.mean((1, 2), keepdims=True)
    of_arm = ((scores - centre) ** 2).sum(2) / (n - 1)
    pooled = 2 * of_arm.sum(1) / (ARMS - 1)
    degrees = (n - 1) * (ARMS - 1) / ARMS * of_arm.sum(1) ** 2 / (of_arm**2).sum(1)
    p = []
    for high, low in PAIRS:
        d = scores[:, high] - scores[:, low]
        own = d.var(1, ddof=1)
        variance, df = (np.maximum(own, pooled), np.maximum(degrees, n - 1)) if shared else (own, n - 1)
        p.append(2 * stats.t.sf(np.abs(d.mean(1)) / np.sqrt(variance / n), df))
    return np.array(p).T


def told(scores, shared):
    return holm(p_values(scores, shared)) <= 0.05


def any_told_on_tasks(seeds, spreads):
    """One family over all pairs on tasks that have nothing to do with each other."""
    p = np.concatenate([p_values(study(seeds, spreads), True) for _ in range(TASKS)], 1)
    return (p.min(1) * p.shape[1] <= 0.05).mean().round(3)


for seeds in (2, 3, 6):
    for spreads in ([1] * 5, [5, 1, 1, 1, 1], [5, 5, 1, 1, 1], [1, 1, 1, 1, 0.05]):
        print(seeds, "seeds, spreads", spreads, "any told:", told(study(seeds, spreads), True).any(1).mean().round(3))
for seeds in (3, 6):
    for behind in (3, 4, 6):
        scores = study(seeds, [1] * 5, [-behind, 0, 0, 0, 0])
        sees = [told(scores, shared)[:, 0].mean().round(3) for shared in (True, False)]
        print(seeds, "seeds,", behind, "behind: seen", sees[0], "by the pair's own noise", sees[1])
for seeds in (2, 3, 6):
    for spreads in ([1] * 5, [5, 1, 1, 1, 1], [5, 5, 1, 1, 1], [1, 1, 1, 1, 0.05]):
        print(seeds, "seeds, spreads", spreads, "any told on", TASKS, "tasks:", any_told_on_tasks(seeds, spreads))
