"""A second opinion on `proxpath bootstrap`: rows drawn by the generator as its paper has it, Lasso fits by coordinate
descent on products of columns, quantiles by numpy. Shares nothing with the program; run_checks.py calls it.
"""

import csv
import json
import os

import numpy as np

BITS = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15


def mixed(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & BITS
    return z ^ (z >> 31)


def random_bits(seed, stream):
    """SplitMix64 (Steele, Lea & Flood 2014), begun where a seed and a resample say."""
    state = mixed(seed) ^ mixed((stream + STEP) & BITS)
    while True:
        state = (state + STEP) & BITS
        yield mixed(state)


def draw(n, kind, seed, resample):
    """Weights of n rows that have equal ones."""
    bits = random_bits(seed, resample)
    if kind == "bayesian":
        return np.array([-np.log(((next(bits) >> 11) + 1) * 2.0**-53) for _ in range(n)])
    weights = np.zeros(n)
    uneven = (1 << 64) % n
    for _ in range(n):
        number = next(bits)
        while number < uneven:
            number = next(bits)
        weights[number % n] += 1
    return weights


def lasso(X, y, weights, lam):
    """Intercept and coefficients, standardised as the program does by default."""
    w = weights / weights.sum()
    mean, y_mean = w @ X, w @ y
    scale = np.sqrt(w @ (X - mean) ** 2)
    Z = (X - mean) / scale
    gram, correlation = Z.T @ (w[:, None] * Z), Z.T @ (w * (y - y_mean))
    b = np.zeros(X.shape[1])
    for _ in range(100000):
        moved = 0.0
        for j in range(b.size):
            gradient = correlation[j] - gram[j] @ b + gram[j, j] * b[j]
            new = np.sign(gradient) * max(abs(gradient) - lam, 0.0) / gram[j, j]
            moved, b[j] = max(moved, abs(new - b[j])), new
        if moved <= 1e-13 * np.abs(correlation).max():
            break
    b /= scale
    return y_mean - mean @ b, b


def spreads(values, confidence):
    """Of resamples × numbers: mean, sd, lower and upper of each."""
    ends = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return np.stack([values.mean(axis=0), values.std(axis=0, ddof=1), ends[0], ends[1]])


def check(folder, X, y):
    """Failures of a folder of one lambda, written with a --tol that leaves coefficients nine digits."""
    with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    said = summary["bootstrap"]
    lam = said["lambdas"][0]["lambda"]
    fits = [lasso(X, y, draw(len(y), said["kind"], summary["options"]["seed"], r), lam) for r in range(said["resamples"])]
    b = np.array([fit[1] for fit in fits])
    expected = spreads(b, said["confidence"])
    estimate = lasso(X, y, np.ones(len(y)), lam)[1]
    failures = []

    def compare(name, written, wanted, unit):
        if not abs(written - wanted) <= 1e-8 * unit:
            failures.append(f"{name}: {written!r}, recomputed {wanted!r}")

    seen = set()
    with open(os.path.join(folder, "bootstrap.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            j = int(row["feature"]) - 1
            seen.add(j)
            unit = np.abs(b[:, j]).max() + abs(estimate[j])
            compare(f"coefficient {j + 1}", float(row["coefficient"]), estimate[j], unit)
            for at, column in enumerate(["mean", "sd", "lower", "upper"]):
                compare(f"{column} of {j + 1}", float(row[column]), expected[at, j], unit)
            compare(f"frequency of {j + 1}", float(row["frequency"]), np.mean(b[:, j] != 0), 1)
            compare(f"positive of {j + 1}", float(row["positive"]), np.mean(b[:, j] > 0), 1)
    if seen != set(np.flatnonzero((b != 0).any(axis=0) | (estimate != 0))):
        failures.append("the features are not those that a fit has")
    intercepts = np.array([[fit[0]] for fit in fits])
    wanted = spreads(intercepts, said["confidence"])[:, 0]
    for at, column in enumerate(["mean", "sd", "lower", "upper"]):
        compare(f"{column} of the intercept", said["lambdas"][0]["intercept"][column], wanted[at], np.abs(intercepts).max())
    return failures
