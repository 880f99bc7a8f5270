#!/usr/bin/env python3
"""Compares fits with glmnet (R) and scikit-learn on small sets, at the same lambdas and very tight tolerances.

    compare_peers.py --program build/release/proxpath [--data FOLDER] [--only SET]...

glmnet is the one of Debian (r-base-core, r-cran-glmnet, r-cran-matrix); scikit-learn is used when the Python that runs
this has it. What is missing is skipped with a message, and is no failure.

What is asked of each pair of solutions, with P the objective recomputed by check_fit.py and gap the certified gaps,
both recomputed there, of ours and of the peer's coefficients:

  objective     P(ours) - P(peer) <= gap(ours): what the certificate promises, whoever the peer is
  lower bound   dual(ours) <= P(peer): no solution of anybody's is below it
  fitted values the quadratic loss is strongly convex in them, so with any two near-optimal points
                rms(difference) <= sqrt(2 gap(ours)) + sqrt(2 gap(peer))
  coefficients  the same divided by the square root of the smallest eigenvalue of X'X/n plus the ridge part, on the
                penalised scale; reported too as the largest difference over the largest coefficient

glmnet divides y by its standard deviation s before it fits (divisor n; about 0 without an intercept) and scales back, so
its L2 part is ours only after conversion: lambda_g = lambda alpha + lambda (1 - alpha) s, alpha_g = lambda alpha / lambda_g.
scikit-learn's Ridge takes n lambda. Where the two differ from us a second fit, with --as, is compared without conversion.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import warnings

import check_fit
import numpy as np
import run_all_data

SETS = ["prostate", "diabetes_raw", "diabetes_std", "diabetes64", "hitters", "glmnet_quickstart", "glmnet_binomial",
        "glmnet_poisson", "glmnet_sparse", "glmnet_multigaussian"]
LAMBDAS = 25
TOLERANCE = "1e-12"
# Below this share of the null loss objectives and gaps are rounding in the peers' double arithmetic.
FLOOR = 1e-13


class Task:
    """One set with one choice of options, fitted by us."""

    def __init__(self, name, problem, fit):
        self.name, self.problem, self.fit = name, problem, fit
        self.alpha = float(fit.options["alpha"])
        self.convention = fit.options["as"]
        self.lambdas = fit["lambda"]
        self.l2_divisor = problem.l2_divisor(self.convention, self.alpha)

    def certified(self, intercepts, coefficients):
        return self.problem.certify(check_fit.sp.csc_matrix(coefficients), intercepts, self.lambdas, self.alpha,
                                    self.l2_divisor)


def fit_ours(program, work, arguments, name, problem, alpha, convention):
    folder = os.path.join(work, "fit")
    shutil.rmtree(folder, ignore_errors=True)
    command = [program, "fit", *arguments, "--out", folder, "--alpha", alpha, "--n-lambda", str(LAMBDAS), "--tol",
               TOLERANCE, "--as", convention, "--quiet"]
    if not problem.intercept:
        command.append("--no-intercept")
    command.append("--standardize" if problem.standardize else "--no-standardize")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 2):
        raise SystemExit(f"{name}: {done.stderr}")
    return Task(name, problem, check_fit.Fit(folder))


# ---------------------------------------------------------------------------------------------------------------------
# Peers: each takes the tasks of one set and gives for each (intercepts, coefficients p x K) or None


def glmnet_missing():
    if not shutil.which("Rscript"):
        return "Rscript is not installed (Debian: r-base-core r-cran-glmnet r-cran-matrix)"
    done = subprocess.run(["Rscript", "-e", "library(glmnet)"], capture_output=True)
    return "R has no glmnet (Debian: r-cran-glmnet r-cran-matrix)" if done.returncode else None


def to_glmnet(task):
    """Alpha and lambdas on glmnet's scale."""
    if task.convention == "glmnet":
        return task.alpha, task.lambdas
    y = np.asarray(task.problem.centred if task.problem.intercept else task.problem.y)
    scale = float(np.sqrt(np.mean(y**2)))
    l1, l2 = task.alpha, (1 - task.alpha) * scale
    return l1 / (l1 + l2), task.lambdas * (l1 + l2)


