// What tests of whole operations share, where a launcher alone says little: the CUDA backend on the device under test,
// each result the same in every way to run, beside the CPU backend.
#pragma once

#include "host/backend/cuda/cuda_operations.hpp"
#include "tests/kernels/kernel_suite.hpp"

#include <memory>
#include <vector>

namespace proxpath::test {

template <class T>
class operations_suite : public kernel_suite<T> {
protected:
    void SetUp() override
    {
        kernel_suite<T>::SetUp();
        if (this->IsSkipped()) return;
        device_ =
            backend::make_cuda_operations<T>(std::make_shared<backend::device_session>(make_runtime_under_test()));
    }

    std::unique_ptr<backend::operations<T>> device_;
};

/// Random columns of which some are empty, some full and some the same, with every kind of scaling.
struct column_example {
    dense_matrix X;
    compressed_matrix<std::int32_t, double> columns;
    column_scaling scaling;

    column_example(random_numbers& random, std::int64_t n, std::int64_t p, double density, bool centered)
        : X(planted(random, n, p, density)), columns(X, storage_order::csc)
    {
        for (std::int64_t j = 0; j < p; ++j) {
            scaling.shift.push_back(random.chance(0.3) ? random.normal() : 0);
            scaling.center.push_back(centered && random.chance(0.7) ? random.normal() : 0);
            scaling.inverse.push_back(random.chance(0.1) ? 0 : random.uniform(0.2, 3));
        }
    }
    matrix stored() const { return matrix::from_view(columns.view()); }
    /// Everything that is subtracted counts in full.
    column_example absolute() const
    {
        column_example made(*this);
        for (double& value : made.X.values) value = std::fabs(value);
        made.columns = compressed_matrix<std::int32_t, double>(made.X, storage_order::csc);
        for (double& shift : made.scaling.shift) shift = -std::fabs(shift);
        for (double& center : made.scaling.center) center = -std::fabs(center);
        return made;
    }

private:
    static dense_matrix planted(random_numbers& random, std::int64_t n, std::int64_t p, double density)
    {
        dense_matrix made(n, p);
        for (std::int64_t j = 0; j < p; ++j) {
            const double of_column = j % 7 == 2 ? 1 : j % 7 == 5 ? 0 : density;
            for (std::int64_t i = 0; i < n; ++i)
                made.at(i, j) = j % 7 == 6 ? made.at(i, j - 3) : random.chance(of_column) ? random.normal() : 0;
        }
        return made;
    }
};

/// n weights that sum to 1, some of them 0.
inline std::vector<double> weights_of_rows(random_numbers& random, std::int64_t n)
{
    std::vector<double> w = random_vector(random, n, 0.1, 2);
    double sum = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
        if (i % 5 == 3) w[i] = 0;
        sum += w[i];
    }
    for (double& weight : w) weight /= sum;
    return w;
}

} // namespace proxpath::test
