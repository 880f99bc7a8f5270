// What is done with a working set: its columns gathered, their Gram matrix, and sweeps and products with that.
// Gathering and the Gram matrix are whole operations, the host's part in them included.

#include "bench/gpu/frame.hpp"
#include "bench/gpu/sparse_subject.hpp"

#include "host/backend/cuda/device_panel.hpp"
#include "kernels/descent_launchers.hpp"
#include "kernels/launchers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace proxpath::bench {

namespace {

using backend::panel;

struct text_columns {
    sparse_subject X;
    matrix stored;
    std::shared_ptr<const backend::design> on_device, on_host;
    std::vector<std::int64_t> chosen; ///< popular ones, as in a working set: every other one of the longest
    std::int64_t entries = 0;         ///< of these
    std::vector<double> weights;

    text_columns(const laboratory& lab, std::int64_t count)
        : X(text_subject(lab.size(40'000, 300), lab.size(30'000, 200),
                         static_cast<double>(lab.size(2'400'000, 4'000)))),
          stored(X.stored()), weights(static_cast<std::size_t>(X.n), 1 / static_cast<double>(X.n))
    {
        const auto p = static_cast<std::size_t>(X.p());
        const backend::column_scaling scaling{std::vector<double>(p, 0.0), std::vector<double>(p, 0.0),
                                              std::vector<double>(p, 1.0)};
        on_device = lab.on_device<double>().make_design(stored, scaling);
        on_host = lab.on_host<double>().make_design(stored, scaling);
        const auto length = [&](std::int64_t j) {
            return X.offsets[static_cast<std::size_t>(j) + 1] - X.offsets[static_cast<std::size_t>(j)];
        };
        std::vector<std::int64_t> order(p);
        std::iota(order.begin(), order.end(), std::int64_t{0});
        std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
            return length(a) != length(b) ? length(a) > length(b) : a < b;
        });
        for (std::size_t j = 0; j < order.size() && static_cast<std::int64_t>(chosen.size()) < count; j += 2) {
            chosen.push_back(order[j]);
            entries += length(order[j]);
        }
    }
};

stream_job gather_columns_job(const laboratory& lab)
{
    const auto on = std::make_shared<text_columns>(lab, lab.size(2'000, 30));
    const auto run = [&lab, on] { return lab.on_device<double>().gather_columns(*on->on_device, on->chosen, nullptr); };
    stream_job job;
    job.right = run()->nonzeros() == on->entries;
    job.run = [run] { run(); };
    job.bytes = 2 * static_cast<double>(on->entries) * on->X.entry_bytes();
    return job;
}

stream_job gram_job(const laboratory& lab)
{
    const auto on = std::make_shared<text_columns>(lab, lab.size(500, 30));
    const auto p = static_cast<std::int64_t>(on->chosen.size());
    const auto gram = [&](const backend::operations<double>& ops, const backend::design& X) {
        panel<double> C = ops.allocate(p, p);
        ops.gram(*ops.gather_columns(X, on->chosen, nullptr), on->weights, 0, C);
        return from_panel(ops, C);
    };
    const std::vector<double> expected = gram(lab.on_host<double>(), *on->on_host);
    stream_job job;
    // All products are positive: a sum bounds itself.
    job.right =
        sums_agree(gram(lab.on_device<double>(), *on->on_device), expected, expected, static_cast<double>(on->X.n));
    const std::shared_ptr<const backend::design> W =
        lab.on_device<double>().gather_columns(*on->on_device, on->chosen, nullptr);
    const auto C = std::make_shared<panel<double>>(lab.on_device<double>().allocate(p, p));
    job.run = [&lab, on, W, C] { lab.on_device<double>().gram(*W, on->weights, 0, *C); };
    job.bytes = static_cast<double>(on->entries) * (on->X.entry_bytes() + static_cast<double>(p) * sizeof(double)) +
                static_cast<double>(p * p) * sizeof(double);
    return job;
}

stream_job symmetric_multiply_job(const laboratory& lab, std::int64_t p, std::int64_t k)
{
    const auto& ops = lab.on_device<double>();
    const std::vector<double> C_host = tame_matrix(p);
    const std::vector<double> B_host = random_numbers<double>(p * k, 21);
    const auto C = std::make_shared<panel<double>>(to_panel(ops, p, p, C_host));
    const auto B = std::make_shared<panel<double>>(to_panel(ops, p, k, B_host));
    const auto Z = std::make_shared<panel<double>>(ops.allocate(p, k));
    const auto scratch = lab.numbers(kernels::symmetric_multiply_numbers(p, k));
    stream_job job;
    job.run = [&lab, C, B, Z, scratch] {
        kernels::symmetric_multiply<double, double>(backend::readable(*C), backend::readable(*B), backend::writable(*Z),
                                                    scratch->data(), lab.stream());
    };
    job.run();
    const auto& host = lab.on_host<double>();
    const auto product = [&](std::vector<double> left, std::vector<double> right, bool sizes) {
        if (sizes) {
            for (double& number : left) number = std::fabs(number);
            for (double& number : right) number = std::fabs(number);
        }
        panel<double> made = host.allocate(p, k);
        host.symmetric_multiply(to_panel(host, p, p, left), to_panel(host, p, k, right), made);
        return from_panel(host, made);
    };
    job.right = sums_agree(from_panel(ops, *Z), product(C_host, B_host, false), product(C_host, B_host, true),
                           static_cast<double>(p));
    job.bytes = static_cast<double>(p * p + 2 * p * k) * sizeof(double);
    return job;
}

/// One sweep from zero without a penalty, in which every coordinate moves: the most that a sweep can cost. Each
/// column reads every row of C that its coordinates have.
stream_job covariance_sweep_job(const laboratory& lab, std::int64_t p, std::int64_t k)
{
    struct sweep {
        panel<double> C, U, B;
        std::shared_ptr<backend::device_buffer<double>> zeros, ones, lower, upper, lambda, work;
        std::shared_ptr<backend::device_buffer<std::uint32_t>> list;
        std::shared_ptr<backend::device_buffer<int>> open;
    };
    const auto& ops = lab.on_device<double>();
    const auto count = static_cast<std::size_t>(p);
    const std::vector<double> C_host = tame_matrix(p);
    const std::vector<double> U_host = random_numbers<double>(p * k, 22);
    const auto one = std::make_shared<sweep>();
    one->C = to_panel(ops, p, p, C_host);
    one->U = to_panel(ops, p, k, U_host);
    one->B = ops.allocate(p, k);
    one->zeros = lab.numbers(std::vector<double>(count, 0.0));
    one->ones = lab.numbers(std::vector<double>(count, 1.0));
    one->lower = lab.numbers(std::vector<double>(count, -std::numeric_limits<double>::infinity()));
    one->upper = lab.numbers(std::vector<double>(count, std::numeric_limits<double>::infinity()));
    one->lambda = lab.numbers(std::vector<double>(static_cast<std::size_t>(k), 0.0));
    one->work = lab.numbers(2 * p * k);
    one->list = std::make_shared<backend::device_buffer<std::uint32_t>>(lab.session->buffer<std::uint32_t>(p * k));
    const std::vector<int> open(static_cast<std::size_t>(k), 1);
    one->open = std::make_shared<backend::device_buffer<int>>(lab.session->upload(std::span<const int>(open)));
    lab.session->wait();
    stream_job job;
    job.run = [&lab, one, p] {
        lab.runtime().clear(one->B.data, static_cast<std::uint64_t>(p * one->B.stride) * sizeof(double), lab.stream());
        const kernels::restricted_view problem{
            {one->zeros->data(), one->zeros->data(), one->lower->data(), one->upper->data(), one->ones->data()},
            one->ones->data(),
            one->lambda->data()};
        kernels::covariance_sweeps<double>(backend::readable(one->C), problem, 1, one->open->data(),
                                           backend::readable(one->U), backend::writable(one->B),
                                           {one->list->data(), one->work->data()}, lab.stream());
    };
    job.run();
    // A Gauss-Seidel step from zero: b_j = u_j - Σ_(i < j) C_ji b_i.
    const std::vector<double> found = from_panel(ops, one->B);
    job.right = true;
    const std::int64_t c = k - 1;
    std::vector<double> b(count);
    for (std::size_t j = 0; j < count; ++j) {
        b[j] = U_host[j * static_cast<std::size_t>(k) + static_cast<std::size_t>(c)];
        for (std::size_t i = 0; i < j; ++i) b[j] -= C_host[j * count + i] * b[i];
        job.right =
            job.right && std::fabs(found[j * static_cast<std::size_t>(k) + static_cast<std::size_t>(c)] - b[j]) < 1e-12;
    }
    job.bytes = static_cast<double>(k * p * p) * sizeof(double);
    return job;
}

} // namespace

void add_working_sets(laboratory& lab)
{
    const std::int64_t p = lab.size(2'000, 40);
    const std::int64_t large = lab.size(6'000, 70);
    add_job(lab, "gather_columns/text", [&lab] { return gather_columns_job(lab); });
    add_job(lab, "gram/text/p:500", [&lab] { return gram_job(lab); });
    for (const std::int64_t k : {1, 8, 32})
        add_job(lab, "symmetric_multiply/p:6000/k:" + std::to_string(k),
                [&lab, large, k] { return symmetric_multiply_job(lab, large, k); });
    for (const std::int64_t k : {8, 32, 128})
        add_job(lab, "covariance_sweeps/p:2000/k:" + std::to_string(k),
                [&lab, p, k] { return covariance_sweep_job(lab, p, k); });
}

} // namespace proxpath::bench
