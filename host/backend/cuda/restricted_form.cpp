// The two forms; see restricted_form.hpp.

#include "host/backend/cuda/restricted_form.hpp"

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/device_multiply.hpp"
#include "host/backend/cuda/device_sums.hpp"

#include "kernels/launchers.hpp"

#include <proxpath/errors.hpp>

#include <vector>

#include <fmt/format.h>

namespace proxpath::backend {

namespace {

/// Σ a X Y for each column, for the host.
void dots(device_session& session, const panel<double>& X, const panel<double>& Y, const double* a,
          std::span<double> result)
{
    sums_over_rows(session, X.rows, result, [&](double* sums, double* work) {
        kernels::column_dots(readable(X), readable(Y), a, sums, work, session.stream());
    });
}

panel<double> uploaded_column(device_session& session, std::span<const double> host)
{
    panel<double> made = passing_panel(session, static_cast<std::int64_t>(host.size()), 1);
    upload_panel(host, made, session.stream(), session.runtime());
    session.wait();
    return made;
}

template <class T>
class gram_form final : public restricted_form {
public:
    gram_form(device_session& session, const covariance_problem<T>& problem)
        : session_(session), C_(*problem.gram), response_square_(problem.response_square),
          correlation_(uploaded_column(session, problem.correlation)), curvature_(session.buffer<double>(C_.rows))
    {
        kernels::diagonal(readable(C_), curvature_.data(), session.stream());
    }

    const double* curvature() const override { return curvature_.data(); }
    double look_products() const override { return sweeps_in_products; }

    void gradient(const panel<double>& B, panel<double>& U, std::span<double> square, std::span<double> dot) override
    {
        panel<double> product_with_C = passing_panel(session_, B.rows, B.cols);
        product(B, product_with_C);
        const std::vector<double> none(static_cast<std::size_t>(B.cols), 0.0); // nothing is extrapolated
        const auto theta = session_.upload(std::span(none));
        kernels::extrapolated_residual(readable(correlation_), readable(product_with_C), readable(product_with_C),
                                       theta.data(), nullptr, writable(U), session_.stream());
        std::vector<double> image(square.size());
        dots(session_, B, U, nullptr, image);
        dots(session_, B, correlation_, nullptr, dot);
        // Σ w ρ² = y'y − 2 b'c0 + b'Cb, and Cb = c0 − u. In this order, max keeps NaN.
        for (std::size_t c = 0; c < square.size(); ++c) {
            square[c] = std::max(response_square_ - dot[c] - image[c], 0.0);
            dot[c] = response_square_ - dot[c];
        }
    }
    void product(const panel<double>& D, panel<double>& H) override
    {
        const auto work = session_.buffer<double>(kernels::symmetric_multiply_numbers(D.rows, D.cols));
        kernels::symmetric_multiply(readable(C_), readable(D), writable(H), work.data(), session_.stream());
    }
    void sweep(const kernels::restricted_view& problem, int sweeps, const int* open, const panel<double>& U,
               panel<double>& B) override
    {
        const auto list = session_.buffer<std::uint32_t>(B.rows * B.cols);
        const auto work = session_.buffer<double>(2 * B.rows * B.cols);
        kernels::covariance_sweeps(readable(C_), problem, sweeps, open, readable(U), writable(B),
                                   {list.data(), work.data()}, session_.stream());
    }

private:
    /// A guess: sweeps go coordinate by coordinate, products are one matrix product for all columns.
    static constexpr double sweeps_in_products = 10;

    device_session& session_;
    const panel<T>& C_;
    double response_square_;
    panel<double> correlation_;
    device_buffer<double> curvature_;
};

/// Of unit-norm columns.
device_buffer<double> unit_curvature(device_session& session, const device_design& X)
{
    std::vector<double> curvature(static_cast<std::size_t>(X.cols()));
    for (std::size_t j = 0; j < curvature.size(); ++j) curvature[j] = X.scaling().inverse[j] > 0 ? 1.0 : 0.0;
    return session.upload(std::span(curvature));
}

/// @throws out_of_memory where the columns come in parts: sweeps go from one to the next
const device_design& resident(const device_session& session, const design& X)
{
    const device_design& columns = as_device(X);
    if (columns.is_resident()) return columns;
    const std::uint64_t needed = resident_bytes(X.rows(), X.cols(), X.nonzeros(), false);
    const std::uint64_t limit = session.memory().working_set;
    throw out_of_memory(
        fmt::format("coordinate descent in residual form needs the {} columns of its working set in the "
                    "device's memory, some {} bytes where {} are left to it; raise its limit, or take "
                    "the solver fista",
                    X.cols(), needed, limit),
        needed, limit);
}

class residual_form final : public restricted_form {
public:
    residual_form(device_session& session, const residual_problem& problem)
        : session_(session), X_(resident(session, *problem.X)), response_(uploaded_column(session, problem.response)),
          weights_(session.upload(problem.weights)), curvature_(unit_curvature(session, X_)),
          stored_sum_(passing_panel(session, X_.cols(), 1))
    {
        sum_stored_entries(uploaded_column(session, problem.weights));
    }

