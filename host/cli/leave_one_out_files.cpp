// See leave_one_out_files.hpp.

#include "host/cli/leave_one_out_files.hpp"

#include "host/cli/fit_summary.hpp"
#include "host/io/output_file.hpp"

#include <cmath>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

/// Empty for what is not known.
std::string known_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : std::string(); }

} // namespace

void write_leave_one_out_csv(const std::string& file, const leave_one_out_result& result)
{
    io::output_file out(file);
    out.write("lambda,df,mse,se,rms_bound,rows,gcv\n");
    for (const leave_one_out_point& each : result.points) {
        out.print("{},{},", each.lambda, known_number(each.df));
        if (each.rows > 0)
            out.print("{},{},{}", each.mse, each.standard_error, each.rms_bound);
        else
            out.write(",,");
        out.print(",{},{}\n", each.rows, known_number(each.gcv));
    }
    out.commit();
}

nlohmann::json leave_one_out_json(const leave_one_out_result& result, double seconds)
{
    nlohmann::json out = {{"seconds", seconds}, {"notes", result.notes}};
    for (const auto& [rule, at] : {std::pair{"loo", result.at_loo}, std::pair{"gcv", result.at_gcv}}) {
        out[fmt::format("lambda_{}", rule)] = at ? nlohmann::json(result.points[*at].lambda) : nlohmann::json(nullptr);
        out[fmt::format("row_{}", rule)] = at ? nlohmann::json(*at + 1) : nlohmann::json(nullptr);
    }
    return out;
}

std::string leave_one_out_text(const leave_one_out_result& result)
{
    std::string text;
    if (result.at_loo) {
        const leave_one_out_point& best = result.points[*result.at_loo];
        text +=
            page_line("lambda.loo", fmt::format("{:.6g}, mean squared error {:.6g}, standard error {:.2g}, df {:.4g}",
                                                best.lambda, best.mse, best.standard_error, best.df));
    }
    if (result.at_gcv) {
        const leave_one_out_point& best = result.points[*result.at_gcv];
        text += page_line("lambda.gcv", fmt::format("{:.6g}, gcv {:.6g}, df {:.4g}", best.lambda, best.gcv, best.df));
    }
    if (text.empty()) text = page_line("leave-one-out", "no lambda has an error");
    for (const std::string& note : result.notes) text += page_line("note", note);
    return text;
}

} // namespace proxpath::cli
