// A design in host memory: stored columns (shared or gathered) and their scaling.
#pragma once

#include "host/backend/design.hpp"
#include "host/matrix/column_store.hpp"

#include <proxpath/matrix.hpp>

#include <utility>

namespace proxpath::backend {

class cpu_design final : public design {
public:
    cpu_design(matrix X, column_scaling scaling, std::uint64_t own_bytes)
        : X_(std::move(X)), scaling_(std::move(scaling)), own_bytes_(own_bytes)
    {}
    std::int64_t rows() const override { return X_.rows(); }
    std::int64_t cols() const override { return X_.cols(); }
    std::int64_t nonzeros() const override { return X_.nonzeros(); }
    std::uint64_t bytes() const override { return own_bytes_ + 3 * sizeof(double) * scaling_.inverse.size(); }

    const storage::column_store& store() const { return X_.store(); }
    const column_scaling& scaling() const override { return scaling_; }

private:
    matrix X_;
    column_scaling scaling_;
    std::uint64_t own_bytes_;
};

inline const cpu_design& as_cpu(const design& X) { return static_cast<const cpu_design&>(X); }

} // namespace proxpath::backend
