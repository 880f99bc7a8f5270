"""Runs proxpath or one peer once, as a process of its own on the chosen cores, under the time limit.

This is where compare.py meets the peers: which there are, with their default tolerances and settings, how a task is
handed over, and how what a process left is read back. A peer writes the file `started` when it begins to solve; the
limit counts from then on, so that neither reading nor compiling uses it up.
"""

import json
import os
import shutil
import signal
import subprocess
import time

import numpy as np
import scipy.sparse as sp

import problems

HERE = os.path.dirname(os.path.abspath(__file__))
# Reading, imports and compilation may take this long before a process counts as stuck.
LOAD_LIMIT = 900
# Where X'X fits and rows are clearly more than columns, methods on it are tried too.
GRAM_COLUMNS = 10_000
GRAM_ROWS_PER_COLUMN = 2


class Peer:
    """`absolute`: the tolerance is in the unit of the gradient, so the search starts in that unit of this problem."""

    def __init__(self, name, script, tolerance, gram=False, absolute=False, settings=("",)):
        self.name, self.script, self.tolerance, self.gram, self.absolute = name, script, tolerance, gram, absolute
        self.all_settings = settings
        self.has_tolerance = "cholesky" not in settings

    def settings(self, problem_set):
        few = problem_set.p <= GRAM_COLUMNS and problem_set.n >= GRAM_ROWS_PER_COLUMN * problem_set.p
        return list(self.all_settings) + (["gram"] if self.gram and few else [])

    def first_tolerance(self, judge):
        return self.tolerance * max(1.0, 10.0 ** round(np.log10(judge.y_deviation))) if self.absolute else self.tolerance


PEERS = [
    Peer("scikit-learn", "peer_sklearn.py", 1e-4, gram=True),
    Peer("celer", "peer_celer.py", 1e-6),
    Peer("skglm", "peer_skglm.py", 1e-4, absolute=True),
    Peer("adelie", "peer_adelie.py", 1e-7, gram=True),
    Peer("glmnet", "peer_glmnet.R", 1e-7),
]
# For alpha 0; the tolerance is that of scikit-learn's Ridge.
RIDGE_PEERS = [Peer(f"Ridge {solver}", "peer_ridge.py", 1e-4, settings=(solver,))
               for solver in ("sparse_cg", "lsqr", "sag", "cholesky")]


