// Gram and residual form; see quadratic_form.hpp.

#include "host/solver/quadratic_form.hpp"

#include <cmath>

namespace proxpath::solver {

namespace {

using backend::operations;
using backend::panel;

template <class T>
panel<T> upload_vector(const operations<T>& ops, std::span<const double> values)
{
    std::vector<T> converted(values.begin(), values.end());
    panel<T> made = ops.allocate(static_cast<std::int64_t>(values.size()), 1);
    ops.upload(converted, made);
    return made;
}

template <class T>
class gram_form final : public quadratic_form<T> {
public:
    gram_form(const operations<T>& ops, const panel<T>& gram, std::span<const double> correlation,
              double response_square)
        : ops_(ops), gram_(gram), correlation_(upload_vector(ops, correlation)), response_square_(response_square)
    {}
    std::int64_t features() const override { return gram_.rows; }
    std::int64_t image_rows() const override { return gram_.rows; }
    void image(const panel<T>& B, panel<T>& Z) const override { ops_.symmetric_multiply(gram_, B, Z); }
    void negative_gradient(const panel<T>& Z, const panel<T>& Z_previous, std::span<const double> theta,
                           panel<T>& N) const override
    {
        ops_.extrapolated_residual(correlation_, Z, Z_previous, theta, {}, N); // c0 − C v
    }
    void curvature(const panel<T>& B_next, const panel<T>& B, const panel<T>& B_previous, const panel<T>& Z_next,
                   const panel<T>& Z, const panel<T>& Z_previous, std::span<const double> theta,
                   std::span<double> result) const override
    {
        ops_.extrapolation_dots(B_next, B, B_previous, Z_next, Z, Z_previous, theta, {}, result);
    }
    void loss_terms(const panel<T>& B, const panel<T>& Z, const panel<T>& N, std::span<double> residual_square,
                    std::span<double> response_dot) const override
    {
        std::vector<double> image_dot(residual_square.size());
        std::vector<double> gradient_dot(residual_square.size());
        ops_.column_dots(B, Z, {}, image_dot);
        ops_.column_dots(B, N, {}, gradient_dot);
        for (std::size_t c = 0; c < residual_square.size(); ++c) {
            const double linear = image_dot[c] + gradient_dot[c]; // b'c0, because N = c0 − Cb
            response_dot[c] = response_square_ - linear;
            residual_square[c] = std::fmax(0.0, response_square_ - linear - gradient_dot[c]);
        }
    }
    void apply(const panel<T>& v, panel<T>& out) const override { ops_.symmetric_multiply(gram_, v, out); }

private:
    const operations<T>& ops_;
    const panel<T>& gram_;
    panel<T> correlation_;
    double response_square_;
};

template <class T>
class residual_form final : public quadratic_form<T> {
public:
    residual_form(const operations<T>& ops, const backend::design& X, std::span<const double> y,
                  std::span<const double> weights)
        : ops_(ops), X_(X), y_(upload_vector(ops, y)), weights_(weights)
    {}
    std::int64_t features() const override { return X_.cols(); }
    std::int64_t image_rows() const override { return X_.rows(); }
    void image(const panel<T>& B, panel<T>& Z) const override { ops_.multiply(X_, B, Z); }
    void negative_gradient(const panel<T>& Z, const panel<T>& Z_previous, std::span<const double> theta,
                           panel<T>& N) const override
    {
        if (residual_.cols != Z.cols) residual_ = ops_.allocate(Z.rows, Z.cols);
        ops_.extrapolated_residual(y_, Z, Z_previous, theta, weights_, residual_); // w (ỹ − X̃v)
        ops_.transpose_multiply(X_, residual_, N);
    }
    void curvature(const panel<T>&, const panel<T>&, const panel<T>&, const panel<T>& Z_next, const panel<T>& Z,
                   const panel<T>& Z_previous, std::span<const double> theta, std::span<double> result) const override
    {
        ops_.extrapolation_dots(Z_next, Z, Z_previous, Z_next, Z, Z_previous, theta, weights_, result);
    }
    void loss_terms(const panel<T>&, const panel<T>& Z, const panel<T>&, std::span<double> residual_square,
                    std::span<double> response_dot) const override
    {
        ops_.residual_dots(y_, Z, weights_, residual_square, response_dot);
    }
    void apply(const panel<T>& v, panel<T>& out) const override
    {
        panel<T> Z = ops_.allocate(X_.rows(), 1);
        panel<T> zero = ops_.allocate(X_.rows(), 1);
        const std::vector<double> theta(1, 0.0);
        ops_.multiply(X_, v, Z);
        ops_.extrapolated_residual(zero, Z, Z, theta, weights_, Z); // −w X̃v
        ops_.transpose_multiply(X_, Z, out);
        ops_.extrapolated_residual(ops_.allocate(out.rows, 1), out, out, theta, {}, out);
    }

private:
    const operations<T>& ops_;
    const backend::design& X_;
    panel<T> y_;
    std::span<const double> weights_;
    mutable panel<T> residual_;
};

} // namespace

template <class T>
std::unique_ptr<quadratic_form<T>> make_gram_form(const operations<T>& ops, const panel<T>& gram,
                                                  std::span<const double> correlation, double response_square)
{
    return std::make_unique<gram_form<T>>(ops, gram, correlation, response_square);
}

template <class T>
std::unique_ptr<quadratic_form<T>> make_residual_form(const operations<T>& ops, const backend::design& X,
                                                      std::span<const double> y, std::span<const double> weights)
{
    return std::make_unique<residual_form<T>>(ops, X, y, weights);
}

template <class T>
double largest_eigenvalue(const operations<T>& ops, const quadratic_form<T>& form)
{
    const std::int64_t p = form.features();
    if (p == 0) return 0;
    // A fixed start without structure: multiples of the golden ratio, modulo 1.
    std::vector<T> start(static_cast<std::size_t>(p));
    for (std::size_t j = 0; j < start.size(); ++j) {
        const double fraction = static_cast<double>(j + 1) * 0.6180339887498949;
        start[j] = static_cast<T>(fraction - std::floor(fraction) - 0.5 + 1e-3);
    }
    panel<T> v = ops.allocate(p, 1);
    panel<T> image = ops.allocate(p, 1);
    ops.upload(start, v);
    const std::vector<double> zero(1, 0.0);
    double eigenvalue = 0;
    for (int iteration = 0; iteration < 30; ++iteration) {
        double square = 0;
        ops.column_dots(v, v, {}, {&square, 1});
        if (!(square > 0)) break;
        form.apply(v, image);
        double product = 0;
        ops.column_dots(v, image, {}, {&product, 1});
        const double next = product / square;
        const bool settled = std::fabs(next - eigenvalue) <= 1e-3 * next;
        eigenvalue = next;
        if (settled && iteration > 3) break;
        // v = image / ‖image‖, written as −(0 − image)·f to stay within the contract's operations.
        double norm = 0;
        ops.column_dots(image, image, {}, {&norm, 1});
        if (!(norm > 0)) break;
        const std::vector<double> factor(static_cast<std::size_t>(p), -1.0 / std::sqrt(norm));
        ops.extrapolated_residual(ops.allocate(p, 1), image, image, zero, factor, v);
    }
    return eigenvalue;
}

template std::unique_ptr<quadratic_form<float>> make_gram_form(const operations<float>&, const panel<float>&,
                                                               std::span<const double>, double);
template std::unique_ptr<quadratic_form<float>> make_residual_form(const operations<float>&, const backend::design&,
                                                                   std::span<const double>, std::span<const double>);
template double largest_eigenvalue(const operations<float>&, const quadratic_form<float>&);
template std::unique_ptr<quadratic_form<double>> make_gram_form(const operations<double>&, const panel<double>&,
                                                                std::span<const double>, double);
template std::unique_ptr<quadratic_form<double>> make_residual_form(const operations<double>&, const backend::design&,
                                                                    std::span<const double>, std::span<const double>);
template double largest_eigenvalue(const operations<double>&, const quadratic_form<double>&);

} // namespace proxpath::solver
