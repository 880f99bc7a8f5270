#!/usr/bin/env python3
"""Fits every real regression and 0-1 set with alpha 1, 0.5 and 0, with and without intercept and standardisation,
and has each fit checked by check_fit.py.

    run_all_data.py --program build/release/proxpath --data FOLDER [--only SET]... [--csv FILE] [--limit-seconds S]

The data folder is the one that MANIFEST.md there describes (default: $PROXPATH_DATA). One line a fit: what was asked,
seconds, passes over X, the worst relative gap, statuses and the checker's verdict. Exit code 0 when every fit is
certified and confirmed, 1 when the checker objects to one, 2 when some lambdas are only not converged or cut off.

The program takes one response: of several (wheat, we8there, glmnet_multigaussian) the first is fitted; prostate is
fitted without its train/test column.
"""

import argparse
import csv
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import check_fit
import numpy as np


class DataSet:
    """Where X and y of one set are. `columns` keeps only those CSV columns, `features` is p of an svmlight file."""

    def __init__(self, name, design, y=None, y_column=None, columns=None, features=None):
        self.name, self.design, self.y, self.y_column = name, design, y, y_column
        self.columns, self.features = columns, features


# Small ones first, so that a fault shows early.
SETS = [
    DataSet("prostate", "prostate.csv", y_column="lpsa",
            columns="lcavol,lweight,age,lbph,svi,lcp,gleason,pgg45,lpsa".split(",")),
    DataSet("diabetes_raw", "diabetes_raw.csv", y_column="y"),
    DataSet("diabetes_std", "diabetes_std.csv.gz", y_column="y"),
    DataSet("diabetes64", "diabetes64.csv.gz", y_column="y"),
    DataSet("hitters", "hitters.csv", y_column="Salary"),
    DataSet("glmnet_quickstart", "glmnet_quickstart.csv.gz", y_column="y"),
    DataSet("glmnet_binomial", "glmnet_binomial.csv.gz", y_column="y"),
    DataSet("glmnet_poisson", "glmnet_poisson.csv.gz", y_column="y"),
    DataSet("glmnet_sparse", "glmnet_sparse.svm", features=20),
    DataSet("glmnet_multigaussian", "glmnet_multigaussian.csv.gz", y_column="y1",
            columns=[f"x{j}" for j in range(1, 21)] + ["y1"]),
    DataSet("heart_scale", "heart_scale.svm", features=13),
    DataSet("housing_scale", "housing_scale.svm", features=13),
    DataSet("abalone_scale", "abalone_scale.svm", features=8),
    DataSet("cpusmall", "cpusmall.svm.gz", features=12),
    DataSet("california_housing", "california_housing.csv.gz", y_column="medianHouseValue"),
    DataSet("agaricus", "agaricus.svm.gz", features=126),
    DataSet("agaricus_test", "agaricus_test.svm.gz", features=126),
    DataSet("a9a", "a9a.svm.gz", features=123),
    DataSet("a9a_test", "a9a_test.svm.gz", features=123),
    DataSet("ames", "ames.mtx.gz", y="ames_y.mtx.gz"),
    DataSet("ltr_rank", "rank_train.svm.gz", features=300),
    DataSet("well1033", "well1033.mtx.gz", y="well1033_rhs1.mtx.gz"),
    DataSet("illc1033", "illc1033.mtx.gz", y="illc1033_rhs1.mtx.gz"),
    DataSet("well1850", "well1850.mtx.gz", y="well1850_rhs1.mtx.gz"),
    DataSet("illc1850", "illc1850.mtx.gz", y="illc1850_rhs1.mtx.gz"),
    DataSet("riboflavin", "riboflavin.mtx.xz", y="riboflavin_y.mtx"),
    DataSet("wheat", "wheat.mtx.xz", y="wheat_y.mtx"),
    DataSet("we8there", "we8there.mtx.gz", y="we8there_y.mtx.gz"),
    DataSet("arcene", "arcene.mtx.xz", y="arcene_y.mtx"),
    DataSet("debian_tfidf", "debian_tfidf.svm.gz", features=7200),
    DataSet("pbmc1k", "pbmc1k.mtx.xz", y="pbmc1k_y.mtx"),
    DataSet("debian_counts", "debian_counts.mtx.xz", y="debian_y.mtx.gz"),
    DataSet("debian_bigrams", "debian_bigrams.mtx.xz", y="debian_y.mtx.gz"),
    DataSet("hapmap3", "hapmap3.mtx.xz", y="hapmap3_y.mtx"),
]

