# What quickstart.sh and test.sh share: messages, the packages of Debian, a quiet command. Sourced with bash.
set -euo pipefail

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# What the library and the program need, and nothing else.
build_packages=(g++ cmake ninja-build libfmt-dev nlohmann-json3-dev libcli11-dev libeigen3-dev libarchive-dev
    libfast-float-dev libxxhash-dev)

# quietly LOG COMMAND …: runs it with its output in LOG; shows the end of LOG where it fails.
quietly() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    tail -n 30 "$log" >&2
    fail "failed: $* (all of its output: $log)"
}

# install_missing PACKAGE …: installs those that are not there, as root or with sudo; with neither, says what to run.
install_missing() {
    local package missing=() root=()
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian: what these packages of Debian 12 hold must be there already: $*"
        return
    fi
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed* ]] || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "No package is missing."
        return
    fi
    if ((EUID != 0)); then
        # Without a terminal sudo cannot ask for a password.
        if ! command -v sudo >/dev/null || { ! sudo -n true 2>/dev/null && [[ ! -t 0 ]]; }; then
            printf '%s: packages are missing; as root, run\n\n    %s\n\nand start %s again.\n' "$(basename "$0")" \
                "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" "$0" >&2
            exit 1
        fi
        sudo true || fail "sudo was refused"
        root=(sudo)
    fi
    echo "Installing ${#missing[@]} packages and what they need: ${missing[*]}"
    root+=(env DEBIAN_FRONTEND=noninteractive)
    # A package source that does not answer is no failure where the others have everything.
    "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 update >build/apt.log 2>&1 </dev/null ||
        echo "apt-get update complained (build/apt.log); going on with the lists there are"
    quietly build/apt.log "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install -y \
        --no-install-recommends "${missing[@]}"
}
