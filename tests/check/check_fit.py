#!/usr/bin/env python3
"""Recomputes what `proxpath fit` wrote and compares: objective, dual value, gap, KKT distance and counts.

It stands outside the library: it reads the data and the fit folder with code of its own and shares nothing with the
program but the definitions of the problem. NumPy and SciPy as Debian 12 packages them are enough.

    check_fit.py DIR X [--y FILE] [--y-column NAME] [--response R] [--json]

Of a folder with the fits of several responses one is checked, by its number or name; the table --y has it as a column.

Exit code 0 when every check holds, 1 when one fails or a file cannot be read.

The arithmetic. With weights w = 1/n, column means m_j (0 without an intercept), deviations s_j (about the mean in
either case) and t_j = s_j, or 1 without standardisation, the objective at coefficients b on the original scale is

    P = 1/2 mean(rho^2) + lambda sum_j [ alpha t_j |b_j| + (1 - alpha)/2 t_j^2 b_j^2 ],   rho = (y - mean y) - (X - 1m')b

with (1 - alpha) over the l2_divisor of the convention that lambda is given in, 1 but for --as glmnet and --as
scikit-learn; where the intercept is the best one, mean(y) - m'b. The loss at the intercept that stands in path.csv is compared too.
Two lower bounds on the optimum come from the same rho, with u_j = (x_j - m_j)'rho/n and r = mean((y - mean y) rho):

    scaled     c_j = u_j - lambda (1 - alpha) t_j^2 b_j,  q = mean(rho^2) + lambda (1 - alpha) sum t_j^2 b_j^2,
               D(s) = s r - s^2 q / 2  at  s = clip(r/q, 0, min_j lambda alpha t_j / |c_j|)
    conjugate  r - mean(rho^2)/2 - sum_j (|u_j| - lambda alpha t_j)_+^2 / (2 lambda (1 - alpha) t_j^2)   for alpha < 1

The program reports the larger; so it is the larger that is recomputed. The value 0 is always a lower bound.

Everything is computed in long double, which on x86-64 carries 11 bits more than double: columns whose mean is a
million times their deviation are then centred to 1e-13 of the deviation without any special treatment, and X is never
made dense.

What must agree: primal, dual and gap to 1e-9 of the null model's loss P(0). That leaves room for the rounding of sums
over n rows in double (n eps is 1e-11 at n = 63540) and nothing for a wrong formula. Columns that took part in no pass
are certified from products of the columns of X; their dual may be lower, and their gap larger, by 5% of the tolerance.
"""

import argparse
import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
import zipfile

import numpy as np
import scipy.sparse as sp

REAL = np.longdouble

# Of the null model's loss; see the opening text.
LOSS_TOLERANCE = 1e-9
# Share of the tolerance by which the dual may be lower than this for rounding (docs/certificate.md).
ROUNDING_SHARE = 0.05
# Numbers that are computed once in double from n terms and written with all digits.
RELATIVE_TOLERANCE = 1e-10
# Lambdas of a grid: one power and one product in double.
GRID_TOLERANCE = 1e-13
# Columns of the path that are held dense at a time.
CHUNK = 16

PATH_HEADER = [
    "lambda", "df", "dev_ratio", "intercept", "primal", "dual", "gap", "rel_gap", "kkt", "status", "iterations",
    "passes",
]
STATUSES = ("converged", "not_converged", "interrupted")


class CheckError(Exception):
    """A file that cannot be read or does not fit the others."""


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def read_bytes(path):
    if path.endswith(".gz"):
        with gzip.open(path, "rb") as file:
            return file.read()
    if path.endswith(".xz"):
        with lzma.open(path, "rb") as file:
            return file.read()
    if path.endswith(".bz2"):
        with bz2.open(path, "rb") as file:
            return file.read()
    if path.endswith(".zst"):
        try:
            return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout
        except FileNotFoundError as error:
            raise CheckError(f"{path}: the zstd program is needed to read this") from error
    with open(path, "rb") as file:
        return file.read()


