"""What every Python peer shares: the frame of a peer's process, between the tasks that contenders.py hands it and the
files it leaves.

    python peer_NAME.py < paths of task files, one a line

A peer is a function `solve(X, y, task)` that returns a Solution. For each task, `run` reads the problem, if it is not
the last one (load), solves a tiny problem of the same type, if it has not yet (warm-up: imports and just-in-time
compilation), writes the file `started`, and times `solve` on the real one. What is timed begins with X and y in the form
this process reads, so centring, scaling and Gram matrices that a peer needs are in its solve time; taking coefficients
back to the original scale is not.

The problem folder holds indptr, indices (int32), data and y (double) as raw .bin files, by columns; the output folder
gets the coefficients in the same form, the intercepts, and at last result.json.
"""

import json
import os
import sys
import time
import traceback

import numpy as np
import scipy.sparse as sp

# Peers import this module before their own library, so that warm-up includes that import.
START = time.perf_counter()


class NotSupported(Exception):
    """The peer has no way to solve this problem; the message is shown in the table."""


class Task:
    """The fields of the task file as attributes."""

    def __init__(self, fields):
        self.__dict__.update(fields)
        self.lambdas = np.fromfile(fields["lambdas"]) if isinstance(fields["lambdas"], str) else fields["lambdas"]

    def but(self, **changes):
        return Task({**self.__dict__, **changes})


class Solution:
    """Coefficients p x K (array or sparse) of the columns as scaled, with what takes them back."""

    def __init__(self, coefficients, prepared, intercepts=None):
        self.coefficients, self.prepared, self.intercepts = coefficients, prepared, intercepts

    def on_original_scale(self):
        B = sp.csc_matrix(self.coefficients)
        B.eliminate_zeros()
        B.data = B.data / self.prepared.scale[B.indices]
        intercepts = self.intercepts
        if intercepts is None:  # the peer saw centred columns and a centred response
            intercepts = self.prepared.y_mean - B.T @ self.prepared.mean
        return B, np.asarray(intercepts, dtype=np.float64) * np.ones(B.shape[1])


class Prepared:
    """The problem without intercept and standardisation.

    X: columns divided by `scale`; a dense X is centred too, a sparse one is not, and `shift` holds the means of its
    scaled columns, for peers that centre implicitly. y is centred. Without intercept and standardisation, X and y are
    what was given, uncopied. With the setting "dense" a sparse X is made dense first.
    """

    def __init__(self, X, y, task):
        if task.setting == "dense" and sp.issparse(X):
            X = np.asfortranarray(X.toarray())
        self.dense = not sp.issparse(X)
        n, p = X.shape
        self.mean, self.scale, self.shift, self.y_mean = np.zeros(p), np.ones(p), np.zeros(p), 0.0
        self.X, self.y = X, y
        if not task.intercept:
            return
        self.y_mean = y.mean()
        self.y = y - self.y_mean
        if sp.issparse(X):
            counts = np.diff(X.indptr)
            self.mean = np.asarray(X.sum(axis=0)).ravel() / n
            about = X.copy()
            about.data = (X.data - np.repeat(self.mean, counts)) ** 2
            self.scale = self.deviation(np.asarray(about.sum(axis=0)).ravel() + (n - counts) * self.mean**2, n)
            np.divide(X.data, np.repeat(self.scale, counts), out=about.data)
            self.X, self.shift = about, self.mean / self.scale
        else:
            self.mean = X.mean(axis=0)
            self.X = X - self.mean  # keeps the order by columns
            self.scale = self.deviation(np.einsum("ij,ij->j", self.X, self.X), n)
            self.X /= self.scale

    @staticmethod
    def deviation(squares, n):
        scale = np.sqrt(squares / n)
        return np.where(scale > 0, scale, 1.0)

    def gram(self, block=500):
        """X'X as centred, a block of columns at a time: a sparse product of all of it would need more than the result."""
        if not sp.issparse(self.X):
            return self.X.T @ self.X
        n, p = self.X.shape
        G, rows = np.empty((p, p)), self.X.T.tocsr()
        for at in range(0, p, block):
            G[:, at : at + block] = (rows @ self.X[:, at : at + block]).toarray()
        G -= n * np.outer(self.shift, self.shift)
        return G


def load(task):
    def read(name, kind):
        return np.fromfile(os.path.join(task.problem, name + ".bin"), dtype=kind)

    X = sp.csc_matrix((read("data", np.float64), read("indices", np.int32), read("indptr", np.int32)),
                      shape=(task.n, task.p))
    return np.asfortranarray(X.toarray()) if task.dense else X, read("y", np.float64)


def tiny(task):
    """A problem of the same type that is solved at once."""
    random = np.random.default_rng(1)
    X = random.standard_normal((40, 15))
    y = X[:, 0] + 0.1 * random.standard_normal(40)
    X = np.asfortranarray(X) if task.dense else sp.csc_matrix(X)
    if not task.dense:
        X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X, y, task.but(lambdas=np.array([0.5, 0.2, 0.1]), tol=1e-3, n=40, p=15, progress=None)


def note_progress(task, done):
    """For peers that go lambda by lambda: how many are done, in case the process is stopped at its limit."""
    if task.progress:
        with open(task.progress, "w", encoding="ascii") as file:
            file.write(str(done))


def write(task, solution):
    B, intercepts = solution.on_original_scale()
    for name, part in (("data", B.data.astype(np.float64)), ("indices", B.indices.astype(np.int32)),
                       ("indptr", B.indptr.astype(np.int64)), ("intercepts", intercepts)):
        part.tofile(os.path.join(task.out, name + ".bin"))


class Process:
    def __init__(self, solve):
        self.solve = solve
        self.imports = time.perf_counter() - START
        self.loaded, self.warm = None, set()

    def prepare(self, task, result):
        if self.loaded != (task.problem, task.dense):
            self.data, begin = None, time.perf_counter()
            self.data, self.loaded = load(task), (task.problem, task.dense)
            result["load"] = time.perf_counter() - begin
        kind = (task.dense, task.intercept, task.alpha == 1, task.setting)
        if kind not in self.warm:
            begin = time.perf_counter()
            self.solve(*tiny(task))
            result["warm_up"] = time.perf_counter() - begin + (0 if self.warm else self.imports)
            self.warm.add(kind)

    def one(self, task):
        result = {"status": "ok"}
        try:
            self.prepare(task, result)
            open(os.path.join(task.out, "started"), "w").close()
            begin = time.perf_counter()
            solution = self.solve(*self.data, task)
            result["solve"] = time.perf_counter() - begin
            write(task, solution)
        except NotSupported as reason:
            result.update(status="not supported", reason=str(reason))
        except Exception as error:
            result.update(status="failed", reason=f"{type(error).__name__}: {error}", trace=traceback.format_exc())
        path = os.path.join(task.out, "result.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(result, file)
        os.replace(path + ".new", path)


def run(solve):
    process = Process(solve)
    for line in sys.stdin:
        with open(line.strip(), encoding="utf-8") as file:
            process.one(Task(json.load(file)))
