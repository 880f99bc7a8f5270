"""The tables of compare.py, made from its JSON alone: ratios at the same accuracy, ratios at default tolerances, Ridge,
and the runs behind them."""

import statistics


def text(value, digits=3):
    return f"{value:.{digits}g}"


def seconds_of(entry):
    """Solve seconds of complete runs; None where there are none."""
    runs = [run["solve"] for run in entry.get("runs", []) if run["status"] == "ok"]
    return runs or None


def spread(runs):
    if not runs:
        return "—"
    return f"{text(statistics.median(runs))} ({text(min(runs))}–{text(max(runs))})"


def runs_of(peer, kind):
    """A default that is the tuned setting was run once for both."""
    chosen, tuned = peer.get(kind), peer["tuned"]
    if kind == "default" and chosen and (chosen["tol"], chosen["setting"]) == (tuned["tol"], tuned["setting"]):
        kind = "tuned"
    return [run for run in peer["runs"].get(kind, [])]


def solved(runs):
    return [run["solve"] for run in runs if run["status"] == "ok"] or None


class Tables:
    def __init__(self, content):
        self.content = content
        self.settings = content["settings"]
        self.target, self.limit = self.settings["target"], self.settings["limit_seconds"]
        self.lasso = [case for case in content["cases"].values() if case["alpha"] > 0]
        self.ridge = [case for case in content["cases"].values() if case["alpha"] == 0]

    def names(self, cases):
        found = []
        for case in cases:
            found += [name for name in case["peers"] if name not in found]
        return found

    def verdict(self, chosen, runs):
        """Words for a peer without a ratio; empty where it has one."""
        if chosen["status"] == "limit" or (runs and not solved(runs)):
            reached = chosen.get("reached")
            at = f" at lambda {reached}" if reached is not None and reached < self.settings["lambdas"] else ""
            best = f", {chosen['accuracy']:.1e} at tol {chosen['tol']:.0e}" if "accuracy" in chosen else ""
            return f"> {self.limit:g} s{at}{best}"
        if chosen["status"] == "not supported":
            return "not supported"
        return "" if chosen["status"] == "ok" else "failed"

    def cell(self, ours, peer, kind, over_target=True):
        chosen = peer.get(kind) if peer else None
        if not chosen:
            return ""
        runs = runs_of(peer, kind)
        words = self.verdict(chosen, runs)
        theirs = solved(runs)
        if words or not theirs or not ours:
            return words or "—"
        ratio = f"**{text(statistics.median(theirs) / statistics.median(ours))}**"
        if over_target:
            return ratio + (f" ({chosen['accuracy']:.1e})" if chosen["accuracy"] > self.target else "")
        return f"{ratio} ({chosen['gap']:.1e})"

    def where(self, case):
        return f"{case['set']} | {case['mode']} | {case['alpha']:g}"

    def gap(self, mine, name="gap"):
        return f"{mine[name]:.1e}" if name in mine else "—"

    def ratios(self, kind, ours_kind):
        names = self.names(self.lasso)
        lines = ["| set | mode | alpha | ours s | gap | passes | " + " | ".join(names) + " |",
                 "|---|---|---:|---:|---:|---:|" + "---:|" * len(names)]
        for case in self.lasso:
            mine = case["ours"].get(ours_kind, {})
            ours = seconds_of(mine)
            passes = mine["runs"][0].get("passes", "—") if mine.get("runs") else "—"
            first = spread(ours) if ours or not mine.get("runs") else self.our_failure(mine["runs"][0])
            cells = [self.cell(ours, case["peers"].get(name), kind, kind == "tuned") for name in names]
            lines.append(f"| {self.where(case)} | {first} | {self.gap(mine)} | {passes} | " + " | ".join(cells) + " |")
        return lines

    def our_failure(self, run):
        return f"> {self.limit:g} s at lambda {run.get('reached')}" if run["status"] == "limit" else "failed"

    def ridge_table(self):
        names = self.names(self.ridge)
        lines = ["| set | mode | ours s, all lambdas | gap | " +
                 " | ".join(f"{name.removeprefix('Ridge ')}: one s | all / ours" for name in names) + " |",
                 "|---|---|---:|---:|" + "---:|---:|" * len(names)]
        for case in self.ridge:
            mine = case["ours"].get("tight", {})
            ours = seconds_of(mine)
            cells = []
            for name in names:
                peer = case["peers"].get(name)
                if not peer or "tuned" not in peer:
                    cells += ["", ""]
                    continue
                one = runs_of(peer, "tuned")
                note = f", {peer['tuned']['accuracy']:.1e}" if peer["tuned"].get("accuracy", 0) > self.target else ""
                cells.append(self.verdict(peer["tuned"], one) or spread(solved(one)) + note)
                cells.append(self.cell(ours, peer, "grid"))
            first = spread(ours) if ours or not mine.get("runs") else self.our_failure(mine["runs"][0])
            lines.append(f"| {case['set']} | {case['mode']} | {first} | {self.gap(mine)} | " + " | ".join(cells) + " |")
        return lines

    def details(self):
        lines = ["| set | mode | alpha | peer | setting | tol | gap | above | solve s | load s | warm-up s |",
                 "|---|---|---:|---|---|---:|---:|---:|---:|---:|---:|"]
        for case in self.content["cases"].values():
            for name, peer in case["peers"].items():
                for kind in ("tuned", "default", "grid"):
                    chosen = peer.get(kind)
                    runs = runs_of(peer, kind) if chosen and "tuned" in peer else []
                    if not chosen or (kind == "default" and runs is peer["runs"].get("tuned")):
                        continue
                    words = self.verdict(chosen, runs)
                    reason = f": {chosen['reason']}" if words in ("failed", "not supported") else ""
                    load = [run["load"] for run in runs if "load" in run]
                    warm = [run["warm_up"] for run in runs if "warm_up" in run]
                    lines.append(
                        f"| {self.where(case)} | {name} ({kind}) | {chosen['setting'] or 'only'} | {chosen['tol']:.0e} | "
                        f"{self.gap(chosen)} | {self.gap(chosen, 'above')} | {words + reason or spread(solved(runs))} | "
                        f"{text(statistics.median(load)) if load else '—'} | {text(statistics.median(warm)) if warm else '—'} |")
        return lines

    def middle(self):
        """Over the cases where both finished and the peer reached the target."""
        lines = []
        for name in self.names(self.lasso):
            ratios, over, short = [], 0, 0
            for case in self.lasso:
                peer, ours = case["peers"].get(name), seconds_of(case["ours"].get("tight", {}))
                if not peer or "tuned" not in peer or not ours:
                    continue
                theirs = solved(runs_of(peer, "tuned"))
                if peer["tuned"]["status"] == "limit":
                    over += 1
                elif theirs and peer["tuned"]["accuracy"] <= self.target:
                    ratios.append(statistics.median(theirs) / statistics.median(ours))
                else:
                    short += 1
            if ratios:
                lines.append(f"- {name}: geometric mean {text(statistics.geometric_mean(ratios))}, from "
                             f"{text(min(ratios))} to {text(max(ratios))}, in {len(ratios)} cases; {over} over the limit, "
                             f"{short} without the target")
        return lines


