// The memory plan. Counts what the driver allocates: keep in step with path_driver.cpp and certificate.cpp.

#include "host/path/memory.hpp"

#include "host/backend/panel.hpp"
#include "host/io/memory_guard.hpp"
#include "host/path/problem.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace proxpath::path {

namespace {

constexpr std::int64_t lambdas_together = 16;
/// The same where features are few.
constexpr std::int64_t narrow_lambdas_together = 128;
/// Vectors of p doubles: scaling (3), penalty (5), moments (3), mean, correlations (4), place in the working set.
constexpr std::uint64_t feature_vectors = 17;
/// The same of a working set that holds all features: its list, penalty (5), warm start; of ridge, scaling and back.
constexpr std::uint64_t whole_set_vectors = 7;
constexpr std::uint64_t krylov_vectors = 8;
/// Vectors of n doubles: weights, response, the null model's and the known residuals, the certifier's, descents'.
constexpr std::uint64_t row_vectors = 12;
/// Panels of n × k alive in a certificate, what projecting unpenalised features out of it takes more, and the residual
/// form's images and gradients. The narrow pass has none.
constexpr std::uint64_t certificate_panels = 1;
constexpr std::uint64_t projection_panels = 4;
constexpr std::uint64_t residual_form_panels = 4;
/// Panels of n × k and of |W| × k alive in descents of columns side by side (residual_lanes.hpp, lane_newton.hpp).
constexpr std::uint64_t lane_row_panels = 3;
constexpr std::uint64_t lane_feature_panels = 14;
/// Panels of |W| × k alive in proximal gradient.
constexpr std::uint64_t coefficient_panels = 6;
/// Panels of p × k alive together in Ridge's Krylov method; the result is made when they are gone but one.
constexpr std::uint64_t krylov_panels = 2;
/// Ridge on few features solves by a factorisation at once; above, by a Krylov space.
constexpr std::int64_t factored_ridge = 1024;

/// Density below which the residual form keeps its columns by rows, too (the CPU backend: spread_from_density).
constexpr double kept_by_rows = 0.1;

/// A number of bytes. What 64 bits cannot count stands at their end, so that it never fits a limit by wrapping around.
struct byte_count {
    std::uint64_t value = 0;

    friend byte_count operator+(byte_count a, byte_count b)
    {
        return {a.value > most - b.value ? most : a.value + b.value};
    }
    friend byte_count operator*(byte_count a, std::uint64_t factor)
    {
        return {factor != 0 && a.value > most / factor ? most : a.value * factor};
    }
    static constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};

byte_count panel_bytes(std::int64_t rows, std::int64_t cols)
{
    return byte_count{sizeof(double)} * static_cast<std::uint64_t>(rows) *
           static_cast<std::uint64_t>(backend::padded_cols(cols));
}

/// Smallest lambda over the largest, as far as it is known before lambda_max is.
double lambda_ratio(const path_options& options, std::int64_t n, std::int64_t p)
{
    if (options.lambda.size() > 1) {
        const auto [least, most] = std::minmax_element(options.lambda.begin(), options.lambda.end());
        return *least / *most;
    }
    return options.lambda_min_ratio.value_or(default_lambda_ratio(n, p));
}

/// A guess at the working set of a whole path, which nobody can know before. It grows about with the square of 1/λ
/// (debian_bigrams: 2,200 features at 0.05 lambda_max, 18,000 at 0.01) up to all features or as many as there are rows.
std::int64_t expected_working_set(const matrix& X, const path_options& options)
{
    constexpr std::int64_t many = 32768;
    constexpr std::int64_t some = 1024;
    if (takes_all_features(options)) return X.cols();
    const std::int64_t most = std::min({X.rows(), X.cols(), many});
    const double ratio = lambda_ratio(options, X.rows(), X.cols());
    const double share = std::min(1.0, 0.5 * (0.01 / ratio) * (0.01 / ratio));
    return std::max(std::min(most, some), static_cast<std::int64_t>(share * static_cast<double>(most)));
}

bool has_unpenalised(const path_options& options)
{
    return std::find(options.penalty_factors.begin(), options.penalty_factors.end(), 0.0) !=
           options.penalty_factors.end();
}

} // namespace

bool takes_all_features(const path_options& options)
{
    return options.screening == screening_kind::none || options.alpha == 0;
}

bool is_narrow(const path_options& options, std::int64_t n, std::int64_t p)
{
    const bool descends = options.solver == solver_kind::automatic || options.solver == solver_kind::cd;
    // Excluded features do not count: the fit is the same without them, to the last bit.
    const std::int64_t features = p - std::count(options.penalty_factors.begin(), options.penalty_factors.end(),
                                                 std::numeric_limits<double>::infinity());
    return descends && !has_unpenalised(options) && options.screening == screening_kind::automatic &&
           features <= narrow_features && n >= 2 * features && !takes_krylov(options, n, p);
}

bool takes_krylov(const path_options& options, std::int64_t n, std::int64_t p)
{
    if (options.solver == solver_kind::krylov) return true;
    if (options.solver != solver_kind::automatic || options.alpha != 0) return false;
    if (!options.lower.empty() || !options.upper.empty()) return false;
    if (has_unpenalised(options)) return false;
    return !(p <= factored_ridge && p <= n);
}

int fits_side_by_side(const memory_plan& plan, int threads)
{
    const std::uint64_t each = std::max<std::uint64_t>(1, plan.vectors_bytes + plan.working_bytes);
    const std::uint64_t room = std::max<std::uint64_t>(1, plan.limit_bytes / each);
    return static_cast<int>(std::min<std::uint64_t>(room, static_cast<std::uint64_t>(threads)));
}

