"""The tables of compare.py, made from its JSON alone: ratios at the same gap, at the same objective, at default
tolerances, Ridge, and the runs behind them. case.py says what the JSON holds."""

import statistics

from case import MEASURE, run_key


def text(value, digits=3):
    return f"{value:.{digits}g}"


def tiny(entry, name="gap"):
    return f"{entry[name]:.1e}" if name in entry else "—"


def solved(runs):
    return [run["solve"] for run in runs if run["status"] == "ok"]


def spread(seconds):
    if not seconds:
        return "—"
    return f"{text(statistics.median(seconds))} ({text(min(seconds))}–{text(max(seconds))})"


class Tables:
    def __init__(self, content):
        self.cases = list(content["cases"].values())
        self.lasso = [case for case in self.cases if case["alpha"] > 0]
        self.ridge = [case for case in self.cases if case["alpha"] == 0]
        self.target, self.limit = content["settings"]["target"], content["settings"]["limit_seconds"]

    @staticmethod
    def peers(cases):
        found = []
        for case in cases:
            found += [name for name in case["peers"] if name not in found]
        return found

    # A peer at one choice: (choice, its runs), or None where nothing was chosen.

    @staticmethod
    def at(case, name, kind):
        peer = case["peers"].get(name)
        choice = peer["choices"].get(kind) if peer else None
        return (choice, peer["runs"].get(run_key(choice), [])) if choice else None

    def trouble(self, choice, runs):
        """Words for a peer that has no time; empty where it has one."""
        if choice["status"] == "limit" or any(run["status"] == "limit" for run in runs):
            at = f" at lambda {choice['reached']}" if choice.get("reached") else ""
            best = f" ({tiny(choice)} at tol {choice['tol']:.0e})" if "gap" in choice else ""
            return f"> {self.limit:g} s{at}{best}"
        return "" if choice["status"] == "ok" else choice["status"]

    def ours(self, case, kind):
        """Our fit to compare with. For objectives the looser one counts where it is good enough."""
        loose = case["ours"].get("loose", {})
        if kind == "default" or kind == "objective" and loose.get("above", 1) <= self.target:
            return loose
        return case["ours"].get("tight", {})

    def our_seconds(self, mine):
        runs = mine.get("runs", [])
        if runs and not solved(runs):
            return f"> {self.limit:g} s at lambda {runs[0].get('reached')}" if runs[0]["status"] == "limit" else "failed"
        return spread(solved(runs))

    def ratio(self, case, name, kind):
        """A number, or None."""
        found, ours = self.at(case, name, kind), solved(self.ours(case, kind).get("runs", []))
        theirs = solved(found[1]) if found and found[0]["status"] == "ok" else []
        return statistics.median(theirs) / statistics.median(ours) if ours and theirs else None

    def cell(self, case, name, kind, measure):
        """The ratio; beside it what was reached where that is not the target. measure None: always the gap."""
        found = self.at(case, name, kind)
        if not found:
            return ""
        words, ratio = self.trouble(*found), self.ratio(case, name, kind)
        if words or ratio is None:
            return words or "—"
        beside = measure is None or found[0][measure] > self.target
        return f"**{text(ratio)}**" + (f" ({tiny(found[0], measure or 'gap')})" if beside else "")

    def ratios(self, kind):
        names, measure = self.peers(self.lasso), MEASURE.get(kind)
        lines = ["| set | mode | alpha | ours s | " + f"{measure or 'gap'} | tol | passes | " + " | ".join(names) + " |",
                 "|---|---|---:|---:|---:|---:|---:|" + "---:|" * len(names)]
        for case in self.lasso:
            mine = self.ours(case, kind)
            if not mine:
                continue
            cells = [self.cell(case, name, kind, measure) for name in names]
            lines.append(f"| {case['set']} | {case['mode']} | {case['alpha']:g} | {self.our_seconds(mine)} | "
                         f"{tiny(mine, measure or 'gap')} | {mine['tol']:.0e} | {mine['runs'][0].get('passes', '—')} | "
                         + " | ".join(cells) + " |")
        return lines

    def means(self, kind):
        """Over the cases where both finished and the peer reached the target; the others are counted."""
        lines = []
        for name in self.peers(self.lasso):
            ratios, over, short = [], 0, 0
            for case in self.lasso:
                found, ratio = self.at(case, name, kind), self.ratio(case, name, kind)
                if found and self.trouble(*found):
                    over += 1
                elif ratio is not None and found[0][MEASURE[kind]] > self.target:
                    short += 1
                elif ratio is not None:
                    ratios.append(ratio)
            said = f"geometric mean {text(statistics.geometric_mean(ratios))}, {text(min(ratios))} to " \
                   f"{text(max(ratios))}, in {len(ratios)} cases" if ratios else "no case"
            lines.append(f"- {name}: {said}; {over} over the limit or failed, {short} without the target")
        return lines

    def ridge_table(self):
        names = self.peers(self.ridge)
        lines = ["| set | mode | ours s, all lambdas | gap | " +
                 " | ".join(f"{name.removeprefix('Ridge ')}: one s | all / ours" for name in names) + " |",
                 "|---|---|---:|---:|" + "---:|---:|" * len(names)]
        for case in self.ridge:
            mine, cells = case["ours"].get("tight", {}), []
            for name in names:
                found = self.at(case, name, "one")
                words = self.trouble(*found) if found else ""
                beside = f" ({tiny(found[0])})" if found and found[0].get("gap", 0) > self.target else ""
                cells += [words or (spread(solved(found[1])) + beside if found else ""),
                          self.cell(case, name, "grid", "gap")]
            lines.append(f"| {case['set']} | {case['mode']} | {self.our_seconds(mine)} | {tiny(mine)} | "
                         + " | ".join(cells) + " |")
        return lines

    def longest(self, name, peer_name, what):
        """A peer's process loads a set once and warms up once for each type of problem; the longest of a set tells."""
        found = [run[what] for case in self.cases if case["set"] == name and peer_name in case["peers"]
                 for peer in [case["peers"][peer_name]]
                 for run in peer["search"] + [run for runs in peer["runs"].values() for run in runs] if what in run]
        return text(max(found)) if found else "—"

    def details(self):
        lines = ["| set | mode | alpha | peer | for | setting | tol | gap | above | solve s | load s | warm-up s |",
                 "|---|---|---:|---|---|---|---:|---:|---:|---:|---:|---:|"]
        for case in self.cases:
            for name, peer in case["peers"].items():
                before = [self.longest(case["set"], name, what) for what in ("load", "warm_up")]
                together = {}
                for kind, choice in peer["choices"].items():
                    together.setdefault((run_key(choice), choice["status"]), []).append(kind)
                for (key, _), kinds in together.items():
                    choice, runs = peer["choices"][kinds[0]], peer["runs"].get(key, [])
                    words = self.trouble(choice, runs)
                    stalled = sum(run_key(run) == key for run in peer.get("stalled", []))
                    note = f" (stalled {stalled} times)" if stalled else ""
                    if words in ("failed", "not supported"):
                        words += f": {choice.get('reason', '')}"
                    lines.append(f"| {case['set']} | {case['mode']} | {case['alpha']:g} | {name} | {', '.join(kinds)} | "
                                 f"{choice['setting'] or 'only'} | {choice['tol']:.0e} | {tiny(choice)} | "
                                 f"{tiny(choice, 'above')} | {words or spread(solved(runs))}{note} | {before[0]} | {before[1]} |")
        return lines


