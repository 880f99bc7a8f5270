// What the iterations of solvers and certificates are made of: elementwise steps and sums over rows, on panels larger
// than the caches. Each is bound by the memory's bandwidth, so its bytes over its time should be near that of a copy.

#include "bench/gpu/frame.hpp"

#include "host/backend/cuda/device_panel.hpp"
#include "kernels/gap_numbers.hpp"
#include "kernels/launchers.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace proxpath::bench {

namespace {

using backend::panel;
using backend::readable;
using backend::writable;

/// Panels and vectors of one size that all steps share, in host memory and on the device.
template <class T>
struct step_data {
    std::int64_t rows, k;
    std::vector<std::vector<T>> host;
    std::vector<panel<T>> on_device, on_host;
    std::vector<double> per_column, per_row, zeros, ones, lower, upper;
    std::shared_ptr<backend::device_buffer<double>> column_numbers, row_numbers, zero, one, low, high, sums, scratch;

    step_data(const laboratory& lab, std::int64_t row_count, std::int64_t columns) : rows(row_count), k(columns)
    {
        const auto& device = lab.on_device<T>();
        const auto& cpu = lab.on_host<T>();
        for (std::uint64_t e = 0; e < 4; ++e) {
            host.push_back(random_numbers<T>(rows * k, 30 + e));
            on_device.push_back(to_panel(device, rows, k, host.back()));
            on_host.push_back(to_panel(cpu, rows, k, host.back()));
        }
        const auto n = static_cast<std::size_t>(rows);
        per_column.assign(static_cast<std::size_t>(k), 0.3);
        per_row.assign(n, 0.7);
        zeros.assign(n, 0.0);
        ones.assign(n, 1.0);
        lower.assign(n, -std::numeric_limits<double>::infinity());
        upper.assign(n, std::numeric_limits<double>::infinity());
        column_numbers = lab.numbers(per_column);
        row_numbers = lab.numbers(per_row);
        zero = lab.numbers(zeros);
        one = lab.numbers(ones);
        low = lab.numbers(lower);
        high = lab.numbers(upper);
        sums = lab.numbers(12 * k);
        scratch = lab.numbers(std::max(kernels::scratch_numbers(rows, 8 * k), kernels::gap_scratch_numbers(rows, k)));
    }