def format_of(path, asked="auto"):
    if asked and asked != "auto":
        return {"svmlight": "svm", "matrix_market": "mtx", "mm": "mtx"}.get(asked.replace("-", "_"), asked)
    name = os.path.basename(path).lower()
    for suffix in (".gz", ".xz", ".zst", ".bz2"):
        if name.endswith(suffix):
            name = name[: -len(suffix)]
    ending = name.rsplit(".", 1)[-1]
    formats = {"svm": "svm", "libsvm": "svm", "svmlight": "svm", "txt": "svm", "mtx": "mtx", "npz": "npz", "csv": "csv"}
    if ending not in formats:
        raise CheckError(f"{path}: cannot tell the format from the name")
    return formats[ending]


def numbers_in(text, path):
    """All numbers of a text with blanks between them."""
    if not text.strip():
        return np.empty(0)
    values = np.fromstring(text, dtype=np.float64, sep=" ")
    # fromstring stops at what is no number; the count is the caller's to check, a NaN would be a lie in the data.
    if not np.all(np.isfinite(values)):
        raise CheckError(f"{path}: a value is not finite")
    return values


def parse_matrix_market(path):
    """Sizes and symmetry with the entries as they stand: (shape, symmetry, count x 3), or a 2-d array for the array
    format."""
    text = read_bytes(path).decode("utf-8")
    head_end = text.find("\n")
    head = text[:head_end].lower().split()
    if len(head) != 5 or not head[0].startswith("%") or head[0].lstrip("%") != "matrixmarket" or head[1] != "matrix":
        raise CheckError(f"{path}: no Matrix Market header")
    layout, field, symmetry = head[2:]
    at = head_end + 1
    while True:
        end = text.find("\n", at)
        line = text[at:end] if end >= 0 else text[at:]
        if line.strip() and not line.startswith("%"):
            break
        if end < 0:
            raise CheckError(f"{path}: no size line")
        at = end + 1
    sizes = [int(token) for token in line.split()]
    values = numbers_in(text[end:] if end >= 0 else "", path)
    if layout == "array":
        rows, cols = sizes
        if symmetry != "general" or values.size != rows * cols:
            raise CheckError(f"{path}: {values.size} values for {rows} x {cols}")
        return values.reshape((rows, cols), order="F")
    rows, cols, count = sizes
    width = 2 if field == "pattern" else 3
    if values.size != count * width:
        raise CheckError(f"{path}: {values.size} numbers, but {count} entries of {width} are declared")
    table = values.reshape(count, width)
    if width == 2:
        table = np.column_stack([table, np.ones(count)])
    if count and (table[:, :2].min() < 1 or table[:, 0].max() > rows or table[:, 1].max() > cols):
        raise CheckError(f"{path}: an index is out of range")
    return (rows, cols), symmetry, table


def read_matrix_market(path):
    """A sparse matrix, or a 2-d array for the array format."""
    parsed = parse_matrix_market(path)
    if isinstance(parsed, np.ndarray):
        return parsed
    shape, symmetry, table = parsed
    i, j, v = table[:, 0].astype(np.int64) - 1, table[:, 1].astype(np.int64) - 1, table[:, 2]
    if symmetry == "symmetric":
        off = i != j
        i, j, v = np.concatenate([i, j[off]]), np.concatenate([j, i[off]]), np.concatenate([v, v[off]])
    elif symmetry != "general":
        raise CheckError(f"{path}: symmetry {symmetry} is not known here")
    return sp.csc_matrix((v, (i, j)), shape=shape)


def read_svmlight(path, index_base="auto", features=None):
    labels, indices, values, offsets = [], [], [], [0]
    for line in read_bytes(path).decode("utf-8").splitlines():
        tokens = line.split("#", 1)[0].split()
        if not tokens:
            continue
        labels.append(float(tokens[0]))
        for token in tokens[1:]:
            index, value = token.split(":")
            if index == "qid":
                continue
            indices.append(int(index))
            values.append(float(value))
        offsets.append(len(indices))
    columns = np.asarray(indices, dtype=np.int64)
    if str(index_base) == "auto":
        index_base = 0 if columns.size and columns.min() == 0 else 1
    columns -= int(index_base)
    p = int(features) if features else (int(columns.max()) + 1 if columns.size else 0)
    X = sp.csr_matrix((np.asarray(values), columns, np.asarray(offsets)), shape=(len(labels), p))
    return X.tocsc(), np.asarray(labels)