def head(content):
    settings, sessions, missing = content["settings"], content["sessions"], content["missing"]
    about = sessions[-1]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [f"# proxpath beside other solvers, {sessions[0]['date']}", "",
             f"Measured on: {about['processor']}, {about['memory_gb']:g} GB, Linux {about['linux']}; load before the run "
             f"{sessions[0]['load']:.2f}. {settings['threads']} thread(s) for everybody. {about['proxpath']}, commit "
             f"{about['commit'] or 'unknown'}. {versions}.", "",
             f"{settings['lambdas']} lambdas from lambda_max to {settings['min_ratio']:g} lambda_max, the same for all; "
             f"limit {settings['limit_seconds']:g} s a path; generated sets at scale {settings['scale']:g}. Seconds: solve "
             "time, median (least–most). **Bold**: the peer's seconds over ours. Gap: the worst over the path relative to "
             "the null loss, recomputed from the coefficients by check_fit.py. Above: the objective above the best lower "
             "bound known, likewise."]
    lines += [f"\n{name} is left out: {reason}." for name, reason in missing.items()]
    lines += ["", "| set | n | p | non-zeros | peers get |", "|---|---:|---:|---:|---|"]
    return lines + [f"| {name} | {facts['n']} | {facts['p']} | {facts['nnz']} | "
                    f"{'dense' if facts['dense'] else 'sparse'} |" for name, facts in content["sets"].items()]


def write(content, path):
    tables, target, loose = Tables(content), content["settings"]["target"], content["settings"]["loose"]
    lines = head(content)
    if tables.lasso:
        lines += ["", f"## At the same gap: at most {target:g}", "",
                  "In brackets what a peer reached that did not reach the target with any tolerance.", ""]
        lines += tables.ratios("gap") + [""] + tables.means("gap")
        lines += ["", f"## At the same objective: at most {target:g} above the best lower bound", "",
                  "Peers stop at the loosest power of ten that does; ours at the looser of its two tolerances that does.", ""]
        lines += tables.ratios("objective") + [""] + tables.means("objective")
        lines += ["", f"## Ours at {loose:g}, peers at their default tolerance", "", "In brackets the peer's gap.", ""]
        lines += tables.ratios("default")
    if tables.ridge:
        lines += ["", "## Ridge", "", "One: the last lambda alone. All: the peer's solves of all lambdas over our one fit.",
                  ""] + tables.ridge_table()
    lines += ["", "## The runs", "",
              "Load: reading the arrays. Warm-up: imports, and a tiny problem of the same type. Both happen once for several "
              "runs; the longest on the set is shown.", ""] + tables.details()
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
