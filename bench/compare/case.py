"""One problem of compare.py (a set, a mode, an alpha): first searches each peer's tolerances, then times all in turns.

What is found goes into `record`, a part of the comparison's JSON:

    bound    lower bounds on the optimum at each lambda, proved by a stricter fit of ours
    ours     tight (--target) and loose (--loose): gap, above, runs
    peers    search: every tolerance tried; and the choices made from it, by what they are for:
               gap        the certified gap of the coefficients is at most the target
               objective  the objective is at most the target above the bound, which asks less
               default    the peer's own default
               one, grid  Ridge: the gap of the last lambda alone, and of all lambdas
             runs: the timed solves, by span, setting and tolerance (two choices may be the same run); stalled: those
             that hung where the search had not

A choice that never finished has the status `limit`, `failed` or `not supported`.
"""

import numpy as np

import contenders

# A search gives up after this many tightenings in a row that do not lower what is searched: it is rounding by then.
PATIENCE = 3
MOST_STEPS = 14
# A step of the search may be several powers of ten at once where what was seen says that one is not enough.
LONGEST_STEP = 4
# The fit whose lower bounds judge objectives is this much stricter than the target.
STRICTER = 0.01
# Coefficients of a path above which ours are not read back for Ridge, where none is zero.
READ_BACK = 2e7
# A further setting of a peer gets this many times the seconds of the best one so far, and these seconds at least.
WORTH_WAITING = 2
LEAST_LIMIT = 5
# What the target of a choice is about.
MEASURE = {"gap": "gap", "objective": "above"}


def run_key(choice):
    return f"{choice['span']}/{choice['setting'] or 'only'}/{choice['tol']:.0e}"


