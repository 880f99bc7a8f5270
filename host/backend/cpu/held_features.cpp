// Keeping L⁻¹E and its products up to date; see held_features.hpp. Sums are cut by sizes alone, so the bits do not
// depend on the number of threads.

#include "host/backend/cpu/held_features.hpp"

#include "host/parallel/parallel_for.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <Eigen/Cholesky>

namespace proxpath::backend {

namespace {

/// Columns of L⁻¹E that one piece of work takes.
constexpr std::int64_t strip_columns = 64;
/// Rows of L⁻¹E that one piece of work takes.
constexpr std::int64_t solved_rows_together = 2048;
/// Numbers of L⁻¹E below which waking threads costs more than it saves.
constexpr std::int64_t worth_threads = 1 << 16;

/// Calls f(first, count) for pieces of [0, total).
template <class F>
void in_pieces(int threads, std::int64_t total, std::int64_t size, const F& f)
{
    parallel::parallel_for(threads, parallel::pieces(total, size),
                           [&](std::int64_t piece) { f(piece * size, std::min(size, total - piece * size)); });
}

} // namespace

void held_features::clear()
{
    features_.clear();
    forward_.resize(0, 0);
    inner_.resize(0, 0);
    inner_factor_.resize(0, 0);
}

bool held_features::hold(const support_factor& factor, std::span<const std::int64_t> features, int threads)
{
    const bool same_factor = forward_.rows() == factor.size();
    const std::unordered_set<std::int64_t> wanted(features.begin(), features.end());
    std::vector<std::int64_t> kept;
    for (std::size_t e = 0; e < features_.size(); ++e)
        if (wanted.count(features_[e]) > 0) kept.push_back(static_cast<std::int64_t>(e));
    const std::unordered_set<std::int64_t> had(features_.begin(), features_.end());
    std::vector<std::int64_t> fresh;
    for (const std::int64_t feature : features)
        if (had.count(feature) == 0) fresh.push_back(feature);
    const bool same_features = fresh.empty() && kept.size() == features_.size();
    if (same_features && (same_factor || features_.empty())) return true;

    if (kept.size() < features_.size()) keep_only(kept);
    if (!features_.empty() && !same_factor) extend_rows(factor, threads);
    if (!fresh.empty()) append_columns(factor, std::move(fresh), threads);
    if (features_.empty()) {
        clear();
        return true;
    }
    inner_factor_ = inner_;
    const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> in_place(inner_factor_);
    return in_place.info() == Eigen::Success;
}

void held_features::keep_only(const std::vector<std::int64_t>& columns)
{
    const auto count = static_cast<std::int64_t>(columns.size());
    // In order, so that nothing is overwritten before it has moved.
    for (std::int64_t to = 0; to < count; ++to) {
        const std::int64_t from = columns[static_cast<std::size_t>(to)];
        if (from == to) continue;
        features_[static_cast<std::size_t>(to)] = features_[static_cast<std::size_t>(from)];
        forward_.col(to) = forward_.col(from);
        inner_.col(to) = inner_.col(from);
    }
    for (std::int64_t to = 0; to < count; ++to)
        if (const std::int64_t from = columns[static_cast<std::size_t>(to)]; from != to)
            inner_.row(to).head(count) = inner_.row(from).head(count);
    features_.resize(columns.size());
    forward_.conservativeResize(Eigen::NoChange, count);
    inner_.conservativeResize(count, count);
}

void held_features::extend_rows(const support_factor& factor, int threads)
{
    const std::int64_t known = forward_.rows();
    const std::int64_t grown = factor.size() - known;
    forward_.conservativeResize(factor.size(), Eigen::NoChange);
    forward_.bottomRows(grown).setZero();
    factor.forward(forward_, known, threads);
    in_pieces(threads, size(), strip_columns, [&](std::int64_t first, std::int64_t count) {
        inner_.middleCols(first, count).noalias() +=
            forward_.bottomRows(grown).transpose() * forward_.bottomRows(grown).middleCols(first, count);
    });
}

void held_features::append_columns(const support_factor& factor, std::vector<std::int64_t> features, int threads)
{
    // By place in the factor: L⁻¹ of a unit vector is zero above its place, and the solve starts at the first.
    std::sort(features.begin(), features.end(),
              [&](std::int64_t a, std::int64_t b) { return factor.place(a) < factor.place(b); });
    const std::int64_t old = size();
    const auto fresh = static_cast<std::int64_t>(features.size());
    forward_.conservativeResize(factor.size(), old + fresh);
    inner_.conservativeResize(old + fresh, old + fresh);
    const auto place = [&](std::int64_t e) { return factor.place(features[static_cast<std::size_t>(e)]); };
    in_pieces(threads, fresh, strip_columns, [&](std::int64_t first, std::int64_t count) {
        Eigen::MatrixXd some = Eigen::MatrixXd::Zero(factor.size(), count);
        for (std::int64_t e = 0; e < count; ++e) some(place(first + e), e) = 1;
        factor.forward(some, place(first), 1);
        forward_.middleCols(old + first, count) = some;
    });
    for (std::int64_t first = 0; first < fresh; first += strip_columns) {
        const std::int64_t count = std::min(strip_columns, fresh - first);
        const std::int64_t known = old + first + count;
        const auto rows = forward_.bottomRows(factor.size() - place(first));
        in_pieces(threads, known, strip_columns, [&](std::int64_t from, std::int64_t columns) {
            inner_.block(from, old + first, columns, count).noalias() =
                rows.middleCols(from, columns).transpose() * rows.middleCols(old + first, count);
        });
        inner_.block(old + first, 0, count, known) = inner_.block(0, old + first, known, count).transpose().eval();
    }
    features_.insert(features_.end(), features.begin(), features.end());
}

void held_features::correct(Eigen::MatrixXd& x, int threads) const
{
    if (features_.empty()) return;
    if (forward_.size() < worth_threads) threads = 1;
    Eigen::VectorXd left(size());
    in_pieces(threads, size(), strip_columns, [&](std::int64_t first, std::int64_t count) {
        left.segment(first, count).noalias() = forward_.middleCols(first, count).transpose() * x.col(0);
    });
    inner_factor_.triangularView<Eigen::Lower>().solveInPlace(left);
    inner_factor_.triangularView<Eigen::Lower>().adjoint().solveInPlace(left);
    in_pieces(threads, x.rows(), solved_rows_together, [&](std::int64_t first, std::int64_t count) {
        x.col(0).segment(first, count).noalias() -= forward_.middleRows(first, count) * left;
    });
}

} // namespace proxpath::backend
