#!/usr/bin/env bash
# Makes one file for a machine with a GPU and nothing else: the programs that tests/gpu_acceptance.sh runs, linked
# statically but for the C library and CUDA, the small data sets, and the sources, so that kernels can be changed and
# compiled there if nvcc is there. Needs nvcc.
#
#   scripts/make_gpu_bundle.sh [FILE.tar.gz]     (default: build/proxpath-gpu.tar.gz)
#
# There:   tar -xzf proxpath-gpu.tar.gz && proxpath-gpu/gpu_acceptance.sh
cd "$(dirname "$(readlink -f "$0")")/.."
source scripts/common.sh
mkdir -p build
file=$(readlink -f "${1:-build/proxpath-gpu.tar.gz}")
most_bytes=60000000

say "packages"
# libarchive reads compressed files with the next five.
install_missing "${build_packages[@]}" libgtest-dev libgmock-dev libbenchmark-dev nettle-dev liblzma-dev libzstd-dev \
    libbz2-dev zlib1g-dev

say "build"
programs=(proxpath_program proxpath_cuda_backend proxpath_emulated proxpath_emulated_operation_tests proxpath_kernel_tests
    proxpath_gpu_tests proxpath_gpu_operation_tests proxpath_gpu_bench proxpath_emulated_bench proxpath_acceptance)
quietly build/configure-bundle.log cmake --preset bundle \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)"
if ninja -C build/bundle -t query proxpath_peers_bench >/dev/null 2>&1; then
    programs+=(proxpath_peers_bench)
else
    echo "without cuSPARSE and cuBLAS: the toolkit here has none"
fi
cmake --build --preset bundle -j "$(nproc)" --target "${programs[@]}"

say "bundle"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bundle=$folder/proxpath-gpu
mkdir -p "$bundle/bin" "$bundle/lib" "$bundle/source"
for name in "${programs[@]}" libproxpath_cuda.so; do
    case $name in
    proxpath_program) name=proxpath ;;
    proxpath_cuda_backend) continue ;; # its file is libproxpath_cuda.so
    esac
    built=$(find build/bundle -name "$name" -type f | head -n 1)
    [[ -n $built ]] || fail "$name was not built"
    strip --strip-unneeded -o "$bundle/bin/$name" "$built"
    chmod +x "$bundle/bin/$name"
done
# Google Benchmark is a shared library in Debian, and with it come those of the compiler.
ldd build/bundle/bench/gpu/cuda/proxpath_gpu_bench |
    awk '$1 ~ /^(libbenchmark|libstdc\+\+|libgcc_s)\.so/ { print $1, $3 }' |
    while read -r name built; do cp -L "$built" "$bundle/lib/$name"; done

# For scripts/rebuild_kernels.sh: these programs once more, each as one object without the kernels. What the linker was
# given is asked of Ninja.
mkdir "$bundle/objects"
for target in proxpath_cuda_backend proxpath_gpu_tests proxpath_gpu_operation_tests proxpath_gpu_bench; do
    name=$target parts=() archives=()
    case $target in
    proxpath_cuda_backend) name=libproxpath_cuda.so ;;
    *_tests) parts=(-u main) ;; # which Google Test has in an archive
    esac
    # shellcheck disable=SC2046 # words of a command
    for word in $(ninja -C build/bundle -t commands "$target" | tail -n 1); do
        case $word in
        *row_gather.cu.o | *libproxpath_cuda.a | *libcudart_static.a | *librt.a) ;;
        *.o) parts+=("$word") ;;
        *.a) archives+=("$word") ;;
        esac
    done
    host=CMakeFiles/proxpath_cuda.dir/host/backend/cuda
    # The benchmarks take the shared library of the compiler, which they have beside them.
    [[ $target == proxpath_gpu_bench ]] || archives+=("$(g++ -print-file-name=libstdc++.a)")
    (cd build/bundle && ld -r --strip-debug -o "$bundle/objects/$name.o" "${parts[@]}" $host/cuda_runtime.cpp.o \
        $host/cuda_provider.cpp.o --start-group "${archives[@]}" --end-group)
done

cp tests/gpu_acceptance.sh "$bundle/"
git archive HEAD | tar -x -C "$bundle/source"
git log -1 --format='%H %cs' >"$bundle/COMMIT"

# Whatever else is needed at run time is the C library's, CUDA's or in the bundle.
for one in "$bundle"/bin/*; do
    allowed='^(libc\.so\.6|libm\.so\.6|ld-linux-x86-64\.so\.2|libcu(sparse|blas)\.so\..*)$'
    if [[ $one == *_bench ]]; then allowed+='|^(libbenchmark|libstdc\+\+|libgcc_s)\.so\..*$'; fi
    more=$(readelf -d "$one" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -Ev "$allowed" || true)
    [[ -z $more ]] || fail "$(basename "$one") needs" $more
done

tar -C "$folder" --owner=0 --group=0 -cf - proxpath-gpu | gzip -9 >"$file.part"
mv "$file.part" "$file"
bytes=$(stat -c %s "$file")
printf '%s: %d bytes (%d MB), unpacked %s\n' "$file" "$bytes" $((bytes / 1000000)) "$(du -sh "$bundle" | cut -f1)"
((bytes <= most_bytes)) || fail "more than $most_bytes bytes"
