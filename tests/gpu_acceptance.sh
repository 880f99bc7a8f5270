#!/usr/bin/env bash
# Everything that can only be learnt on a GPU, in one run of less than eight minutes: all tests on the device, bandwidths
# of copies, gathers and kernels, whole paths against the CPU backend, compute-sanitizer. It goes on after a failure, and
# leaves one JSON file and one page that say what passed, what failed and with which output. Needs bash, the coreutils
# and what it runs: the programs of a build tree, or of a bundle (scripts/make_gpu_bundle.sh), which brings everything
# but NVIDIA's driver.
#
#   tests/gpu_acceptance.sh [--bundle FILE.tar.gz] [--programs DIR] [--out DIR] [--limit SECONDS] [--only REGEX]
#                           [--rehearse [--quick]]
#
#   --bundle    unpacks it into a new folder beside it, and runs what is in there
#   --programs  where the programs are: a bundle's bin, or a build tree (default: bin beside this script, else
#               build/cuda, else build/release)
#   --out       where logs and reports go (default: a new folder in the current one; the reports of a real GPU go to
#               bench/results of the tree that this script is in)
#   --limit     seconds for everything (default 450, a rehearsal 1200); each step has a limit of its own as well
#   --only      steps whose name matches
#   --rehearse  the same steps on the emulated device, with what needs a GPU left out and said; --quick: small tests only
#
# Exit code: 0 everything passed, 1 something failed, 3 something did not run, 2 wrong use.
set -uo pipefail