def read_npz(path):
    with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive:

        def member(name):
            return np.load(io.BytesIO(archive.read(name + ".npy")), allow_pickle=False)

        kind = member("format").item()
        kind = kind.decode() if isinstance(kind, bytes) else kind
        make = {"csr": sp.csr_matrix, "csc": sp.csc_matrix}[kind]
        parts = (member("data").astype(np.float64), member("indices"), member("indptr"))
        return make(parts, shape=tuple(member("shape"))).tocsc()


def is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read_csv(path, y_column=None):
    text = read_bytes(path).decode("utf-8-sig")
    first = text.split("\n", 1)[0]
    separator = "\t" if "\t" in first else ";" if ";" in first else ","
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    names = None
    if not all(is_number(cell) for cell in rows[0]):
        names = [cell.strip() for cell in rows.pop(0)]
    table = np.array([[float(cell) for cell in row] for row in rows])
    y = None
    if y_column:
        if names and y_column in names:
            at = names.index(y_column)
        elif y_column.isdigit():
            at = int(y_column) - 1
        else:
            raise CheckError(f"{path}: no column {y_column!r}")
        y = table[:, at].copy()
        table = np.delete(table, at, axis=1)
    return sp.csc_matrix(table), y


def read_responses(path, column=0):
    """One column of them."""
    text = read_bytes(path)
    if text.startswith(b"%"):
        values = read_matrix_market(path)
        values = values.toarray() if sp.issparse(values) else values
    elif any(f".{kind}" in os.path.basename(path).lower() for kind in ("csv", "npz")):
        values = (read_csv(path)[0] if format_of(path) == "csv" else read_npz(path)).toarray()
    else:
        values = np.array([[float(line)] for line in text.decode("utf-8").split()])
    if column >= values.shape[1]:
        raise CheckError(f"{path}: {values.shape[1]} columns, but response {column + 1} is to be checked")
    return values[:, column]


def read_design(path, y_file=None, y_column=None, format="auto", index_base="auto", features=None, response=0):
    """X in compressed columns without stored zeros, and y (None where there is none), a column of the file from 0."""
    kind = format_of(path, format)
    y = None
    if kind == "svm":
        X, y = read_svmlight(path, index_base, features)
    elif kind == "mtx":
        X = sp.csc_matrix(read_matrix_market(path))
    elif kind == "npz":
        X = read_npz(path)
    else:
        X, y = read_csv(path, y_column)
    if y_file:
        y = read_responses(y_file, response)
    X.sum_duplicates()
    X.eliminate_zeros()
    X.sort_indices()
    if y is not None and y.size != X.shape[0]:
        raise CheckError(f"{path}: {X.shape[0]} rows, but {y.size} responses")
    return X, y


