// The inner solve of an outer round: all pending columns on the working set, by the method that fits it. Keeps the Gram
// matrix from round to round and grows it with the working set.
#pragma once

#include "host/backend/device_provider.hpp"
#include "host/path/certificate.hpp"
#include "host/path/narrow_start.hpp"
#include "host/path/problem.hpp"
#include "host/solver/proximal_gradient.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace proxpath::path {

/// The Gram matrix of all features, which fits of several responses to one X take from each other: whoever needs it
/// first makes it.
struct shared_gram {
    std::mutex making;
    panel<double> C;
};

struct restricted_settings {
    solver_kind solver = solver_kind::automatic;
    form_kind form = form_kind::automatic;
    precision_kind precision = precision_kind::float64;
    std::uint64_t gram_limit_bytes = 0;           ///< the largest Gram matrix that may be kept
    std::uint64_t factor_limit_bytes = 0;         ///< the largest factor of one that Newton steps may keep
    std::span<const double> response_correlation; ///< p, x̃_j'wỹ
    const narrow_start* start = nullptr;          ///< products that are known, which the solver shares
    shared_gram* of_all = nullptr;                ///< where other fits need the same Gram matrix; may be null
    std::function<bool()> keep_going;
};

class restricted_solver {
public:
    /// @param device that `ops` is of
    restricted_solver(const backend::opened_device& device, const operations<double>& ops, const problem& fit,
                      restricted_settings settings);
    ~restricted_solver();
    restricted_solver(const restricted_solver&) = delete;
    restricted_solver& operator=(const restricted_solver&) = delete;

    /// Solves the columns of B (|W| × k, warm start) until each restricted gap is at most gap_tolerance or it has taken
    /// max_iterations. Features of `set` must be those of the last call, perhaps with new ones behind them.
    solver::batch_outcome solve(const working_set& set, std::span<const double> lambda, panel<double>& B,
                                double gap_tolerance, std::int64_t max_iterations);

    /// Method and form of the last solve, e.g. "cd (Gram)".
    const std::string& method() const { return method_; }
    /// Why that form, a part of a sentence.
    const std::string& reason() const { return reason_; }
    double gram_seconds() const { return gram_seconds_; }

private:
    bool use_gram(const working_set& set);
    std::int64_t room_for_gram(std::int64_t features) const;
    void grow_gram(const working_set& set);
    void make_gram(const working_set& set);
    solver::batch_outcome descend(const working_set& set, std::span<const double> lambda, panel<double>& B, bool gram,
                                  double gap_tolerance, std::int64_t max_iterations);
    solver::batch_outcome iterate(const working_set& set, std::span<const double> lambda, panel<double>& B, bool gram,
                                  const solver::proximal_gradient_options& options);
    template <class T>
    solver::batch_outcome iterate_in(const operations<T>& ops, const working_set& set, std::span<const double> lambda,
                                     panel<T>& B, bool gram, const solver::proximal_gradient_options& options);

    const operations<double>& ops_;
    std::unique_ptr<operations<float>> ops_float_;
    const problem& fit_;
    restricted_settings settings_;
    std::unique_ptr<backend::descent_memory> memory_;
    panel<double> gram_room_;         // a square with room to grow in
    panel<double> gram_;              // its upper left: of the working set as it stands
    std::vector<double> correlation_; ///< X̃_W'wỹ of the features in gram_
    double response_square_ = 0;
    std::string method_;
    std::string reason_;
    double gram_seconds_ = 0;
};

} // namespace proxpath::path
