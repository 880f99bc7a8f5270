#!/usr/bin/env python3
"""Predicts what kernels and whole paths take on GPUs, and writes the tables of docs/gpu-performance.md.

    python3 bench/gpu/model.py                           writes them
    python3 bench/gpu/model.py --check                   fails where the page says something else
    python3 bench/gpu/model.py --collect NAME SUMMARY ENTRY
                                                         takes the account of a fit into model_paths.json; ENTRY: bytes
                                                         of a stored entry on the device, 8 or 12

Devices are described by what their makers publish; what nobody publishes is assumed, by one number each, below. The
acceptance script (tests/gpu_acceptance.sh) measures all of it: until then nothing here is more than a prediction. Paths
are predicted from accounts of fits on the CPU: how many columns went through how much of X, in how large a working set.
"""

import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "gpu-performance.md")
PATHS = os.path.join(HERE, "model_paths.json")
BEGIN, END = "<!-- made by bench/gpu/model.py: {} -->", "<!-- end -->"
MB, GB, TB = 1e6, 1e9, 1e12

# Published: memory bytes/s, second-level cache bytes, float64 operations/s (without tensor cores), PCIe bytes/s one way
# by generation and 16 lanes (3.938 GB/s a lane for 5.0, half of it for 4.0). Usable cache: DESIGN of the kernels.
DEVICES = {
    # NVIDIA A100 Tensor Core GPU datasheet (80GB SXM): 2,039 GB/s, 9.7 TFLOPS, PCIe 4; architecture whitepaper: 40 MB.
    "A100 80GB SXM": dict(memory=2039 * GB, cache=40 * MB, usable=28 * MB, flops=9.7 * TB, pcie=31.5 * GB),
    # NVIDIA H100 Tensor Core GPU datasheet (SXM): 3.35 TB/s, 34 TFLOPS, PCIe 5; architecture whitepaper: 50 MB.
    "H100 SXM": dict(memory=3350 * GB, cache=50 * MB, usable=37 * MB, flops=34 * TB, pcie=63 * GB),
    # NVIDIA H200 Tensor Core GPU datasheet (SXM): 4.8 TB/s, 34 TFLOPS, PCIe 5; cache as H100.
    "H200 SXM": dict(memory=4800 * GB, cache=50 * MB, usable=40 * MB, flops=34 * TB, pcie=63 * GB),
    # NVIDIA Ada GPU architecture whitepaper (GeForce RTX 4090): 1,008 GB/s, 72 MB, 82.6 TFLOPS in float and a 64th of it
    # in double, PCIe 4.
    "RTX 4090": dict(memory=1008 * GB, cache=72 * MB, usable=64 * MB, flops=82.6 / 64 * TB, pcie=31.5 * GB),
}

# Assumed. COPY: share of the memory's published rate that a copy reaches. FAR: share that rows of 256 bytes and more
# reach in random order. NEAR: rows that the second-level cache holds, in units of the memory's rate: an A100 has 5,120
# bytes a clock from it (architecture whitepaper), 3.5 times its memory; half of that. LINK: of PCIe. LAUNCH: seconds
# from one small kernel of a stream to the next. LOOK: a wait of the host with a few numbers to copy.
COPY, FAR, NEAR, LINK, LAUNCH, LOOK = 0.9, 0.7, 1.75, 0.8, 2.5e-6, 15e-6


def gather_rate(device, panel_bytes):
    return device["memory"] * (NEAR if panel_bytes <= device["usable"] else FAR)


def predicted(device, read=0.0, gathered=0.0, panel=0.0, flops=0.0, launches=1):
    """Seconds: bytes in order and bytes by gather share the memory system, arithmetic goes on beside them."""
    memory = read / (COPY * device["memory"]) + gathered / gather_rate(device, panel)
    return max(memory, flops / device["flops"]) + launches * LAUNCH