class Fit:
    """The three files of a fit, which of several responses have names of their own."""

    def __init__(self, folder, response=None):
        try:
            begin = ""
            if response is not None:
                with open(os.path.join(folder, "responses.csv"), encoding="utf-8", newline="") as file:
                    table = list(csv.DictReader(file))
                found = ([row for row in table if row["name"] == response] or
                         [row for row in table if row["response"] == response])
                if not found:
                    raise CheckError(f"{folder}/responses.csv: no response {response!r}")
                begin = found[0]["files"]
            with open(os.path.join(folder, begin + "summary.json"), encoding="utf-8") as file:
                self.summary = json.load(file)
            with open(os.path.join(folder, begin + "path.csv"), encoding="utf-8", newline="") as file:
                rows = list(csv.reader(file))
            coefficients = parse_matrix_market(os.path.join(folder, begin + "coefficients.mtx"))
        except (OSError, ValueError) as error:
            raise CheckError(f"{folder}: {error}") from error
        if not rows or rows[0] != PATH_HEADER:
            raise CheckError(f"{folder}/path.csv: the header is not the documented one")
        self.columns = {}
        for at, name in enumerate(PATH_HEADER):
            cells = [row[at] for row in rows[1:]]
            self.columns[name] = cells if name == "status" else np.array([float(cell) for cell in cells])
        if isinstance(coefficients, np.ndarray) or coefficients[1] != "general":
            raise CheckError(f"{folder}/coefficients.mtx: a general coordinate matrix is documented")
        shape, _, table = coefficients
        # Looked at as they stand: a sparse matrix would merge and sort the entries.
        self.stored_zeros = int(np.sum(table[:, 2] == 0))
        place = table[:, 1] * (shape[0] + 1) + table[:, 0]
        self.entries_ascend = bool(np.all(np.diff(place) > 0))
        self.coefficients = sp.csc_matrix((table[:, 2], (table[:, 0].astype(np.int64) - 1,
                                                         table[:, 1].astype(np.int64) - 1)), shape=shape)
        self.options = self.summary["options"]

    def __getitem__(self, name):
        return self.columns[name]

    def __len__(self):
        return len(self.columns["lambda"])


# ---------------------------------------------------------------------------------------------------------------------
# Mathematics


