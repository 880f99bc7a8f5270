#!/bin/sh
# keep_ptxas.sh COMPILER …: runs it; what ptxas says of registers and memory goes into a file beside the object, the
# rest to where it would have gone. Set as CMake's launcher for the kernels (cuda.cmake), read by
# scripts/kernel_table.py.
object=
previous=
for word in "$@"; do
    if [ "$previous" = -o ]; then object=$word; fi
    previous=$word
done
"$@" 2>"$object.ptxas"
status=$?
grep -v -e '^ptxas info' -e '^    [0-9]* bytes stack frame' "$object.ptxas" >&2
exit $status
