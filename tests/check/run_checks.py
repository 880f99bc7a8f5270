#!/usr/bin/env python3
"""Fits small sets with the program, has check_fit.py recompute every fit, and compares predictions with b0 + Xb, and
Ridge's leave-one-out with a dense hat matrix.

    run_checks.py --program build/release/proxpath [--data FOLDER]

This is what ctest runs; it takes well under a minute. It uses the sets in tests/data and sets generated here (columns
far from zero, empty, constant and equal columns, one row, one feature); with --data or $PROXPATH_DATA also the small
ones of run_all_data.py. Since a check that cannot fail is worth nothing, fit folders are also damaged in ways that
check_fit must notice.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile

import check_bootstrap
import check_fit
import numpy as np
import run_all_data
import scipy.sparse as sp

HERE = os.path.dirname(os.path.abspath(__file__))
TEST_DATA = os.path.join(HERE, os.pardir, "data")

# Every alpha with every switch would be twelve fits a set; these five touch each value of each option.
MIXED = [
    ["--alpha", "1"],
    ["--alpha", "0.5", "--no-standardize"],
    ["--alpha", "0"],
    ["--alpha", "1", "--no-intercept"],
    ["--alpha", "0", "--no-intercept", "--no-standardize"],
]
LIMIT_SECONDS = 120
SMALL_REAL_SETS = ["prostate", "diabetes_raw", "diabetes64", "hitters", "glmnet_quickstart", "glmnet_sparse",
                   "heart_scale", "housing_scale", "ames", "agaricus", "riboflavin", "illc1033"]


class Session:
    """Runs the program, counts outcomes."""

    def __init__(self, program, work):
        self.program, self.work = program, work
        self.passed = self.failed = 0

    def run(self, *arguments):
        command = [self.program, *arguments]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, -1, "", f"not finished after {LIMIT_SECONDS} s")

    def outcome(self, name, problems):
        if problems:
            self.failed += 1
            print(f"FAILED  {name}")
            for line in problems:
                print(f"        {line}")
        else:
            self.passed += 1
            print(f"ok      {name}", flush=True)

    def folder(self):
        path = os.path.join(self.work, "fit")
        shutil.rmtree(path, ignore_errors=True)
        return path

    def fit(self, data, options):
        """The folder, or None and what the program said."""
        folder = self.folder()
        done = self.run("fit", *data.arguments, "--out", folder, "--threads", "2", "--quiet", *options)
        return folder, done


class Data:
    """One set: arguments for the program, and X and y as the checker reads them."""

    def __init__(self, name, arguments, X, y):
        self.name, self.arguments = name, arguments
        self.X, self.y = X.astype(check_fit.REAL), y
        self.problems = {}


# ---------------------------------------------------------------------------------------------------------------------
# Sets


def waves(n):
    """Responses for designs that bring none: the same everywhere, correlated with nothing in particular."""
    return np.sin(1.7 * np.arange(n)) + 0.3 * np.cos(0.31 * np.arange(n) ** 2)


def write_vector(path, values):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{float(value)!r}\n" for value in values)
    return path


def fixture(work, name):
    design = os.path.join(TEST_DATA, "io", name)
    X, y = check_fit.read_design(design)
    arguments = [design]
    if y is None:
        y = waves(X.shape[0])
        arguments += ["--y", write_vector(os.path.join(work, name + ".y"), y)]
    return Data("io/" + name, arguments, X, y)


def generated(work, name, X, y):
    design = os.path.join(work, name + ".mtx")
    X = sp.csc_matrix(X)
    with open(design, "w", encoding="ascii") as file:
        file.write(f"%%MatrixMarket matrix coordinate real general\n{X.shape[0]} {X.shape[1]} {X.nnz}\n")
        for j in range(X.shape[1]):
            for at in range(X.indptr[j], X.indptr[j + 1]):
                file.write(f"{X.indices[at] + 1} {j + 1} {float(X.data[at])!r}\n")
    y_file = write_vector(os.path.join(work, name + ".y"), y)
    return Data(name, [design, "--y", y_file], *check_fit.read_design(design, y_file))


def generated_sets(work):
    random = np.random.RandomState(20240229)
    # Deviations of 1 about means of a million: sums of squares lose twelve digits unless centred first.
    far = 1e6 * (1 + np.arange(8)) + random.standard_normal((60, 8))
    yield generated(work, "far_from_zero", far, waves(60) + far[:, 2] - far[:, 2].mean())
    # Almost every row stored, but not quite: the mean cannot be taken off the stored numbers alone.
    holes = far.copy()
    holes[random.random_sample(far.shape) < 0.05] = 0
    yield generated(work, "far_with_holes", holes, waves(60) + holes[:, 1] / 1e6)
    odd = sp.random(50, 120, 0.15, format="lil", random_state=random)
    odd[:, 7] = 0
    odd[:, 11] = 2.5
    odd[:, 13] = odd[:, 12]
    odd[:, 15] = -3 * odd[:, 14]
    odd[17, :] = 0
    yield generated(work, "odd_columns", odd, waves(50))
    scales = random.standard_normal((80, 12)) * 10.0 ** np.arange(-6, 6)
    yield generated(work, "twelve_scales", scales, waves(80) + scales @ 10.0 ** -np.arange(-6, 6))
    yield generated(work, "one_feature", random.standard_normal((30, 1)), waves(30))
    yield generated(work, "one_row", random.standard_normal((1, 5)), np.array([1.5]))
    yield generated(work, "two_rows", random.standard_normal((2, 5)), np.array([1.5, -0.25]))
    yield generated(work, "constant_response", random.standard_normal((20, 4)), np.full(20, 0.1))
    tiny = 1e-120 * random.standard_normal((40, 6))
    yield generated(work, "tiny_numbers", tiny, 1e-90 * waves(40))
    yield generated(work, "large_numbers", 1e240 * tiny, 1e90 * waves(40))


# ---------------------------------------------------------------------------------------------------------------------
# Checks


def confirm(session, data, options, expected=(0,)):
    """Fits and checks; returns the folder."""
    folder, done = session.fit(data, options)
    name = f"{data.name} {' '.join(options)}".rstrip()
    if done.returncode not in expected:
        session.outcome(name, [f"exit code {done.returncode}", done.stderr.strip()])
        return None
    try:
        report = check_fit.check_folder(folder, data.X, data.y, data.problems)
    except check_fit.CheckError as error:
        session.outcome(name, [str(error)])
        return None
    session.outcome(name, report.failures)
    return folder


def confirm_or_refused(session, data, options):
    """Numbers at the edge of what double holds: a plain refusal is as good as a right answer, nothing between."""
    folder, done = session.fit(data, options)
    name = f"{data.name} {' '.join(options)}: right or refused"
    if done.returncode == 1 and done.stderr.strip() and not os.path.exists(folder):
        session.outcome(name, [])
        return
    if done.returncode not in (0, 2):
        session.outcome(name, [f"exit code {done.returncode}", done.stderr.strip()])
        return
    session.outcome(name, check_fit.check_folder(folder, data.X, data.y, data.problems).failures)


def read_predictions(path):
    with open(path, encoding="ascii") as file:
        names = file.readline().strip().split(",")
        rows = [[float(cell) for cell in line.split(",")] for line in file]
    return [float(name.removeprefix("lambda=")) for name in names], np.array(rows, dtype=check_fit.REAL)


def compare_predictions(X, intercepts, B, lambdas, file):
    """A sum of m products is off by at most (m + 2) eps times the sum of their magnitudes (Higham 2002, ch. 3)."""
    written_lambdas, written = read_predictions(file)
    if written_lambdas != [float(value) for value in lambdas]:
        return ["the header does not name the lambdas of the fit"]
    expected = X @ B + intercepts
    if written.shape != expected.shape:
        return [f"shape {written.shape}, wanted {expected.shape}"]
    terms = np.diff(X.tocsr().indptr)[:, None] + 3
    bound = terms * np.finfo(float).eps * (abs(X) @ abs(B) + abs(intercepts))
    off = np.abs(written - expected) > bound
    if not off.any():
        return []
    i, k = np.argwhere(off)[0]
    return [f"{off.sum()} predictions are off; first row {i}, column {k}: written {written[i, k]!r}, "
            f"recomputed {expected[i, k]!r}"]


def check_predictions(session, data, options):
    folder, done = session.fit(data, options)
    name = f"{data.name} {' '.join(options)}: predictions"
    if done.returncode != 0:
        session.outcome(name, [f"exit code {done.returncode}", done.stderr.strip()])
        return
    fit = check_fit.Fit(folder)
    B = fit.coefficients.toarray().astype(check_fit.REAL)
    intercepts = fit["intercept"].astype(check_fit.REAL)
    lambdas = fit["lambda"]
    target = os.path.join(session.work, "predictions.csv")
    # Where y is a column of the CSV the prediction has to be told to leave it out as well.
    design = data.arguments[:1]
    if "--y-column" in data.arguments:
        at = data.arguments.index("--y-column")
        design = design + data.arguments[at : at + 2]
    done = session.run("predict", folder, *design, "--out", target, "--quiet")
    if done.returncode != 0:
        session.outcome(name, [f"exit code {done.returncode}", done.stderr.strip()])
        return
    session.outcome(name, compare_predictions(data.X, intercepts, B, lambdas, target))
    if len(lambdas) < 3:
        return
    # Between two lambdas coefficients are interpolated linearly, so predictions are.
    k = len(lambdas) // 2
    between = 0.3 * lambdas[k] + 0.7 * lambdas[k + 1]
    share = (check_fit.REAL(lambdas[k]) - check_fit.REAL(between)) / (lambdas[k] - lambdas[k + 1])
    mixed = (1 - share) * B[:, [k]] + share * B[:, [k + 1]]
    mixed_intercept = (1 - share) * intercepts[[k]] + share * intercepts[[k + 1]]
    done = session.run("predict", folder, *design, "--out", target, "--quiet", "--lambda", repr(float(between)))
    problems = [done.stderr.strip()] if done.returncode else []
    if not problems:
        # The share itself carries the rounding of two lambdas that nearly cancel; allow for it.
        written_lambdas, written = read_predictions(target)
        expected = data.X @ mixed + mixed_intercept
        spread = np.abs(data.X @ (B[:, [k]] - B[:, [k + 1]]) + intercepts[[k]] - intercepts[[k + 1]])
        size = abs(data.X) @ abs(B[:, [k, k + 1]]).sum(axis=1, keepdims=True) + abs(intercepts[[k, k + 1]]).sum()
        eps = np.finfo(float).eps
        condition = lambdas[k] / (lambdas[k] - lambdas[k + 1])
        bound = (np.diff(data.X.tocsr().indptr)[:, None] + 6) * eps * size + 4 * eps * condition * spread
        if written_lambdas != [float(between)]:
            problems.append("the header does not name the lambda")
        elif np.any(np.abs(written - expected) > bound):
            problems.append(f"off by up to {float(np.max(np.abs(written - expected))):.3g}")
    session.outcome(f"{data.name} {' '.join(options)}: predictions between lambdas", problems)


def check_responses(session, data, options):
    """Several responses at once: each is a fit like any other, and predict finds each by number and by name."""
    rng = np.random.default_rng(5)
    columns = {"y": np.asarray(data.y, dtype=float), "turned": np.asarray(data.y, dtype=float)[::-1],
               "noise, 100 times": 100 * rng.normal(size=len(data.y))}
    table = os.path.join(session.work, "responses.csv")
    with open(table, "w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([repr(float(value)) for value in row] for row in zip(*columns.values()))
    folder = session.folder()
    name = f"{data.name} {' '.join(options)}: three responses"
    done = session.run("fit", *data.arguments[:1], "--y", table, "--out", folder, "--threads", "2", "--quiet", *options)
    if done.returncode != 0:
        session.outcome(name, [f"exit code {done.returncode}", done.stderr.strip()])
        return
    target = os.path.join(session.work, "predictions.csv")
    for number, (response, y) in enumerate(columns.items(), 1):
        try:
            problems = list(check_fit.check_folder(folder, data.X, y, response=response).failures)
        except check_fit.CheckError as error:
            problems = [str(error)]
        fit = check_fit.Fit(folder, str(number))
        for named in (response, str(number)):
            done = session.run("predict", folder, *data.arguments[:1], "--response", named, "--out", target, "--quiet")
            problems += [done.stderr.strip()] if done.returncode else compare_predictions(
                data.X, fit["intercept"].astype(check_fit.REAL), fit.coefficients.toarray().astype(check_fit.REAL),
                fit["lambda"], target)
        session.outcome(f"{name}: {response}", problems)


def check_leave_one_out(session, data, options):
    """loo.csv of Ridge, recomputed from a dense hat matrix and the exact solutions of an eigendecomposition."""
    folder, done = session.fit(data, ["--alpha", "0", "--leave-one-out", "--tol", "1e-10", *options])
    name = f"{data.name} {' '.join(options)}: leave-one-out"
    if done.returncode not in (0, 2):
        session.outcome(name, [f"exit code {done.returncode}", done.stderr.strip()])
        return
    X, y = data.X.toarray().astype(float), np.asarray(data.y, dtype=float)
    n = len(y)
    intercept = "--no-intercept" not in options
    deviation = X.std(axis=0)
    if intercept or "--no-standardize" not in options:
        X = X[:, np.ptp(X, axis=0) > 0]
        deviation = X.std(axis=0)
    if intercept:
        X, y = X - X.mean(axis=0), y - y.mean()
    Z = X / (1 if "--no-standardize" in options else deviation)
    values, vectors = np.linalg.eigh(Z @ Z.T / n)
    values = np.maximum(values, 0)
    y_axes = vectors.T @ y
    problems = []
    with open(os.path.join(folder, "loo.csv"), encoding="ascii") as file:
        for row in csv.DictReader(file):
            value = {key: float(cell) for key, cell in row.items() if cell}
            # Eigenvalues, there and here, are off by some n eps of the largest.
            rounding = 1e-13 * values.max() / value["lambda"]
            if "df" not in value:
                if rounding < 1e-5:
                    problems.append(f"lambda {value['lambda']} is called lost, but has digits left")
                continue
            shrunk = values / (values + value["lambda"])
            h = (vectors**2) @ shrunk + intercept / n
            r = y - vectors @ (shrunk * y_axes)
            e = r / (1 - h)
            gcv = np.mean(r**2) / (1 - np.mean(h))**2
            unit = np.sqrt(max(np.mean(y**2), np.mean(e**2)))
            room = value["rms_bound"] + (1e-8 + rounding) * unit
            for key, here, allowed in (("df", np.sum(shrunk), 1e-7 + rounding), ("mse", np.mean(e**2), 3 * room * unit),
                                       ("se", np.std(e**2) / np.sqrt(n - 1), 3 * room * np.max(np.abs(e))),
                                       ("gcv", gcv, 3 * room * unit + 1e-6 * gcv), ("rows", n, 0)):
                if not abs(value[key] - here) <= allowed:
                    problems.append(f"lambda {value['lambda']}: {key} is {value[key]!r}, recomputed {here!r}")
    session.outcome(name, problems[:5])


def rewrite(path, change):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    change(lines)
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def change_cell(row, name, change):
    """An edit of one cell of a table with a header."""

    def edit(lines):
        cells = lines[row].split(",")
        at = lines[0].split(",").index(name)
        cells[at] = change(cells[at])
        lines[row] = ",".join(cells)

    return edit


def add(amount):
    return lambda cell: repr(float(cell) + amount)


def check_the_checker(session, data):
    """Damages a good fit; each damage must be noticed."""
    folder, done = session.fit(data, ["--alpha", "0.5", "--n-lambda", "12"])
    if done.returncode != 0:
        session.outcome("the checker notices", [done.stderr.strip()])
        return
    null = check_fit.Fit(folder).summary["null_loss"]
    # Twice the tolerance is noticed, a hundredth of it is not.
    step = 2 * check_fit.LOSS_TOLERANCE * null

    def scale_coefficient(lines):
        i, k, value = lines[-2].split()
        lines[-2] = f"{i} {k} {float(value) * 1.001!r}"

    def store_zero(lines):
        i, k, _ = lines[-2].split()
        lines[-2] = f"{i} {k} 0"

    def swap_entries(lines):
        lines[-2], lines[-3] = lines[-3], lines[-2]

    def drop_entry(lines):
        p, K, count = lines[1].split()
        lines[1] = f"{p} {K} {int(count) - 1}"
        del lines[-2]

    damages = [
        ("primal", "path.csv", change_cell(6, "primal", add(step)), False),
        ("dual", "path.csv", change_cell(6, "dual", add(-step)), False),
        ("gap", "path.csv", change_cell(6, "gap", add(step)), False),
        ("kkt", "path.csv", change_cell(6, "kkt", add(1e-3)), False),
        ("dev_ratio", "path.csv", change_cell(6, "dev_ratio", add(1e-8)), False),
        ("intercept", "path.csv", change_cell(6, "intercept", add(1e-3)), False),
        ("lambda", "path.csv", change_cell(6, "lambda", lambda cell: repr(float(cell) * (1 + 1e-9))), False),
        ("df", "path.csv", change_cell(6, "df", lambda cell: str(int(cell) + 1)), False),
        ("status", "path.csv", change_cell(6, "status", lambda cell: "not_converged"), False),
        ("not a number", "path.csv", change_cell(6, "dual", lambda cell: "nan"), False),
        ("coefficient", "coefficients.mtx", scale_coefficient, False),
        ("stored zero", "coefficients.mtx", store_zero, False),
        ("order of entries", "coefficients.mtx", swap_entries, False),
        ("missing entry", "coefficients.mtx", drop_entry, False),
        ("a change far below the tolerance", "path.csv", change_cell(6, "primal", add(step / 200)), True),
    ]
    copy = os.path.join(session.work, "damaged")
    for name, file, edit, accepted in damages:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        rewrite(os.path.join(copy, file), edit)
        report = check_fit.check_folder(copy, data.X, data.y, data.problems)
        wrong = report.ok != accepted
        session.outcome(f"the checker {'accepts' if accepted else 'notices'}: {name}",
                        [f"{report.failures or 'nothing found'}"] if wrong else [])


def check_bootstraps(session):
    """Every number of a bootstrap of diabetes.csv, drawn and fitted again; one that is off must be noticed."""
    design = os.path.join(TEST_DATA, "diabetes.csv")
    X, y = check_fit.read_design(design, y_column="y")
    X, y = np.asarray(X.toarray(), dtype=float), np.asarray(y, dtype=float)
    for kind in ("pairs", "bayesian"):
        folder = session.folder()
        done = session.run("bootstrap", design, "--y-column", "y", "--lambda", "5", "--resamples", "25", "--seed", "11",
                           "--confidence", "0.9", "--kind", kind, "--tol", "1e-14", "--out", folder, "--quiet")
        name = f"bootstrap, {kind}"
        if done.returncode != 0:
            session.outcome(name, [f"exit code {done.returncode}", done.stderr.strip()])
            continue
        session.outcome(name, check_bootstrap.check(folder, X, y))
        rewrite(os.path.join(folder, "bootstrap.csv"), change_cell(2, "mean", lambda cell: repr(float(cell) * 1.0001)))
        found = check_bootstrap.check(folder, X, y)
        session.outcome(f"the checker notices: mean, {kind}", [] if found else ["nothing found"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--program", required=True, help="the proxpath program")
    parser.add_argument("--data", default=os.environ.get("PROXPATH_DATA"), help="folder of further real sets")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="proxpath_check_") as work:
        session = Session(os.path.abspath(arguments.program), work)
        sets = {data.name: data for data in generated_sets(work)}
        for name, data in sets.items():
            for options in MIXED:
                # Ridge's first lambda is a multiple of y, whatever X: in such units it is no penalty at all (lambda far
                # below eps |x|^2), and least squares has no ridge certificate.
                if name.endswith("_numbers") and "0" in options:
                    options = [*options, "--lambda", "1e-3,1e-4" if "--no-standardize" not in options else
                               "1e-242,1e-243" if name.startswith("tiny") else "1e237,1e236"]
                confirm(session, data, options)
        for name in ("integer.mtx", "pattern.mtx", "symmetric.mtx", "csc_int8.npz", "csr_int64.npz", "csc_bool.npz"):
            confirm(session, fixture(work, name), MIXED[0])
        for options in MIXED:
            confirm_or_refused(session, fixture(work, "one_based.svm"), options)

        odd = sets["odd_columns"]
        for options in (
            ["--n-lambda", "1"], ["--n-lambda", "7", "--lambda-min-ratio", "0.2"], ["--lambda", "0.1,0.03,0.002"],
            ["--tol", "1e-3"], ["--tol", "1e-10"], ["--alpha", "0.0002"], ["--alpha", "0.999"],
            ["--solver", "fista"], ["--solver", "fista", "--form", "residual", "--screening", "none"],
            ["--solver", "ista", "--tol", "1e-4", "--lambda-min-ratio", "0.1"], ["--solver", "cd", "--form", "residual"],
            ["--solver", "fista", "--precision", "single", "--tol", "1e-4"], ["--alpha", "0", "--solver", "krylov"],
        ):
            confirm(session, odd, options)
        # Cut short: what is marked not_converged must still be described rightly.
        confirm(session, odd, ["--solver", "ista", "--max-iterations", "3"], expected=(2,))

        real = os.path.join(TEST_DATA, "debian_tfidf.svm.xz")
        if os.path.exists(real):
            words = Data("debian_tfidf", [real], *check_fit.read_design(real))
            for options in MIXED[:3]:
                confirm(session, words, [*options, "--n-lambda", "20", "--lambda-min-ratio", "0.05"])
        for data in (odd, sets["far_from_zero"], fixture(work, "csc_int8.npz")):
            check_predictions(session, data, ["--alpha", "0.5", "--n-lambda", "9"])
        for data in (odd, sets["far_from_zero"]):
            for options in (["--as", "glmnet", "--alpha", "0.5"], ["--as", "glmnet", "--alpha", "0"],
                            ["--as", "glmnet", "--alpha", "0.9", "--no-intercept", "--no-standardize"],
                            ["--as", "scikit-learn", "--alpha", "0"], ["--as", "scikit-learn", "--alpha", "0.5"],
                            ["--as", "scikit-learn", "--alpha", "0", "--standardize", "--no-intercept"]):
                confirm(session, data, [*options, "--n-lambda", "9"])
        for options in (["--n-lambda", "9"], ["--alpha", "0.5", "--n-lambda", "9", "--response-grid", "common"],
                        ["--as", "glmnet", "--alpha", "0.2", "--n-lambda", "9"], ["--alpha", "0", "--n-lambda", "5"], ["--n-lambda", "5", "--no-intercept", "--no-standardize"]):
            for data in (odd, sets["far_from_zero"]):
                check_responses(session, data, options)
        for name in ("odd_columns", "far_from_zero", "far_with_holes", "one_feature", "two_rows"):
            for options in ([], ["--no-standardize"], ["--no-intercept"]):
                check_leave_one_out(session, sets[name], ["--n-lambda", "9", "--lambda-min-ratio", "1e-5", *options])
        check_the_checker(session, odd)
        check_bootstraps(session)

        if arguments.data:
            for each in run_all_data.SETS:
                if each.name in SMALL_REAL_SETS and os.path.exists(os.path.join(arguments.data, each.design)):
                    data = Data(each.name, *run_all_data.prepare(each, arguments.data, work))
                    for options in MIXED:
                        confirm(session, data, options)
                    check_predictions(session, data, ["--n-lambda", "9"])
                    if data.X.shape[0] <= 1000:  # n x n numbers, and n^3 steps to their eigenvalues
                        check_leave_one_out(session, data, ["--n-lambda", "20", "--lambda-min-ratio", "1e-6"])
        print(f"{session.passed} passed, {session.failed} failed")
        return 1 if session.failed or not session.passed else 0


if __name__ == "__main__":
    sys.exit(main())
