#!/usr/bin/env python3
"""Compares cross-validation with cv.glmnet (R) and scikit-learn's LassoCV and ElasticNetCV, on the same folds and lambdas,
and leave-one-out of Ridge with scikit-learn's RidgeCV.

    compare_cv.py --program build/release/proxpath [--data FOLDER] [--only SET]...

glmnet is the one of Debian (r-base-core, r-cran-glmnet, r-cran-matrix); scikit-learn is used when the Python that runs
this has it. What is missing is skipped with a message, and is no failure.

With glmnet: curve (cvm), standard error (cvsd), lambda.min and lambda.1se, with and without standardisation, weights and
bounds at 0, for squared and absolute error; below alpha 1 with --as glmnet, which divides y by its standard deviation in
the rows of each fit, so that one lambda means another penalty in every fold. With scikit-learn: the loss of
every single fold, at l1_ratio 1 and 0.5, with and without positive=True, unscaled; and
RidgeCV's squared errors of every row, their mean and its standard error, with and without weights.

How close: every fit is solved until its gap g is 1e-12 of the null loss, or the peer's own best. The loss is strongly
convex in fitted values, so those of two fits differ by sqrt(2 g) + sqrt(2 g_peer) of the training rows at most, some
3e-6 of y's standard deviation; a squared loss, then, by 1e-5 of the null loss, if held-out rows are no farther away
than training rows. `allowed` is this share. Where the best two means are closer than that, either may be lambda.min.
"""

import csv
import inspect
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import run_all_data

SETS = ["prostate", "diabetes_std", "diabetes64", "hitters", "glmnet_quickstart", "glmnet_sparse", "housing_scale",
        "abalone_scale", "riboflavin"]
LAMBDAS = 30
FOLDS = 7
ALLOWED = 1e-5


