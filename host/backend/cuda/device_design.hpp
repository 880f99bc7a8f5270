// A design in device memory: X by columns for X̃'R and by rows for X̃B, 32-bit indices, 64-bit offsets, values in float
// where that is exact for all of them, and its scaling.
#pragma once

#include "host/backend/cuda/device_buffer.hpp"
#include "host/backend/design.hpp"

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace proxpath::backend {

/// Lists of (index, value) pairs in host memory, on their way to a device.
template <class V>
struct host_lists {
    std::vector<std::int64_t> offsets;
    std::vector<std::uint32_t> indices;
    std::vector<V> values;
};

/// Which lists are summed by a part of a warp and which by a block.
struct list_lengths {
    std::vector<std::int64_t> short_ids;
    std::vector<std::int64_t> long_ids;
};
/// @param offsets one more than there are lists
list_lengths sort_by_length(std::span<const std::int64_t> offsets);

/// The same pairs listed by their index: columns to rows. Entries of a list ascend.
/// @param count number of lists to make
template <class V>
host_lists<V> transposed(const host_lists<V>& lists, std::int64_t count);

template <class V>
class device_lists {
public:
    /// Waits for the stream, after which `lists` may go.
    device_lists(const host_lists<V>& lists, stream_view stream, device_runtime& runtime);
    /// Lists that were made on the device.
    device_lists(device_buffer<std::int64_t> offsets, device_buffer<std::uint32_t> indices, device_buffer<V> values,
                 device_buffer<std::int64_t> short_ids, device_buffer<std::int64_t> long_ids)
        : offsets_(std::move(offsets)), indices_(std::move(indices)), values_(std::move(values)),
          short_ids_(std::move(short_ids)), long_ids_(std::move(long_ids))
    {}
    kernels::lists_view<V> view() const;
    std::uint64_t bytes() const;

private:
    device_lists(const host_lists<V>& lists, const list_lengths& lengths, stream_view stream, device_runtime& runtime);

    device_buffer<std::int64_t> offsets_;
    device_buffer<std::uint32_t> indices_;
    device_buffer<V> values_;
    device_buffer<std::int64_t> short_ids_;
    device_buffer<std::int64_t> long_ids_;
};

/// The stored entries of a matrix in device memory, by columns and by rows.
class device_matrix {
public:
    template <class V>
    struct both_ways {
        device_lists<V> columns;
        device_lists<V> rows;
    };

    /// Waits for the stream: X may go.
    /// @throws invalid_input where n or p is beyond 32-bit indices
    device_matrix(const matrix& X, stream_view stream, device_runtime& runtime);
    /// Made on the device. @param offsets of the columns, p + 1
    template <class V>
    device_matrix(std::int64_t n, std::vector<std::int64_t> offsets, both_ways<V> lists)
        : n_(n), p_(static_cast<std::int64_t>(offsets.size()) - 1), nonzeros_(offsets.back()),
          column_offsets_(std::move(offsets)), lists_(std::move(lists))
    {}

    std::int64_t rows() const { return n_; }
    std::int64_t cols() const { return p_; }
    std::int64_t nonzeros() const { return nonzeros_; }
    std::uint64_t bytes() const;
    /// p + 1, in host memory: where columns begin and end can be planned with.
    const std::vector<std::int64_t>& column_offsets() const { return column_offsets_; }

    /// Calls f(both_ways<V>) with the type that the values have.
    template <class F>
    decltype(auto) visit(const F& f) const
    {
        return std::visit(f, lists_);
    }

private:
    using stored = std::variant<both_ways<float>, both_ways<double>>;

    template <class V>
    static both_ways<V> store(const matrix& X, stream_view stream, device_runtime& runtime);
    static stored store_narrowest(const matrix& X, stream_view stream, device_runtime& runtime);

    std::int64_t n_;
    std::int64_t p_;
    std::int64_t nonzeros_;
    std::vector<std::int64_t> column_offsets_;
    stored lists_;
};

/// Stored columns, shared among designs, with the scaling of one of them.
class device_design final : public design {
public:
    /// Waits for the stream.
    /// @param gathered the columns of another design that these are, or none
    device_design(std::shared_ptr<const device_matrix> X, column_scaling scaling, stream_view stream,
                  device_runtime& runtime, std::vector<std::int64_t> gathered = {});
    device_design(const matrix& X, column_scaling scaling, stream_view stream, device_runtime& runtime)
        : device_design(std::make_shared<device_matrix>(X, stream, runtime), std::move(scaling), stream, runtime)
    {}

    std::int64_t rows() const override { return X_->rows(); }
    std::int64_t cols() const override { return X_->cols(); }
    std::int64_t nonzeros() const override { return X_->nonzeros(); }
    std::uint64_t bytes() const override;
    const column_scaling& scaling() const override { return scaling_; }
    const std::shared_ptr<const device_matrix>& stored() const { return X_; }
    const std::vector<std::int64_t>& gathered() const { return gathered_; }

    /// Calls f(design_view) with the type that the values have.
    template <class F>
    decltype(auto) visit(const F& f) const
    {
        return X_->visit([&](const auto& both) -> decltype(auto) { return f(view_of(both)); });
    }

private:
    template <class V>
    kernels::design_view<V> view_of(const device_matrix::both_ways<V>& lists) const
    {
        return {rows(),        cols(),         lists.columns.view(), lists.rows.view(),
                shift_.data(), center_.data(), inverse_.data(),      centered_};
    }

    std::shared_ptr<const device_matrix> X_;
    column_scaling scaling_;
    std::vector<std::int64_t> gathered_;
    bool centered_;
    device_buffer<double> shift_;
    device_buffer<double> center_;
    device_buffer<double> inverse_;
};

} // namespace proxpath::backend
