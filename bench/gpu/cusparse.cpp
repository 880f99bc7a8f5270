// For proxpath_peers_bench: X'R by NVIDIA's cuSPARSE, on the text and the even matrix of products.cpp and under the
// same names, as a reference for our own kernel. X' is given as CSR, so that the product is a plain one; ALG2 is its
// usual algorithm for a row-major R, ALG3 the one that gives the same bits every time.

#include "bench/gpu/frame.hpp"
#include "bench/gpu/sparse_subject.hpp"

#include "host/backend/cuda/device_panel.hpp"

#include <cusparse.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace proxpath::bench {

namespace {

void check(cusparseStatus_t status, const char* call)
{
    if (status != CUSPARSE_STATUS_SUCCESS)
        throw std::runtime_error(std::string("cuSPARSE reports '") + cusparseGetErrorString(status) + "' from " + call);
}

/// Everything that one product needs, for the life of a job.
struct spmm {
    std::shared_ptr<backend::device_buffer<std::int32_t>> offsets, rows;
    std::shared_ptr<backend::device_buffer<double>> values;
    std::shared_ptr<backend::device_buffer<char>> work;
    backend::panel<double> R, C;
    cusparseHandle_t handle = nullptr;
    cusparseSpMatDescr_t X = nullptr;
    cusparseDnMatDescr_t in = nullptr;
    cusparseDnMatDescr_t out = nullptr;

    spmm() = default;
    spmm(const spmm&) = delete;
    spmm& operator=(const spmm&) = delete;
    ~spmm()
    {
        cusparseDestroyDnMat(out);
        cusparseDestroyDnMat(in);
        cusparseDestroySpMat(X);
        cusparseDestroy(handle);
    }
};

template <class T>
std::shared_ptr<backend::device_buffer<T>> on_device(const laboratory& lab, const std::vector<T>& host)
{
    return std::make_shared<backend::device_buffer<T>>(lab.session->upload(std::span<const T>(host)));
}

stream_job spmm_job(const laboratory& lab, const sparse_subject& X, std::int64_t k, cusparseSpMMAlg_t algorithm)
{
    const auto& ops = lab.on_device<double>();
    const std::vector<double> numbers = random_numbers<double>(X.n * k, 11);
    const auto one = std::make_shared<spmm>();
    one->offsets = on_device(lab, std::vector<std::int32_t>(X.offsets.begin(), X.offsets.end()));
    one->rows = on_device(lab, std::vector<std::int32_t>(X.rows.begin(), X.rows.end()));
    one->values = on_device(lab, X.values);
    one->R = to_panel(ops, X.n, k, numbers);
    one->C = ops.allocate(X.p(), k);
    check(cusparseCreate(&one->handle), "cusparseCreate");
    check(cusparseSetStream(one->handle, static_cast<cudaStream_t>(lab.stream().handle)), "cusparseSetStream");
    check(cusparseCreateCsr(&one->X, X.p(), X.n, X.nonzeros(), one->offsets->data(), one->rows->data(),
                            one->values->data(), CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO,
                            CUDA_R_64F),
          "cusparseCreateCsr");
    check(cusparseCreateDnMat(&one->in, X.n, k, one->R.stride, one->R.data, CUDA_R_64F, CUSPARSE_ORDER_ROW),
          "cusparseCreateDnMat");
    check(cusparseCreateDnMat(&one->out, X.p(), k, one->C.stride, one->C.data, CUDA_R_64F, CUSPARSE_ORDER_ROW),
          "cusparseCreateDnMat");
    constexpr auto plain = CUSPARSE_OPERATION_NON_TRANSPOSE;
    static constexpr double unit = 1;
    static constexpr double nothing = 0;
    std::size_t bytes = 0;
    check(cusparseSpMM_bufferSize(one->handle, plain, plain, &unit, one->X, one->in, &nothing, one->out, CUDA_R_64F,
                                  algorithm, &bytes),
          "cusparseSpMM_bufferSize");
    one->work =
        std::make_shared<backend::device_buffer<char>>(lab.session->buffer<char>(static_cast<std::int64_t>(bytes) + 1));
    stream_job job;
    job.run = [one, algorithm] {
        check(cusparseSpMM(one->handle, plain, plain, &unit, one->X, one->in, &nothing, one->out, CUDA_R_64F, algorithm,
                           one->work->data()),
              "cusparseSpMM");
    };
    job.run();
    const std::vector<double> found = from_panel(ops, one->C);
    std::vector<double> expected(found.size(), 0.0);
    std::vector<double> sizes(found.size(), 0.0);
    const auto width = static_cast<std::size_t>(k);
    for (std::size_t j = 0; j + 1 < X.offsets.size(); ++j)
        for (auto i = static_cast<std::size_t>(X.offsets[j]); i < static_cast<std::size_t>(X.offsets[j + 1]); ++i)
            for (std::size_t c = 0; c < width; ++c) {
                const double product = X.values[i] * numbers[static_cast<std::size_t>(X.rows[i]) * width + c];
                expected[j * width + c] += product;
                sizes[j * width + c] += product < 0 ? -product : product;
            }
    job.right = sums_agree(found, expected, sizes, static_cast<double>(X.n));
    const double row = static_cast<double>(k) * sizeof(double);
    job.bytes = static_cast<double>(X.nonzeros()) * (12 + row) + static_cast<double>(X.p()) * row;
    return job;
}

} // namespace

void add_cusparse(laboratory& lab)
{
    const std::pair<const char*, cusparseSpMMAlg_t> algorithms[] = {{"ALG2", CUSPARSE_SPMM_CSR_ALG2},
                                                                    {"ALG3", CUSPARSE_SPMM_CSR_ALG3}};
    const std::pair<const char*, sparse_subject (*)()> subjects[] = {
        {"text", [] { return text_subject(40'000, 30'000, 2'400'000); }},
        {"even", [] { return even_subject(1'000'000, 10'000, 20'000'000); }}};
    for (const auto& [name, make] : subjects)
        for (const auto& [algorithm, id] : algorithms)
            for (const std::int64_t k : {8, 32, 128})
                add_job(lab,
                        std::string("cusparse_") + algorithm + "/transpose_multiply/" + name +
                            "/double/k:" + std::to_string(k),
                        [&lab, make = make, id = id, k] { return spmm_job(lab, make(), k, id); });
}

} // namespace proxpath::bench