fail() {
    printf 'gpu_acceptance.sh: %s\n' "$*" >&2
    exit 2
}

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
arguments=("$@")
bundle="" programs="" out="" limit="" only=. rehearse=no quick=no
while (($# > 0)); do
    case $1 in
    --bundle | --programs | --out | --limit | --only)
        (($# > 1)) || fail "$1 wants a value"
        declare "${1#--}=$2"
        shift 2
        ;;
    --rehearse | --quick)
        declare "${1#--}=yes"
        shift
        ;;
    *) fail "unknown argument $1" ;;
    esac
done
# The emulated device takes its time.
if [[ -z $limit ]]; then [[ $rehearse == yes ]] && limit=1200 || limit=450; fi
[[ $limit =~ ^[0-9]+$ ]] || fail "--limit wants a number of seconds"

if [[ -n $bundle ]]; then
    [[ -f $bundle ]] || fail "$bundle is not there"
    folder=$(mktemp -d "$(dirname "$(readlink -f "$bundle")")/proxpath-gpu.XXXXXX") || fail "no folder beside $bundle"
    tar -xzf "$bundle" -C "$folder" --strip-components=1 || fail "$bundle cannot be unpacked"
    printf 'unpacked into %s\n' "$folder"
    inner=()
    for ((i = 0; i < ${#arguments[@]}; ++i)); do
        if [[ ${arguments[i]} == --bundle ]]; then ((++i)); else inner+=("${arguments[i]}"); fi
    done
    exec "$folder/gpu_acceptance.sh" "${inner[@]}"
fi

tree=$here/..
if [[ -d $here/bin ]]; then tree=$here; fi
if [[ -z $programs ]]; then
    for programs in "$here/bin" "$here/../build/cuda" "$here/../build/release" ""; do
        [[ -n $programs && -d $programs ]] && break
    done
fi
[[ -n $programs && -d $programs ]] || fail "no programs: build them, or name their folder by --programs"

# program NAME: where it is, or nothing.
program() {
    local found
    found=$(find -L "$programs" -name "$1" -type f -perm -u+x -print 2>/dev/null | sort)
    printf '%s' "${found%%$'\n'*}"
}

# data NAME: one of the small sets that come with the project, in a bundle or in the tree.
data() {
    if [[ -d $tree/source ]]; then printf '%s' "$tree/source/tests/data/$1"; else printf '%s' "$tree/tests/data/$1"; fi
}

begin=$SECONDS
date=$(date +%F)
work=${out:-$PWD/gpu-acceptance-$(date +%Y%m%d-%H%M%S)}
mkdir -p "$work/data" || fail "$work cannot be made"
work=$(cd "$work" && pwd)
: >"$work/steps.tsv"

# record NAME KIND STATE EXIT SECONDS LIMIT LOG COMMAND: no tab or line break may be in a field, and none empty.
record() {
    local field line=""
    for field in "$@"; do
        field=${field//[$'\t\n']/ }
        line+=${field:--}$'\t'
    done
    printf '%s\n' "${line%$'\t'}" >>"$work/steps.tsv"
    printf '%-9s %6s s  %s\n' "$3" "$5" "$1"
}

# milliseconds since some start; bash has no fractions.
clock_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    printf '%s' $((now / 1000))
}

# step NAME KIND LIMIT COMMAND …: runs it with its output in a log, and never ends the script.
step() {
    local name=$1 kind=$2 own=$3 left log state code start taken
    shift 3
    [[ $name =~ $only ]] || return 0
    log=$work/${name//\//_}.log
    left=$((limit - (SECONDS - begin)))
    # A step that cannot get a quarter of its time would say nothing but that.
    if ((left < 5 || left * 4 < own)); then
        : >"$log"
        record "$name" "$kind" "not run" 0 0.0 "$own" "$log" "$*"
        return 0
    fi
    if [[ -z $1 || ! -x $(command -v "$1") ]]; then
        printf 'there is no such program here\n' >"$log"
        record "$name" "$kind" absent 127 0.0 "$own" "$log" "$*"
        return 0
    fi
    ((own > left)) && own=$left
    start=$(clock_ms)
    timeout --kill-after=5 "$own" "$@" >"$log" 2>&1 </dev/null
    code=$?
    taken=$(($(clock_ms) - start))
    case $code in
    0) state=passed ;;
    124 | 137) state="timed out" ;;
    *) state=failed ;;
    esac
    record "$name" "$kind" "$state" "$code" "$((taken / 1000)).$((taken % 1000 / 100))" "$own" "$log" "$*"
}

# left_out NAME KIND REASON: a step that this run cannot have.
left_out() {
    [[ $1 =~ $only ]] || return 0
    printf '%s\n' "$3" >"$work/${1//\//_}.log"
    record "$1" "$2" absent 0 0.0 0 "$work/${1//\//_}.log" "$3"
}

# tests NAME LIMIT PROGRAM FILTER
tests() {
    step "$1" tests "$2" "$(program "$3")" "--gtest_filter=$4" "--gtest_output=json:$work/${1//\//_}.json" \
        --gtest_brief=1
}

# bench NAME LIMIT PROGRAM ARGUMENTS …
bench() {
    local name=$1 own=$2 which=$3
    shift 3
    step "$name" bench "$own" "$(program "$which")" "$@" "--benchmark_out=$work/${name//\//_}.json" \
        --benchmark_out_format=json
}

# fits SET LIMIT FILE OPTIONS …: the same problem on both devices.
fits() {
    local set=$1 own=$2 file=$3
    shift 3
    mkdir -p "$work/fit/$set"
    step "fit/$set/cpu" fit "$own" "$(program "$fit_program")" fit "$file" --device cpu --out "$work/fit/$set/cpu" \
        --tol 1e-6 "$@"
    step "fit/$set/$device" fit "$own" "$(program "$fit_program")" fit "$file" --device "$device" \
        --out "$work/fit/$set/$device" --tol 1e-6 "$@"
}

# The typed suites run every backend in turn; the last two of four types are the device's.
on_device='*/2.*:*/3.*:*/4.*:*/5.*'

if [[ $rehearse == yes ]]; then
    device=emulated fit_program=proxpath_emulated
    kernel_filter='*' typed_filter=$on_device tests_limit=500
    if [[ $quick == yes ]]; then
        kernel_filter='Emulation*' typed_filter='BackendPanels/2.*:BackendPanels/3.*' tests_limit=20
    fi
    step devices devices 30 "$(program proxpath)" devices --json
    tests tests/kernels "$tests_limit" proxpath_kernel_tests "$kernel_filter"
    tests tests/operations "$tests_limit" proxpath_emulated_operation_tests "$typed_filter"
    step data other 60 "$(program proxpath_acceptance)" data "$work/data" tiny
    fits words 60 "$work/data/words.svm" --n-lambda 8
    fits tall 60 "$work/data/tall.svm" --n-lambda 8 --alpha 0.5
    fits ridge 60 "$work/data/words.svm" --n-lambda 4 --alpha 0
    bench bench/kernels 120 proxpath_emulated_bench --tiny --benchmark_min_time=0.000001
    left_out bench/peers bench "cuSPARSE and cuBLAS need a GPU"
    for tool in memcheck racecheck synccheck initcheck; do
        left_out "sanitizer/$tool" sanitizer "compute-sanitizer needs a GPU"
    done
else
    device=cuda fit_program=proxpath
    step devices devices 30 "$(program proxpath)" devices --json
    tests tests/kernels 90 proxpath_gpu_tests '*'
    tests tests/operations 90 proxpath_gpu_operation_tests "$on_device"
    bench bench/kernels 100 proxpath_gpu_bench --benchmark_min_time=0.02
    step data other 30 "$(program proxpath_acceptance)" data "$work/data" full
    fits debian_tfidf 40 "$(data debian_tfidf.svm.xz)" --lambda-min-ratio 0.01
    fits words 40 "$work/data/words.svm"
    fits words_plain 40 "$work/data/words.svm" --no-intercept --no-standardize
    fits tall 40 "$work/data/tall.svm"
    fits tall_net 40 "$work/data/tall.svm" --alpha 0.5
    fits tall_ridge 40 "$work/data/tall.svm" --alpha 0
    bench bench/peers 60 proxpath_peers_bench --benchmark_min_time=0.02
    # Under it everything takes ten to a hundred times as long: one type, small shapes, each tool what it is for.
    sanitizer=$(command -v compute-sanitizer || printf '%s' "${CUDA_HOME:-/usr/local/cuda}/bin/compute-sanitizer")
    for tool in memcheck racecheck synccheck initcheck; do
        if [[ ! -x $sanitizer ]]; then
            left_out "sanitizer/$tool" sanitizer "there is no compute-sanitizer: it comes with the CUDA toolkit"
        else
            step "sanitizer/$tool" sanitizer 60 "$sanitizer" --tool "$tool" --error-exitcode 99 \
                "$(program proxpath_gpu_operation_tests)" '--gtest_filter=BackendPanels/3.*:BackendProducts/3.*:BackendSteps/3.*' \
                --gtest_brief=1
        fi
    done
fi

# The page and the file. What the run was, in words that need no parsing.
reported=$work/report
if [[ $rehearse == no ]]; then
    name=$("$(program proxpath)" devices --json 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",*$/\1/p' | head -n 1)
    name=$(printf '%s' "${name:-no-device}" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-' | tr -s -)
    if [[ $name != no-device ]]; then
        mkdir -p "$tree/bench/results"
        reported=$tree/bench/results/$date-$name
    fi
fi
processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null)
printf '%s\t%s\n' date "$date" rehearsal "$rehearse" seconds "$((SECONDS - begin))" limit_s "$limit" \
    processor "${processor%%$'\n'*}" cores "$(nproc)" kernel "$(uname -r | cut -d- -f1)" >"$work/run.tsv"
"$(program proxpath_acceptance)" report "$work" "$reported" 2>"$work/report.log"
verdict=$?
if ((verdict != 0 && verdict != 1 && verdict != 3)); then
    # Whatever keeps the program from running: the steps are known all the same.
    {
        printf '# GPU acceptance: no report\n\nproxpath_acceptance did not write one: %s\n\n' "$(cat "$work/report.log")"
        sed 's/\t/ | /g; s/^/| /; s/$/ |/' "$work/steps.tsv"
    } >"$reported.md"
    {
        printf '{"verdict": "failed", "steps": ['
        separator=""
        while IFS=$'\t' read -r name _ state code seconds _; do
            printf '%s\n {"name": "%s", "state": "%s", "exit": %s, "seconds": %s}' "$separator" "$name" "$state" \
                "$code" "$seconds"
            separator=,
        done <"$work/steps.tsv"
        printf '\n]}\n'
    } >"$reported.json"
    verdict=1
fi
case $verdict in
0) said="everything passed" ;;
1) said="something FAILED" ;;
*) said="nothing failed, but something did not run" ;;
esac
printf '\n%s, %d s: %s.md and .json; logs in %s\n' "$said" $((SECONDS - begin)) "$reported" "$work"
exit "$verdict"
