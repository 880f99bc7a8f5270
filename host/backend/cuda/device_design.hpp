// A design on the device: the stored entries of a matrix (device_matrix.hpp) and its scaling.
#pragma once

#include "host/backend/cuda/device_matrix.hpp"
#include "host/backend/design.hpp"

#include <proxpath/matrix.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace proxpath::backend {

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
    bool is_resident() const override { return X_->is_resident(); }
    const column_scaling& scaling() const override { return scaling_; }
    const std::shared_ptr<const device_matrix>& stored() const { return X_; }
    const std::vector<std::int64_t>& gathered() const { return gathered_; }
    /// Some center is not 0.
    bool is_centered() const { return centered_; }

    /// Calls f(design_view) with the type that the values have. Of a matrix that is not resident, columns have no
    /// entries and no ids, and there are no rows.
    template <class F>
    decltype(auto) visit(const F& f) const
    {
        return X_->visit([&](const auto& lists) -> decltype(auto) { return f(view_of(lists.views())); });
    }
    /// Calls f(design_view) for views that have the wanted columns together, each some of them; a resident matrix has
    /// one view, of all columns.
    template <class F>
    void for_columns(const list_choice& wanted, const F& f) const
    {
        X_->visit([&](const auto& lists) {
            auto view = view_of(lists.views());
            lists.for_columns(wanted, [&](const auto& columns) {
                view.columns = columns;
                f(view);
            });
        });
    }
    template <class F>
    void for_columns(const F& f) const
    {
        for_columns({0, cols()}, f);
    }
    /// Calls f(design_view, its first row, its end) for views that have rows [first, end) together, each some of them;
    /// a resident matrix has one view, of all rows.
    template <class F>
    void for_rows(std::int64_t first, std::int64_t end, const F& f) const
    {
        X_->visit([&](const auto& lists) {
            auto view = view_of(lists.views());
            lists.for_rows(first, end, [&](const auto& rows, std::int64_t part_first, std::int64_t part_end) {
                view.rows = rows;
                f(view, part_first, part_end);
            });
        });
    }
    template <class F>
    void for_rows(const F& f) const
    {
        for_rows(0, rows(), [&](const auto& view, std::int64_t, std::int64_t) { f(view); });
    }

private:
    template <class V>
    kernels::design_view<V> view_of(const std::pair<kernels::lists_view<V>, kernels::lists_view<V>>& lists) const
    {
        return {rows(), cols(), lists.first, lists.second, shift_.data(), center_.data(), inverse_.data(), centered_};
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
