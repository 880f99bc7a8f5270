"""The problems of compare.py: which sets there are, how they are laid out for the peers, and how answers are judged.

A set is generated (families.py) or read as tests/check/run_all_data.py reads it, and written once into the work folder:
raw arrays for the peers, a SciPy .npz and y.txt for us. A Judge holds one set in one mode with its certificate from
tests/check/check_fit.py, which shares no code with proxpath or any peer.
"""

import json
import os
import sys
import tempfile

import numpy as np
import scipy.sparse as sp

import families

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "check"))
import check_fit  # noqa: E402
import run_all_data  # noqa: E402

REAL_SETS = ["california_housing", "a9a", "ames", "riboflavin", "we8there", "arcene", "debian_tfidf", "pbmc1k",
             "debian_counts", "debian_bigrams", "hapmap3"]
NAMES = list(families.FAMILIES) + REAL_SETS
# Mode: intercept and standardisation, both or none.
MODES = {"plain": False, "standardised": True}
# Above this share of non-zeros a dense array is the faster form for every peer.
DENSE_ABOVE = 0.3
# Lambdas certified at a time: p x 4 panels in long double stay small even for the widest set.
CHUNK = 4


def read(name, data, scale):
    if name in families.FAMILIES:
        return families.generate(name, scale)
    each = {known.name: known for known in run_all_data.SETS}[name]
    with tempfile.TemporaryDirectory(prefix="proxpath_compare.") as work:
        _, X, y = run_all_data.prepare(each, data, work)
    return X.astype(np.float64), y


class ProblemSet:
    """A set as it lies in the work folder."""

    def __init__(self, name, data, scale, work):
        generated = name in families.FAMILIES
        self.name = name
        self.folder = os.path.join(work, "problems", f"{name}-{scale:g}" if generated else name)
        facts = os.path.join(self.folder, "facts.json")
        if not os.path.exists(facts):
            self.write(facts, *read(name, data, scale))
        with open(facts, encoding="utf-8") as file:
            self.n, self.p, self.nnz = json.load(file)
        self.dense = self.nnz / (self.n * self.p) > DENSE_ABOVE
        self.design, self.response = (os.path.join(self.folder, file) for file in ("X.npz", "y.txt"))

    def write(self, facts, X, y):
        os.makedirs(self.folder, exist_ok=True)
        X = sp.csc_matrix(X)
        for file, part in (("data", X.data.astype(np.float64)), ("indices", X.indices.astype(np.int32)),
                           ("indptr", X.indptr.astype(np.int32)), ("y", np.asarray(y, dtype=np.float64))):
            part.tofile(os.path.join(self.folder, file + ".bin"))
        sp.save_npz(os.path.join(self.folder, "X.npz"), X, compressed=False)
        with open(os.path.join(self.folder, "y.txt"), "w", encoding="ascii") as file:
            file.writelines(f"{float(value)!r}\n" for value in y)
        with open(facts, "w", encoding="utf-8") as file:  # last: where it is, the rest is complete
            json.dump([int(X.shape[0]), int(X.shape[1]), int(X.nnz)], file)

    def matrix(self):
        def part(name, kind):
            return np.fromfile(os.path.join(self.folder, name + ".bin"), dtype=kind)

        X = sp.csc_matrix((part("data", np.float64), part("indices", np.int32), part("indptr", np.int32)),
                          shape=(self.n, self.p))
        return X, part("y", np.float64)


class Judge:
    """One set in one mode: the grid of lambdas for each alpha, and the worst gap of anybody's solution."""

    def __init__(self, problem_set, intercept):
        X, y = problem_set.matrix()
        self.intercept = intercept
        self.problem = check_fit.Problem(X.astype(check_fit.REAL), y, intercept, intercept)
        self.null_loss = float(self.problem.null_loss)
        self.y_deviation = float(np.sqrt(2 * self.null_loss))

    def grid(self, alpha, count, ratio):
        top = float(self.problem.lambda_max(alpha))
        return top * ratio ** (np.arange(count) / max(1, count - 1))

    def judge(self, coefficients, intercepts, lambdas, alpha, bound=None):
        """Worst over the path, relative to the null loss, at the coefficients and the intercept that were returned:
        `gap` to the lower bounds that these coefficients prove themselves (`dual`), and `above`, how far the objective
        is above `bound`, the best lower bounds known."""
        if not (np.all(np.isfinite(coefficients.data)) and np.all(np.isfinite(intercepts))):
            return {"gap": float("inf"), "above": float("inf")}
        primal, dual = [], []
        for at in range(0, len(lambdas), CHUNK):
            part = slice(at, at + CHUNK)
            found = self.problem.certify(coefficients[:, part].tocsc(), intercepts[part], lambdas[part], alpha)
            primal += list(found["primal_as_written"])
            dual += list(found["dual"])
        worst = {"gap": float(max(np.subtract(primal, dual))) / self.null_loss,
                 "dual": [float(value) for value in dual]}
        if bound is not None:
            worst["above"] = float(max(np.subtract(primal, np.maximum(dual, bound)))) / self.null_loss
        return worst
