// Z = C B for a symmetric C, on Eigen's matrix product: rows of Z in pieces of fixed size, so blocking never depends on
// the number of threads.

#include "host/backend/cpu/cpu_operations.hpp"
#include "host/parallel/parallel_for.hpp"

#include <algorithm>

#include <Eigen/Core>

namespace proxpath::backend {

template <class T>
void cpu_operations<T>::symmetric_multiply(const panel<T>& C, const panel<T>& B, panel<T>& Z) const
{
    using row_major = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using view = Eigen::Map<row_major, 0, Eigen::OuterStride<>>;
    using const_view = Eigen::Map<const row_major, 0, Eigen::OuterStride<>>;
    constexpr std::int64_t piece_rows = 64;
    parallel::parallel_for(threads_, parallel::pieces(Z.rows, piece_rows), [&](std::int64_t piece) {
        const std::int64_t first = piece * piece_rows;
        const std::int64_t rows = std::min(piece_rows, Z.rows - first);
        view(Z.row(first), rows, Z.cols, Eigen::OuterStride<>(Z.stride)).noalias() =
            const_view(C.row(first), rows, C.cols, Eigen::OuterStride<>(C.stride)) *
            const_view(B.data, B.rows, B.cols, Eigen::OuterStride<>(B.stride));
    });
}

template void cpu_operations<float>::symmetric_multiply(const panel<float>&, const panel<float>&, panel<float>&) const;
template void cpu_operations<double>::symmetric_multiply(const panel<double>&, const panel<double>&,
                                                         panel<double>&) const;

} // namespace proxpath::backend
