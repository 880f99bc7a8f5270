"""Runs proxpath or a peer once, in processes of their own on the chosen cores, under the time limit.

This is where compare.py meets the peers: which there are, with their default tolerances and settings, how a task is
handed over, and how what a process left is read back. A peer's process stays for the tasks of a set, for loading and
compiling take longer than most solves; it is ended at the limit. A peer writes the file `started` when it begins to
solve; the limit counts from then on.
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
# Small sparse sets are given centred and dense too to peers that centre sparse columns slowly or not at all.
DENSE_CELLS = 2e7


class Peer:
    """`gram`, `densify`: it has these settings too, where they make sense. `absolute`: the tolerance is in the unit of
    the gradient, so the search starts in that unit of this problem."""

    def __init__(self, name, script, tolerance, gram=False, densify=False, absolute=False, settings=("",)):
        self.name, self.script, self.tolerance = name, script, tolerance
        self.gram, self.densify, self.absolute = gram, densify, absolute
        self.all_settings = settings
        self.has_tolerance = "cholesky" not in settings

    def settings(self, problem_set, judge):
        n, p = problem_set.n, problem_set.p
        found = list(self.all_settings)
        if self.gram and p <= GRAM_COLUMNS and n >= GRAM_ROWS_PER_COLUMN * p:
            found.append("gram")
        if self.densify and judge.intercept and not problem_set.dense and n * p <= DENSE_CELLS:
            found.append("dense")
        found.reverse()  # where the special ones make sense they mostly win, and then the others need no full search
        return found

    def first_tolerance(self, judge):
        unit = 10.0 ** round(np.log10(judge.y_deviation)) if self.absolute else 1.0
        return self.tolerance * max(1.0, unit)


PEERS = [
    Peer("scikit-learn", "peer_sklearn.py", 1e-4, gram=True),
    Peer("celer", "peer_celer.py", 1e-6, densify=True),
    Peer("skglm", "peer_skglm.py", 1e-4, densify=True, absolute=True),
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
        self.processes = {}
        self.cores = sorted(os.sched_getaffinity(0))[:threads]
        self.environment = dict(os.environ)
        for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
            self.environment[name + "_NUM_THREADS"] = str(threads)

    def start(self, command, errors, **more):
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=errors,
                                preexec_fn=lambda: os.sched_setaffinity(0, self.cores), **more)

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

    def peer(self, peer, problem_set, judge, alpha, lambdas, tolerance, setting, limit=None):
        """One solve; `solution` reads what is left in `folder` of the result."""
        limit = min(limit or self.limit, self.limit)
        folder = self.fresh("peer")
        grid = os.path.join(folder, "lambdas.bin")
        np.asarray(lambdas, dtype=np.float64).tofile(grid)
        task = {"problem": problem_set.folder, "n": problem_set.n, "p": problem_set.p, "nnz": problem_set.nnz,
                "dense": int(problem_set.dense), "intercept": int(judge.intercept), "alpha": alpha, "lambdas": grid,
                "K": len(lambdas), "tol": tolerance, "setting": setting, "threads": self.threads, "out": folder,
                "progress": os.path.join(folder, "progress")}
        path = os.path.join(folder, "task")
        with open(path, "w", encoding="utf-8") as file:
            if peer.script.endswith(".R"):  # DCF, which R reads without a package; repr keeps all digits of a double
                file.writelines(f"{name}: {value if isinstance(value, str) else repr(value)}\n"
                                for name, value in task.items() if value != "")
            else:
                json.dump(task, file)
        process = self.process_of(peer)
        process.stdin.write(path + "\n")
        process.stdin.flush()
        late = self.wait(process, folder, limit)
        try:
            with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
                result = json.load(file)
        except OSError:
            if process.poll() is None:
                process.kill()
            process.wait()
            if not late:
                return {"status": "failed", "reason": f"exit {process.returncode}: {self.last_words(peer)}"}
            reached = None
            if os.path.exists(task["progress"]):
                with open(task["progress"], encoding="ascii") as file:
                    reached = int(file.read() or 0)
            return {"status": "limit" if late == "solve" else "failed", "reason": f"over the limit in {late}",
                    "reached": reached}
        if result["status"] == "ok" and result["solve"] > limit:
            result["status"] = "limit"
        if "solve" in result:
            result["folder"] = folder
        return result

    def errors_of(self, peer):
        return os.path.join(self.folder, f"errors-{peer.script}.txt")

    def last_words(self, peer):
        with open(self.errors_of(peer), encoding="utf-8", errors="replace") as file:
            return file.read().strip()[-300:]

    def process_of(self, peer):
        """The peer's process, started when there is none."""
        process = self.processes.get(peer.script)
        if process is None or process.poll() is not None:
            script = os.path.join(HERE, peer.script)
            command = ["Rscript", "--vanilla", script] if script.endswith(".R") else [self.python, script]
            with open(self.errors_of(peer), "w", encoding="utf-8") as errors:
                process = self.processes[peer.script] = self.start(command, errors, stdin=subprocess.PIPE, text=True)
        return process

    def end_processes(self):
        for process in self.processes.values():
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes = {}

    def wait(self, process, folder, limit):
        """None when there is a result or the process has ended, else what it was busy with for too long."""
        begin, started = time.monotonic(), None
        while process.poll() is None and not os.path.exists(os.path.join(folder, "result.json")):
            now = time.monotonic()
            if started is None and os.path.exists(os.path.join(folder, "started")):
                started = now
            # Some seconds beyond the limit are for writing; the solve time itself is judged by what was reported.
            if started is not None and now - started > limit + 10:
                return "solve"
            if started is None and now - begin > LOAD_LIMIT:
                return "load"
            time.sleep(0.01 if now - begin < 5 else 0.2)
        return None


def solution(problem_set, folder):
    """Coefficients and intercepts that a peer left."""
    def part(name, kind):
        return np.fromfile(os.path.join(folder, name + ".bin"), dtype=kind)

    short = os.path.exists(os.path.join(folder, "indptr32.bin"))
    indptr = part("indptr32", np.int32) if short else part("indptr", np.int64)
    shape = (problem_set.p, len(indptr) - 1)
    B = sp.csc_matrix((part("data", np.float64), part("indices", np.int32), indptr), shape=shape)
    B.eliminate_zeros()
    B.sort_indices()
    return B, part("intercepts", np.float64)


def our_solution(fit):
    found = problems.check_fit.Fit(fit)
    return found.coefficients, found["intercept"], found["lambda"]
