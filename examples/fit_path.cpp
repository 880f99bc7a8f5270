// Fits a Lasso path on numbers of the caller's own and prints it: the library from a matrix to a certified result. It
// shows the three things a larger program needs beside the call itself: a callback that reports progress and can stop
// the fit, what each exception asks for, and statuses, which are no exceptions.
//
//     fit_path [ROWS FEATURES]        exit codes as those of the program proxpath
#include <proxpath/proxpath.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <vector>

namespace {

/// A sparse design as many programs hold one: three arrays in compressed columns, with 32-bit indices and float values.
struct compressed_columns {
    std::vector<std::int32_t> offsets{0};
    std::vector<std::int32_t> rows;
    std::vector<float> values;
};

/// About one entry in ten is not zero; rows ascend in each column, so that the library uses the arrays in place.
compressed_columns make_design(std::int32_t rows, std::int32_t features)
{
    std::mt19937 random(7);
    compressed_columns X;
    for (std::int32_t j = 0; j < features; ++j) {
        for (std::int32_t i = 0; i < rows; ++i) {
            if (random() % 10 != 0) continue;
            X.rows.push_back(i);
            X.values.push_back(static_cast<float>(1 + random() % 3));
        }
        X.offsets.push_back(static_cast<std::int32_t>(X.rows.size()));
    }
    return X;
}

/// y = 2 + x_0 − x_1 + x_2 − x_3 + x_4 + noise: five features matter, the path should find them first.
std::vector<double> make_response(const compressed_columns& X, std::int32_t rows, std::int32_t features)
{
    std::mt19937 random(11);
    std::vector<double> y(static_cast<std::size_t>(rows));
    for (double& value : y) value = 2 + 1e-3 * static_cast<double>(random() % 1000);
    for (std::int32_t j = 0; j < 5 && j < features; ++j)
        for (std::int32_t at = X.offsets[j]; at < X.offsets[j + 1]; ++at)
            y[X.rows[at]] += (j % 2 == 0 ? 1 : -1) * static_cast<double>(X.values[at]);
    return y;
}

const char* text_of(proxpath::column_status status)
{
    switch (status) {
    case proxpath::column_status::converged:
        return "converged";
    case proxpath::column_status::not_converged:
        return "not converged";
    default:
        return "interrupted";
    }
}

} // namespace

int main(int count, char** words)
{
    const std::int32_t rows = count == 3 ? std::atoi(words[1]) : 500;
    const std::int32_t features = count == 3 ? std::atoi(words[2]) : 200;
    const compressed_columns X = make_design(rows, features);
    const std::vector<double> y = make_response(X, rows, features);

    // The view borrows: X must live, unchanged, until fit_path returns. Nothing is copied.
    const proxpath::matrix_view view = proxpath::csc_view(rows, features, X.offsets, X.rows, X.values);

    proxpath::path_options options;
    options.alpha = 1; // Lasso; 0 would be Ridge, between is elastic net
    options.n_lambda = 20;
    options.lambda_min_ratio = 0.01;
    // Called now and then from this thread. Returning false ends the fit; what is certified by then comes back.
    options.on_progress = [told = std::int64_t{-1}](const proxpath::progress& now) mutable {
        if (now.now == proxpath::phase::solving && now.lambdas_done > told) {
            told = now.lambdas_done;
            std::fprintf(stderr, "%lld of %lld lambdas, %lld passes over X\n", static_cast<long long>(told),
                         static_cast<long long>(now.lambdas_total), static_cast<long long>(now.passes));
        }
        return now.elapsed_s < 60; // nobody waits longer than a minute for an example
    };

    try {
        const proxpath::path_result path = proxpath::fit_path(view, y, options);

        std::printf("lambda_max %g; a gap is certified relative to the loss of the null model, %g\n", path.lambda_max,
                    path.null_loss);
        std::printf("%12s %4s %10s %10s  %s\n", "lambda", "df", "dev_ratio", "rel_gap", "status");
        bool interrupted = false;
        for (const proxpath::path_point& point : path.points) {
            std::printf("%12.6g %4lld %10.4f %10.1e  %s\n", point.lambda, static_cast<long long>(point.df),
                        point.dev_ratio, point.rel_gap, text_of(point.status));
            interrupted = interrupted || point.status == proxpath::column_status::interrupted;
        }
        for (const auto& note : path.notes) std::printf("note: %s\n", note.c_str());

        // Column k of the coefficients belongs to points[k]; what is absent is exactly zero.
        const proxpath::sparse_columns& b = path.coefficients;
        const std::size_t middle = path.points.size() / 2;
        std::printf("coefficients at lambda %g, intercept %g:\n", path.points[middle].lambda,
                    path.points[middle].intercept);
        for (std::int64_t at = b.offsets[middle]; at < b.offsets[middle + 1]; ++at)
            std::printf("  feature %lld: %g\n", static_cast<long long>(b.indices[at]), b.values[at]);

        if (interrupted) return 3;
        return path.all_converged() ? 0 : 2;
    } catch (const proxpath::invalid_input& problem) {
        // An argument or a value of the data: the message names it and its position. Correct it.
        std::fprintf(stderr, "wrong input: %s\n", problem.what());
        return 1;
    } catch (const proxpath::out_of_memory& problem) {
        // Give options.memory_limit more, or fit fewer rows or features.
        std::fprintf(stderr, "%s (needs %llu bytes, may use %llu)\n", problem.what(),
                     static_cast<unsigned long long>(problem.needed_bytes()),
                     static_cast<unsigned long long>(problem.limit_bytes()));
        return 4;
    } catch (const proxpath::error& problem) {
        // Whatever else the library throws on purpose; reading files would add file_error, system_error and cancelled.
        std::fprintf(stderr, "%s\n", problem.what());
        return 4;
    }
}