class Problem:
    """Data with intercept and standardisation settled: what the objective is made of."""

    def __init__(self, X, y, intercept, standardize):
        self.intercept = intercept
        self.standardize = standardize
        self.n, self.p = X.shape
        self.nnz = X.nnz
        self.X = X.astype(REAL, copy=False)
        ones = np.ones(self.n, dtype=REAL)
        counts = np.diff(X.indptr)
        mean = (self.X.T @ ones) / self.n
        about_mean = self.X.copy()
        about_mean.data = (about_mean.data - np.repeat(mean, counts)) ** 2
        variance = (about_mean.T @ ones + (self.n - counts) * mean**2) / self.n
        varies = self._varying_columns(X, counts)
        deviation = np.where(varies, np.sqrt(variance), REAL(0))
        # A constant column has nothing to say beside an intercept and no deviation to be scaled by.
        self.used = varies if intercept or standardize else counts > 0
        self.mean = mean if intercept else np.zeros(self.p, dtype=REAL)
        self.scale = deviation if standardize else np.ones(self.p, dtype=REAL)
        square = self.X.copy()
        square.data = square.data**2
        self.norm = deviation if intercept else np.sqrt((square.T @ ones) / self.n)

        self.y = np.asarray(y, dtype=REAL)
        self.y_mean = self.y.mean() if intercept else REAL(0)
        self.centred = self.y - self.y_mean
        if np.all(self.y == self.y[0]) and intercept:
            self.centred[:] = 0
        self.null_loss = np.mean(self.centred**2) / 2
        self.null_correlation = self.correlate(self.centred[:, None])[:, 0]

    @staticmethod
    def _varying_columns(X, counts):
        varies = (counts > 0) & (counts < X.shape[0])
        full = np.flatnonzero(counts == X.shape[0]) if X.shape[0] else []
        for j in full:
            column = X.data[X.indptr[j] : X.indptr[j + 1]]
            varies[j] = column.min() != column.max()
        return varies

    def correlate(self, rows):
        """(X - 1m')' rows / n for an n x k panel, without forming X - 1m'."""
        product = self.X.T @ rows
        if self.intercept:
            product -= np.outer(self.mean, rows.sum(axis=0))
        return product / self.n

    def multiply(self, coefficients):
        """X b for a sparse p x k panel; only columns that occur are touched."""
        support = np.unique(coefficients.indices)
        if not support.size:
            return np.zeros((self.n, coefficients.shape[1]), dtype=REAL)
        part = coefficients[support, :].toarray().astype(REAL)
        return (self.X if support.size == self.p else self.X[:, support]) @ part

    def lambda_max(self, alpha):
        used = self.used & (self.norm > 0)
        if not used.any():
            return REAL(0)
        # Ridge has no lambda that empties the model; 1e-3 stands for alpha, as in glmnet, of y over its deviation.
        unit = np.sqrt(2 * self.null_loss) if alpha == 0 and self.null_loss > 0 else REAL(1)
        return np.max(np.abs(self.null_correlation[used]) / self.scale[used]) / (unit * REAL(max(alpha, 1e-3)))

    def kkt_unit(self):
        """The largest size a gradient can have on the penalised scale: max_j |x_j| / t_j times the norm of y."""
        used = self.used & (self.norm > 0)
        if not used.any():
            return REAL(0)
        return np.max(self.norm[used] / self.scale[used]) * np.sqrt(2 * self.null_loss)

    def l2_divisor(self, convention, alpha):
        """What the L2 part is over, by the convention that lambda is given in: see docs/scales.md."""
        if convention == "glmnet" and self.null_loss > 0:
            return np.sqrt(2 * self.null_loss)  # the standard deviation of y, about 0 without an intercept
        return REAL(self.n) if convention == "scikit-learn" and alpha == 0 else REAL(1)

    def certify(self, coefficients, intercepts, lambdas, alpha, l2_divisor=1):
        """Everything path.csv says about each column, as arrays of length k."""
        lambdas = np.asarray(lambdas, dtype=REAL)
        alpha = REAL(alpha)
        share = (1 - alpha) / REAL(l2_divisor)  # of lambda, for the L2 part
        used = self.used
        fitted = self.multiply(coefficients)
        plain = self.y[:, None] - fitted
        best_intercept = plain.mean(axis=0) if self.intercept else np.zeros(len(lambdas), dtype=REAL)
        rho = plain - best_intercept
        loss_as_written = np.mean((plain - np.asarray(intercepts, dtype=REAL)) ** 2, axis=0) / 2
        square = np.mean(rho**2, axis=0)
        dot = np.mean(rho * self.centred[:, None], axis=0)
        u = self.correlate(rho)[used]
        b = coefficients.toarray()[used].astype(REAL)
        t = self.scale[used][:, None]

        l1 = np.sum(t * np.abs(b), axis=0)
        l2 = np.sum((t * b) ** 2, axis=0)
        penalty = lambdas * (alpha * l1 + share / 2 * l2)
        primal = square / 2 + penalty

        c = u - lambdas * share * t**2 * b
        threshold = lambdas * alpha * t
        dual = np.zeros(len(lambdas), dtype=REAL)
        for k in range(len(lambdas)):
            size = np.abs(c[:, k])
            out = size > 0
            s_max = np.min(threshold[out, k] / size[out]) if out.any() else REAL(np.inf)
            q = square[k] + lambdas[k] * share * l2[k]
            s = min(max(dot[k] / q, REAL(0)), s_max) if q > 0 else REAL(0)
            dual[k] = max(dual[k], s * dot[k] - s * s * q / 2)
        beyond = np.maximum(np.abs(u) - threshold, 0)
        if alpha < 1:
            with np.errstate(divide="ignore", invalid="ignore"):
                conjugate = np.where(beyond > 0, beyond**2 / (2 * lambdas * share * t**2), 0)
            dual = np.maximum(dual, dot - square / 2 - conjugate.sum(axis=0))

        at_zero = b == 0
        distance = np.where(at_zero, beyond, np.abs(c - np.sign(b) * threshold)) / t
        return {
            "df": np.diff(coefficients.indptr),
            "dev_ratio": 1 - square / (2 * self.null_loss) if self.null_loss > 0 else np.zeros_like(square),
            "intercept": best_intercept,
            "primal": primal,
            "primal_as_written": loss_as_written + penalty,
            "dual": dual,
            "gap": np.maximum(primal - dual, 0),
            "kkt": distance.max(axis=0) if distance.size else np.zeros(len(lambdas), dtype=REAL),
        }


