// C = X̃'WX̃ of a working set on the device, grown by its new columns: a block of columns of C at a time, so that the
// sums in the making stay within max_sums. Dense designs go through strips of rows (kernels/gram.cu), sparse ones
// through their row lists (kernels/gram_rows.cu). What is in memory besides C: the sums, and a dense strip or the rows
// of the block's columns.

#include "host/backend/cuda/device_gram.hpp"

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/device_gather.hpp"
#include "host/backend/cuda/device_multiply.hpp"

#include "kernels/launchers.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

namespace proxpath::backend {

namespace {

using kernels::gram_slice_rows;

/// Above this share of non-zeros dense products are the faster way: a product that is not zero takes two trips to the
/// second-level cache, and the device has fifty to a hundred times as many multiplications to offer in their time (an
/// estimate from the data sheets, to be measured).
constexpr double device_dense_from_density = 0.1;
/// Sums in the making: 256 MiB, or 64 columns of C where that takes more.
constexpr std::int64_t max_sums = std::int64_t{1} << 25;
constexpr std::int64_t least_width = 64;
/// Tiles times slices that keep a device busy, and slices at most.
constexpr std::int64_t enough_tiles = 1024;
constexpr std::int64_t max_slices = 256;

std::int64_t pieces_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

/// How C is made; depends on X alone.
struct gram_plan {
    bool dense = false;
    std::int64_t slices = 1;           ///< dense: parts of every row of C
    std::vector<std::int64_t> offsets; ///< p + 1: parts of the rows of C

