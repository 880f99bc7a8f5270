#!/usr/bin/env python3
"""Reads the same files with proxpath, scipy.io.mmread and scikit-learn's load_svmlight_file, side by side.

    /usr/bin/python3 compare_reading.py --program BUILD/bench/proxpath_read_file --data FOLDER [--runs 5]

FOLDER holds debian_counts.mtx.xz, hapmap3.mtx.xz and their responses. The uncompressed .mtx and .svm files are made in
a temporary folder, which also puts them into the page cache. Every reading is a process of its own; the readers take
turns. The matrices are compared entry by entry. Needs scipy and scikit-learn; --peer-python names a further Python
whose versions of them are measured as well. Writes reading-<date>.json and reading-<date>.md into --results.

A reading's time excludes the start of its process and imports. Memory is proxpath's: how far the resident memory rose
while reading, against what is stored in the end.
"""

import argparse
import datetime
import json
import lzma
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

# Run by the peers' Python: reads, prints {"seconds", "scipy" or "sklearn"}, and with a third argument saves the matrix.
PEER = """
import json, sys, time
path, save = sys.argv[1], sys.argv[2]
import numpy, scipy, scipy.io, scipy.sparse
version = {"numpy": numpy.__version__, "scipy": scipy.__version__, "python": sys.version.split()[0]}
if path.endswith(".svm"):
    import sklearn
    from sklearn.datasets import load_svmlight_file
    version["scikit-learn"] = sklearn.__version__
    begin = time.perf_counter()
    X, y = load_svmlight_file(path, zero_based=False)
    seconds = time.perf_counter() - begin
else:
    begin = time.perf_counter()
    X, y = scipy.io.mmread(path), None
    seconds = time.perf_counter() - begin
if save:
    X = scipy.sparse.csc_matrix(X)
    X.sort_indices()
    X.eliminate_zeros()
    with open(save, "wb") as file:
        for part in (X.indptr.astype("<i8"), X.indices.astype("<i8"), X.data.astype("<f8")):
            part.tofile(file)
        if y is not None:
            y.astype("<f8").tofile(file)
print(json.dumps({"seconds": seconds, "versions": version}))
"""

SETS = {"debian_counts": "debian_y.mtx.gz", "hapmap3": "hapmap3_y.mtx"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="proxpath_read_file of a release build")
    parser.add_argument("--data", required=True, help="folder with the data sets")
    parser.add_argument("--runs", type=int, default=5, help="readings by each reader (default 5)")
    parser.add_argument("--python", default=sys.executable, help="Python of the peers (default: this one)")
    parser.add_argument("--peer-python", help="a further Python to measure")
    parser.add_argument("--results", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "results"))
    return parser.parse_args()


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def read_with_us(options, path, *more):
    return output_of([options.program, path, *more])


def read_with_peer(python, path, save=""):
    return output_of([python, "-c", PEER, path, save])


