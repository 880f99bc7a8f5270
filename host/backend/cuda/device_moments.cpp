// Means and variances of columns on the device. See cuda_operations.hpp.

#include "host/backend/cuda/cuda_operations.hpp"

#include "kernels/launchers.hpp"

namespace proxpath::backend {

namespace {

/// The sum in twice the digits (Knuth's two-sum), as kernels/moments.cu sums what a column has of it.
kernels::weight_totals totals_of(std::span<const double> weights)
{
    kernels::weight_totals made;
    for (const double weight : weights) {
        if (weight > 0) ++made.positive;
        const double sum = made.high + weight;
        const double from_weight = sum - made.high;
        made.low += (made.high - (sum - from_weight)) + (weight - from_weight);
        made.high = sum;
    }
    return made;
}

} // namespace

template <class T>
column_moments cuda_operations<T>::moments(const matrix& X, std::span<const double> row_weights) const
{
    const std::int64_t p = X.cols();
    const auto stored = session_->matrix_of(X);
    const auto w = session_->upload(row_weights);
    const auto mean = session_->buffer<double>(p);
    const auto variance = session_->buffer<double>(p);
    const auto mean_square = session_->buffer<double>(p);
    const auto full = session_->buffer<std::uint8_t>(p);
    const auto constant = session_->buffer<std::uint8_t>(p);
    const kernels::weight_totals totals = totals_of(row_weights);
    stored->visit([&](const auto& lists) {
        lists.for_columns({0, p}, [&](const auto& columns) {
            kernels::moments(columns, w.data(), totals,
                             {mean.data(), variance.data(), mean_square.data(), full.data(), constant.data()},
                             session_->stream());
        });
    });
    column_moments made;
    const auto fetch = [&](const auto& from, auto& to) {
        to.resize(static_cast<std::size_t>(p));
        session_->download(from, std::span(to));
    };
    fetch(mean, made.mean);
    fetch(variance, made.variance);
    fetch(mean_square, made.mean_square);
    fetch(full, made.full);
    fetch(constant, made.constant);
    return made;
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