def tiles(k):
    return -(-k // 32)


def product(device, nnz, entry, rows_in, rows_out, k, s=8, launches=2):
    """X'R (rows_in = n, rows_out = p) and XB the other way round."""
    return predicted(device, nnz * entry * tiles(k) + rows_out * k * s, nnz * k * s, rows_in * k * s, 2 * nnz * k,
                     launches)


# The matrices of bench/gpu/products.cpp.
TEXT = dict(n=40_000, p=30_000, nnz=2_400_000, entry=8)
EVEN = dict(n=1_000_000, p=10_000, nnz=20_000_000, entry=12)


def operation_rows(device):
    """(name as the benchmark has it, seconds)"""
    for name, X, widths in (("text", TEXT, (1, 8, 32, 64, 100, 128)), ("even", EVEN, (8, 32, 100))):
        for k in widths:
            yield f"transpose_multiply/{name}/double/k:{k}", product(device, X["nnz"], X["entry"], X["n"], X["p"], k)
        yield f"multiply/{name}/double/k:32", product(device, X["nnz"], X["entry"] + 16, X["p"], X["n"], 32)
    for p, k in ((6000, 1), (6000, 32)):
        yield (f"symmetric_multiply/p:{p}/k:{k}",
               predicted(device, p * p * 8 + 2 * p * k * 8, flops=2 * p * p * k, launches=2))
    # A block for each column reads all of C, from the second-level cache where it fits: 32 MB.
    for k in (8, 32):
        yield (f"covariance_sweeps/p:2000/k:{k}",
               predicted(device, gathered=k * 2000 * 2000 * 8, panel=2000 * 2000 * 8, flops=2 * k * 2000 * 2000))
    cells = 1_000_000 * 32 * 8
    for name, panels, launches in (("prox_step", 4, 4), ("extrapolated_residual", 4, 1), ("column_dots", 2, 4),
                                   ("residual_dots", 1, 4), ("penalty_sums", 2, 3), ("compact", 1.5, 1)):
        yield f"{name}/double/k:32", predicted(device, panels * cells, launches=launches)


def rounds_of(summary):
    return [{"lambdas": each["lambdas"], "share": each["share_read"], "working_set": each["working_set"],
             "added": each["candidates"], "iterations": each["iterations"],
             "gram": each["method"] is not None and "gram" in str(each["method"]).lower()}
            for each in summary["account"]]


def collect(name, file, entry):
    with open(file) as opened:
        summary = json.load(opened)
    paths = json.load(open(PATHS)) if os.path.exists(PATHS) else {}
    paths[name] = {"n": summary["n"], "p": summary["p"], "nnz": summary["nnz"], "entry": int(entry), "lambdas": summary["n_lambda"],
                   "passes": summary["passes"], "largest_rel_gap": summary["largest_rel_gap"],
                   "rounds": rounds_of(summary)}
    with open(PATHS, "w") as opened:
        json.dump(paths, opened, indent=1)
        opened.write("\n")


# Steps of conjugate gradients that a Newton step of a whole batch takes: 7 to 100 were counted in prototypes.
CG_STEPS = 20


def path_seconds(device, path, streamed):
    """Predicted seconds of a path by part. Looks: a handful for each round, one for each iteration of a batch."""
    n, nnz, entry = path["n"], path["nnz"], path["entry"]
    length = nnz / path["p"]
    link = nnz * entry / (LINK * device["pcie"])
    prepare = 3 * max(product(device, nnz, entry, n, path["p"], 1), link if streamed else 0)
    certify = gather = gram = inner = 0.0
    for each in path["rounds"]:
        k, W, added = each["lambdas"], each["working_set"], each["added"]
        work = each["share"] * product(device, nnz, entry, n, path["p"], k, launches=18)
        certify += max(work, link if streamed else 0) + 4 * LOOK
        gather += predicted(device, 2 * added * length * entry + 2 * nnz * 4, launches=10) + 2 * LOOK
        steps = -(-each["iterations"] // k)
        if each["gram"]:
            # Each new column meets the entries of the working set in its own rows: 16 bytes a product, from the cache.
            products = added * length * W * min(1.0, length / n * 3)
            gram += predicted(device, gathered=16 * products, panel=0, flops=2 * products, launches=6)
            one = predicted(device, gathered=tiles(k) * W * W * 8, panel=W * W * 8, flops=2 * W * W * k, launches=6)
        else:
            entries = W * length
            one = 2 * product(device, entries, entry, n, W, k, launches=5)
        inner += steps * (CG_STEPS * one + 2 * LOOK)
    return {"prepare": prepare, "certify": certify, "gather": gather, "gram": gram, "inner": inner}


def milliseconds(seconds):
    return f"{1e3 * seconds:.3g}"


def device_table():
    lines = ["| device | memory GB/s | cache MB (usable) | float64 TFLOPS | PCIe GB/s |", "|---|---:|---:|---:|---:|"]
    for name, one in DEVICES.items():
        lines.append(f"| {name} | {one['memory'] / GB:.0f} | {one['cache'] / MB:.0f} ({one['usable'] / MB:.0f}) | "
                     f"{one['flops'] / TB:.3g} | {one['pcie'] / GB:.3g} |")
    return lines


def operation_table():
    lines = ["| job | " + " | ".join(f"{name}, predicted µs" for name in DEVICES) + " |",
             "|---|" + "---:|" * len(DEVICES)]
    columns = [dict(operation_rows(device)) for device in DEVICES.values()]
    for name in columns[0]:
        lines.append(f"| {name} | " + " | ".join(f"{1e6 * column[name]:.3g}" for column in columns) + " |")
    return lines


def path_table():
    lines = ["| path | n | p | non-zeros | passes | column-passes, at most | where X is | " +
             " | ".join(f"{name}, predicted ms (inner)" for name in DEVICES) + " |",
             "|---|---:|---:|---:|---:|---:|---|" + "---:|" * len(DEVICES)]
    for name, path in json.load(open(PATHS)).items():
        # At most: a pass looks at every feature with one column, and at those that this leaves open with the others.
        columns = sum(each["share"] * each["lambdas"] for each in path["rounds"])
        for streamed in (False, True):
            cells = []
            for device in DEVICES.values():
                parts = path_seconds(device, path, streamed)
                cells.append(f"{milliseconds(sum(parts.values()))} ({milliseconds(parts['inner'])})")
            lines.append(f"| {name} | {path['n']} | {path['p']} | {path['nnz']} | {path['passes']} | {columns:.0f} | "
                         f"{'streamed' if streamed else 'resident'} | " + " | ".join(cells) + " |")
    return lines


def with_tables(page):
    for name, table in (("devices", device_table), ("operations", operation_table), ("paths", path_table)):
        begin = BEGIN.format(name)
        before, rest = page.split(begin + "\n")
        page = before + begin + "\n" + "\n".join(table()) + "\n" + END + rest.split(END, 1)[1]
    return page


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--collect", nargs=3, metavar=("NAME", "SUMMARY", "ENTRY"))
    options = parser.parse_args()
    if options.collect:
        return collect(*options.collect)
    with open(PAGE, encoding="utf-8") as file:
        old = file.read()
    new = with_tables(old)
    if not options.check:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(new)
    elif new != old:
        sys.exit("docs/gpu-performance.md has other tables: run bench/gpu/model.py")


if __name__ == "__main__":
    main()