class Case:
    def __init__(self, options, save, runner, problem_set, judge, record):
        self.options, self.save, self.runner = options, save, runner
        self.set, self.judge, self.record, self.alpha = problem_set, judge, record, record["alpha"]
        self.ridge = self.alpha == 0
        lambdas = judge.grid(self.alpha, options.lambdas, options.min_ratio)
        # Ridge's solvers begin each lambda anew, so a single one is a task too.
        self.lambdas = {"all": lambdas, "one": lambdas[-1:]}
        self.read_back = not self.ridge or problem_set.p * options.lambdas <= READ_BACK
        self.find_bound()

    def say(self, text):
        print(f"{self.set.name}, {self.record['mode']}, alpha {self.alpha:g}: {text}", flush=True)

    def find_bound(self):
        if "bound" not in self.record:
            self.record["bound"] = None
            if self.read_back:
                found = self.runner.us(self.set, self.judge, self.alpha, self.lambdas["all"],
                                       self.options.target * STRICTER)
                if found["status"] == "ok":
                    B, intercepts, lambdas = contenders.our_solution(found["fit"])
                    self.record["bound"] = self.judge.judge(B, intercepts, lambdas, self.alpha)["dual"]
            self.save()
        self.bound = self.record["bound"]

    def accuracy(self, B, intercepts, lambdas):
        bound = self.bound[-len(lambdas):] if self.bound else None
        found = self.judge.judge(B, intercepts, lambdas, self.alpha, bound)
        return {name: found[name] for name in ("gap", "above") if name in found}

    # -----------------------------------------------------------------------------------------------------------------
    # Searching

    def solve(self, peer, tolerance, setting, span, certify=True, limit=None):
        """One run, in a form that JSON takes."""
        lambdas = self.lambdas[span]
        found = self.runner.peer(peer, self.set, self.judge, self.alpha, lambdas, tolerance, setting, limit)
        folder = found.pop("folder", None)
        found.update(tol=tolerance, setting=setting, span=span)
        if folder and certify:
            B, intercepts = contenders.solution(self.set, folder)
            if B.shape[1] < len(lambdas):
                found.update(status="failed", reason=f"ended by itself after {B.shape[1]} of {len(lambdas)} lambdas")
            else:
                found.update(self.accuracy(B, intercepts, lambdas))
        return found

    def tried(self, peer, entry, tolerance, setting, span="all", limit=None):
        """A run of the search, remembered."""
        for known in entry["search"]:
            if run_key(known) == run_key({"span": span, "setting": setting, "tol": tolerance}):
                return known
        found = self.solve(peer, tolerance, setting, span, limit=limit)
        entry["search"].append(found)
        self.save()
        what = found.get("reason", "") if "gap" not in found else \
            f"gap {found['gap']:.1e}, objective {found.get('above', float('nan')):.1e} above the bound"
        self.say(f"{peer.name} {run_key(found)}: {found['status']}, {found.get('solve', 0):.2f} s, {what}")
        return found

    def search(self, peer, entry, setting, measure, span, limit=None):
        """The run with the loosest power of ten (times the default) that reaches the target; else the best there is."""
        target, first = self.options.target, peer.first_tolerance(self.judge)
        steps = 0
        found = self.tried(peer, entry, first, setting, span, limit)
        if found["status"] == "limit" and peer.has_tolerance:
            steps = -2  # a looser one may still do
            found = self.tried(peer, entry, first * 100, setting, span, limit)
        if found["status"] != "ok" or not peer.has_tolerance:
            return found
        best, seen, idle, leaps = found, [(steps, found)], 0, True
        while found[measure] > target and idle < PATIENCE and steps < MOST_STEPS:
            before, stride = steps, self.stride(seen, measure) if leaps else 1
            steps += stride
            found = self.tried(peer, entry, first / 10**steps, setting, span, limit)
            if found["status"] != "ok" and stride > 1:  # leapt too far, perhaps: on in single steps
                leaps, steps, found = False, before, seen[-1][1]
                continue
            if found["status"] != "ok":
                return {**found, **{name: best[name] for name in ("gap", "above", "tol") if name in best}}
            idle = 0 if found[measure] < 0.9 * best[measure] else idle + 1
            best = min(best, found, key=lambda run: run[measure])
            seen.append((steps, found))
        # Looser again, while that still does: it would be faster.
        known = {at for at, _ in seen}
        while found["status"] == "ok" and found[measure] <= target:
            best, steps = found, steps - 1
            if steps in known or steps < -LONGEST_STEP:
                break
            found = self.tried(peer, entry, first / 10**steps, setting, span, limit)
        return best

    def stride(self, seen, measure):
        """Powers of ten to the target on the line through the last two runs, rounded down, at least one."""
        if len(seen) < 2:
            return 1
        (before, a), (after, b) = seen[-2:]
        slope = np.log10(a[measure] / b[measure]) / (after - before)
        if not slope > 0.1:
            return 1
        return int(np.clip(np.log10(b[measure] / self.options.target) / slope, 1, LONGEST_STEP))

    def choose(self, ends, measure):
        """Of one run for each setting: what reaches the target soonest, else what comes nearest."""
        finished = [end for end in ends if end["status"] == "ok"]
        reached = [end for end in finished if end[measure] <= self.options.target]
        if reached:
            return min(reached, key=lambda run: run["solve"])
        return min(finished, key=lambda run: run[measure]) if finished else ends[0]

    def calibrate(self, peer):
        entry = self.record["peers"].setdefault(peer.name, {"search": [], "choices": {}, "runs": {}})
        choices, settings = entry["choices"], peer.settings(self.set, self.judge)
        if self.ridge:
            for kind, span in (("one", "one"), ("grid", "all")):
                if kind not in choices:
                    choices[kind] = self.search(peer, entry, settings[0], "gap", span)
        else:
            for kind, measure in MEASURE.items():
                if kind not in choices and (measure == "gap" or self.bound):
                    ends, limit = [], None
                    for setting in settings:
                        ends.append(self.search(peer, entry, setting, measure, "all", limit))
                        best = self.choose(ends, measure)
                        if best["status"] == "ok" and best[measure] <= self.options.target:
                            limit = max(LEAST_LIMIT, WORTH_WAITING * best["solve"])
                    choices[kind] = best
            if "default" not in choices:
                runs, solved, limit = [], [], None
                for setting in settings:
                    runs.append(self.tried(peer, entry, peer.tolerance, setting, limit=limit))
                    solved = [run for run in runs if run["status"] == "ok"]
                    if solved:
                        limit = max(LEAST_LIMIT, WORTH_WAITING * min(run["solve"] for run in solved))
                choices["default"] = min(solved, key=lambda run: run["solve"]) if solved else runs[0]
        self.save()

    # -----------------------------------------------------------------------------------------------------------------
    # Timing

    def us(self, kind, tolerance):
        found = self.runner.us(self.set, self.judge, self.alpha, self.lambdas["all"], tolerance)
        fit = found.pop("fit", None)
        mine = self.record["ours"].setdefault(kind, {"tol": tolerance, "runs": []})
        if found["status"] == "ok" and "gap" not in mine:
            if self.read_back:
                B, intercepts, lambdas = contenders.our_solution(fit)
                mine.update(self.accuracy(B, intercepts, lambdas), certified_by="check_fit")
            else:
                mine.update(gap=found["own_gap"], certified_by="proxpath")
        mine["runs"].append(found)
        self.save()
        self.say(f"ours, tol {tolerance:.0e}: {found['status']}, {found.get('solve', 0):.2f} s, "
                 f"gap {mine.get('gap', float('nan')):.1e} {found.get('reason', '')}")

    def timed(self, peer, entry, choice):
        """A timed run. One that is over the limit where the search took a tenth of it has stalled: it is kept apart and
        repeated once."""
        found = self.solve(peer, choice["tol"], choice["setting"], choice["span"], certify=False)
        if found["status"] == "limit" and choice["solve"] < self.options.limit_seconds / 10:
            entry.setdefault("stalled", []).append(found)
            found = self.solve(peer, choice["tol"], choice["setting"], choice["span"], certify=False)
        return found

    def measure(self, peers):
        """All in turns, so that what else the machine does falls on all alike. What failed once is not tried again."""
        for turn in range(self.options.runs):
            for kind, tolerance in (("tight", self.options.target), ("loose", self.options.loose)):
                runs = self.record["ours"].get(kind, {"runs": []})["runs"]
                if len(runs) <= turn and all(run["status"] == "ok" for run in runs):
                    self.us(kind, tolerance)
            for peer in peers:
                entry = self.record["peers"][peer.name]
                chosen = {run_key(choice): choice for choice in entry["choices"].values() if choice["status"] == "ok"}
                for key, choice in chosen.items():
                    runs = entry["runs"].setdefault(key, [])
                    if len(runs) <= turn and all(run["status"] == "ok" for run in runs):
                        runs.append(self.timed(peer, entry, choice))
                        self.save()
                        self.say(f"{peer.name} {key}, run {turn + 1}: {runs[-1]['status']}, "
                                 f"{runs[-1].get('solve', 0):.2f} s")
