#!/usr/bin/env bash
# Everything a change has to pass, from a bare Debian 12: installs what is missing, checks the formatting, builds with
# warnings as errors, runs all tests, then the library's tests again under AddressSanitizer with UBSan (and the fuzz
# targets, 20 s each) and under ThreadSanitizer, and plants faults that these must find. Works from any directory; stops
# at the first failure. Where PROXPATH_DATA names a folder of further data sets, they are used.
cd "$(dirname "$(readlink -f "$0")")"
source scripts/common.sh
mkdir -p build

phase=start
table=""
phase_start=0
begin() {
    phase=$1
    phase_start=$SECONDS
    say "$phase"
}
end() { table+=$(printf '%6d s  %s' $((SECONDS - phase_start)) "$phase")$'\n'; }
trap '[[ $? == 0 ]] || printf "\ntest.sh: FAILED at: %s\n" "$phase" >&2' EXIT

jobs=$(nproc)
# With ccache a second run compiles what has changed. In depend mode a first run costs no extra preprocessing.
export CCACHE_DEPEND=1

# build PRESET
build() {
    quietly "build/configure-$1.log" cmake --preset "$1" -DPROXPATH_BUILD_TESTS=ON -DPROXPATH_WERROR=ON \
        -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
    cmake --build --preset "$1" -j "$jobs" # Ninja by itself would take two more, and be slower
}

# run_tests PRESET: the summary of ctest is kept for the end.
run_tests() { "${without_aslr[@]}" ctest --preset "$1" -j "$jobs" 2>&1 | tee "build/ctest-$1.log"; }
summary_of() { grep 'tests passed' "build/ctest-$1.log"; }

# ThreadSanitizer of gcc 12 does not start where a kernel randomises more address bits than it knows.
without_aslr=()
if setarch --addr-no-randomize true 2>/dev/null; then without_aslr=(setarch --addr-no-randomize); fi

begin "packages"
install_missing "${build_packages[@]}" libgtest-dev libgmock-dev libbenchmark-dev pkg-config python3 python3-numpy \
    python3-scipy clang-format ccache
end

begin "formatting"
if [[ $(clang-format --version 2>/dev/null) =~ version\ 14\. ]]; then
    find host include kernels tests examples bench \( -name '*.[ch]pp' -o -name '*.cu' -o -name '*.cuh' \) -print0 | xargs -0 clang-format --dry-run -Werror
else
    echo "skipped: it is clang-format 14 that decides, and it is not here"
fi
end

begin "release build"
build release
end

begin "tests"
run_tests release
end

begin "build with AddressSanitizer and UBSan"
build asan
end

begin "tests with AddressSanitizer and UBSan, and fuzzing"
run_tests asan
end

begin "build with ThreadSanitizer"
build tsan
end

begin "tests with ThreadSanitizer"
run_tests tsan
end

begin "planted faults"
tests/planted_faults/run.py --jobs "$jobs" --tests-have-passed
end

phase=summary
printf '\n%s%6d s  in all\n' "$table" "$SECONDS"
printf 'AddressSanitizer and UBSan: %s\n' "$(summary_of asan)"
printf 'ThreadSanitizer: %s\n' "$(summary_of tsan)"
summary_of release