# ---------------------------------------------------------------------------------------------------------------------
# Comparing


class Report:
    """Checks with their worst deviation, and what failed in words."""

    def __init__(self):
        self.checks = []
        self.failures = []

    @property
    def ok(self):
        return not self.failures

    def fact(self, name, holds, detail=""):
        self.checks.append({"name": name, "ok": bool(holds)})
        if not holds:
            self.failures.append(f"{name}: {detail}" if detail else name)

    def close(self, name, written, recomputed, limit, lambdas=None):
        """|written - recomputed| <= limit everywhere; a NaN fails."""
        written = np.atleast_1d(np.asarray(written, dtype=REAL))
        recomputed = np.atleast_1d(np.asarray(recomputed, dtype=REAL))
        if written.shape != recomputed.shape:
            self.fact(name, False, f"{written.size} numbers written, {recomputed.size} recomputed")
            return
        difference = np.abs(written - recomputed)
        bad = ~(difference <= limit)
        worst = float(np.max(np.where(np.isnan(difference), np.inf, difference))) if difference.size else 0.0
        self.checks.append({"name": name, "ok": not bad.any(), "worst": worst, "limit": float(np.max(limit))})
        if bad.any():
            k = int(np.flatnonzero(bad)[np.argmax(np.nan_to_num(difference[bad], nan=np.inf))])
            where = f" at column {k} (lambda {float(lambdas[k])!r})" if lambdas is not None else ""
            self.failures.append(
                f"{name}: {int(bad.sum())} of {bad.size} differ by more than {float(np.max(limit)):.3g}; worst{where}: "
                f"written {float(written[k])!r}, recomputed {float(recomputed[k])!r}"
            )

    def worst(self, name):
        for check in self.checks:
            if check["name"] == name:
                return check.get("worst")
        return None


def check_files(fit, problem, report):
    """What needs no arithmetic: counts, order, finiteness, no stored zeros."""
    summary, B, K = fit.summary, fit.coefficients, len(fit)
    report.fact("shape of the coefficients", B.shape == (problem.p, K), f"{B.shape}, wanted {(problem.p, K)}")
    report.fact("coefficients by columns, each once", fit.entries_ascend, "entries repeat or do not ascend")
    report.fact("exact zeros absent", fit.stored_zeros == 0, f"{fit.stored_zeros} stored zeros")
    idle = np.flatnonzero(~problem.used)
    stored = int(np.diff(B.tocsr().indptr)[idle].sum()) if B.shape[0] == problem.p else -1
    report.fact("columns without variation have coefficient 0", stored == 0, f"{stored} stored")
    finite = all(np.all(np.isfinite(fit[name])) for name in PATH_HEADER if name != "status")
    report.fact("every number is finite", finite and np.all(np.isfinite(B.data)))
    report.fact("lambdas decrease", np.all(np.diff(fit["lambda"]) < 0))
    report.fact("known statuses", all(status in STATUSES for status in fit["status"]), str(set(fit["status"])))
    counts = {"n": problem.n, "p": problem.p, "nnz": problem.nnz, "n_lambda": K, "constant_features": idle.size}
    counts.update({name: fit["status"].count(name) for name in STATUSES})
    for name, value in counts.items():
        report.fact(f"summary: {name}", summary.get(name) == value, f"written {summary.get(name)}, counted {value}")
    divisor = problem.l2_divisor(fit.options.get("as", "proxpath"), float(fit.options["alpha"]))
    report.close("summary: l2_divisor", summary.get("l2_divisor", np.nan), divisor, RELATIVE_TOLERANCE * divisor)
    null = summary.get("null_loss", np.nan)
    report.close("summary: null_loss", null, problem.null_loss, RELATIVE_TOLERANCE * problem.null_loss)


