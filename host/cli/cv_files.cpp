// Files and page of a cross-validation; see cv_files.hpp.

#include "host/cli/cv_files.hpp"

#include "host/cli/fit_files.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/values.hpp"
#include "host/io/output_file.hpp"

#include <set>

#include <fmt/format.h>

namespace proxpath::cli {

namespace {

std::string loss_words(cv_loss loss)
{
    switch (loss) {
    case cv_loss::mae:
        return "mean absolute error";
    case cv_loss::r2:
        return "R²";
    default:
        return "mean squared error";
    }
}

nlohmann::json point_json(const cv_point& point)
{
    return {{"lambda", point.lambda}, {"loss", point.mean}, {"se", point.standard_error}, {"df", point.df}};
}

std::string split_text(const cv_options& options)
{
    if (!options.fold_ids.empty()) return "given";
    return options.kind == fold_kind::grouped ? "grouped" : name_of(split_choices, options.kind);
}

std::string chosen_line(const char* label, const cv_point& point)
{
    return fmt::format("{:<14}{:.6g}, loss {:.6g}, standard error {:.2g}, {} non-zeros\n", label, point.lambda,
                       point.mean, point.standard_error, point.df);
}

/// Ten lambdas, evenly spaced, and the two chosen ones.
std::set<std::size_t> points_to_show(const cv_curve& curve, bool all)
{
    constexpr std::size_t shown = 10;
    const std::size_t count = curve.points.size();
    std::set<std::size_t> points{curve.at_min, curve.at_1se};
    for (std::size_t i = 0; i < (all ? count : std::min(count, shown)); ++i)
        points.insert(all || count <= shown ? i : i * (count - 1) / (shown - 1));
    return points;
}

} // namespace

void write_curve_csv(const std::string& file, const cv_result& result)
{
    io::output_file out(file);
    out.write("alpha,lambda,loss,se,df,folds,gamma\n");
    for (const cv_curve& curve : result.curves)
        for (const cv_point& point : curve.points)
            if (point.folds > 0)
                out.print("{},{},{},{},{},{},{}\n", curve.alpha, point.lambda, point.mean, point.standard_error,
                          point.df, point.folds, curve.gamma);
            else
                out.print("{},{},,,{},0,{}\n", curve.alpha, point.lambda, point.df, curve.gamma);
    out.commit();
}

void write_folds_csv(const std::string& file, const cv_result& result)
{
    io::output_file out(file);
    out.write("alpha,lambda,repeat,fold,rows,weight,loss,gamma\n");
    for (const cv_curve& curve : result.curves) {
        const std::size_t K = curve.points.size();
        for (std::size_t k = 0; k < K; ++k) {
            std::int64_t fold = 0;
            for (std::size_t f = 0; f < result.folds.size(); ++f) {
                const cv_fold& each = result.folds[f];
                fold = f > 0 && result.folds[f - 1].repeat == each.repeat ? fold + 1 : 1;
                out.print("{},{},{},{},{},{},", curve.alpha, curve.points[k].lambda, each.repeat + 1, fold, each.rows,
                          each.weight);
                if (curve.fold_counted[f * K + k] != 0) out.print("{}", curve.fold_losses[f * K + k]);
                out.print(",{}\n", curve.gamma);
            }
        }
    }
    out.commit();
}

void write_predictions_csv(const std::string& file, const cv_result& result)
{
    const cv_curve& curve = result.curve();
    const std::size_t K = curve.points.size();
    const auto n = static_cast<std::size_t>(result.fit.n);
    const std::size_t repeats = result.fold_of.size() / n;
    io::output_file out(file);
    if (repeats == 1)
        out.write("fold,");
    else
        for (std::size_t r = 0; r < repeats; ++r) out.print("fold{},", r + 1);
    out.write("min,1se\n");
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t r = 0; r < repeats; ++r) out.print("{},", result.fold_of[r * n + i] + 1);
        out.print("{},{}\n", result.predictions[i * K + curve.at_min], result.predictions[i * K + curve.at_1se]);
    }
    out.commit();
}