class Runner:
    """What all runs of a comparison share: programs, cores, limit and the folder to work in."""

    def __init__(self, program, python, threads, limit, work):
        self.program, self.python, self.threads, self.limit = program, python, threads, limit
        self.folder = os.path.join(work, "run")
        self.cores = sorted(os.sched_getaffinity(0))[:threads]
        self.environment = dict(os.environ)
        for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
            self.environment[name + "_NUM_THREADS"] = str(threads)

    def start(self, command, errors):
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=errors,
                                preexec_fn=lambda: os.sched_setaffinity(0, self.cores))

    def fresh(self, name):
        folder = os.path.join(self.folder, name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        return folder

    def us(self, problem_set, judge, alpha, lambdas, tolerance):
        """One fit. `fit` is the folder of a complete one; the limit is a little long, for it includes reading."""
        folder = self.fresh("us")
        grid, fit = os.path.join(folder, "lambdas.txt"), os.path.join(folder, "fit")
        with open(grid, "w", encoding="ascii") as file:
            file.writelines(f"{float(value)!r}\n" for value in lambdas)
        command = [self.program, "fit", problem_set.design, "--y", problem_set.response, "--out", fit, "--alpha",
                   repr(float(alpha)), "--lambda", "@" + grid, "--tol", repr(tolerance), "--threads", str(self.threads),
                   "--device", "cpu", "--quiet"]
        if not judge.intercept:
            command += ["--no-intercept", "--no-standardize"]
        with open(os.path.join(folder, "errors.txt"), "w+", encoding="utf-8") as errors:
            process = self.start(command, errors)
            try:
                code = process.wait(self.limit + 60)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)  # it then writes what is finished
                try:
                    code = process.wait(120)
                except subprocess.TimeoutExpired:
                    process.kill()
                    code = process.wait()
            errors.seek(0)
            said = errors.read()
        if code not in (0, 2, 3):
            return {"status": "failed", "reason": f"exit {code}: {said[-300:]}"}
        with open(os.path.join(fit, "summary.json"), encoding="utf-8") as file:
            summary = json.load(file)
        seconds = summary["seconds"]
        return {"status": "limit" if code == 3 or seconds["solve"] > self.limit else "ok", "solve": seconds["solve"],
                "load": seconds["load"], "passes": summary["passes"], "solver": summary["solver"],
                "converged": summary["converged"], "reached": summary["n_lambda"] - summary["interrupted"],
                "own_gap": summary["largest_rel_gap"], "checksum": summary["data_checksum"], "fit": fit}

    def peer(self, peer, problem_set, judge, alpha, lambdas, tolerance, setting):
        """One solve; `solution` reads what it returned."""
        folder = self.fresh("peer")
        grid = os.path.join(folder, "lambdas.bin")
        np.asarray(lambdas, dtype=np.float64).tofile(grid)
        task = {"problem": problem_set.folder, "n": problem_set.n, "p": problem_set.p, "nnz": problem_set.nnz,
                "dense": int(problem_set.dense), "intercept": int(judge.intercept), "alpha": alpha, "lambdas": grid,
                "K": len(lambdas), "tol": tolerance, "setting": setting, "threads": self.threads, "out": folder,
                "progress": os.path.join(folder, "progress")}
        script = os.path.join(HERE, peer.script)
        path = os.path.join(folder, "task.dcf" if script.endswith(".R") else "task.json")
        with open(path, "w", encoding="utf-8") as file:
            if path.endswith(".dcf"):  # what R reads without a package; repr keeps all digits of a double
                file.writelines(f"{name}: {value if isinstance(value, str) else repr(value)}\n"
                                for name, value in task.items() if value != "")
            else:
                json.dump(task, file)
        command = ["Rscript", "--vanilla", script, path] if path.endswith(".dcf") else [self.python, script, path]
        with open(os.path.join(folder, "errors.txt"), "w+", encoding="utf-8") as errors:
            process = self.start(command, errors)
            late = self.wait(process, os.path.join(folder, "started"))
            errors.seek(0)
            said = errors.read()
        if late:
            reached = None
            if os.path.exists(task["progress"]):
                with open(task["progress"], encoding="ascii") as file:
                    reached = int(file.read() or 0)
            return {"status": "limit" if late == "solve" else "failed", "reason": f"over the limit in {late}",
                    "reached": reached}
        try:
            with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
                result = json.load(file)
        except (OSError, ValueError):
            return {"status": "failed", "reason": f"exit {process.returncode}: {said.strip()[-300:]}"}
        if result["status"] == "ok" and result["solve"] > self.limit:
            result["status"] = "limit"
        result["folder"] = folder
        return result

    def wait(self, process, marker):
        """None when the process ends by itself, or what it was busy with when it was ended."""
        begin, started = time.monotonic(), None
        while process.poll() is None:
            now = time.monotonic()
            if started is None and os.path.exists(marker):
                started = now
            # Some seconds beyond the limit are for writing; the solve time itself is judged by what was reported.
            late = "solve" if started and now - started > self.limit + 10 else \
                   "load" if started is None and now - begin > LOAD_LIMIT else None
            if late:
                process.kill()
                process.wait()
                return late
            time.sleep(0.02 if now - begin < 5 else 0.2)
        return None


def solution(problem_set, folder):
    """Coefficients and intercepts that a peer left."""
    def part(name, kind):
        return np.fromfile(os.path.join(folder, name + ".bin"), dtype=kind)

    short = os.path.exists(os.path.join(folder, "indptr32.bin"))
    indptr = part("indptr32", np.int32) if short else part("indptr", np.int64)
    B = sp.csc_matrix((part("data", np.float64), part("indices", np.int32), indptr), shape=(problem_set.p, len(indptr) - 1))
    B.eliminate_zeros()
    B.sort_indices()
    return B, part("intercepts", np.float64)


def our_solution(fit):
    found = problems.check_fit.Fit(fit)
    return found.coefficients, found["intercept"], found["lambda"]