def check_lambdas(fit, problem, report):
    options, K = fit.options, len(fit)
    alpha = float(options["alpha"])
    lambda_max = problem.lambda_max(alpha)
    if alpha == 0:
        lambda_max *= problem.l2_divisor(options.get("as", "proxpath"), alpha)
    written = fit.summary.get("lambda_max", np.nan)
    report.close("lambda_max", written, lambda_max, RELATIVE_TOLERANCE * lambda_max)
    if options.get("lambda"):
        report.close("lambdas as asked", fit["lambda"], np.asarray(options["lambda"], dtype=REAL), 0)
    elif lambda_max > 0:
        report.fact("number of lambdas", K == int(options["n_lambda"]), f"{K}, asked {options['n_lambda']}")
        ratio = options.get("lambda_min_ratio") or (1e-2 if problem.n < problem.p else 1e-4)
        # A grid in common begins with the largest lambda_max of all responses, of which one is at hand here.
        first = max(lambda_max, fit["lambda"][0]) if options.get("response_grid") == "common" else lambda_max
        report.close("largest lambda of the grid", fit["lambda"][0], first, RELATIVE_TOLERANCE * lambda_max)
        share = np.arange(K, dtype=REAL) / max(K - 1, 1)
        grid = REAL(fit["lambda"][0]) * REAL(ratio) ** share
        report.close("grid even in the logarithm", fit["lambda"] / grid, np.ones(K), GRID_TOLERANCE, fit["lambda"])
    if alpha >= 1e-3:
        # The program's own lambda_max where it says it: the last digit decides whether a coefficient may enter.
        above = fit["lambda"] >= written
        report.fact("no coefficient at lambda_max and above", not np.any(fit["df"][above] > 0))


def check_columns(fit, problem, report):
    options, K = fit.options, len(fit)
    alpha, tol = float(options["alpha"]), float(options["tol"])
    lambdas, null = fit["lambda"], problem.null_loss
    l2_divisor = problem.l2_divisor(options.get("as", "proxpath"), alpha)
    parts = []
    for first in range(0, K, CHUNK):
        last = min(first + CHUNK, K)
        parts.append(problem.certify(fit.coefficients[:, first:last], fit["intercept"][first:last],
                                     lambdas[first:last], alpha, l2_divisor))
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}

    status = np.array(fit["status"])
    # A column that was never reached carries the null model and says no more than that.
    unreached = status == "interrupted"
    if unreached.any():
        report.close("interrupted columns are the null model", fit["primal"][unreached],
                     np.full(int(unreached.sum()), null), LOSS_TOLERANCE * null)
        report.fact("interrupted columns are empty", not np.any(found["df"][unreached]))
    done = ~unreached
    if not done.any():
        return found
    loss = LOSS_TOLERANCE * null
    at = lambdas[done]
    report.close("df", fit["df"][done], found["df"][done], 0, at)
    report.close("dev_ratio", fit["dev_ratio"][done], found["dev_ratio"][done], LOSS_TOLERANCE, at)
    # An intercept off by d adds d^2/2 to the loss; it is an output of its own, so the tighter of the two is asked.
    report.close("intercept", fit["intercept"][done], found["intercept"][done],
                 LOSS_TOLERANCE * (np.sqrt(2 * null) + abs(problem.y_mean)), at)
    report.close("primal", fit["primal"][done], found["primal"][done], loss, at)
    report.close("primal at the written intercept", fit["primal"][done], found["primal_as_written"][done], loss, at)
    # A certificate from products, without a look at X, takes off the dual what rounding may hide in them.
    most = np.where(fit["passes"] == 0, ROUNDING_SHARE * tol * null, 0)
    taken_off = np.clip(found["dual"] - fit["dual"], 0, most)[done]
    report.close("dual", fit["dual"][done] + taken_off, found["dual"][done], loss, at)
    report.close("gap", fit["gap"][done] - taken_off, found["gap"][done], loss, at)
    if null > 0:
        report.close("rel_gap", fit["rel_gap"][done] - taken_off / null, (found["gap"] / null)[done], LOSS_TOLERANCE,
                     at)
    report.close("kkt", fit["kkt"][done], found["kkt"][done], LOSS_TOLERANCE * problem.kkt_unit(), at)
    report.fact("gap is not negative", np.all(fit["gap"][done] >= 0))
    within = fit["rel_gap"][done] <= tol * (1 + 1e-12)
    says = status[done] == "converged"
    report.fact("status says what the gap says", np.all(within == says), f"{int(np.sum(within != says))} columns differ")
    if null > 0:
        proved = (found["gap"] / null)[done] <= tol + LOSS_TOLERANCE
        report.fact("converged columns are within the tolerance", np.all(proved[says]))
    return found