    backend::penalty_view penalty() const { return {ones, zeros, lower, upper, ones}; }
    kernels::penalty_arrays device_penalty() const
    {
        return {one->data(), zero->data(), low->data(), high->data(), one->data()};
    }
    double panels(double count) const { return count * static_cast<double>(rows * k) * sizeof(T); }
};

/// The first `count` sums that a step left.
template <class T>
std::vector<double> sums_of(const laboratory& lab, const step_data<T>& on, std::int64_t count)
{
    std::vector<double> made(static_cast<std::size_t>(count));
    lab.session->download(*on.sums, std::span(made));
    return made;
}

/// Sums of products of numbers at most 1 in size, of `rows` terms.
bool near(const std::vector<double>& found, const std::vector<double>& expected, std::int64_t rows, double size)
{
    const std::vector<double> sizes(expected.size(), size * static_cast<double>(rows));
    return sums_agree(found, expected, sizes, static_cast<double>(rows));
}

template <class T>
stream_job prox_step_job(const laboratory& lab, const std::shared_ptr<step_data<T>>& on)
{
    stream_job job;
    job.run = [&lab, on] {
        kernels::prox_step<T>(readable(on->on_device[0]), readable(on->on_device[1]), readable(on->on_device[2]),
                              on->device_penalty(), on->column_numbers->data(), on->column_numbers->data(),
                              on->column_numbers->data(), writable(on->on_device[3]), on->sums->data(),
                              on->scratch->data(), lab.stream());
    };
    job.run();
    const std::vector<T> found = from_panel(lab.on_device<T>(), on->on_device[3]);
    std::vector<double> step_square(on->per_column.size());
    std::vector<double> restart_dot(on->per_column.size());
    lab.on_host<T>().prox_step(on->on_host[0], on->on_host[1], on->on_host[2], on->penalty(), on->per_column,
                               on->per_column, on->per_column, on->on_host[3], step_square, restart_dot);
    // Four roundings in double and one to T, of numbers below 2 in size.
    job.right = sums_agree(found, from_panel(lab.on_host<T>(), on->on_host[3]),
                           std::vector<T>(found.size(), static_cast<T>(2)), 4);
    job.bytes = on->panels(4);
    return job;
}

stream_job column_dots_job(const laboratory& lab, const std::shared_ptr<step_data<double>>& on)
{
    stream_job job;
    job.run = [&lab, on] {
        kernels::column_dots<double>(readable(on->on_device[0]), readable(on->on_device[1]), on->row_numbers->data(),
                                     on->sums->data(), on->scratch->data(), lab.stream());
    };
    job.run();
    std::vector<double> expected(on->per_column.size());
    lab.on_host<double>().column_dots(on->on_host[0], on->on_host[1], on->per_row, expected);
    job.right = near(sums_of(lab, *on, on->k), expected, on->rows, 1);
    job.bytes = on->panels(2);
    return job;
}

stream_job residual_dots_job(const laboratory& lab, const std::shared_ptr<step_data<double>>& on)
{
    const std::vector<double> y = random_numbers<double>(on->rows, 40);
    const auto y_device = std::make_shared<panel<double>>(to_panel(lab.on_device<double>(), on->rows, 1, y));
    stream_job job;
    job.run = [&lab, on, y_device] {
        kernels::residual_dots<double>(readable(*y_device), readable(on->on_device[1]), on->row_numbers->data(),
                                       on->sums->data(), on->scratch->data(), lab.stream());
    };
    job.run();
    std::vector<double> square(on->per_column.size());
    std::vector<double> dot(on->per_column.size());
    lab.on_host<double>().residual_dots(to_panel(lab.on_host<double>(), on->rows, 1, y), on->on_host[1], on->per_row,
                                        square, dot);
    square.insert(square.end(), dot.begin(), dot.end());
    job.right = near(sums_of(lab, *on, 2 * on->k), square, on->rows, 4);
    job.bytes = on->panels(1);
    return job;
}

stream_job penalty_sums_job(const laboratory& lab, const std::shared_ptr<step_data<double>>& on)
{
    stream_job job;
    job.run = [&lab, on] {
        kernels::penalty_sums<double>(readable(on->on_device[0]), readable(on->on_device[1]), on->device_penalty(),
                                      on->column_numbers->data(), on->sums->data(), on->scratch->data(), lab.stream());
    };
    job.run();
    const std::vector<double> found = sums_of(lab, *on, kernels::gap_numbers * on->k);
    std::vector<backend::gap_sums> expected(on->per_column.size());
    lab.on_host<double>().penalty_sums(on->on_host[0], on->on_host[1], on->penalty(), on->per_column, expected);
    std::vector<double> l1(expected.size());
    for (std::size_t c = 0; c < l1.size(); ++c) l1[c] = expected[c].l1;
    job.right = near({found.begin(), found.begin() + on->k}, l1, on->rows, 1);
    job.bytes = on->panels(2);
    return job;
}

stream_job extrapolated_residual_job(const laboratory& lab, const std::shared_ptr<step_data<double>>& on)
{
    stream_job job;
    job.run = [&lab, on] {
        kernels::extrapolated_residual<double>(readable(on->on_device[0]), readable(on->on_device[1]),
                                               readable(on->on_device[2]), on->column_numbers->data(),
                                               on->row_numbers->data(), writable(on->on_device[3]), lab.stream());
    };
    job.run();
    const std::vector<double> found = from_panel(lab.on_device<double>(), on->on_device[3]);
    lab.on_host<double>().extrapolated_residual(on->on_host[0], on->on_host[1], on->on_host[2], on->per_column,
                                                on->per_row, on->on_host[3]);
    job.right =
        sums_agree(found, from_panel(lab.on_host<double>(), on->on_host[3]), std::vector<double>(found.size(), 3.0), 4);
    job.bytes = on->panels(4);
    return job;
}

stream_job combine_job(const laboratory& lab, const std::shared_ptr<step_data<double>>& on)
{
    const std::int64_t vectors = on->k;
    const std::vector<double> Y = random_numbers<double>(vectors * on->k, 41);
    const auto Y_device = lab.numbers(Y);
    stream_job job;
    job.run = [&lab, on, Y_device] {
        kernels::combine<double>(readable(on->on_device[0]), Y_device->data(), writable(on->on_device[3]),
                                 lab.stream());
    };
    job.run();
    const std::vector<double> found = from_panel(lab.on_device<double>(), on->on_device[3]);
    lab.on_host<double>().combine(on->on_host[0], Y, on->on_host[3]);
    job.right =
        sums_agree(found, from_panel(lab.on_host<double>(), on->on_host[3]),
                   std::vector<double>(found.size(), static_cast<double>(vectors)), static_cast<double>(vectors));
    job.bytes = on->panels(2);
    return job;
}

stream_job compact_job(const laboratory& lab, const std::shared_ptr<step_data<double>>& on)
{
    std::vector<std::int64_t> columns; // every other one
    for (std::int64_t c = 0; c < on->k; c += 2) columns.push_back(c);
    const auto count = static_cast<std::int64_t>(columns.size());
    const auto list = std::make_shared<backend::device_buffer<std::int64_t>>(
        lab.session->upload(std::span<const std::int64_t>(columns)));
    const auto to = std::make_shared<panel<double>>(lab.on_device<double>().allocate(on->rows, count));
    stream_job job;
    job.run = [&lab, on, list, to] {
        kernels::compact<double>(readable(on->on_device[0]), list->data(), writable(*to), lab.stream());
    };
    job.run();
    job.right = from_panel(lab.on_device<double>(), *to) ==
                from_panel(lab.on_host<double>(), lab.on_host<double>().compact(on->on_host[0], columns));
    // Lines of the memory hold both kinds of columns: all are read.
    job.bytes = on->panels(1.5);
    return job;
}

stream_job select_job(const laboratory& lab)
{
    struct places {
        std::shared_ptr<backend::device_buffer<std::uint8_t>> kind;
        std::shared_ptr<backend::device_buffer<std::uint32_t>> bits;
        std::shared_ptr<backend::device_buffer<std::int64_t>> before, starts, first, second;
    };
    const std::int64_t n = lab.size(20'000'000, 5'000);
    std::vector<std::uint8_t> kind(static_cast<std::size_t>(n), 0);
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i < n; i += 13) {
        kind[static_cast<std::size_t>(i)] = 1;
        expected.push_back(i);
    }
    const auto longs = [&](std::int64_t count) {
        return std::make_shared<backend::device_buffer<std::int64_t>>(lab.session->buffer<std::int64_t>(count));
    };
    const std::int64_t words = (n + 31) / 32;
    const auto one = std::make_shared<places>();
    one->kind = std::make_shared<backend::device_buffer<std::uint8_t>>(
        lab.session->upload(std::span<const std::uint8_t>(kind)));
    one->bits = std::make_shared<backend::device_buffer<std::uint32_t>>(lab.session->buffer<std::uint32_t>(words));
    one->before = longs(words);
    one->starts = longs(2 * ((n + kernels::select_piece - 1) / kernels::select_piece + 1));
    one->first = longs(static_cast<std::int64_t>(expected.size()));
    one->second = longs(1);
    stream_job job;
    job.run = [&lab, one, n] {
        kernels::select(
            one->kind->data(), n,
            {one->bits->data(), one->before->data(), one->starts->data(), one->first->data(), one->second->data()},
            lab.stream());
    };
    job.run();
    std::vector<std::int64_t> found(expected.size());
    lab.session->download(*one->first, std::span(found));
    job.right = found == expected;
    job.bytes =
        3.0 * static_cast<double>(n) + 8.0 * static_cast<double>(expected.size()) + 12.0 * static_cast<double>(words);
    return job;
}

using step = stream_job (*)(const laboratory&, const std::shared_ptr<step_data<double>>&);

template <class T>
std::shared_ptr<step_data<T>> make_data(const laboratory& lab)
{
    return std::make_shared<step_data<T>>(lab, lab.size(1'000'000, 70), 32);
}

} // namespace

void add_steps(laboratory& lab)
{
    const std::pair<const char*, step> steps[] = {{"prox_step", &prox_step_job<double>},
                                                  {"extrapolated_residual", &extrapolated_residual_job},
                                                  {"column_dots", &column_dots_job},
                                                  {"residual_dots", &residual_dots_job},
                                                  {"penalty_sums", &penalty_sums_job},
                                                  {"combine", &combine_job},
                                                  {"compact", &compact_job}};
    for (const auto& [name, make] : steps)
        add_job(lab, std::string(name) + "/double/k:32",
                [&lab, make = make] { return make(lab, make_data<double>(lab)); });
    add_job(lab, "prox_step/float/k:32", [&lab] { return prox_step_job<float>(lab, make_data<float>(lab)); });
    add_job(lab, "select", [&lab] { return select_job(lab); });
}

} // namespace proxpath::bench
