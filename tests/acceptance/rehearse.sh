#!/usr/bin/env bash
# rehearse.sh SOURCES BUILD WORK: tests/gpu_acceptance.sh on the emulated device, its quick form. Then once more with
# a program that fails, one that hangs and one that is missing: it goes on, and says so.
set -euo pipefail
sources=$1 build=$2 work=$3
rm -rf "$work"
mkdir -p "$work/programs"
fail() {
    printf 'rehearse.sh: %s\n' "$*" >&2
    exit 1
}
# says FILE TEXT …: every text is a part of one of its lines.
says() {
    local file=$1 text
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$file" || { cat "$file"; fail "$file does not say: $text"; }
    done
}

code=0
"$sources/tests/gpu_acceptance.sh" --rehearse --quick --programs "$build" --out "$work/plain" || code=$?
((code == 3)) || { cat "$work/plain/report.md"; fail "exit code $code, where only what needs a GPU is left out"; }
says "$work/plain/report.md" "GPU acceptance: incomplete" "A rehearsal on the emulated device" \
    "| fit/words/emulated | passed |" "| sanitizer/memcheck | absent |" "| transpose_multiply/text/double/k:32 |"
says "$work/plain/report.json" '"verdict": "incomplete"' '"times_faster"' '"of_gather"'

for name in proxpath proxpath_emulated proxpath_emulated_operation_tests proxpath_acceptance; do
    ln -s "$(find "$build" -name "$name" -type f -perm -u+x | head -n 1)" "$work/programs/$name"
done
printf '#!/bin/sh\necho a planted failure\nexit 7\n' >"$work/programs/proxpath_kernel_tests"
chmod +x "$work/programs/proxpath_kernel_tests"
code=0
"$sources/tests/gpu_acceptance.sh" --rehearse --quick --programs "$work/programs" --out "$work/planted" || code=$?
((code == 1)) || fail "exit code $code with a step that fails"
says "$work/planted/report.md" "GPU acceptance: failed" "| tests/kernels | failed |" "a planted failure" \
    "exit code 7" "| bench/kernels | absent |" "| fit/ridge/emulated | passed |"

printf '#!/bin/sh\nexec sleep 60\n' >"$work/programs/proxpath_kernel_tests"
code=0
"$sources/tests/gpu_acceptance.sh" --rehearse --quick --only '^tests/' --limit 8 --programs "$work/programs" \
    --out "$work/late" || code=$?
((code == 1)) || fail "exit code $code with a step that hangs"
says "$work/late/report.md" "GPU acceptance: failed" "| tests/kernels | timed out |" "| tests/operations | not run |"

# Without the program that writes the report there is one all the same.
rm "$work/programs/proxpath_acceptance"
code=0
"$sources/tests/gpu_acceptance.sh" --rehearse --quick --only '^(devices|bench)' --programs "$work/programs" \
    --out "$work/bare" || code=$?
((code == 1)) || fail "exit code $code without a report"
says "$work/bare/report.json" '"name": "devices", "state": "passed"' '"name": "bench/kernels", "state": "absent"'