    const double* curvature() const override { return curvature_.data(); }
    double look_products() const override { return sweeps_in_products; }

    void gradient(const panel<double>& B, panel<double>& U, std::span<double> square, std::span<double> dot) override
    {
        make_room(B.cols);
        device_multiply<double>(session_, X_, readable(B), readable(response_), writable(residual_));
        dots(session_, residual_, residual_, weights_.data(), square);
        dots(session_, residual_, response_, weights_.data(), dot);
        // Sweeps go on from the residual as it is.
        if (residual_.bytes() > 0)
            session_.runtime().copy({.direction = copy_direction::on_device,
                                     .to = weighted_.data,
                                     .from = residual_.data,
                                     .row_bytes = residual_.bytes()},
                                    session_.stream());
        correlate(U);
    }
    void product(const panel<double>& D, panel<double>& H) override
    {
        make_room(D.cols);
        device_multiply<double>(session_, X_, readable(D), {}, writable(weighted_));
        correlate(H);
    }
    void sweep(const kernels::restricted_view& problem, int sweeps, const int* open, const panel<double>& U,
               panel<double>& B) override
    {
        const auto list = session_.buffer<std::uint32_t>(B.rows * B.cols);
        const auto work = session_.buffer<double>((B.rows + X_.rows()) * B.cols);
        X_.visit([&](const auto& X) {
            kernels::residual_sweeps(X, problem, sweeps, open, weights_.data(), stored_sum_.data, readable(residual_),
                                     readable(U), writable(B), {list.data(), work.data()}, session_.stream());
        });
    }

private:
    /// A guess: a feature after the other, against two products with X̃ for all columns.
    static constexpr double sweeps_in_products = 20;

    /// Panels of rows for so many columns; what was in them is lost where that changes.
    void make_room(std::int64_t k)
    {
        if (residual_.cols == k) return;
        residual_ = passing_panel(session_, X_.rows(), k);
        weighted_ = passing_panel(session_, X_.rows(), k);
    }
    /// U = X̃'wV of the V that weighted_ holds, where w V takes its place.
    void correlate(panel<double>& U)
    {
        kernels::scale_rows(weights_.data(), writable(weighted_), session_.stream());
        device_transpose_multiply<double>(session_, X_, readable(weighted_), writable(U));
    }
    void sum_stored_entries(const panel<double>& weights)
    {
        const std::vector<double> ones(static_cast<std::size_t>(X_.cols()), 1.0);
        const auto one = session_.upload(std::span(ones));
        X_.for_columns([&](auto X) {
            X.inverse = one.data();
            kernels::transpose_multiply_part(X, readable(weights), nullptr, writable(stored_sum_), session_.stream());
        });
    }

    device_session& session_;
    const device_design& X_;
    panel<double> response_;
    device_buffer<double> weights_;
    device_buffer<double> curvature_;
    panel<double> stored_sum_;
    panel<double> residual_;
    panel<double> weighted_;
};

} // namespace

panel<double> passing_panel(device_session& session, std::int64_t rows, std::int64_t cols)
{
    return make_device_panel<double>(rows, cols, session.stream(), session.runtime());
}

template <class T>
std::unique_ptr<restricted_form> make_device_gram_form(device_session& session, const covariance_problem<T>& problem)
{
    return std::make_unique<gram_form<T>>(session, problem);
}

std::unique_ptr<restricted_form> make_device_residual_form(device_session& session, const residual_problem& problem)
{
    return std::make_unique<residual_form>(session, problem);
}

template std::unique_ptr<restricted_form> make_device_gram_form<float>(device_session&,
                                                                       const covariance_problem<float>&);
template std::unique_ptr<restricted_form> make_device_gram_form<double>(device_session&,
                                                                        const covariance_problem<double>&);

} // namespace proxpath::backend
