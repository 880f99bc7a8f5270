#!/usr/bin/env python3
"""Makes the tables of docs/kernels.md: what each kernel takes of a multiprocessor, and what it moves.

    python3 scripts/kernel_table.py BUILD           writes them
    python3 scripts/kernel_table.py BUILD --check   fails where the page says something else; 77 where it cannot tell

BUILD is a build tree with the CUDA part. What ptxas said of each kernel lies there beside the objects
(cmake/keep_ptxas.sh); what a kernel moves is what the paragraph that its file opens with says. A kernel with a stack
frame or with registers that spill is refused.
"""

import argparse
import glob
import os
import re
import subprocess
import sys

SOURCES = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(SOURCES, "docs", "kernels.md")
BEGIN, END = "<!-- made by scripts/kernel_table.py -->", "<!-- end -->"
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
THREADS = 256  # of a block in every kernel: block_threads in kernels/device.cuh

# Of a multiprocessor (CUDA C++ Programming Guide, "Compute Capabilities"): bytes of shared memory, of which a block
# takes 1 KB more than it asks for. Registers are handed out in units of 256 to a warp.
SHARED_BYTES = {"sm_80": 164 * 1024, "sm_90": 228 * 1024, "sm_100": 228 * 1024}
MOST_THREADS, MOST_BLOCKS, REGISTERS = 2048, 32, 65536