def write(content, path):
    tables = Tables(content)
    settings, sessions = content["settings"], content["sessions"]
    about = sessions[-1]
    lines = [f"# proxpath beside other solvers, {sessions[0]['date']}", "",
             f"Measured on: {about['processor']}, {about['memory_gb']:g} GB, Linux {about['linux']}; load before the run "
             f"{sessions[0]['load']:.2f}. {settings['threads']} thread(s) for everybody. {about['proxpath']}, sources "
             f"{about['commit'] or 'without git'}. "
             + ", ".join(f"{name} {version}" for name, version in about["versions"].items()) + ".", "",
             f"{settings['lambdas']} lambdas from lambda_max to {settings['min_ratio']:g} lambda_max, the same for all; "
             f"limit {settings['limit_seconds']:g} s a path; generated sets at scale {settings['scale']:g}. Seconds: solve "
             "time, median (least–most). Gap: the worst over the path relative to the null loss, recomputed by "
             "check_fit.py. Bold: the peer's solve time over ours."]
    lines += [f"\n{name} is left out: {reason}." for name, reason in content["missing"].items()]
    lines += ["", "| set | n | p | non-zeros | peers get |", "|---|---:|---:|---:|---|"]
    lines += [f"| {name} | {facts['n']} | {facts['p']} | {facts['nnz']} | {'dense' if facts['dense'] else 'sparse'} |"
              for name, facts in content["sets"].items()]
    if tables.lasso:
        asked = {"gap": "relative gap", "objective": "objective above the best lower bound"}[settings["criterion"]]
        lines += ["", f"## At the same accuracy: {asked} at most {settings['target']:g}", "",
                  "A number in brackets: what a peer got that did not reach the target with any tolerance tried.", ""]
        lines += tables.ratios("tuned", "tight") + [""] + tables.middle()
        lines += ["", f"## Ours at {settings['loose']:g}, peers at their default tolerance", "",
                  "In brackets the gap that the peer's default gives.", ""]
        lines += tables.ratios("default", "loose")
    if tables.ridge:
        lines += ["", "## Ridge", "",
                  "One: a single lambda, the last. All: the peer's solves of all lambdas over our one fit.", ""]
        lines += tables.ridge_table()
    lines += ["", "## The runs", "", "Gap: to the lower bound that the "
              "coefficients prove themselves. Above: the objective above the best lower bound known. Load: reading the "
              "arrays. Warm-up: imports, and a tiny problem of the same type.", ""]
    lines += tables.details()
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
