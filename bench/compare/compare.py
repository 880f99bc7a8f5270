#!/usr/bin/env python3
"""Times proxpath against scikit-learn, celer, skglm, adelie and glmnet on the same problems, at the same accuracy.

    python3 compare.py --program BUILD/proxpath --data FOLDER --work FOLDER [--only NAME...] [--resume]

Every problem is a set, a mode (intercept and standardisation, both or none) and an alpha; all contenders solve the same
100 lambdas on the same cores. Each peer's own tolerance is first searched, in steps of a factor 10 from its default, for
the loosest at which the worst relative duality gap over the path, recomputed by tests/check/check_fit.py, is at most
--target. (--criterion objective asks less: that the objective is at most --target above the best lower bound known,
which comes from a stricter fit of ours.) Then all take turns, --runs times. A second comparison sets ours at 1e-4 against each peer's default
tolerance, whatever gap that gives. For alpha 0 the peers are the solvers of scikit-learn's Ridge.

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
import numpy as np
import problems
import report

HERE = os.path.dirname(os.path.abspath(__file__))
# A search gives up after this many tightenings in a row that do not lower the gap: it is rounding by then.
PATIENCE = 3
MOST_STEPS = 14
# A step of the search may be several powers of ten at once where gaps so far say that one is not enough.
LONGEST_STEP = 4
# The fit whose lower bounds judge objectives is this much stricter than the target.
STRICTER = 0.01
# What a repeated run must share with the first for --resume to go on with it.
SAME = ("scale", "threads", "target", "limit_seconds", "lambdas", "min_ratio", "loose", "criterion")
# Coefficients of a path above which ours are not read back for Ridge.
READ_BACK = 2e7


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
    parser.add_argument("--criterion", choices=["gap", "objective"], default="gap", help="what has to reach the target")
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


class Case:
    """One problem: searches tolerances, then measures in turns."""

    def __init__(self, options, results, runner, problem_set, judge, alpha, record):
        self.options, self.results, self.runner = options, results, runner
        self.set, self.judge, self.alpha, self.record = problem_set, judge, alpha, record
        self.lambdas = judge.grid(alpha, options.lambdas, options.min_ratio)
        # Ridge's tolerance is searched on one lambda, for its solvers begin each one anew: the last, the hardest.
        self.one = self.lambdas[-1:]
        self.ridge = alpha == 0
        self.accuracy = {"gap": "gap", "objective": "above"}[options.criterion]
        # Ridge on wide sets has too many coefficients for our text files to be read back: certified by ourselves then.
        self.read_back = not self.ridge or problem_set.p * options.lambdas <= READ_BACK
        self.find_bound()

    def find_bound(self):
        if "bound" not in self.record and self.read_back:
            found = self.runner.us(self.set, self.judge, self.alpha, self.lambdas, self.options.target * STRICTER)
            if found["status"] == "ok":
                B, intercepts, lambdas = contenders.our_solution(found["fit"])
                self.record["bound"] = self.judge.lower_bound(B, intercepts, lambdas, self.alpha)
                self.results.save()
        self.bound = self.record.get("bound")
        if self.accuracy == "above" and self.bound is None:
            self.say("no lower bound from us, so gaps decide")
            self.accuracy = "gap"

    def say(self, text):
        print(f"{self.set.name}, {self.record['mode']}, alpha {self.alpha:g}: {text}", flush=True)

    def solve(self, peer, tolerance, setting, lambdas, certify=True):
        """One run with its gap, in a form that JSON takes."""
        found = self.runner.peer(peer, self.set, self.judge, self.alpha, lambdas, tolerance, setting)
        folder = found.pop("folder", None)
        if folder and certify:
            B, intercepts = contenders.solution(self.set, folder)
            if B.shape[1] < len(lambdas):
                found.update(status="failed", reason=f"ended after {B.shape[1]} of {len(lambdas)} lambdas")
            else:
                bound = self.bound
                if bound is not None and len(lambdas) < len(bound):
                    bound = bound[-len(lambdas) :]
                found.update(self.judge.judge(B, intercepts, lambdas, self.alpha, bound))
                found["accuracy"] = found[self.accuracy]
        found.update(tol=tolerance, setting=setting)
        found.pop("versions", None)
        return found

    def try_tolerance(self, peer, entry, tolerance, setting, lambdas):
        """A step of the search, remembered."""
        for known in entry["search"]:
            if np.isclose(known["tol"], tolerance, rtol=1e-6, atol=0) and known["setting"] == setting:
                return known
        found = self.solve(peer, tolerance, setting, lambdas)
        entry["search"].append(found)
        self.results.save()
        what = found.get("reason", "") if "gap" not in found else \
            f"gap {found['gap']:.1e}, objective {found.get('above', float('nan')):.1e} above the bound"
        self.say(f"{peer.name} {setting} tol {tolerance:.0e}: {found['status']}, {found.get('solve', 0):.2f} s, {what}")
        return found

    def search(self, peer, entry, setting):
        """The loosest power of ten (times the default) that reaches the target, or the best there is."""
        lambdas = self.one if self.ridge else self.lambdas
        target = self.options.target
        tolerance = peer.first_tolerance(self.judge)
        found = best = self.try_tolerance(peer, entry, tolerance, setting, lambdas)
        if found["status"] != "ok":
            return found
        direct = peer.name == "Ridge cholesky"  # has no tolerance
        if direct:
            return found
        steps, tried, idle = 0, [(0, found)], 0
        # Tighter, until the target is reached: by as many powers of ten as the gaps so far ask for.
        while found["accuracy"] > target and idle < PATIENCE and steps < MOST_STEPS:
            steps += self.stride(tried, target)
            found = self.try_tolerance(peer, entry, tolerance / 10**steps, setting, lambdas)
            if found["status"] != "ok":
                return {**found, **{name: best[name] for name in ("gap", "accuracy", "tol") if name in best}}
            idle = 0 if found["accuracy"] < 0.9 * best["accuracy"] else idle + 1
            best = min(best, found, key=lambda run: run["accuracy"])
            tried.append((steps, found))
        # Looser again, while it still is: a looser tolerance that does as well would be faster.
        known = {at for at, _ in tried}
        while found["status"] == "ok" and found["accuracy"] <= target:
            best, steps = found, steps - 1
            if steps in known or steps < -LONGEST_STEP:
                break
            found = self.try_tolerance(peer, entry, tolerance / 10**steps, setting, lambdas)
        return best

    @staticmethod
    def stride(tried, target):
        """Powers of ten to the target on the line through the last two, rounded down, at least one."""
        if len(tried) < 2:
            return 1
        (before, a), (after, b) = tried[-2:]
        slope = np.log10(a["accuracy"] / b["accuracy"]) / (after - before)
        if not slope > 0.1:
            return 1
        return int(np.clip(np.log10(b["accuracy"] / target) / slope, 1, LONGEST_STEP))

    def calibrate(self, peer):
        entry = self.record["peers"].setdefault(peer.name, {"search": [], "runs": {}})
        if "tuned" in entry:
            return
        settings = peer.settings(self.set)
        ends = [self.search(peer, entry, setting) for setting in settings]
        # The one that reaches the target, and soonest; else the one that is solved at all with the smallest gap.
        finished = [end for end in ends if end["status"] == "ok"]
        reached = [end for end in finished if end["accuracy"] <= self.options.target]
        entry["tuned"] = min(reached, key=lambda run: run["solve"]) if reached else \
            min(finished, key=lambda run: run["accuracy"]) if finished else ends[0]
        if not self.ridge:
            defaults = [self.try_tolerance(peer, entry, peer.tolerance, setting, self.lambdas) for setting in settings]
            solved = [run for run in defaults if run["status"] == "ok"]
            entry["default"] = min(solved, key=lambda run: run["solve"]) if solved else defaults[0]
        elif entry["tuned"]["status"] == "ok":
            entry["grid"] = self.solve(peer, entry["tuned"]["tol"], entry["tuned"]["setting"], self.lambdas)
            self.say(f"{peer.name}, all lambdas: {entry['grid']['status']}, {entry['grid'].get('solve', 0):.2f} s")
        self.results.save()

    def us(self, kind, tolerance):
        found = self.runner.us(self.set, self.judge, self.alpha, self.lambdas, tolerance)
        fit = found.pop("fit", None)
        mine = self.record["ours"].setdefault(kind, {"runs": []})
        if fit and "gap" not in mine:
            if self.read_back:
                B, intercepts, lambdas = contenders.our_solution(fit)
                mine.update(self.judge.judge(B, intercepts, lambdas, self.alpha, self.bound), certified_by="check_fit")
            else:
                mine.update(gap=found["own_gap"], certified_by="proxpath")
        mine["runs"].append(found)
        self.say(f"ours, tol {tolerance:.0e}: {found['status']}, {found.get('solve', 0):.2f} s, "
                 f"gap {mine.get('gap', float('nan')):.1e}")
        self.results.save()

    def measure(self, peers):
        """All in turns, so that what else the machine does falls on all alike."""
        kinds = ("tuned", "grid") if self.ridge else ("tuned", "default")
        for turn in range(self.options.runs):
            for kind, tolerance in (("tight", self.options.target), ("loose", self.options.loose)):
                runs = self.record["ours"].get(kind, {"runs": []})["runs"]
                # What failed or ran over the limit once is not tried again.
                if len(runs) <= turn and all(run["status"] == "ok" for run in runs):
                    self.us(kind, tolerance)
            for peer in peers:
                entry = self.record["peers"][peer.name]
                for kind in kinds:
                    chosen = entry.get(kind)
                    same = kind == "default" and chosen["tol"] == entry["tuned"]["tol"] and \
                        chosen["setting"] == entry["tuned"]["setting"]
                    if not chosen or chosen["status"] != "ok" or same:
                        continue
                    runs = entry["runs"].setdefault(kind, [])
                    if len(runs) > turn or any(run["status"] != "ok" for run in runs):
                        continue
                    lambdas = self.one if self.ridge and kind == "tuned" else self.lambdas
                    found = self.solve(peer, chosen["tol"], chosen["setting"], lambdas, certify=False)
                    runs.append(found)
                    self.say(f"{peer.name} ({kind}): {found['status']}, {found.get('solve', 0):.2f} s")
                    self.results.save()


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
                case = Case(options, results, runner, problem_set, judge, alpha, results.case(name, mode, alpha))
                for peer in peers:
                    case.calibrate(peer)
                case.measure(peers)
                report.write(results.content, results.path.removesuffix(".json") + ".md")
    print(f"written: {results.path} and .md")


if __name__ == "__main__":
    main()
