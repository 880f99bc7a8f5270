// What the device's memory and its second-level cache give at best: every other figure is held against these.

#include "bench/gpu/frame.hpp"
#include "bench/gpu/row_gather.hpp"
#include "host/backend/cuda/device_panel.hpp"

#include <cmath>
#include <random>

namespace proxpath::bench {

namespace {

using backend::device_buffer;
using backend::panel;

stream_job copy_job(const laboratory& lab)
{
    const std::int64_t count = lab.size(std::int64_t{64} << 20, 1 << 10); // 512 MB
    const auto from = lab.numbers(count);
    const auto to = lab.numbers(count);
    lab.runtime().clear(from->data(), from->bytes(), lab.stream());
    return {[&lab, from, to] {
                lab.runtime().copy({.direction = backend::copy_direction::on_device,
                                    .to = to->data(),
                                    .from = from->data(),
                                    .row_bytes = from->bytes()},
                                   lab.stream());
            },
            2.0 * static_cast<double>(from->bytes()), true};
}

struct gather_case {
    panel<double> P;
    std::shared_ptr<device_buffer<std::uint32_t>> indices;
    std::shared_ptr<device_buffer<double>> out;
};

gather_case make_case(const laboratory& lab, const panel<double>& P, const std::vector<std::uint32_t>& indices)
{
    const auto count = static_cast<std::int64_t>(indices.size());
    gather_case made{
        P, std::make_shared<device_buffer<std::uint32_t>>(lab.session->upload(std::span<const std::uint32_t>(indices))),
        lab.numbers((count + rows_a_piece - 1) / rows_a_piece * P.cols)};
    lab.session->wait();
    return made;
}

void run(const laboratory& lab, const gather_case& one)
{
    row_gather(backend::readable(one.P), one.indices->data(), one.indices->size(), one.out->data(), lab.stream());
}

std::vector<std::uint32_t> random_rows(std::int64_t rows, std::int64_t count)
{
    std::mt19937_64 random(5);
    std::vector<std::uint32_t> made(static_cast<std::size_t>(count));
    for (std::uint32_t& row : made) row = static_cast<std::uint32_t>(random() % static_cast<std::uint64_t>(rows));
    return made;
}

/// On a small panel whose sums are exact: whole numbers.
bool gathers_right(const laboratory& lab, std::int64_t cols)
{
    constexpr std::int64_t rows = 50;
    std::vector<double> host(static_cast<std::size_t>(rows * cols));
    for (std::size_t i = 0; i < host.size(); ++i) host[i] = static_cast<double>(i % 101);
    const std::vector<std::uint32_t> indices = random_rows(rows, 2 * rows_a_piece + 3);
    const gather_case one = make_case(lab, to_panel(lab.on_device<double>(), rows, cols, host), indices);
    run(lab, one);
    std::vector<double> sums(static_cast<std::size_t>(one.out->size()));
    lab.session->download(*one.out, std::span(sums));
    for (std::size_t i = 0; i < indices.size(); ++i)
        for (std::int64_t c = 0; c < cols; ++c)
            sums[i / rows_a_piece * static_cast<std::size_t>(cols) + static_cast<std::size_t>(c)] -=
                host[indices[i] * static_cast<std::size_t>(cols) + static_cast<std::size_t>(c)];
    for (const double rest : sums)
        if (rest != 0) return false;
    return true;
}

stream_job gather_job(const laboratory& lab, std::int64_t row_bytes, std::int64_t panel_bytes)
{
    const std::int64_t cols = row_bytes / static_cast<std::int64_t>(sizeof(double));
    const std::int64_t rows = panel_bytes / row_bytes;
    const std::int64_t count = lab.size((std::int64_t{1} << 31) / row_bytes, 600); // 2 GB are gathered
    const gather_case one = make_case(lab, lab.on_device<double>().allocate(rows, cols), random_rows(rows, count));
    return {[&lab, one] { run(lab, one); }, static_cast<double>(count * (row_bytes + 4)), gathers_right(lab, cols)};
}

} // namespace

void add_bandwidths(laboratory& lab)
{
    add_job(lab, "copy", [&lab] { return copy_job(lab); });
    for (const std::int64_t row_bytes : {256, 512, 800, 1024}) {
        const std::string name = "row_gather/bytes:" + std::to_string(row_bytes);
        // 16 MB fit the usable part of the second-level caches of all devices that this is for; 2 GB fit none.
        add_job(lab, name + "/cached",
                [&lab, row_bytes] { return gather_job(lab, row_bytes, lab.size(16 << 20, 64 << 10)); });
        add_job(lab, name + "/memory",
                [&lab, row_bytes] { return gather_job(lab, row_bytes, lab.size(std::int64_t{2} << 30, 256 << 10)); });
    }
}

} // namespace proxpath::bench
