// For proxpath_peers_bench: C B of a symmetric C by NVIDIA's cuBLAS, on the matrices of working_sets.cpp and under the
// same names, as a reference for our own kernel. Ours gives a column of B the same bits whatever stands beside it,
// which cuBLAS does not promise: it chooses its kernel by shape. Panels are row-major, so cuBLAS is asked for Z' = B'C.

#include "bench/gpu/frame.hpp"

#include "host/backend/panel.hpp"

#include <cublas_v2.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace proxpath::bench {

namespace {

void check(cublasStatus_t status, const char* call)
{
    if (status != CUBLAS_STATUS_SUCCESS)
        throw std::runtime_error(std::string("cuBLAS reports '") + cublasGetStatusString(status) + "' from " + call);
}

/// Everything that one product needs, for the life of a job.
struct gemm {
    cublasHandle_t handle = nullptr;
    backend::panel<double> C, B, Z;

    gemm() = default;
    gemm(const gemm&) = delete;
    gemm& operator=(const gemm&) = delete;
    ~gemm() { cublasDestroy(handle); }
};

stream_job gemm_job(const laboratory& lab, std::int64_t p, std::int64_t k)
{
    const auto& ops = lab.on_device<double>();
    const std::vector<double> C_host = tame_matrix(p);
    const std::vector<double> B_host = random_numbers<double>(p * k, 21);
    const auto one = std::make_shared<gemm>();
    check(cublasCreate(&one->handle), "cublasCreate");
    check(cublasSetStream(one->handle, static_cast<cudaStream_t>(lab.stream().handle)), "cublasSetStream");
    one->C = to_panel(ops, p, p, C_host);
    one->B = to_panel(ops, p, k, B_host);
    one->Z = ops.allocate(p, k);
    stream_job job;
    job.run = [one, p = static_cast<int>(p), k = static_cast<int>(k)] {
        static constexpr double unit = 1;
        static constexpr double nothing = 0;
        check(cublasDgemm(one->handle, CUBLAS_OP_N, CUBLAS_OP_N, k, p, p, &unit, one->B.data,
                          static_cast<int>(one->B.stride), one->C.data, static_cast<int>(one->C.stride), &nothing,
                          one->Z.data, static_cast<int>(one->Z.stride)),
              "cublasDgemm");
    };
    job.run();
    const std::vector<double> found = from_panel(ops, one->Z);
    std::vector<double> expected(found.size(), 0.0);
    std::vector<double> sizes(found.size(), 0.0);
    const auto width = static_cast<std::size_t>(k);
    const auto rows = static_cast<std::size_t>(p);
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < rows; ++j)
            for (std::size_t c = 0; c < width; ++c) {
                const double product = C_host[i * rows + j] * B_host[j * width + c];
                expected[i * width + c] += product;
                sizes[i * width + c] += std::fabs(product);
            }
    job.right = sums_agree(found, expected, sizes, static_cast<double>(p));
    job.bytes = static_cast<double>(p * p + 2 * p * k) * sizeof(double);
    return job;
}

} // namespace

void add_cublas(laboratory& lab)
{
    constexpr std::int64_t p = 6000;
    for (const std::int64_t k : {1, 8, 32, 100})
        add_job(lab, "cublas/symmetric_multiply/p:" + std::to_string(p) + "/k:" + std::to_string(k),
                [&lab, k] { return gemm_job(lab, p, k); });
}

} // namespace proxpath::bench
