"""Numbers of scikit-learn, scipy, numpy and seqeval for tests/it/golden.rs.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1 scipy==1.17.1 seqeval==1.2.2
    venv/bin/python make_golden.py > golden.json
"""

import collections
import json
import re
import string

import numpy as np
import scipy.stats
import seqeval.metrics
import seqeval.scheme
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
        "macro_f1": float(sk.f1_score(labels, predictions, average="macro", zero_division=0)),
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


def of_entities():
    """F1 of entities in sentences of labels that often break the rules of their scheme."""
    schemes = {
        "conll": (None, "BIES"),
        "iob1": (seqeval.scheme.IOB1, "BI"),
        "iob2": (seqeval.scheme.IOB2, "BI"),
        "bioes": (seqeval.scheme.IOBES, "BIES"),
    }
    for name, (scheme, marks) in schemes.items():
        all_labels = ["O"] + [f"{mark}-{kind}" for mark in marks for kind in ("PER", "LOC-2")]
        for sentences, most in [(1, 6), (20, 4), (40, 9)]:
            labels, predictions = [], []
            for _ in range(sentences):
                words = 1 + rng.integers(most)
                right = rng.choice(all_labels, size=words).tolist()
                other = rng.choice(all_labels, size=words).tolist()
                labels.append(right)
                predictions.append([b if rng.random() < 0.3 else a for a, b in zip(right, other)])
            strict = {} if scheme is None else {"mode": "strict", "scheme": scheme}
            f1 = seqeval.metrics.f1_score(labels, predictions, zero_division=0, **strict)
            yield {"scheme": name, "predictions": predictions, "labels": labels, "f1": float(f1)}


def of_multi_label():
    """Any number of labels: some that never occur or are never predicted, and rows without any."""

    def draw(n, share):
        return rng.random((n, len(share))) < share

    cases = [(draw(n, share), draw(n, share)) for n, share in [(30, [0.4, 0.2, 0.1]), (200, [0.5, 0.05, 0.3, 0.01, 0.0])]]
    labels = draw(25, [0.3, 0.5, 0.2, 0.0])
    cases += [(labels ^ draw(25, [0.1] * 4), labels), (labels & False, labels), (labels, labels & False)]
    cases += [(labels, labels), (labels & False, labels & False), (draw(1, [0.5, 0.5]), draw(1, [0.5, 0.5]))]
    # One label alone would be a vector to scikit-learn, whose mean over examples is then another.
    for predictions, labels in cases:
        f1 = {
            average: float(sk.f1_score(labels, predictions, average=average, zero_division=0))
            for average in ("micro", "macro", "samples")
        }
        yield {
            "predictions": predictions.tolist(),
            "labels": labels.tolist(),
            "accuracy": float(sk.accuracy_score(labels, predictions)),
            **{f"{average}_f1": value for average, value in f1.items()},
            "hamming_loss": float(sk.hamming_loss(labels, predictions)),
        }


golden = {
    "classes": [of_classes(*both) for both in classifications()],
    "values": [
        {
            "x": numbers(x),
            "y": numbers(y),
            "pearson": float(scipy.stats.pearsonr(x, y).statistic),
            "spearman": float(scipy.stats.spearmanr(x, y).statistic),
            "mean_squared_error": float(sk.mean_squared_error(y, x)),
        }
        for x, y in of_values()
    ],
    "scores": list(of_scores()),
    "answers": list(of_answers()),
    "entities": list(of_entities()),
    "multi_label": list(of_multi_label()),
}
# A line for each case.
lines = []
for name, cases in golden.items():
    cases = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"
    lines.append(f"{json.dumps(name)}: {cases}")
print("{\n" + ",\n".join(lines) + "\n}")
