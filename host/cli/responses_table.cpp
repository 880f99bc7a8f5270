// See responses_table.hpp. The name stands last, so that what reads the others need not know how names are quoted.

#include "host/cli/responses_table.hpp"

#include "host/cli/fit_files.hpp"
#include "host/cli/values.hpp"
#include "host/io/output_file.hpp"

#include <proxpath/errors.hpp>
#include <proxpath/io.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace proxpath::cli {

std::string files_of_response(std::int64_t number, std::int64_t count)
{
    return fmt::format("{}{:0{}}.", fit_files::response_prefix, number, fmt::formatted_size("{}", count));
}

response_line line_of(const path_result& fit, std::int64_t number, std::string name, std::string files)
{
    response_line line;
    line.number = number;
    line.name = std::move(name);
    line.files = std::move(files);
    line.lambda_max = fit.lambda_max;
    line.null_loss = fit.null_loss;
    line.lambdas = static_cast<std::int64_t>(fit.points.size());
    line.counts = count_statuses(fit.points);
    for (const path_point& point : fit.points) line.rel_gap = std::max(line.rel_gap, point.rel_gap);
    line.df = fit.points.back().df;
    line.dev_ratio = fit.points.back().dev_ratio;
    line.passes = fit.passes;
    return line;
}

void write_responses_csv(const std::string& file, const std::vector<response_line>& lines)
{
    io::output_file out(file);
    out.print("{}\n", fit_files::responses_header);
    for (const response_line& each : lines)
        out.print("{},{},{},{},{},{},{},{},{},{},{},{}\n", each.number, each.files, each.lambda_max, each.null_loss,
                  each.lambdas, each.counts.converged, each.counts.not_converged, each.rel_gap, each.df, each.dev_ratio,
                  each.passes, csv_cell(each.name));
    out.commit();
}

std::vector<response_line> read_responses_csv(const std::string& file)
{
    const std::vector<std::string> texts = read_lines(file);
    if (texts.empty() || texts.front() != fit_files::responses_header)
        throw file_error(file, 1, "this is not the header of a table of responses; fit again");
    const std::size_t cells = split(fit_files::responses_header, ',').size();
    std::vector<response_line> lines;
    for (std::size_t i = 1; i < texts.size(); ++i) {
        const auto place = static_cast<std::int64_t>(i) + 1;
        const std::vector<std::string_view> parts = split(texts[i], ',');
        if (parts.size() < cells)
            throw file_error(file, place, fmt::format("{} cells, but the header names {}", parts.size(), cells));
        const auto whole = [&](std::size_t cell) {
            const auto number = parse_integer(parts[cell]);
            if (!number) throw file_error(file, place, fmt::format("'{}' is not a whole number", parts[cell]));
            return *number;
        };
        const auto real = [&](std::size_t cell) {
            const auto number = parse_number(parts[cell]);
            if (!number) throw file_error(file, place, fmt::format("'{}' is not a finite number", parts[cell]));
            return *number;
        };
        response_line& line = lines.emplace_back();
        line.number = whole(0);
        line.files = parts[1];
        line.lambda_max = real(2);
        line.null_loss = real(3);
        line.lambdas = whole(4);
        line.counts.converged = whole(5);
        line.counts.not_converged = whole(6);
        line.rel_gap = real(7);
        line.df = whole(8);
        line.dev_ratio = real(9);
        line.passes = whole(10);
        line.name = texts[i].substr(static_cast<std::size_t>(parts[cells - 1].data() - texts[i].data()));
        // Names of files are put together with the folder's: nothing may lead elsewhere.
        if (!is_fit_file(line.files + fit_files::path) || !line.files.starts_with(fit_files::response_prefix))
            throw file_error(file, place, fmt::format("'{}' is not how files of a response begin", line.files));
    }
    return lines;
}

} // namespace proxpath::cli
