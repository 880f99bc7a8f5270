// Products with all of X: X'R, the pass that a path is made of, with and without the KKT test fused in, and XB. On a
// text whose R the second-level cache holds, and on a matrix of so many rows that it does not.

#include "bench/gpu/frame.hpp"
#include "bench/gpu/sparse_subject.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace proxpath::bench {

namespace {

using backend::design;
using backend::panel;

backend::column_scaling plain_columns(std::int64_t p)
{
    const auto count = static_cast<std::size_t>(p);
    return {std::vector<double>(count, 0.0), std::vector<double>(count, 0.0), std::vector<double>(count, 1.0)};
}

/// A matrix, in host memory and on the device.
struct product_subject {
    sparse_subject X;
    matrix stored;
    std::shared_ptr<const design> on_device, on_host;
};

using make_subject = std::function<sparse_subject(const laboratory&)>;

/// Made when it is first asked for, and kept until another one is.
const product_subject& subject_for(laboratory& lab, const std::string& name, const make_subject& make)
{
    if (lab.subject_name != name) {
        lab.subject.reset();
        const auto made = std::make_shared<product_subject>();
        made->X = make(lab);
        made->stored = made->X.stored();
        // A design serves float and double alike.
        made->on_device = lab.on_device<double>().make_design(made->stored, plain_columns(made->X.p()));
        made->on_host = lab.on_host<double>().make_design(made->stored, plain_columns(made->X.p()));
        lab.subject = made;
        lab.subject_name = name;
    }
    return *static_cast<const product_subject*>(lab.subject.get());
}

template <class T>
std::vector<T> absolute(std::vector<T> of)
{
    for (T& number : of) number = std::fabs(number);
    return of;
}

/// One of X'R and XB on both sides, `input` rows in and `output` rows out.
template <class T, class Product>
stream_job product_job(const laboratory& lab, std::int64_t input, std::int64_t output, std::int64_t k, double terms,
                       const Product& product)
{
    const std::vector<T> numbers = random_numbers<T>(input * k, 11);
    const auto on_host = [&](const std::vector<T>& from) {
        panel<T> out = lab.on_host<T>().allocate(output, k);
        product(lab.on_host<T>(), false, to_panel(lab.on_host<T>(), input, k, from), out);
        return from_panel(lab.on_host<T>(), out);
    };
    const auto in = std::make_shared<panel<T>>(to_panel(lab.on_device<T>(), input, k, numbers));
    const auto out = std::make_shared<panel<T>>(lab.on_device<T>().allocate(output, k));
    stream_job job;
    job.run = [&lab, in, out, product] { product(lab.on_device<T>(), true, *in, *out); };
    job.run();
    job.right = sums_agree(from_panel(lab.on_device<T>(), *out), on_host(numbers), on_host(absolute(numbers)), terms);
    return job;
}

template <class T>
stream_job transpose_multiply_job(const laboratory& lab, const product_subject& on, std::int64_t k)
{
    const auto product = [&on](const backend::operations<T>& ops, bool device, const panel<T>& R, panel<T>& C) {
        ops.transpose_multiply(device ? *on.on_device : *on.on_host, R, C);
    };
    stream_job job = product_job<T>(lab, on.X.n, on.X.p(), k, static_cast<double>(on.X.n), product);
    const double row = static_cast<double>(k) * sizeof(T);
    job.bytes = static_cast<double>(on.X.nonzeros()) * (on.X.entry_bytes() + row) + static_cast<double>(on.X.p()) * row;
    return job;
}

template <class T>
stream_job multiply_job(const laboratory& lab, const product_subject& on, std::int64_t k)
{
    const auto product = [&on](const backend::operations<T>& ops, bool device, const panel<T>& B, panel<T>& V) {
        ops.multiply(device ? *on.on_device : *on.on_host, B, V);
    };
    stream_job job = product_job<T>(lab, on.X.p(), on.X.n, k, static_cast<double>(on.X.p()), product);
    // By rows, as the device has them: a sum is written once, not added to for every entry.
    const double row = static_cast<double>(k) * sizeof(T);
    job.bytes = static_cast<double>(on.X.nonzeros()) * (on.X.entry_bytes() + row) + static_cast<double>(on.X.n) * row;
    return job;
}

/// With all coefficients zero and the largest correlation of each column as its lambda, nothing violates and the dual
/// scaling is 1, but for rounding.
stream_job correlation_pass_job(const laboratory& lab, const product_subject& on, std::int64_t k)
{
    struct pass {
        panel<double> R, none;
        std::vector<std::int64_t> position;
        std::vector<std::uint8_t> skip;
        std::vector<double> ones, zeros, infinite, minus_infinite, lambda, saved;
        backend::correlation_request<double> request;
    };
    const auto& ops = lab.on_device<double>();
    const auto p = static_cast<std::size_t>(on.X.p());
    const auto one = std::make_shared<pass>();
    const std::vector<double> numbers = random_numbers<double>(on.X.n * k, 12);
    one->R = to_panel(ops, on.X.n, k, numbers);
    one->none = ops.allocate(0, k);
    one->position.assign(p, -1);
    one->skip.assign(p, 0);
    one->ones.assign(p, 1.0);
    one->zeros.assign(p, 0.0);
    one->infinite.assign(p, std::numeric_limits<double>::infinity());
    one->minus_infinite.assign(p, -std::numeric_limits<double>::infinity());
    one->saved.assign(p, 0.0);
    panel<double> C = lab.on_host<double>().allocate(on.X.p(), k);
    lab.on_host<double>().transpose_multiply(*on.on_host, to_panel(lab.on_host<double>(), on.X.n, k, numbers), C);
    const std::vector<double> correlations = from_panel(lab.on_host<double>(), C);
    one->lambda.assign(static_cast<std::size_t>(k), 0.0);
    for (std::size_t i = 0; i < correlations.size(); ++i) {
        double& largest = one->lambda[i % static_cast<std::size_t>(k)];
        largest = std::max(largest, std::fabs(correlations[i]));
    }
    one->request.X = on.on_device.get();
    one->request.weighted_residual = &one->R;
    one->request.coefficients = &one->none;
    one->request.position = one->position;
    one->request.skip = one->skip;
    one->request.penalty = {one->ones, one->zeros, one->minus_infinite, one->infinite, one->ones};
    one->request.lambda = one->lambda;
    one->request.save_column = k - 1;

    const backend::correlation_result found = ops.correlation_pass(one->request, one->saved);
    stream_job job;
    job.right = true;
    for (const backend::gap_sums& sums : found.sums) job.right = job.right && std::fabs(sums.s_max - 1) < 1e-9;
    job.run = [&ops, one] { ops.correlation_pass(one->request, one->saved); };
    job.bytes = static_cast<double>(on.X.nonzeros()) * (on.X.entry_bytes() + static_cast<double>(k) * sizeof(double));
    return job;
}

template <class T>
std::string suffix(const std::string& subject, std::int64_t k)
{
    return '/' + subject + (sizeof(T) == 4 ? "/float" : "/double") + "/k:" + std::to_string(k);
}

template <class T>
void add_transpose_multiply(laboratory& lab, const std::string& name, const make_subject& make, std::int64_t k)
{
    add_job(lab, "transpose_multiply" + suffix<T>(name, k),
            [&lab, name, make, k] { return transpose_multiply_job<T>(lab, subject_for(lab, name, make), k); });
}

} // namespace