def occupancy(architecture, registers, shared):
    """Share of a multiprocessor's threads that blocks of this kernel can fill."""
    of_warp = -(-registers * 32 // 256) * 256
    blocks = min(MOST_BLOCKS, MOST_THREADS // THREADS, REGISTERS // of_warp // (THREADS // 32),
                 SHARED_BYTES[architecture] // (shared + 1024))
    return blocks * THREADS / MOST_THREADS


def outputs(build):
    """What ptxas said, by source file."""
    found = sorted(glob.glob(os.path.join(build, "CMakeFiles", "proxpath_cuda.dir", "kernels", "*.cu.o.ptxas")))
    sources = glob.glob(os.path.join(SOURCES, "kernels", "*.cu"))
    said = {os.path.basename(file).removesuffix(".o.ptxas"): open(file).read() for file in found}
    missing = sorted({os.path.basename(source) for source in sources} - set(said))
    if missing:
        can_not_tell(f"{build} has no word of ptxas on {', '.join(missing)}: build proxpath_cuda there")
    return {name: said[name] for name in sorted(os.path.basename(source) for source in sources)}


def can_not_tell(why):
    print("skipped: " + why)
    sys.exit(77)


def demangled(names):
    done = subprocess.run(["c++filt"], input="\n".join(names), stdout=subprocess.PIPE, text=True, check=True)
    return dict(zip(names, done.stdout.split("\n")))


def short_name(full):
    """covariance_sweeps_kernel of void proxpath::kernels::(anonymous namespace)::covariance_sweeps_kernel<float>(…)."""
    full = full.replace("(anonymous namespace)", "").removeprefix("void ")
    return re.split(r"[<(]", full)[0].split("::")[-1]


def compiled(said):
    """(mangled name, architecture, registers, shared bytes) of every kernel, and complaints."""
    entry = re.compile(r"Compiling entry function '(\w+)' for '(sm_\d+)'\n.*?"
                       r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads\n"
                       r".*?Used (\d+) registers([^\n]*)", re.S)
    for name, architecture, *frame, registers, rest in entry.findall(said):
        shared = re.search(r"(\d+) bytes smem", rest)
        yield name, architecture, int(registers), int(shared.group(1)) if shared else 0, [int(part) for part in frame]


def what_it_moves(source):
    """The sentences on bytes and numbers of the paragraph that a file opens with."""
    lines = []
    for line in open(os.path.join(SOURCES, "kernels", source), encoding="utf-8"):
        if not line.startswith("//") or line.strip() == "//":
            break
        lines.append(line[2:].strip())
    sentences = re.split(r"(?<=[.:;]) ", " ".join(lines))
    said = [one for one in sentences if re.match(r"(Moves|Reads|Writes|moves|reads|A step|Finishing)\b", one) or
            re.search(r"sizeof|bytes", one)]
    return " ".join(one[0].upper() + re.sub("[;:]$", ".", one[1:]) for one in said)


def spread(numbers):
    least, most = min(numbers), max(numbers)
    return str(least) if least == most else f"{least}–{most}"


def resources(all_said):
    """Rows of the first table. @return lines, complaints"""
    kernels, complaints = {}, []
    for source, said in all_said.items():
        found = list(compiled(said))
        names = demangled([one[0] for one in found]) if found else {}
        for mangled, architecture, registers, shared, frame in found:
            name = short_name(names[mangled])
            if any(frame):
                complaints.append(f"{source}: {name} for {architecture} has a stack frame of {frame[0]} bytes, spills "
                                  f"{frame[1]} and loads {frame[2]}")
            kernels.setdefault((source, name), {}).setdefault(architecture, []).append((registers, shared))
    lines = ["| file | kernel | variants | registers " + " / ".join(ARCHITECTURES) + " | shared bytes | occupancy " +
             " / ".join(ARCHITECTURES) + " |", "|---|---|---:|---:|---:|---:|"]
    for (source, name), of in sorted(kernels.items()):
        if set(of) != set(ARCHITECTURES):
            can_not_tell(f"{source} is compiled for {', '.join(sorted(of))}, not for {', '.join(ARCHITECTURES)}")
        registers = " / ".join(spread([r for r, _ in of[a]]) for a in ARCHITECTURES)
        shared = spread([s for a in ARCHITECTURES for _, s in of[a]])
        filled = " / ".join(spread_percent([occupancy(a, r, s) for r, s in of[a]]) for a in ARCHITECTURES)
        lines.append(f"| {source} | `{name}` | {len(of[ARCHITECTURES[0]])} | {registers} | {shared} | {filled} |")
    return lines, complaints


def spread_percent(shares):
    return spread([round(100 * share) for share in shares]) + " %"


# What a stored entry of X costs, from the opening paragraphs of the files: V bytes of a value, s of a panel's number, k
# columns, t = ceil(k / 32) tiles. Gathered numbers count as if none came twice from memory.
PER_ENTRY = (
    ("transpose_multiply", "t (4 + V) + k s", lambda V, s, k: -(-k // 32) * (4 + V) + k * s),
    ("tile_correlations (correlation pass)", "t (4 + V) + k s", lambda V, s, k: -(-k // 32) * (4 + V) + k * s),
    ("multiply", "t (4 + V) + 16 + k s", lambda V, s, k: -(-k // 32) * (4 + V) + 16 + k * s),
    ("moments", "2 (4 + V + 8), half of it from a cache", lambda V, s, k: 2 * (12 + V)),
    ("gather_columns, of a gathered column", "2 (4 + V)", lambda V, s, k: 2 * (4 + V)),
    ("residual_sweeps, of a feature that moves, a column", "2 (4 + V + 8)", lambda V, s, k: 2 * (12 + V)),
)


def per_entry():
    lines = ["| operation | bytes of an entry | float, k = 1 | float, k = 8 | float, k = 32 | float, k = 100 | "
             "double, k = 32 |", "|---|---|---:|---:|---:|---:|---:|"]
    for name, formula, count in PER_ENTRY:
        figures = [count(4, 8, k) for k in (1, 8, 32, 100)] + [count(8, 8, 32)]
        lines.append(f"| {name} | {formula} | " + " | ".join(str(figure) for figure in figures) + " |")
    return lines


def compiler_of(build):
    for file in glob.glob(os.path.join(build, "CMakeFiles", "*", "CMakeCUDACompiler.cmake")):
        found = re.search(r'CMAKE_CUDA_COMPILER_VERSION "([\d.]+)"', open(file).read())
        if found:
            return found.group(1)
    return can_not_tell(f"{build} has no CUDA compiler")


def tables(build):
    all_said = outputs(build)
    rows, complaints = resources(all_said)
    if complaints:
        sys.exit("\n".join(complaints))
    moved = ["| file | what it moves |", "|---|---|"]
    moved += [f"| {source} | {what_it_moves(source)} |" for source in all_said]
    return [f"nvcc {compiler_of(build)}, blocks of {THREADS} threads.", "", *rows, "", "## Bytes of a stored entry", "",
            "V bytes of a value, s = 8 bytes of a number of a panel, k columns in t = ⌈k / 32⌉ tiles.", "", *per_entry(),
            "", "## What each file moves", "", *moved]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    page = open(PAGE, encoding="utf-8").read()
    before, rest = page.split(BEGIN + "\n")
    old, after = rest.split(END)
    if options.check:
        version = re.search(r"nvcc ([\d.]+)", old)
        if version and version.group(1) != compiler_of(options.build):
            can_not_tell(f"the page is nvcc {version.group(1)}'s, this is {compiler_of(options.build)}")
    new = "\n".join(tables(options.build)) + "\n"
    if not options.check:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(before + BEGIN + "\n" + new + END + after)
    elif new != old:
        sys.exit("docs/kernels.md is not what its kernels are: run scripts/kernel_table.py " + options.build)


if __name__ == "__main__":
    main()