nlohmann::json cv_json(const cv_result& result, const cv_options& options)
{
    const cv_curve& curve = result.curve();
    std::int64_t open = 0;
    for (const cv_fold& fold : result.folds) open += fold.not_converged;
    const std::vector<double> fold_of(result.fold_of.begin(), result.fold_of.end());
    nlohmann::json curves = nlohmann::json::array();
    for (const cv_curve& each : result.curves)
        curves.push_back({{"alpha", each.alpha},
                          {"gamma", each.gamma},
                          {"min", point_json(each.points[each.at_min])},
                          {"1se", point_json(each.points[each.at_1se])}});
    return {{"loss", name_of(loss_choices, result.loss)},
            {"split", split_text(options)},
            {"repeats", options.repeats},
            {"folds", static_cast<std::int64_t>(result.folds.size()) / options.repeats},
            {"folds_checksum", checksum_of(fold_of)},
            {"alpha", curve.alpha},
            {"gamma", curve.gamma},
            {"lambda_min", curve.lambda_min()},
            {"lambda_1se", curve.lambda_1se()},
            {"row_min", curve.at_min + 1},
            {"row_1se", curve.at_1se + 1},
            {"curves", curves},
            {"not_converged", open},
            {"seconds", {{"fit", result.fit_s}, {"folds", result.folds_s}}},
            {"notes", result.notes}};
}

std::string cv_page(const cv_result& result, bool whole_curve)
{
    const cv_curve& curve = result.curve();
    std::string page = fmt::format(
        "Cross-validation, {} folds{}: {} of rows held out\n",
        result.folds.size() / static_cast<std::size_t>(result.folds.back().repeat + 1),
        result.folds.back().repeat > 0 ? fmt::format(" {} times", result.folds.back().repeat + 1) : std::string(),
        loss_words(result.loss));
    if (result.curves.size() > 1) {
        const bool blends = result.relaxed.has_value();
        const auto gamma_cell = [&](const std::string& text) { return blends ? fmt::format("{:>8} ", text) : ""; };
        page += fmt::format("\n{:>8} {}{:>12} {:>12} {:>11} {:>9}\n", "alpha", gamma_cell("gamma"), "lambda.min",
                            "loss", "se", "non-zeros");
        for (const cv_curve& each : result.curves) {
            const cv_point& best = each.points[each.at_min];
            page += fmt::format("{:>8.4g} {}{:>12.6g} {:>12.6g} {:>11.3g} {:>9}{}\n", each.alpha,
                                gamma_cell(fmt::format("{:.4g}", each.gamma)), best.lambda, best.mean,
                                best.standard_error, best.df, &each == &curve ? "  best" : "");
        }
    }
    page += fmt::format("\n{:>12} {:>9} {:>12} {:>11} {:>6}\n", "lambda", "non-zeros", "loss", "se", "folds");
    for (const std::size_t k : points_to_show(curve, whole_curve)) {
        const cv_point& point = curve.points[k];
        page += fmt::format("{:>12.6g} {:>9} {:>12.6g} {:>11.3g} {:>6}{}{}\n", point.lambda, point.df, point.mean,
                            point.standard_error, point.folds, k == curve.at_min ? "  min" : "",
                            k == curve.at_1se ? "  1se" : "");
    }
    page += '\n' + chosen_line("lambda.min", curve.points[curve.at_min]);
    page += chosen_line("lambda.1se", curve.points[curve.at_1se]);
    if (result.curves.size() > 1) page += fmt::format("{:<14}{}\n", "alpha", curve.alpha);
    if (result.relaxed) page += fmt::format("{:<14}{} of the path, the rest least squares\n", "gamma", curve.gamma);
    page += fmt::format("{:<14}{} on all rows, {} the folds\n", "seconds", seconds_text(result.fit_s),
                        seconds_text(result.folds_s));
    for (const std::string& note : result.notes) page += fmt::format("{:<14}{}\n", "note", note);
    return page;
}

} // namespace proxpath::cli
