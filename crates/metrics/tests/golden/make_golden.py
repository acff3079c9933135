"""Numbers of scikit-learn, scipy and numpy for tests/it/golden.rs.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 scipy==1.17.1
    venv/bin/python make_golden.py > golden.json
"""

import collections
import json
import re
import string

import numpy as np
import scipy.stats
import sklearn.metrics as sk

rng = np.random.default_rng(20260101)


def numbers(values):
    return [float(value) for value in values]


def classifications():
    for classes, n in [(2, 50), (2, 7), (3, 40), (5, 200)]:
        labels = rng.integers(classes, size=n)
        predictions = np.where(rng.random(n) < 0.5, labels, rng.integers(classes, size=n))
        yield predictions, labels
    ones, mixed = np.ones(20, dtype=int), rng.integers(2, size=20)
    yield from [(ones, mixed), (ones - 1, mixed), (mixed, ones), (ones, ones), (ones - 1, ones - 1)]


def of_classes(predictions, labels):
    f1 = sk.f1_score(labels == 1, predictions == 1, zero_division=0)
    return {
        "predictions": predictions.tolist(),
        "labels": labels.tolist(),
        "accuracy": float(sk.accuracy_score(labels, predictions)),
        "f1": float(f1),
        "matthews": float(sk.matthews_corrcoef(labels, predictions)),
    }


def of_values():
    for n, step in [(30, 0), (30, 0.5), (3, 0), (200, 0.2)]:
        x = rng.normal(size=n)
        y = x + rng.normal(size=n)
        if step:  # Rounded, so that there are ties.
            x, y = np.round(x / step) * step, np.round(y / step) * step
        yield x, y
    x = 1e6 + rng.normal(size=25)
    yield x, 1e-9 * (x + rng.normal(size=25))


def of_scores():
    for n, decimals in [(40, 8), (40, 1), (300, 1)]:
        labels = rng.random(n) < 0.3
        scores = np.round(labels * 0.4 + rng.normal(size=n), decimals)
        yield {
            "scores": numbers(scores),
            "labels": labels.tolist(),
            "auc": float(sk.roc_auc_score(labels, scores)),
        }


def plain(text):
    kept = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def of_answers():
    """SQuAD's two scores, after Rajpurkar et al. (2016), for ASCII text."""
    words = ["a", "the", "The", "An", "new", "New", "york,", "York", "(old)", "they", "1,000", "U.S.", "-", "'", " ", "$5"]

    def text():
        return " ".join(rng.choice(words, size=rng.integers(5)))

    for _ in range(60):
        answer, labels = text(), [text() for _ in range(rng.integers(4))]
        found, exact, shared = plain(answer), [], []
        for label in [plain(label) for label in labels if plain(label)] or [[]]:
            both = sum((collections.Counter(found) & collections.Counter(label)).values())
            exact.append(float(found == label))
            some = found and label
            shared.append(2 * both / (len(found) + len(label)) if some else float(found == label))
        yield {"answer": answer, "labels": labels, "exact_match": max(exact), "token_f1": max(shared)}


def of_summaries():
    for n in [1, 2, 5, 10]:
        x = rng.normal(80, 2, size=n)
        deviation = float(x.std(ddof=1)) if n > 1 else None
        yield {
            "values": numbers(x),
            "mean": float(x.mean()),
            "median": float(np.median(x)),
            "standard_deviation": deviation,
        }


def of_sign_flips():
    for n, shift in [(1, 0.5), (3, 1), (6, 0.6), (10, 0.7), (16, 0.3), (8, 0), (6, "ties")]:
        if shift == "ties":
            x = np.array([0.1, 0.2, 0.3, -0.1, -0.2, 0.3])
        else:
            x = rng.normal(shift, 1, size=n)
        if n == 1:  # scipy wants two; both signs are as far from 0.
            p = 1.0
        else:
            test = scipy.stats.permutation_test(
                (x,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True
            )
            p = test.pvalue
        yield {"differences": numbers(x), "p": float(p)}
    x = rng.normal(0.25, 1, size=40)
    # Too many for all signs: the sum's distribution by a long draw of another generator.
    signs = rng.choice([-1.0, 1.0], size=(2_000_000, 40))
    p = np.mean(np.abs(signs @ x) >= abs(x.sum()))
    yield {"differences": numbers(x), "p": float(p)}


def of_corrections():
    for n in [1, 4, 10]:
        p = rng.random(n) ** 3
        order, corrected = np.argsort(p), np.empty(n)
        corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(n, 0, -1)))
        yield {"p": numbers(p), "corrected": numbers(corrected)}