def solve_glmnet(tasks, work):
    folder = os.path.join(work, "glmnet")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    problem = tasks[0].problem
    np.asarray(problem.X.toarray(order="F"), dtype=np.float64).T.tofile(os.path.join(folder, "design.bin"))
    np.asarray(problem.y, dtype=np.float64).tofile(os.path.join(folder, "response.bin"))
    with open(os.path.join(folder, "jobs.txt"), "w", encoding="ascii") as jobs:
        for at, task in enumerate(tasks):
            alpha, lambdas = to_glmnet(task)
            np.array([alpha]).tofile(os.path.join(folder, f"job{at}.alpha"))
            np.asarray(lambdas, dtype=np.float64).tofile(os.path.join(folder, f"job{at}.lambda"))
            jobs.write(f"job{at} {problem.n} {problem.p} {int(task.problem.intercept)} "
                       f"{int(task.problem.standardize)} {alpha} {len(lambdas)}\n")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compare_peers.R")
    done = subprocess.run(["Rscript", "--vanilla", script, folder], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"Rscript: {done.stderr}")
    for at in range(len(tasks)):
        values = np.fromfile(os.path.join(folder, f"job{at}.result")).reshape(-1, problem.p + 1).T
        yield (values[0], values[1:]) if values.shape[1] == len(tasks[at].lambdas) else None


def sklearn_missing():
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return "this Python has no scikit-learn"
    return None


def solve_sklearn(tasks, work):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNet, Ridge

    for task in tasks:
        problem = task.problem
        scale = np.where(problem.used, np.asarray(problem.scale, dtype=np.float64), 1.0)
        X = np.asfortranarray(np.asarray(problem.X.toarray(), dtype=np.float64) / scale)
        y = np.asarray(problem.y, dtype=np.float64)
        intercepts, columns = [], []
        model = None
        ridge_unit = 1 if task.convention == "scikit-learn" else problem.n
        for value in task.lambdas:
            if task.alpha == 0:
                model = Ridge(alpha=ridge_unit * value, fit_intercept=problem.intercept, solver="svd")
            elif model is None:
                model = ElasticNet(l1_ratio=task.alpha, fit_intercept=problem.intercept, tol=1e-15, max_iter=200000,
                                   warm_start=True)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                warnings.simplefilter("ignore", UserWarning)
                model.set_params(alpha=ridge_unit * value if task.alpha == 0 else value).fit(X, y)
            intercepts.append(float(model.intercept_))
            columns.append(model.coef_ / scale)
        yield np.array(intercepts), np.array(columns).T


PEERS = {"glmnet": (glmnet_missing, solve_glmnet), "scikit-learn": (sklearn_missing, solve_sklearn)}


# ---------------------------------------------------------------------------------------------------------------------
# Comparing


def smallest_curvature(problem):
    """Smallest eigenvalue of X'X/n on the penalised scale."""
    X = problem.X[:, np.flatnonzero(problem.used)].toarray()
    X = (X - problem.mean[problem.used]) / problem.scale[problem.used]
    if X.shape[0] < X.shape[1]:
        return 0.0
    singular = np.linalg.svd(np.asarray(X, dtype=np.float64) / np.sqrt(problem.n), compute_uv=False)
    # What rounding leaves of a zero singular value is no curvature.
    return float(singular[-1] ** 2) if singular[-1] > 1e-12 * singular[0] else 0.0


