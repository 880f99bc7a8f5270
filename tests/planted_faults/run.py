#!/usr/bin/env python3
"""Plants faults into the code, one at a time, and sees that the tests find each of them.

    run.py [--build FOLDER] [--jobs N] [--tests-have-passed] [NAME ...]

A fault is a file NAME.patch beside this program: lines that say what is wrong, by which tests it must be found and in
which build, then a unified diff against the root of the repository (README.md). FOLDER holds the build trees of the
presets (build/asan, build/tsan, …), as test.sh leaves them; default: build in the repository.

Nothing in the repository or in the trees is changed. The patched files are written to FOLDER/planted_faults/NAME, which
stands first in the include path; the sources that the fault touches are compiled with the command that the tree has for
them, and linked in the place of the objects they were made from. The tests that are named also run as they are, and
must pass; test.sh, which has just seen them pass, leaves that out by --tests-have-passed.

Exit code 0 when every fault was found; 1 when one was not, when a patch no longer applies or does not compile, or when
tests fail without any fault.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Seconds. A test that hangs has not found the fault: it has to say what is wrong.
PATIENCE = 200
# What finds a fault says so. A program that could not be started, or that crashed without a word, has found nothing.
FINDINGS = re.compile(
    r": Failure$|^\[  FAILED  \]|ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error: ", re.MULTILINE)


class Problem(Exception):
    """Why a fault could not be planted, or was not found."""


class Fault:
    """A patch file: header, and for every file its hunks as (lines before, lines after)."""

    KEYS = {"Wrong", "Catches", "Program", "Preset", "Compile"}

    def __init__(self, path):
        self.name = path.stem
        self.header = {"Program": "proxpath_kernel_tests", "Preset": "asan"}
        self.files = {}
        hunk = None
        for line in path.read_text().splitlines():
            if line.startswith("--- ") and hunk is None or line.startswith("--- a/"):
                hunk = []
            elif line.startswith("+++ "):
                hunks = self.files.setdefault(line.removeprefix("+++ ").removeprefix("b/").split("\t")[0], [])
            elif line.startswith("@@"):
                hunk = ([], [])
                hunks.append(hunk)
            elif hunk is None and line:
                key, colon, value = line.partition(":")
                if not colon or key not in self.KEYS:
                    raise Problem(f"{path.name}: '{line}' is no line of the header ({', '.join(sorted(self.KEYS))})")
                self.header[key] = value.strip()
            elif hunk is not None:
                if line[:1] != "+":
                    hunk[0].append(line[1:])
                if line[:1] != "-":
                    hunk[1].append(line[1:])
        for key in ("Wrong", "Catches"):
            if key not in self.header:
                raise Problem(f"{path.name}: no line '{key}: …'")
        if not self.files:
            raise Problem(f"{path.name}: no diff")

    def __getattr__(self, name):
        return self.header[name.capitalize()]

    def sources(self):
        """What is compiled: sources the patch touches, and those the header names."""
        touched = [file for file in self.files if not file.endswith((".hpp", ".cuh"))]
        return touched + self.header.get("Compile", "").split()

    def plant(self, folder):
        """Writes the patched files. Lines may have moved, but must be the same."""
        for file, hunks in self.files.items():
            lines = (ROOT / file).read_text().splitlines()
            for before, after in hunks:
                places = [i for i in range(len(lines) - len(before) + 1) if lines[i:i + len(before)] == before]
                if len(places) != 1:
                    raise Problem(f"the patch no longer applies to {file}: its lines are there {len(places)} times")
                lines[places[0]:places[0] + len(before)] = after
            to = folder / file
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_text("\n".join(lines) + "\n")


def run(command, folder, patience=PATIENCE, env=None):
    """Exit code and output; the code is None when it took too long."""
    try:
        done = subprocess.run(command, cwd=folder, shell=isinstance(command, str), env=env, timeout=patience,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace")


class Tree:
    """A build tree: how its files are compiled and its programs linked."""

    def __init__(self, folder):
        self.folder = folder
        code, text = run(["ninja", "-t", "compdb"], folder)
        if code != 0:
            raise Problem(f"{folder} is no build tree: {text.strip()}")
        self.compiled = {}
        for entry in json.loads(text):
            if " -c " in entry["command"]:
                self.compiled.setdefault(entry["file"], []).append(entry)

    def link_command(self, program):
        code, text = run(["ninja", "-t", "commands", program], self.folder)
        if code != 0:
            raise Problem(f"{self.folder} has no program {program}: {text.strip()}")
        return text.splitlines()[-1].removeprefix(": && ").removesuffix(" && :")

    def program(self, name):
        _, _, rest = self.link_command(name).partition(" -o ")
        return rest.split()[0]

    def compile_entry(self, source):
        """The command for a source, and whether the tree compiles it as a part of a larger one."""
        path = str(ROOT / source)
        if path in self.compiled:
            return self.compiled[path][0], False
        for file, entries in self.compiled.items():
            if "/Unity/" in file and f'#include "{path}"' in pathlib.Path(file).read_text():
                return entries[0], True
        raise Problem(f"{self.folder} does not compile {source}")

    def test(self, program, tests, *options):
        without_aslr = ["setarch", "--addr-no-randomize"]  # see test.sh
        if run([*without_aslr, "true"], self.folder)[0] != 0:
            without_aslr = []
        environment = {key: value for key, value in os.environ.items() if not key.startswith("GTEST_")}
        return run([*without_aslr, program, f"--gtest_filter={tests}", "--gtest_brief=1", *options], self.folder,
                   env=environment)


def build(fault, tree, folder):
    """The program with the fault in it."""
    objects = []
    link = tree.link_command(fault.program)
    for source in fault.sources():
        entry, part_of_larger = tree.compile_entry(source)
        patched = folder / source
        if not patched.exists():  # includes a patched header
            patched.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, patched)
        made = folder / (pathlib.Path(source).name + ".o")
        words = shlex.split(entry["command"])
        for option, value in (("-MF", f"{made}.d"), ("-MT", str(made)), ("-o", str(made)), ("-c", str(patched))):
            if option in words:
                words[words.index(option) + 1] = value
        words = [word for word in words if word != "-Werror"]  # a fault may leave a variable unused
        words[words.index("-c"):words.index("-c")] = ["-w", "-g0"]
        first_include = next(i for i, word in enumerate(words) if word.startswith("-I"))
        words.insert(first_include, f"-I{folder}")
        code, text = run(words, tree.folder, 600)
        if code != 0:
            raise Problem(f"{source} does not compile:\n{text}")
        # In front of all others: of inline functions too it is the first definition that counts.
        objects.append(str(made))
        if not part_of_larger:
            link = link.replace(f" {entry['output']} ", " ")
    program = folder / fault.program
    compiler, _, rest = link.partition(" ")
    inputs, _, after = rest.partition(" -o ")
    _, _, libraries = after.partition(" ")
    # Of a larger source only a part is new: the rest has the same names once more.
    code, text = run(f"{compiler} {' '.join(objects)} {inputs} -o {program} -Wl,-z,muldefs,--strip-debug {libraries}",
                     tree.folder, 600)
    if code != 0:
        raise Problem(f"{fault.program} cannot be linked:\n{text}")
    return program


def find(fault, tree, folder):
    """Seconds it took to plant the fault and to find it."""
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    fault.plant(folder)
    program = build(fault, tree, folder)
    built = time.monotonic()
    code, text = tree.test(program, fault.catches, "--gtest_throw_on_failure")  # ends it at once
    if code is None:
        raise Problem(f"the tests ({fault.catches}) do not end; what they said:\n{text[-2000:]}")
    if code == 0 or not FINDINGS.search(text):
        raise Problem(f"not found by {fault.catches} (exit code {code}):\n{text[-2000:]}")
    (folder / "found.txt").write_text(text)
    program.unlink()  # tens of megabytes
    return built - began, time.monotonic() - built


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="folder of the build trees")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="faults at a time")
    parser.add_argument("--tests-have-passed", action="store_true", help="do not run the tests without any fault")
    parser.add_argument("names", nargs="*", help="faults; default: all of them")
    arguments = parser.parse_args()
    build_folder = arguments.build.resolve()
    began = time.monotonic()
    try:
        faults = [Fault(path) for path in sorted(HERE.glob("*.patch"))]
        unknown = set(arguments.names) - {fault.name for fault in faults}
        if unknown:
            raise Problem(f"no such fault: {', '.join(sorted(unknown))}")
        if arguments.names:
            faults = [fault for fault in faults if fault.name in arguments.names]
        trees = {preset: Tree(build_folder / preset) for preset in {fault.preset for fault in faults}}
    except Problem as problem:
        print(f"planted faults: {problem}", file=sys.stderr)
        return 1

    def without_faults(preset, program, tests):
        code, text = trees[preset].test(trees[preset].program(program), tests)
        if code != 0:
            raise Problem(f"without any fault {tests} fails in {preset} (exit code {code}):\n{text[-4000:]}")

    wrong = []
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        found = {pool.submit(find, fault, trees[fault.preset], build_folder / "planted_faults" / fault.name): fault
                 for fault in faults}
        kinds = sorted({(fault.preset, fault.program, fault.catches) for fault in faults})
        plain = [pool.submit(without_faults, *kind) for kind in kinds if not arguments.tests_have_passed]
        for done in concurrent.futures.as_completed([*found, *plain]):
            fault = found.get(done)
            try:
                if fault is None:
                    done.result()
                    continue
                built, tested = done.result()
                print(f"  found  {built:5.1f} s + {tested:4.1f} s  {fault.name}: {fault.wrong}", flush=True)
            except Problem as problem:
                wrong.append(fault.name if fault else "tests that fail without a fault")
                print(f"  WRONG  {fault.name + ': ' if fault else ''}{problem}", flush=True)
    print(f"planted faults: {len(faults)} planted, {len(wrong)} wrong, {time.monotonic() - began:.0f} s")
    for name in wrong:
        print(f"planted faults: {name}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