memory_shares share_memory(const matrix& X, const path_options& options, std::uint64_t device_bytes)
{
    const std::int64_t n = X.rows();
    const std::int64_t p = X.cols();
    const bool all = takes_all_features(options);
    const std::int64_t lambdas =
        options.lambda.empty() ? std::max(1, options.n_lambda) : static_cast<std::int64_t>(options.lambda.size());
    memory_shares shares;
    memory_plan& plan = shares.plan;
    plan.matrix_bytes = X.stored_bytes();
    plan.limit_bytes = options.memory_limit > 0 ? options.memory_limit : io::available_memory() / 2;

    const std::int64_t expected = expected_working_set(X, options);
    // Coefficients of the result: an index and a value each.
    const byte_count result_bytes = byte_count{16} * static_cast<std::uint64_t>(options.alpha == 0 ? p : expected / 2) *
                                    static_cast<std::uint64_t>(lambdas);
    const bool krylov = takes_krylov(options, n, p);
    const bool narrow = is_narrow(options, n, p);
    const std::uint64_t vectors = feature_vectors + (all ? whole_set_vectors : 0) + (krylov ? krylov_vectors : 0);
    const byte_count fixed = panel_bytes(p, 1) * vectors + byte_count{static_cast<std::uint64_t>(p)} +
                             panel_bytes(n, 1) * row_vectors + result_bytes;
    const std::uint64_t panels_of_rows =
        narrow ? 0 : certificate_panels + (has_unpenalised(options) ? projection_panels : std::uint64_t{0});
    const auto panels = [&](std::int64_t k) {
        const byte_count block = panel_bytes(n, k) * panels_of_rows +
                                 panel_bytes(expected, k) * (krylov ? krylov_panels : coefficient_panels);
        const byte_count space{krylov ? (panel_bytes(p, ridge_vectors_kept(k) + 1) * 2).value : 0};
        return block + space;
    };
    const auto needed = [&](std::int64_t k) { return (fixed + panels(k)).value; };
    // Vectors of features are the host's, but for those of a pass, which are counted with X (memory_beside).
    const auto needed_on_device = [&](std::int64_t k) { return (panel_bytes(n, 1) * row_vectors + panels(k)).value; };
    const auto exceeds = [&](std::int64_t k, std::uint64_t quarters) {
        return needed(k) > plan.limit_bytes / 4 * quarters || needed_on_device(k) > device_bytes / 4 * quarters;
    };

    const std::int64_t together = narrow ? narrow_lambdas_together : lambdas_together;
    const std::int64_t most = krylov ? lambdas : std::min(lambdas, together);
    std::int64_t k = most;
    while (k > 1 && exceeds(k, 3)) k = (k + 1) / 2;
    if (needed_on_device(k) > device_bytes)
        throw out_of_memory(
            fmt::format("the device's memory has {:.1f} MiB beside X ({} x {}): one lambda at a time needs {:.1f} MiB; "
                        "raise its limit",
                        static_cast<double>(device_bytes) / 1048576, n, p,
                        static_cast<double>(needed_on_device(k)) / 1048576),
            needed_on_device(k), device_bytes);
    if (needed(k) > plan.limit_bytes || needed(k) == byte_count::most)
        throw out_of_memory(
            fmt::format("memory limit of {} MiB is too small: vectors of X ({} x {}), one lambda at a time and the "
                        "result of all need {} MiB; raise the limit",
                        plan.limit_bytes >> 20, n, p, (needed(k) >> 20) + 1),
            needed(k), plan.limit_bytes);
    plan.lambda_block = k;
    shares.lambda_block = std::min(k, together);
    shares.krylov_block = k;
    plan.vectors_bytes = needed(k);

    const std::uint64_t left = std::min(plan.limit_bytes - plan.vectors_bytes, device_bytes - needed_on_device(k));
    shares.gram_limit_bytes = left / 2;
    shares.factor_limit_bytes = left / 4;
    // What the plan expects, not what it allows: gathered columns, and what the solver keeps of the expected set.
    const double share = p > 0 ? static_cast<double>(expected) / static_cast<double>(p) : 0;
    const double gathered = share * static_cast<double>(X.stored_bytes());
    const bool descends = !krylov && options.solver != solver_kind::ista && options.solver != solver_kind::fista;
    const byte_count gram = panel_bytes(expected, expected) * 2;
    const bool in_gram_form =
        !krylov && options.form != form_kind::residual &&
        (options.form == form_kind::gram ||
         (gram.value <= shares.gram_limit_bytes &&
          (narrow || gram_form_pays(static_cast<double>(expected), share * static_cast<double>(X.nonzeros()),
                                    static_cast<double>(n)))));
    byte_count working{all ? 0 : static_cast<std::uint64_t>(gathered)};
    if (in_gram_form) working = working + gram;
    if (!in_gram_form && !krylov && !descends) working = working + panel_bytes(n, k) * residual_form_panels;
    const bool by_rows =
        static_cast<double>(X.nonzeros()) < kept_by_rows * static_cast<double>(n) * static_cast<double>(p);
    if (!in_gram_form && !krylov && descends) {
        const byte_count lanes = panel_bytes(n, k) * lane_row_panels + panel_bytes(expected, k) * lane_feature_panels;
        working = working + byte_count{std::min(lanes.value, shares.factor_limit_bytes)};
    }
    if (!in_gram_form && descends && by_rows) // an index and a value each
        working = working + byte_count{static_cast<std::uint64_t>(share * static_cast<double>(X.nonzeros()))} * 12;
    plan.working_bytes = working.value;
    if (descends) // the factor and the features it holds: two thirds of a square
        plan.factor_bytes = std::min(panel_bytes(expected, expected).value / 3 * 2, shares.factor_limit_bytes);
    return shares;
}

} // namespace proxpath::path
