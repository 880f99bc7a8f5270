#!/usr/bin/env bash
# In a bundle of scripts/make_gpu_bundle.sh, where nvcc is: compiles the kernels in source/ for the GPU that is there, and
# links the programs of bin/ anew with them. Everything else comes from objects/, so no development package is needed.
#
#   cd proxpath-gpu && source/scripts/rebuild_kernels.sh [ARCHITECTURE]     (default: native; else for example sm_90)
set -euo pipefail
bundle=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
cd "$bundle"
nvcc=$(command -v nvcc || echo "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc")
[[ -d objects && -x $nvcc ]] || {
    echo "rebuild_kernels.sh: this needs nvcc, and a bundle with objects" >&2
    exit 1
}
architecture=${1:-native}
compiled=$bundle/objects/compiled
mkdir -p "$compiled"
for file in source/kernels/*.cu source/host/backend/cuda/device_code.cu source/bench/gpu/row_gather.cu; do
    printf '%s\0' "$file"
done | xargs -0 -P "$(nproc)" -I{} sh -c \
    '"$1" -c -O3 -std=c++20 -arch="$2" -Xcompiler=-fPIC,-fvisibility=hidden -I source -I source/include \
        -I source/kernels/nvcc -o "$3/$(basename "$4").o" "$4"' compile "$nvcc" "$architecture" "$compiled" {}
kernels=()
for object in "$compiled"/*.o; do
    [[ $object == */row_gather.cu.o ]] || kernels+=("$object")
done
"$nvcc" -shared -o bin/libproxpath_cuda.so objects/libproxpath_cuda.so.o "${kernels[@]}" \
    -Xlinker --version-script=source/cmake/backend_symbols.map
for name in proxpath_gpu_tests proxpath_gpu_operation_tests; do
    "$nvcc" -o "bin/$name" "objects/$name.o" "${kernels[@]}"
done
shared=()
for library in lib/*; do shared+=(-Xlinker "$library"); done
"$nvcc" -o bin/proxpath_gpu_bench objects/proxpath_gpu_bench.o "${kernels[@]}" "$compiled/row_gather.cu.o" \
    "${shared[@]}" -Xlinker -rpath='$ORIGIN/../lib'
echo "bin/ has the kernels of source/, for $architecture"