class Ours:
    """One run of the program, read back from its folder."""

    def __init__(self, program, work, arguments, options):
        folder = os.path.join(work, "cv")
        shutil.rmtree(folder, ignore_errors=True)
        done = subprocess.run([program, "cv", *arguments, "--out", folder, "--tol", "1e-12", "--quiet", "--n-lambda",
                               str(LAMBDAS), *([] if "--lambda-min-ratio" in options else ["--lambda-min-ratio", "0.01"]),
                               *options], capture_output=True, text=True)
        if done.returncode not in (0, 2):
            raise SystemExit(f"{' '.join(options)}: {done.stderr}")
        with open(os.path.join(folder, "cv.csv"), encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        self.lambdas = np.array([float(row["lambda"]) for row in rows])
        self.gammas = np.array([float(row["gamma"]) for row in rows])
        self.mean = np.array([float(row["loss"] or "nan") for row in rows])
        self.se = np.array([float(row["se"] or "nan") for row in rows])
        self.df = np.array([int(row["df"]) for row in rows])
        with open(os.path.join(folder, "folds.csv"), encoding="ascii") as file:
            losses = [float(row["loss"] or "nan") for row in csv.DictReader(file)]
        self.folds = np.array(losses).reshape(len(rows), -1)  # rows of cv.csv, each with its folds
        with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
            self.cv = json.load(file)["cv"]


def differences(ours, mean, se, null):
    return np.nanmax(np.abs(ours.mean - mean)) / null, np.nanmax(np.abs(ours.se - se)) / null


# ---------------------------------------------------------------------------------------------------------------------
# glmnet


def glmnet_missing():
    if not shutil.which("Rscript"):
        return "Rscript is not installed (Debian: r-base-core r-cran-glmnet r-cran-matrix)"
    done = subprocess.run(["Rscript", "-e", "library(glmnet)"], capture_output=True)
    return "R has no glmnet (Debian: r-cran-glmnet r-cran-matrix)" if done.returncode else None


GLMNET_JOBS = [  # alpha, standardize, weighted, positive, measure
    (1, True, False, False, "mse"),
    (1, True, True, False, "mse"),
    (1, True, True, True, "mse"),
    (1, False, False, False, "mse"),
    (1, True, True, False, "mae"),
    (0.5, True, True, False, "mse"),
    (0.2, False, False, True, "mse"),
    (0, True, False, False, "mse"),
    (0, False, True, False, "mae"),
]
# alpha, standardize, weighted; relaxed fits, blends compared
RELAXED_JOBS = [(1, True, False), (0.5, False, True)]
GAMMAS = [0, 0.25, 0.5, 0.75, 1]


def compare_glmnet(program, work, arguments, X, y, folds, weights, files):
    folder = os.path.join(work, "glmnet")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    n, p = X.shape
    np.asarray(X, dtype=np.float64).T.tofile(os.path.join(folder, "design.bin"))
    y.tofile(os.path.join(folder, "response.bin"))
    (folds + 1.0).tofile(os.path.join(folder, "folds.bin"))
    weights.tofile(os.path.join(folder, "weights.bin"))
    runs = []
    with open(os.path.join(folder, "jobs.txt"), "w", encoding="ascii") as jobs:
        for at, (alpha, standardize, weighted, positive, measure) in enumerate(GLMNET_JOBS):
            options = ["--as", "glmnet", "--alpha", str(alpha), "--fold-ids", files["folds"], "--loss", measure]
            options += [] if standardize else ["--no-standardize"]
            options += ["--weights", files["weights"]] if weighted else []
            options += ["--positive"] if positive else []
            ours = Ours(program, work, arguments, options)
            runs.append(ours)
            ours.lambdas.tofile(os.path.join(folder, f"job{at}.lambda"))
            jobs.write(f"job{at} {n} {p} {alpha} {int(standardize)} {int(weighted)} {int(positive)} {len(ours.lambdas)} "
                       f"{measure} 0\n")
        for at, (alpha, standardize, weighted) in enumerate(RELAXED_JOBS, len(GLMNET_JOBS)):
            options = ["--as", "glmnet", "--alpha", str(alpha), "--fold-ids", files["folds"], "--relax", "--gamma",
                       ",".join(str(gamma) for gamma in GAMMAS), "--lambda-min-ratio", "0.05"]
            options += [] if standardize else ["--no-standardize"]
            options += ["--weights", files["weights"]] if weighted else []
            ours = Ours(program, work, arguments, options)
            runs.append(ours)
            ours.lambdas[:LAMBDAS].tofile(os.path.join(folder, f"job{at}.lambda"))
            jobs.write(f"job{at} {n} {p} {alpha} {int(standardize)} {int(weighted)} 0 {LAMBDAS} mse 1\n")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare_cv.R")
    done = subprocess.run(["Rscript", "--vanilla", script, folder], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"Rscript: {done.stderr}")
    for at, (job, ours) in enumerate(zip(GLMNET_JOBS, runs)):  # the relaxed ones stand behind
        alpha, standardize, weighted, positive, measure = job
        name = f"{'' if alpha == 1 else f'alpha {alpha} '}{'std ' if standardize else ''}{'weights ' if weighted else ''}{'positive ' if positive else ''}{measure}"
        values = np.fromfile(os.path.join(folder, f"job{at}.result"))
        if len(values) != 3 * LAMBDAS + 2:
            yield name, None, None, ["the peer did not finish its path"]
            continue
        mean, se, _ = values[:-2].reshape(3, -1)
        w = weights if weighted else np.ones(n)
        centred = y - np.average(y, weights=w)
        null = np.average(centred**2 if measure == "mse" else np.abs(centred), weights=w)
        curve, error = differences(ours, mean, se, null)
        failures = []
        if not curve <= ALLOWED or not error <= ALLOWED:
            failures.append("curves are further apart than the gaps allow")
        for rule, peer in (("lambda_min", values[-2]), ("lambda_1se", values[-1])):
            if abs(ours.cv[rule] / peer - 1) < 1e-9:
                continue
            a = int(np.argmin(np.abs(ours.lambdas - ours.cv[rule])))
            b = int(np.argmin(np.abs(ours.lambdas - peer)))
            border = ours.mean.min() if rule == "lambda_min" else (ours.mean + ours.se)[np.argmin(ours.mean)]
            if max(abs(ours.mean[a] - border), abs(ours.mean[b] - border)) > ALLOWED * null:
                failures.append(f"{rule} {ours.cv[rule]} here, {peer} there")
        yield name, curve, error, failures
    for at, (alpha, standardize, weighted) in enumerate(RELAXED_JOBS, len(GLMNET_JOBS)):
        yield compare_relaxed(runs[at], alpha, standardize, weights if weighted else np.ones(n), y,
                              np.fromfile(os.path.join(folder, f"job{at}.result")))


def compare_relaxed(ours, alpha, standardize, w, y, values):
    name = f"{'' if alpha == 1 else f'alpha {alpha} '}{'std ' if standardize else ''}relaxed"
    if len(values) != 2 * len(GAMMAS) * LAMBDAS + 2:
        return name, None, None, ["the peer did not finish its path"]
    null = np.average((y - np.average(y, weights=w))**2, weights=w)
    curves = values[:-2].reshape(len(GAMMAS), 2, LAMBDAS)
    curve, error = differences(ours, curves[:, 0].ravel(), curves[:, 1].ravel(), null)
    failures = []
    if not curve <= ALLOWED or not error <= ALLOWED:
        failures.append("curves are further apart than the gaps allow")
    peer = int(np.argmin(np.abs(ours.gammas - values[-1]) + np.abs(ours.lambdas / values[-2] - 1)))
    if ours.mean[peer] - ours.mean.min() > ALLOWED * null:
        failures.append(f"minimum at {values[-2:]} there")
    return name, curve, error, failures


# ---------------------------------------------------------------------------------------------------------------------
# scikit-learn


def sklearn_missing():
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return "this Python has no scikit-learn"
    return None


def compare_sklearn(program, work, arguments, X, y, folds, weights, files):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNetCV, LassoCV

    splits = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(FOLDS)]
    null = np.mean((y - y.mean())**2)
    for ratio, positive in ((1.0, False), (1.0, True), (0.5, False), (0.5, True)):
        options = ["--fold-ids", files["folds"], "--no-standardize", "--alpha", str(ratio)]
        options += ["--positive"] if positive else []
        ours = Ours(program, work, arguments, options)
        name = f"{'LassoCV' if ratio == 1 else 'ElasticNetCV'}{' positive' if positive else ''}"
        settings = dict(alphas=ours.lambdas, cv=splits, tol=1e-13, max_iter=1000000, positive=positive)
        model = LassoCV(**settings) if ratio == 1 else ElasticNetCV(l1_ratio=ratio, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        order = np.argsort(-model.alphas_)
        apart = np.nanmax(np.abs(model.mse_path_[order] - ours.folds)) / null
        failures = [] if apart <= ALLOWED else ["losses of folds are further apart than the gaps allow"]
        # scikit-learn weights folds equally, not by their rows.
        yield name, apart, float("nan"), failures
    yield from compare_ridge(program, work, arguments, X, y, weights, files)


def compare_ridge(program, work, arguments, X, y, weights, files):
    from sklearn.linear_model import RidgeCV

    # Older versions have other names for it.
    store = "store_cv_results" if "store_cv_results" in inspect.signature(RidgeCV).parameters else "store_cv_values"
    for weighted in (False, True):
        folder = os.path.join(work, "loo")
        shutil.rmtree(folder, ignore_errors=True)
        options = ["--weights", files["weights"]] if weighted else []
        done = subprocess.run([program, "fit", *arguments, "--out", folder, "--alpha", "0", "--leave-one-out", "--tol",
                               "1e-12", "--no-standardize", "--quiet", "--n-lambda", str(LAMBDAS), *options],
                              capture_output=True, text=True)
        if done.returncode not in (0, 2):
            raise SystemExit(f"leave-one-out: {done.stderr}")
        with open(os.path.join(folder, "loo.csv"), encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        lambdas = np.array([float(row["lambda"]) for row in rows])
        w = weights if weighted else np.ones(len(y))
        # A loss that is a sum of w r² for one whose weights sum to 1: docs/scales.md.
        model = RidgeCV(alphas=lambdas * w.sum(), **{store: True}).fit(X, y, sample_weight=w if weighted else None)
        # Its errors are those of rows times the root of their weights.
        square = getattr(model, store.removeprefix("store_") + "_") / w[:, None]
        mean = np.average(square, axis=0, weights=w)
        se = np.sqrt(np.average((square - mean)**2, axis=0, weights=w) / (len(y) - 1))
        null = np.average((y - np.average(y, weights=w))**2, weights=w)
        curve = np.max(np.abs(np.array([float(row["mse"]) for row in rows]) - mean)) / null
        error = np.max(np.abs(np.array([float(row["se"]) for row in rows]) - se)) / null
        failures = [] if curve <= ALLOWED and error <= ALLOWED else ["errors are further apart than the gaps allow"]
        yield f"RidgeCV{' weights' if weighted else ''}", curve, error, failures


PEERS = {"glmnet": (glmnet_missing, compare_glmnet), "scikit-learn": (sklearn_missing, compare_sklearn)}


def write_numbers(path, numbers):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{number}\n" for number in numbers)
    return path


def main():
    arguments, peers = run_all_data.choose_peers(__doc__.split("\n\n", 1)[0], PEERS)
    if not peers or not arguments.data:
        return 0
    passed = failed = 0
    print(f"Largest differences over {LAMBDAS} lambdas, as shares of the null model's loss; allowed {ALLOWED}")
    print(f"{'set':<20}{'peer':<14}{'what':<30}{'curve':>10}{'se':>10}  verdict")
    with tempfile.TemporaryDirectory(prefix="proxpath_cv_") as work:
        for each in run_all_data.SETS:
            if each.name not in (arguments.only or SETS):
                continue
            set_arguments, X, y = run_all_data.prepare(each, arguments.data, work)
            X = np.asfortranarray(X.toarray(), dtype=np.float64)
            y = np.asarray(y, dtype=np.float64)
            random = np.random.default_rng(1)
            folds = random.permutation(np.arange(len(y)) % FOLDS)
            weights = random.integers(1, 5, len(y)).astype(np.float64)
            files = {"folds": write_numbers(os.path.join(work, "folds.txt"), folds),
                     "weights": write_numbers(os.path.join(work, "weights.txt"), weights)}
            for peer, compare in peers.items():
                for name, curve, error, failures in compare(arguments.program, work, set_arguments, X, y, folds, weights,
                                                            files):
                    numbers = f"{curve:>10.1e}{error:>10.1e}" if curve is not None else " " * 20
                    print(f"{each.name:<20}{peer:<14}{name:<30}{numbers}  {'; '.join(failures) or 'ok'}", flush=True)
                    passed += not failures
                    failed += bool(failures)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