def compare(task, ours, peer_intercepts, peer_coefficients, curvature):
    problem, null = task.problem, float(task.problem.null_loss)
    mine = task.certified(task.fit["intercept"], ours)
    theirs = task.certified(peer_intercepts, peer_coefficients)
    floor = FLOOR * null
    above = mine["primal_as_written"] - theirs["primal_as_written"]
    difference = (ours - peer_coefficients) * problem.scale[:, None]
    fitted = problem.X @ (ours - peer_coefficients) + (task.fit["intercept"] - peer_intercepts)
    reach = np.sqrt(2 * (mine["gap"] + floor)) + np.sqrt(2 * (theirs["gap"] + floor))
    rms = np.sqrt(np.mean(fitted**2, axis=0))
    strength = curvature + task.lambdas * (1 - task.alpha) / float(task.l2_divisor)
    with np.errstate(divide="ignore"):
        coefficient_bound = np.where(strength > 0, reach / np.sqrt(strength), np.inf)
    size = np.max(np.abs(ours * problem.scale[:, None]))
    failures = []
    for name, holds in (
        ("objective above the peer's by more than the gap", above <= mine["gap"] + floor),
        ("peer below our lower bound", mine["dual"] <= theirs["primal_as_written"] + floor),
        ("fitted values further apart than the gaps allow", rms <= reach),
        ("coefficients further apart than the gaps allow",
         np.sqrt(np.sum(difference**2, axis=0)) <= coefficient_bound),
    ):
        if not np.all(holds):
            failures.append(f"{name} at {int(np.sum(~holds))} lambdas")
    return {
        "ours_above": float(np.max(above) / null),
        "peer_above": float(np.max(-above) / null),
        "our_gap": float(np.max(mine["gap"]) / null),
        "peer_gap": float(np.max(theirs["gap"]) / null),
        "coefficients": float(np.max(np.abs(difference)) / size) if size > 0 else 0.0,
        "failures": failures,
    }


def main():
    arguments, peers = run_all_data.choose_peers(__doc__.split("\n\n", 1)[0], PEERS)
    if not peers or not arguments.data:
        return 0

    passed = failed = 0
    print(f"Largest over {LAMBDAS} lambdas; objectives and gaps as shares of the null loss, coefficients of the largest.")
    print(f"{'set':<21}{'alpha':>5} {'icpt':>4} {'std':>4} {'peer':<13}{'lambda':<8}{'ours above':>11}{'peer above':>11}"
          f"{'our gap':>9}{'peer gap':>9}{'coef diff':>10}  verdict")
    with tempfile.TemporaryDirectory(prefix="proxpath_peers_") as work:
        for each in run_all_data.SETS:
            if each.name not in (arguments.only or SETS):
                continue
            set_arguments, X, y = run_all_data.prepare(each, arguments.data, work)
            tasks = []
            for intercept in (True, False):
                for standardize in (True, False):
                    problem = check_fit.Problem(X, y, intercept, standardize)
                    problem.curvature = smallest_curvature(problem)
                    for alpha, convention in (("1", "proxpath"), ("0.5", "proxpath"), ("0", "proxpath"),
                                              ("0.5", "glmnet"), ("0", "glmnet"), ("0", "scikit-learn")):
                        tasks.append(fit_ours(arguments.program, work, set_arguments, each.name, problem, alpha,
                                              convention))
            for peer, solve in peers.items():
                own = [task for task in tasks if task.convention in ("proxpath", peer)]
                for task, solution in zip(own, solve(own, work)):
                    head = (f"{task.name:<21}{task.alpha:>5g} {'on' if task.problem.intercept else 'off':>4} "
                            f"{'on' if task.problem.standardize else 'off':>4} {peer:<13}"
                            f"{'' if task.convention == 'proxpath' else 'as such':<8}")
                    if solution is None:
                        print(head + "the peer did not finish its path")
                        continue
                    ours = task.fit.coefficients.toarray()
                    found = compare(task, ours, *solution, task.problem.curvature)
                    print(head + f"{found['ours_above']:>11.1e}{found['peer_above']:>11.1e}{found['our_gap']:>9.1e}"
                          f"{found['peer_gap']:>9.1e}{found['coefficients']:>10.1e}  "
                          f"{'; '.join(found['failures']) or 'ok'}", flush=True)
                    passed += not found["failures"]
                    failed += bool(found["failures"])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