# Fits longer than this go to --trouble too.
SLOW_SECONDS = 20

FIELDS = ["set", "n", "p", "nnz", "alpha", "intercept", "standardize", "seconds", "solve_seconds", "passes", "rounds",
          "solver", "worst_rel_gap", "converged", "not_converged", "interrupted", "exit_code", "verdict"]


def keep_columns(source, names, target):
    """A CSV with only the named columns."""
    rows = list(csv.reader(check_fit.read_bytes(source).decode("utf-8").splitlines()))
    places = [rows[0].index(name) for name in names]
    with open(target, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([row[at] for at in places] for row in rows)


def first_response(source, target):
    """The first column of a Matrix Market array, one number a line; the source itself when it has no other."""
    values = check_fit.read_matrix_market(source)
    if values.shape[1] == 1:
        return source
    with open(target, "w", encoding="utf-8") as file:
        file.writelines(f"{float(value)!r}\n" for value in values[:, 0])
    return target


def prepare(each, data, work):
    """Paths and arguments of a set, with helper files made where one of several columns is wanted."""
    design = os.path.join(data, each.design)
    if each.columns:
        target = os.path.join(work, each.name + ".csv")
        keep_columns(design, each.columns, target)
        design = target
    arguments = [design]
    y = None
    if each.y:
        y = first_response(os.path.join(data, each.y), os.path.join(work, each.name + "_y.txt"))
        arguments += ["--y", y]
    if each.y_column:
        arguments += ["--y-column", each.y_column]
    if each.features:
        arguments += ["--features", str(each.features)]
    X, response = check_fit.read_design(design, y, each.y_column, features=each.features)
    return arguments, X.astype(check_fit.REAL), response


def run_limited(command, limit):
    """Exit code and error text; past the limit the program is asked to stop, as by Ctrl-C."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        _, error = process.communicate(timeout=limit)
        return process.returncode, error, False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    try:
        _, error = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        _, error = process.communicate()
        error += "\n(did not stop within 60 s of an interrupt)"
    return process.returncode, error, True


def options_text(row):
    return f"alpha {row['alpha']} intercept {row['intercept']} standardize {row['standardize']}"


def fit_and_check(arguments, set_arguments, X, y, problems, row, work):
    """One fit; fills `row`, returns what is worth telling."""
    folder = os.path.join(work, "fit")
    shutil.rmtree(folder, ignore_errors=True)
    command = [arguments.program, "fit", *set_arguments, "--out", folder, "--alpha", row["alpha"], "--threads",
               str(arguments.threads), "--quiet"]
    if row["intercept"] == "off":
        command.append("--no-intercept")
    if row["standardize"] == "off":
        command.append("--no-standardize")
    if arguments.tol:
        command += ["--tol", arguments.tol]
    start = time.monotonic()
    code, error, cut_off = run_limited(command, arguments.limit_seconds)
    row["seconds"] = f"{time.monotonic() - start:.2f}"
    row["exit_code"] = code
    try:
        report = check_fit.check_folder(folder, X, y, problems)
    except check_fit.CheckError as problem:
        row["verdict"] = "no result"
        return [f"exit {code}", error.strip() or str(problem)]
    summary = report.fit.summary
    seconds = summary["seconds"]
    row.update({name: summary[name] for name in ("n", "p", "nnz", "passes", "rounds", "solver", "converged",
                                                 "not_converged", "interrupted")})
    row["solve_seconds"] = f"{seconds['solve']:.2f}"
    reached = [gap for gap, status in zip(report.fit["rel_gap"], report.fit["status"]) if status != "interrupted"]
    row["worst_rel_gap"] = f"{max(reached, default=np.nan):.2e}"
    row["verdict"] = "ok" if report.ok else "FAILED"
    expected = 3 if row["interrupted"] else 2 if row["not_converged"] else 0
    told = list(report.failures)
    if code != expected:
        row["verdict"] = "FAILED"
        told.append(f"exit code {code}, {expected} expected")
    if row["not_converged"] or row["interrupted"] or cut_off or seconds["total"] > SLOW_SECONDS:
        parts = ", ".join(f"{name} {seconds[name]:.1f}" for name in ("prepare", "gather", "gram", "inner", "certify"))
        told.append(f"solve {seconds['solve']:.1f} s ({parts}); {row['solver']}, {row['passes']} passes, "
                    f"{row['rounds']} rounds; largest df {int(max(report.fit['df'], default=0))}, most iterations "
                    f"{int(max(report.fit['iterations'], default=0))}; {row['converged']} converged, "
                    f"{row['not_converged']} not, {row['interrupted']} interrupted; worst gap {row['worst_rel_gap']}")
    return told


def choose_peers(description, peers):
    """The command line of a comparison, and those of {name: (missing, call)} that this machine has, as {name: call}.

    missing() says why a peer can't run here, or nothing. What is left out is printed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--program", required=True, help="the proxpath program")
    parser.add_argument("--data", default=os.environ.get("PROXPATH_DATA"), help="folder of the sets")
    parser.add_argument("--only", action="append", metavar="SET", help="only this set; may be repeated")
    arguments = parser.parse_args()
    here = {}
    for name, (missing, call) in peers.items():
        reason = missing()
        if reason:
            print(f"skipped {name}: {reason}")
        else:
            here[name] = call
    if not arguments.data:
        print("skipped all: --data FOLDER or PROXPATH_DATA says where the sets are")
    return arguments, here


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("--program", required=True, help="the proxpath program")
    parser.add_argument("--data", default=os.environ.get("PROXPATH_DATA"), help="folder of the sets")
    parser.add_argument("--only", action="append", metavar="SET", help="only this set; may be repeated")
    parser.add_argument("--skip", action="append", metavar="SET", default=[], help="not this set; may be repeated")
    parser.add_argument("--alpha", action="append", help="only this alpha; may be repeated; default 1, 0.5, 0")
    parser.add_argument("--tol", help="tolerance to ask for; default: the program's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit-seconds", type=float, default=120, help="interrupt a fit after this long")
    parser.add_argument("--csv", help="write the table here as well, a line as soon as it is known")
    parser.add_argument("--trouble", help="append to this text file what was slow, not converged or rejected")
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("--data FOLDER is needed, or PROXPATH_DATA in the environment")
    known = {each.name for each in SETS}
    for name in (arguments.only or []) + arguments.skip:
        if name not in known:
            parser.error(f"no set {name}; there are {', '.join(sorted(known))}")

    table = open(arguments.csv, "w", encoding="utf-8", newline="") if arguments.csv else None
    writer = csv.DictWriter(table, FIELDS, lineterminator="\n") if table else None
    if writer:
        writer.writeheader()
    print(f"{'set':<21}{'alpha':>5} {'icpt':>4} {'std':>4} {'seconds':>8} {'passes':>6} {'rel gap':>9} {'conv':>5} "
          f"{'not':>4} {'cut':>4}  verdict  solver")
    rejected = unsolved = done = 0
    with tempfile.TemporaryDirectory(prefix="proxpath_check_") as work:
        for each in SETS:
            if (arguments.only and each.name not in arguments.only) or each.name in arguments.skip:
                continue
            if not os.path.exists(os.path.join(arguments.data, each.design)):
                print(f"{each.name:<21} not in the data folder")
                continue
            set_arguments, X, y = prepare(each, arguments.data, work)
            problems = {}
            switches = itertools.product(("on", "off"), ("on", "off"), arguments.alpha or ("1", "0.5", "0"))
            for intercept, standardize, alpha in switches:
                row = dict.fromkeys(FIELDS, "")
                row.update(set=each.name, alpha=alpha, intercept=intercept, standardize=standardize)
                told = fit_and_check(arguments, set_arguments, X, y, problems, row, work)
                done += 1
                rejected += row["verdict"] != "ok"
                unsolved += row["verdict"] == "ok" and bool(row["not_converged"] or row["interrupted"])
                print(f"{each.name:<21}{alpha:>5} {intercept:>4} {standardize:>4} {row['seconds']:>8} "
                      f"{row['passes']:>6} {row['worst_rel_gap']:>9} {row['converged']:>5} {row['not_converged']:>4} "
                      f"{row['interrupted']:>4}  {row['verdict']:<7}  {row['solver']}", flush=True)
                for line in told:
                    print(f"    {line}", flush=True)
                if writer:
                    writer.writerow(row)
                    table.flush()
                if told and arguments.trouble:
                    with open(arguments.trouble, "a", encoding="utf-8") as file:
                        file.write(f"- {each.name}, {options_text(row)}: {row['seconds']} s, {row['verdict']}\n")
                        file.writelines(f"    - {line}\n" for line in told)
    print(f"{done} fits: {done - rejected - unsolved} certified and confirmed, {unsolved} confirmed but not solved to "
          f"the end, {rejected} rejected")
    return 1 if rejected or not done else 2 if unsolved else 0


if __name__ == "__main__":
    sys.exit(main())