def check_folder(folder, X, y, problems=None, response=None):
    """Checks a fit folder against data. `problems` may keep Problem objects between calls on the same data; give X as
    `X.astype(REAL)` then, so that they share it."""
    fit = Fit(folder, response)
    # Their problem is another one than is recomputed here: better no verdict than a wrong one.
    for name in ("weights", "offset", "penalty_factors", "lower", "upper"):
        if fit.summary.get(name + "_checksum") is not None:
            raise CheckError(f"{folder}: a fit with {name} is not recomputed by this program")
    if fit.summary.get("ended_by") is not None:
        raise CheckError(f"{folder}: a path that was ended early is not recomputed by this program")
    intercept = not fit.options.get("no_intercept", False)
    standardize = not fit.options.get("no_standardize", False)
    key = (intercept, standardize)
    problem = problems.get(key) if problems is not None else None
    if problem is None:
        problem = Problem(X, y, intercept, standardize)
        if problems is not None:
            problems[key] = problem
    report = Report()
    check_files(fit, problem, report)
    if fit.coefficients.shape == (problem.p, len(fit)):
        check_lambdas(fit, problem, report)
        check_columns(fit, problem, report)
    report.fit = fit
    report.problem = problem
    return report


def one_line(report):
    fit = report.fit
    counts = {name: fit["status"].count(name) for name in STATUSES}
    unit = float(report.problem.null_loss) or 1.0
    shown = [f"{len(fit)} lambdas"]
    shown += [f"{count} {name}" for name, count in counts.items() if count]
    shown.append(f"worst rel_gap {max(fit['rel_gap'], default=0):.2e}")
    for name in ("primal", "dual", "gap"):
        if report.worst(name) is not None:
            shown.append(f"{name} off by {report.worst(name) / unit:.1e}")
    return ", ".join(shown)


def as_json(report):
    return {
        "ok": report.ok,
        "lambdas": len(report.fit),
        "statuses": {name: report.fit["status"].count(name) for name in STATUSES},
        "worst_rel_gap": float(max(report.fit["rel_gap"], default=0)),
        "null_loss": float(report.problem.null_loss),
        "checks": report.checks,
        "failures": report.failures,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", metavar="DIR", help="what `proxpath fit` wrote")
    parser.add_argument("design", metavar="X", help="the design that was fitted")
    parser.add_argument("--y", metavar="FILE", help="responses; default: those in X")
    parser.add_argument("--y-column", metavar="NAME", help="response column of a CSV file; default: as in the fit")
    parser.add_argument("--response", metavar="R", help="number or name of one, where several were fitted")
    parser.add_argument("--json", action="store_true", help="print every check as JSON")
    arguments = parser.parse_args()
    try:
        fit = Fit(arguments.folder, arguments.response)
        options = fit.options
        y_column = arguments.y_column or (None if arguments.y else options.get("y_column"))
        X, y = read_design(arguments.design, arguments.y, y_column, options.get("format") or "auto",
                           options.get("index_base") or "auto", options.get("features"),
                           fit.summary.get("response", 1) - 1)
        if y is None:
            raise CheckError("no responses: give --y FILE or --y-column NAME")
        report = check_folder(arguments.folder, X, y, response=arguments.response)
    except (CheckError, OSError, ValueError, KeyError) as error:
        print(f"check_fit: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(as_json(report), indent=2))
    else:
        print(f"{'ok' if report.ok else 'FAILED'}  {arguments.folder}: {one_line(report)}")
    for failure in report.failures:
        print(f"  {failure}", file=sys.stderr)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
