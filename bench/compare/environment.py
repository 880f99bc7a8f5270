"""Where the peers live and what they run on: the virtual environment, glmnet's presence, versions, the machine."""

import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys

PACKAGES = ["scikit-learn", "celer", "skglm", "adelie"]
LIST_VERSIONS = """
import importlib.metadata, json, platform, sys
found = {"Python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def peers_python(folder):
    """The Python of the virtual environment, which is made when it is missing."""
    python = os.path.join(folder, "bin", "python")
    if not os.path.exists(python):
        print(f"making the virtual environment {folder}", flush=True)
        # venv lacks pip when the package python3-venv is not there; the message of either command says so.
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    if set(PACKAGES) - set(versions_in(python)):
        print("installing " + ", ".join(PACKAGES), flush=True)
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES])
        if done.returncode:
            # One that cannot be installed must not take the others along.
            for name in PACKAGES:
                subprocess.run([python, "-m", "pip", "install", "--quiet", name])
    return python


def versions_in(python):
    names = [*PACKAGES, "numpy", "scipy", "numba"]
    done = subprocess.run([python, "-c", LIST_VERSIONS, *names], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def missing_peers(python):
    """Peers that cannot run here, each with the reason."""
    have, missing = versions_in(python), {}
    for name in PACKAGES:
        if name not in have:
            missing[name] = "not installed in the virtual environment"
    if not shutil.which("Rscript") or not glmnet_version():
        missing["glmnet"] = "not installed (Debian: apt-get install r-base-core r-cran-glmnet r-cran-matrix)"
    return missing


def glmnet_version():
    done = subprocess.run(["Rscript", "-e", "cat(as.character(packageVersion('glmnet')), as.character(getRversion()))"],
                          capture_output=True, text=True)
    return dict(zip(("glmnet", "R"), done.stdout.split())) if done.returncode == 0 else {}


def output(command, folder=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    return done.stdout.strip() if done.returncode == 0 else ""


def commit(folder):
    """The commit of the sources this script stands in, marked where they differ from it."""
    found = output(["git", "rev-parse", "--short=12", "HEAD"], folder)
    return found + (" and changes" if found and output(["git", "status", "--porcelain", "-uno"], folder) else "")


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"model name\s*: (.*)", file.read())
    return f"{found.group(1) if found else platform.machine()}, {len(os.sched_getaffinity(0))} cores"


def describe(options, python, folder):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "memory_gb": round(memory / 1e9, 1),
        "linux": platform.release().split("-")[0],
        "load": round(os.getloadavg()[0], 2),
        "proxpath": output([options.program, "--version"]),
        "commit": commit(folder),
        "versions": {**versions_in(python), **glmnet_version()},
    }