def of_power():
    for design in ["paired", "unpaired"]:
        for alpha, power in [(0.05, 0.8), (0.005, 0.9)]:
            for n in [2, 3, 5, 6, 10, 30, 100, 1000, 9999]:
                degrees, error = (n - 1, n**-0.5) if design == "paired" else (2 * n - 2, (2 / n) ** 0.5)
                t = scipy.stats.t(degrees)
                steps = t.ppf(1 - alpha / 2) + t.ppf(power)
                # How often it is seen in truth: the test's statistic has a noncentral t distribution.
                limit = t.ppf(1 - alpha / 2)
                seen = scipy.stats.nct.sf(limit, degrees, steps) + scipy.stats.nct.cdf(-limit, degrees, steps)
                yield {
                    "design": design,
                    "alpha": alpha,
                    "power": power,
                    "seeds": n,
                    "detectable": float(0.57 * steps * error),
                    "true_power": float(seen),
                }


def of_bootstraps():
    """Two arms, seeds x examples; the score of a seed is its mean over the examples."""
    seeds, examples, draws = 6, 60, 200_000
    hard = rng.normal(0, 0.5, size=examples)
    shared = rng.normal(0, 0.2, size=(seeds, 1))

    def arm(shift):
        return 0.7 + shift + hard + shared + rng.normal(0, 0.05, size=(seeds, 1)) + rng.normal(0, 0.3, size=(seeds, examples))

    a, b = np.round(arm(0.05), 4), np.round(arm(0), 4)

    def counts(n):
        return rng.multinomial(n, np.full(n, 1 / n), size=draws) / n

    def of_draws(rows, table, columns):
        return np.einsum("ds,se,de->d", rows, table, columns, optimize=True)

    columns, rows, others = counts(examples), counts(seeds), counts(seeds)
    of_a = of_draws(rows, a, columns)
    paired, unpaired = of_a - of_draws(rows, b, columns), of_a - of_draws(others, b, columns)

    def facts(values, estimate):
        low, high = np.quantile(values, [0.025, 0.975])
        p = 2 * min(np.mean(values <= 0), np.mean(values >= 0))
        return {
            "estimate": float(estimate),
            "low": float(low),
            "high": float(high),
            "deviation": float(values.std()),
            "p": float(p),
        }

    return {
        "first": a.tolist(),
        "second": b.tolist(),
        "one": facts(of_a, a.mean()),
        "paired": facts(paired, a.mean() - b.mean()),
        "unpaired": facts(unpaired, a.mean() - b.mean()),
    }


golden = {
    "classes": [of_classes(*both) for both in classifications()],
    "values": [
        {
            "x": numbers(x),
            "y": numbers(y),
            "pearson": float(scipy.stats.pearsonr(x, y).statistic),
            "spearman": float(scipy.stats.spearmanr(x, y).statistic),
        }
        for x, y in of_values()
    ],
    "scores": list(of_scores()),
    "answers": list(of_answers()),
    "summaries": list(of_summaries()),
    "sign_flips": list(of_sign_flips()),
    "corrections": list(of_corrections()),
    "power": list(of_power()),
    "bootstrap": of_bootstraps(),
}
# A line for each case.
lines = []
for name, cases in golden.items():
    if isinstance(cases, list):
        cases = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"
    else:
        cases = json.dumps(cases)
    lines.append(f"{json.dumps(name)}: {cases}")
print("{\n" + ",\n".join(lines) + "\n}")