void add_products(laboratory& lab)
{
    struct choice {
        std::string name;
        std::vector<std::int64_t> widths;
        make_subject make;
    };
    const choice subjects[] = {{"text",
                                {1, 8, 32, 64, 100, 128},
                                [](const laboratory& in) {
                                    return text_subject(in.size(40'000, 300), in.size(30'000, 200),
                                                        static_cast<double>(in.size(2'400'000, 4'000)));
                                }},
                               {"even", {8, 32, 100}, [](const laboratory& in) {
                                    return even_subject(in.size(1'000'000, 900), in.size(10'000, 40),
                                                        static_cast<double>(in.size(20'000'000, 5'000)));
                                }}};
    for (const auto& [name, widths, make] : subjects) {
        for (const std::int64_t k : widths) add_transpose_multiply<double>(lab, name, make, k);
        add_transpose_multiply<float>(lab, name, make, 32);
        for (const std::int64_t k : {8, 32})
            add_job(lab, "multiply" + suffix<double>(name, k), [&lab, name = name, make = make, k] {
                return multiply_job<double>(lab, subject_for(lab, name, make), k);
            });
        add_job(lab, "correlation_pass" + suffix<double>(name, 32), [&lab, name = name, make = make] {
            return correlation_pass_job(lab, subject_for(lab, name, make), 32);
        });
    }
}

} // namespace proxpath::bench
