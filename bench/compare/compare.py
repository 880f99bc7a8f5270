#!/usr/bin/env python3
"""Times proxpath against scikit-learn, celer, skglm, adelie and glmnet on the same problems, at the same accuracy.

    python3 compare.py --program BUILD/proxpath --data FOLDER --work FOLDER [--only NAME...] [--resume]

Every problem is a set, a mode (intercept and standardisation, both or none) and an alpha; all contenders solve the same
100 lambdas on the same cores. Each peer's own tolerance is first searched, in powers of ten from its default, for the
loosest at which

  gap        the worst relative duality gap over the path, recomputed by tests/check/check_fit.py from the coefficients
             alone, is at most --target: what our --tol promises
  objective  the objective is nowhere more than --target above the best lower bound known (a stricter fit of ours): what
             is owed to peers that stop by something else than this gap

Then all take turns, --runs times. A third comparison sets ours at 1e-4 against each peer's default tolerance, whatever
gap that gives. For alpha 0 the peers are the solvers of scikit-learn's Ridge.

Needs NumPy and SciPy (Debian: python3-numpy python3-scipy python3-venv); the peers are installed into --venv, glmnet
comes from Debian. Writes compare-<date>.json after every measurement and compare-<date>.md at the end; --resume goes on
with the newest one in --results. How to read them: ../README.md.
"""

import argparse
import glob
import json
import os
import sys

import contenders
import environment
import problems
import report
from case import Case

HERE = os.path.dirname(os.path.abspath(__file__))
# What a repeated run must share with the first for --resume to go on with it.
SAME = ("scale", "threads", "target", "limit_seconds", "lambdas", "min_ratio", "loose")

def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="proxpath of a release build")
    parser.add_argument("--data", default=os.environ.get("PROXPATH_DATA"), help="folder with the real sets")
    parser.add_argument("--work", default="compare-work", help="problems and runs (default: compare-work)")
    parser.add_argument("--venv", help="virtual environment of the peers (default: venv in the work folder)")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=problems.NAMES, default=problems.NAMES)
    parser.add_argument("--alpha", nargs="+", type=float, default=[1.0, 0.5, 0.0])
    parser.add_argument("--modes", nargs="+", choices=list(problems.MODES), default=list(problems.MODES))
    parser.add_argument("--peers", nargs="+", metavar="PEER",
                        choices=[peer.name for peer in contenders.PEERS + contenders.RIDGE_PEERS])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="cores for everybody (default 1)")
    parser.add_argument("--target", type=float, default=1e-6, help="relative gap to reach, and our --tol")
    parser.add_argument("--loose", type=float, default=1e-4, help="our --tol beside the peers' defaults")
    parser.add_argument("--limit-seconds", type=float, default=300, help="for one solve of a path")
    parser.add_argument("--lambdas", type=int, default=100)
    parser.add_argument("--min-ratio", type=float, default=0.01, help="last lambda over the first (default 0.01)")
    parser.add_argument("--scale", type=float, default=1.0, help="shortens the generated families")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--results", default=os.path.join(HERE, "..", "results"))
    options = parser.parse_args()
    if not options.data and set(options.only) & set(problems.REAL_SETS):
        options.only = [name for name in options.only if name not in problems.REAL_SETS]
        print("the real sets are left out: --data FOLDER or PROXPATH_DATA says where they are")
    if not options.only:
        parser.error("nothing is left to compare")
    options.program = os.path.abspath(options.program)
    options.work = os.path.abspath(options.work)
    options.venv = os.path.abspath(options.venv or os.path.join(options.work, "venv"))
    return options


class Results:
    """The JSON of one comparison; saved after every measurement, so that nothing measured is lost."""

    def __init__(self, options, python):
        os.makedirs(options.results, exist_ok=True)
        about = environment.describe(options, python, HERE)
        settings = {name: getattr(options, name) for name in SAME}
        found = sorted(glob.glob(os.path.join(options.results, "compare-*.json"))) if options.resume else []
        if found:
            self.path = found[-1]
            with open(self.path, encoding="utf-8") as file:
                self.content = json.load(file)
            if self.content["settings"] != settings:
                sys.exit(f"{self.path} was made with other settings: {self.content['settings']}")
            if about not in self.content["sessions"]:
                self.content["sessions"].append(about)
        else:
            self.path = os.path.join(options.results, f"compare-{about['date']}.json")
            self.content = {"settings": settings, "sessions": [about], "sets": {}, "cases": {}}
        self.content["missing"] = environment.missing_peers(python)

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.content, file, indent=1)
            file.write("\n")
        os.replace(self.path + ".new", self.path)

    def case(self, name, mode, alpha):
        return self.content["cases"].setdefault(f"{name}/{mode}/{alpha:g}", {
            "set": name, "mode": mode, "alpha": alpha, "ours": {}, "peers": {}})


def main():
    options = parse()
    os.makedirs(options.work, exist_ok=True)
    python = environment.peers_python(options.venv)
    results = Results(options, python)
    runner = contenders.Runner(options.program, python, options.threads, options.limit_seconds, options.work)
    missing = results.content["missing"]
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}")
    for name in options.only:
        problem_set = problems.ProblemSet(name, options.data, options.scale, options.work)
        results.content["sets"][name] = {"n": problem_set.n, "p": problem_set.p, "nnz": problem_set.nnz,
                                         "dense": problem_set.dense}
        for mode in options.modes:
            judge = problems.Judge(problem_set, problems.MODES[mode])
            for alpha in options.alpha:
                known = contenders.PEERS if alpha > 0 else contenders.RIDGE_PEERS
                peers = [peer for peer in known if (not options.peers or peer.name in options.peers)
                         and peer.name not in missing and not (alpha == 0 and "scikit-learn" in missing)]
                case = Case(options, results.save, runner, problem_set, judge, results.case(name, mode, alpha))
                for peer in peers:
                    case.calibrate(peer)
                case.measure(peers)
                report.write(results.content, results.path.removesuffix(".json") + ".md")
        runner.end_processes()
    print(f"written: {results.path} and .md")


if __name__ == "__main__":
    main()