def make_files(options, folder):
    """Uncompressed copies; the .svm is written from the .mtx by the peers' Python."""
    write_svm = """
import sys, gzip, numpy, scipy.io
from sklearn.datasets import dump_svmlight_file
X = scipy.io.mmread(sys.argv[1]).tocsr()
opened = gzip.open(sys.argv[2], "rt") if sys.argv[2].endswith(".gz") else open(sys.argv[2])
lines = [line for line in opened if not line.startswith("%")][1:]
y = numpy.array([float(line) for line in lines])
dump_svmlight_file(X, y, sys.argv[3], zero_based=False)
scipy.sparse.save_npz(sys.argv[4], X.tocsc())
"""
    files = []
    for name, response in SETS.items():
        mtx, svm, npz = (os.path.join(folder, name + suffix) for suffix in (".mtx", ".svm", ".npz"))
        packed = os.path.join(options.data, name + ".mtx.xz")
        with lzma.open(packed) as source, open(mtx, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        done = subprocess.run([options.python, "-c", write_svm, mtx, os.path.join(options.data, response), svm, npz],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"the svmlight file could not be made:\n{done.stderr}")
        copy = os.path.join(folder, name + ".mtx.xz")
        shutil.copyfile(packed, copy)
        files += [(mtx, True), (svm, True), (copy, False), (npz, False)]
    return files


def make_warm_ups(folder):
    """Small files of each kind, so that code loaded on first use does not count as memory of the reading."""
    small = {".svm": b"1 1:2 3:4\n2 2:1\n",
             ".mtx": b"%%MatrixMarket matrix coordinate integer general\n3 3 2\n1 1 2\n2 3 4\n"}
    paths = {}
    for suffix, text in small.items():
        paths[suffix] = os.path.join(folder, "small" + suffix)
        with open(paths[suffix], "wb") as file:
            file.write(text)
    paths[".mtx.xz"] = os.path.join(folder, "small.mtx.xz")
    with lzma.open(paths[".mtx.xz"], "wb") as file:
        file.write(small[".mtx"])
    return paths


def same_content(a, b):
    if os.path.getsize(a) != os.path.getsize(b):
        return False
    with open(a, "rb") as first, open(b, "rb") as second:
        while True:
            left, right = first.read(1 << 20), second.read(1 << 20)
            if left != right:
                return False
            if not left:
                return True


def compare(options, folder):
    peers = {"Debian" if options.python == "/usr/bin/python3" else "peer": options.python}
    if options.peer_python:
        peers["newer"] = options.peer_python
    files = make_files(options, folder)
    warm_ups = make_warm_ups(folder)
    rows = []
    for path, timed in files:
        name = os.path.basename(path)
        suffix = name[name.index("."):]
        more = ["--warm-up", warm_ups[suffix]] if suffix in warm_ups else []
        ours = [read_with_us(options, path, *more)]  # also puts the file into the page cache
        row = {"file": name, "bytes": os.path.getsize(path), "rows": ours[0]["rows"], "cols": ours[0]["cols"],
               "nnz": ours[0]["nnz"], "stored_bytes": ours[0]["stored_bytes"]}
        theirs = {peer: [] for peer in peers} if timed else {}
        if timed:
            dumped, saved = os.path.join(folder, "ours"), os.path.join(folder, "theirs")
            read_with_us(options, path, "--dump", dumped)
            read_with_peer(options.python, path, saved)
            row["equal"] = same_content(dumped, saved)
            os.remove(dumped)
            os.remove(saved)
            if not row["equal"]:
                sys.exit(f"{name}: the matrices differ; nothing is reported")
        for _ in range(options.runs):
            ours.append(read_with_us(options, path, *more))
            for peer, python in peers.items():
                if timed:
                    theirs[peer].append(read_with_peer(python, path))
        row["proxpath_s"] = [run["seconds"][0] for run in ours[1:]]
        row["peak_bytes"] = max(run["peak_bytes"] for run in ours)
        row["peers"] = {peer: {"seconds": [run["seconds"] for run in runs], "versions": runs[0]["versions"]}
                        for peer, runs in theirs.items()}
        rows.append(row)
        print(describe(row), flush=True)
    return rows


def describe(row):
    ours = statistics.median(row["proxpath_s"])
    text = f"{row['file']}: proxpath {ours:.3f} s"
    for peer, of in row["peers"].items():
        theirs = statistics.median(of["seconds"])
        text += f", {peer} {theirs:.3f} s ({theirs / ours:.1f} times)"
    return text + f"; peak {row['peak_bytes'] / 1e6:.1f} MB for {row['stored_bytes'] / 1e6:.1f} MB stored"


def processor():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"model name\s*: (.*)", file.read())
    return f"{found.group(1) if found else platform.machine()}, {len(os.sched_getaffinity(0))} cores"


def table(report):
    lines = [f"# Reading, side by side, {report['date']}", "",
             f"Measured on: {report['processor']}, Linux {report['linux']}; load before the run {report['load']:.2f}.",
             f"{report['runs']} readings by each reader, taking turns, each a process of its own, file in the page cache; "
             "median (least to most). The matrices were compared entry by entry and are equal.", ""]
    for peer, versions in report["versions"].items():
        lines.append(f"- {peer}: " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    peers = list(report["versions"])
    lines += ["", "| file | MB | non-zeros | proxpath s | " +
              " | ".join(f"{peer} s | {peer} / proxpath" for peer in peers) + " |",
              "|---|---:|---:|---:|" + "---:|---:|" * len(peers)]

    def spread(seconds):
        return f"{statistics.median(seconds):.3f} ({min(seconds):.3f} to {max(seconds):.3f})"

    for row in report["files"]:
        cells = [row["file"], f"{row['bytes'] / 1e6:.1f}", str(row["nnz"]), spread(row["proxpath_s"])]
        for peer in peers:
            if peer in row["peers"]:
                seconds = row["peers"][peer]["seconds"]
                cells += [spread(seconds), f"{statistics.median(seconds) / statistics.median(row['proxpath_s']):.1f}"]
            else:
                cells += ["", ""]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "Memory while proxpath reads. Peak: how far resident memory rose. Stored: the matrix and the responses. "
              "Beyond 1.5 × stored: what windows of text, sorted entries and the decompressor (8 MiB for xz -6) take; "
              "negative where all of it stays within.", "",
              "| file | stored MB | peak MB | peak / stored | beyond 1.5 × stored, MB |", "|---|---:|---:|---:|---:|"]
    for row in report["files"]:
        stored, peak = row["stored_bytes"], row["peak_bytes"]
        lines.append(f"| {row['file']} | {stored / 1e6:.1f} | {peak / 1e6:.1f} | {peak / stored:.2f} | "
                     f"{(peak - 1.5 * stored) / 1e6:.1f} |")
    return "\n".join(lines) + "\n"


def main():
    options = parse()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="proxpath_reading.") as folder:
        rows = compare(options, folder)
    versions = {}
    for row in rows:
        for peer, of in row["peers"].items():
            versions.setdefault(peer, {}).update(of["versions"])
    date = datetime.date.today().isoformat()
    report = {"date": date, "processor": processor(), "linux": platform.release().split("-")[0], "load": load, "runs": options.runs,
              "versions": versions, "files": rows}
    os.makedirs(options.results, exist_ok=True)
    base = os.path.join(options.results, "reading-" + date)
    with open(base + ".json", "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    with open(base + ".md", "w") as file:
        file.write(table(report))
    print(f"written: {base}.json and .md")


if __name__ == "__main__":
    main()