    explicit gram_plan(const device_design& X)
    {
        const std::int64_t n = X.rows();
        const std::int64_t p = X.cols();
        // Row lists are met in any order, strips of rows one after the other: what comes in parts goes that way.
        dense = !X.is_resident() || static_cast<double>(X.nonzeros()) >=
                                        device_dense_from_density * static_cast<double>(n) * static_cast<double>(p);
        const std::int64_t side = pieces_of(p, least_width);
        const std::int64_t tiles = side * (side + 1) / 2;
        slices = std::clamp<std::int64_t>(enough_tiles / std::max<std::int64_t>(1, tiles), 1, max_slices);
        slices = std::min(slices, std::max<std::int64_t>(1, pieces_of(n, gram_slice_rows)));
        const std::vector<std::int64_t>& columns = X.stored()->column_offsets();
        offsets.push_back(0);
        for (std::size_t j = 0; j + 1 < columns.size(); ++j)
            offsets.push_back(offsets.back() +
                              (dense ? slices : pieces_of(columns[j + 1] - columns[j], kernels::segment_length)));
    }
    std::int64_t strip_rows() const { return slices * gram_slice_rows; }
    /// The parts of those rows that a block of columns from `first` on has.
    std::vector<std::int64_t> offsets_without(std::int64_t known, std::int64_t first) const
    {
        std::vector<std::int64_t> made(offsets);
        const auto begin = static_cast<std::size_t>(known);
        const auto end = static_cast<std::size_t>(first);
        const std::int64_t left_out = offsets[end] - offsets[begin];
        for (std::size_t j = begin; j < made.size(); ++j) made[j] = j < end ? offsets[begin] : offsets[j] - left_out;
        return made;
    }
    /// Columns of C that are made together.
    std::int64_t width() const
    {
        const std::int64_t fitting = max_sums / std::max<std::int64_t>(1, offsets.back());
        return std::max(least_width, fitting / least_width * least_width);
    }
};

/// What the columns of one call share.
template <class V>
struct weighted_design {
    const device_design& design;
    kernels::design_view<V> X;
    const double* w;
};

void add_dense(device_session& session, const gram_plan& plan, const device_design& X, const double* w,
               const kernels::gram_parts& parts)
{
    const std::int64_t n = X.rows();
    const std::int64_t p = X.cols();
    const std::int64_t height = std::min(n, plan.strip_rows());
    const auto strip = session.buffer<double>(height * p);
    for (std::int64_t first = 0; first < n; first += height) {
        const std::int64_t rows = std::min(height, n - first);
        X.for_rows(first, first + rows, [&](const auto& view, std::int64_t begin, std::int64_t end) {
            kernels::spread_rows(view, begin, {strip.data() + (begin - first) * p, end - begin, p, p},
                                 session.stream());
        });
        kernels::gram_tiles({strip.data(), rows, p, p}, w + first, plan.slices, parts, session.stream());
    }
}

template <class V>
void add_sparse(device_session& session, const weighted_design<V>& of, const kernels::gram_parts& parts)
{
    if (parts.first == 0 && parts.width == of.X.p) {
        kernels::gram_rows(of.X, of.X.rows, of.w, parts, session.stream());
        return;
    }
    std::vector<std::int64_t> columns(static_cast<std::size_t>(parts.width));
    std::iota(columns.begin(), columns.end(), parts.first);
    const std::vector<std::int64_t>& offsets = of.design.stored()->column_offsets();
    const std::int64_t entries =
        offsets[static_cast<std::size_t>(parts.first + parts.width)] - offsets[static_cast<std::size_t>(parts.first)];
    const row_entries<V> rows =
        rows_of_columns(session, of.X.rows, of.X.p, std::span<const std::int64_t>(columns), entries);
    kernels::gram_rows(of.X, rows.view(), of.w, parts, session.stream());
}

/// s = X̃'w of what is stored, and Σ w behind it.
template <class V>
device_buffer<double> weighted_sums(device_session& session, kernels::design_view<V> X, const double* w)
{
    auto sums = session.buffer<double>(X.p + 1);
    const auto work = session.buffer<double>(kernels::scratch_numbers(X.n, 1));
    const kernels::panel_view<const double> weights{w, X.n, 1, 1};
    X.centered = false;
    kernels::transpose_multiply<double, V>(X, weights, {sums.data(), X.p, 1, 1}, nullptr, session.stream());
    kernels::column_sums<double>(weights, sums.data() + X.p, work.data(), session.stream());
    return sums;
}

template <class T, class V>
void make_gram(device_session& session, const weighted_design<V>& of, std::int64_t first_new, const panel<T>& C,
               std::int64_t together)
{
    const std::int64_t p = of.X.p;
    const gram_plan plan(of.design);
    std::optional<device_buffer<double>> sums_of_columns;
    kernels::gram_centering centering;
    if (!plan.dense && of.X.centered) {
        sums_of_columns.emplace(weighted_sums(session, of.X, of.w));
        centering = {of.X.center, of.X.inverse, sums_of_columns->data(), sums_of_columns->data() + p};
    }
    if (together == 0) together = plan.width();
    for (std::int64_t first = first_new; first < p; first += together) {
        const std::int64_t width = std::min(together, p - first);
        const std::vector<std::int64_t> host_offsets = plan.offsets_without(first_new, first);
        const std::int64_t count = host_offsets.back();
        const auto offsets = session.upload(std::span(host_offsets));
        const auto sums = session.buffer<double>(count * width);
        if (count > 0) session.runtime().clear(sums.data(), sums.bytes(), session.stream());
        const kernels::gram_parts parts{sums.data(), offsets.data(), count, p, first_new, first, width};
        if (plan.dense)
            add_dense(session, plan, of.design, of.w, parts);
        else
            add_sparse(session, of, parts);
        kernels::gram_finish(parts, centering, writable(C), session.stream());
    }
}

} // namespace

template <class T>
void grow_gram(device_session& session, const device_design& X, std::span<const double> row_weights,
               std::int64_t first_new, panel<T>& C, std::int64_t together)
{
    if (first_new >= X.cols()) return;
    const auto w = session.upload(row_weights);
    X.visit([&]<class V>(const kernels::design_view<V>& view) {
        make_gram<T, V>(session, {X, view, w.data()}, first_new, C, together);
    });
}

template void grow_gram(device_session&, const device_design&, std::span<const double>, std::int64_t, panel<float>&,
                        std::int64_t);
template void grow_gram(device_session&, const device_design&, std::span<const double>, std::int64_t, panel<double>&,
                        std::int64_t);

template <class T>
void cuda_operations<T>::gram(const design& X, std::span<const double> row_weights, std::int64_t first_new,
                              panel<T>& C) const
{
    grow_gram(*session_, as_device(X), row_weights, first_new, C);
}

template <class T>
double cuda_operations<T>::gram_with_response(const design& X, std::span<const double> row_weights,
                                              std::span<const double> y, panel<T>& C,
                                              std::span<double> correlation) const
{
    gram(X, row_weights, 0, C);
    const std::int64_t n = X.rows();
    const std::int64_t p = X.cols();
    const auto w = session_->upload(row_weights);
    const auto weighted = session_->upload(y); // y, then w ∘ y
    const kernels::panel_view<double> response{weighted.data(), n, 1, 1};
    const kernels::panel_view<const double> read{weighted.data(), n, 1, 1};
    const auto square = session_->buffer<double>(1);
    const auto product = session_->buffer<double>(p);
    const auto work = session_->buffer<double>(kernels::scratch_numbers(n, 1));
    kernels::column_dots<double>(read, read, w.data(), square.data(), work.data(), session_->stream());
    if (n > 0) kernels::scale_rows<double>(w.data(), response, session_->stream());
    device_transpose_multiply<double>(*session_, as_device(X), read, {product.data(), p, 1, 1});
    session_->download(product, correlation);
    double result = 0;
    session_->download(square, std::span(&result, 1));
    return result;
}

template <class T>
std::int64_t cuda_operations<T>::gram_additions(const design& X) const
{
    const gram_plan plan(as_device(X));
    const std::int64_t n = X.rows();
    const std::int64_t segments = pieces_of(n, kernels::segment_length);
    // X'R: an eighth of a segment, its eight sums as a tree, the segments; row sums go through fewer.
    const std::int64_t products = std::min(n, kernels::segment_length / 8) + 3 + segments;
    const std::int64_t dense = std::min(n, gram_slice_rows) + pieces_of(n, plan.strip_rows()) + plan.slices;
    const std::int64_t sparse = std::min(n, kernels::segment_length) + segments;
    return std::max(products, plan.dense ? dense : sparse);
}

template class cuda_operations<float>;
template class cuda_operations<double>;

} // namespace proxpath::backend
