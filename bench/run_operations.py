#!/usr/bin/env python3
"""Runs proxpath_bench several times over and writes what it found as JSON and as a table.

    python3 run_operations.py --program BUILD/bench/proxpath_bench [--data FOLDER] [--filter REGEX] [--repetitions 5]

FOLDER holds debian_counts.mtx.xz and hapmap3.mtx.xz; without it only generated matrices are measured. Writes
operations-<date>.json and operations-<date>.md into --results.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="proxpath_bench of a release build")
    parser.add_argument("--data", help="folder with the real data sets")
    parser.add_argument("--filter", default=".", help="regular expression on the names")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--min-time", type=float, default=0.3, help="seconds each repetition takes at least")
    parser.add_argument("--results", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "results"))
    return parser.parse_args()


def measure(options):
    environment = dict(os.environ)
    if options.data:
        environment["PROXPATH_DATA"] = options.data
    command = [options.program, f"--benchmark_filter={options.filter}", "--benchmark_format=json",
               f"--benchmark_repetitions={options.repetitions}", f"--benchmark_min_time={options.min_time}"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("the benchmark program failed")
    return json.loads(done.stdout)


def condense(found):
    """One row for each benchmark: all times, and what does not vary. A wrong answer ends it all."""
    rows = {}
    for run in found["benchmarks"]:
        if run.get("error_occurred"):
            sys.exit(f"{run['name']}: {run['error_message']}")
        if run["run_type"] != "iteration":
            continue
        name = run["run_name"].removesuffix("/real_time")
        row = rows.setdefault(name, {"name": name, "ms": [], "floor_ms": run["floor_ms"]})
        row["ms"].append(run["real_time"])
    return list(rows.values())


def table(report):
    lines = [f"# Operations and readers, {report['date']}", "",
             f"Measured on: {report['context']['processor']}, {report['context']['num_cpus']} cores, "
             f"Linux {report['linux']}; load before the run {report['load']:.2f}; proxpath "
             f"{report['context']['proxpath']}, {report['context']['compiler']}.", ""]
    for key, value in report["context"].items():
        if key.startswith("copy bandwidth"):
            lines.append(f"- {key}: {value}")
    lines += ["", f"{report['repetitions']} repetitions; median (least to most). Floor: the bytes of the table in "
              "host/backend/operations.hpp (of the file, for readers) at the copy bandwidth; share: floor over median. "
              "A share above 1 means that caches serve part of the bytes.", "",
              "| benchmark | ms | floor ms | share |", "|---|---:|---:|---:|"]
    for row in report["benchmarks"]:
        median = statistics.median(row["ms"])
        lines.append(f"| {row['name']} | {median:.3g} ({min(row['ms']):.3g} to {max(row['ms']):.3g}) | "
                     f"{row['floor_ms']:.3g} | {row['floor_ms'] / median:.2g} |")
    return "\n".join(lines) + "\n"


def main():
    options = parse()
    load = os.getloadavg()[0]
    found = measure(options)
    context = found["context"]
    keep = {key: context[key] for key in context
            if key in ("processor", "proxpath", "compiler", "num_cpus") or key.startswith("copy bandwidth")}
    date = datetime.date.today().isoformat()
    report = {"date": date, "linux": platform.release().split("-")[0], "load": load, "repetitions": options.repetitions,
              "context": keep, "benchmarks": condense(found)}
    os.makedirs(options.results, exist_ok=True)
    base = os.path.join(options.results, "operations-" + date)
    with open(base + ".json", "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    with open(base + ".md", "w") as file:
        file.write(table(report))
    print(f"written: {base}.json and .md")


if __name__ == "__main__":
    main()
