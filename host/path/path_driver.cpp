// The path driver. Lambdas enter in blocks; for each block: a working set from the strong rule, an inner solve of all
// columns on it, then one pass over the whole X that certifies them all, finds the features the rule missed and brings
// the correlations the next rule needs. Columns whose gap holds are done; violators join the working set and only the
// columns still open are solved again. Fits on few features begin with all products of the columns (narrow_start.hpp)
// and take working set and certificates from there. Nothing of size n × p or p × k is stored (ridge, whose every
// coefficient is non-zero, keeps the p × k it returns).

#include "host/path/path_driver.hpp"

#include "host/path/certificate.hpp"
#include "host/path/path_limits.hpp"
#include "host/path/path_recorder.hpp"
#include "host/path/ridge_certificate.hpp"
#include "host/path/screening.hpp"
#include "host/solver/krylov.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace proxpath::path {

namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

/// Share of the tolerance the restricted problem is solved to; the rest is for what lies outside the working set.
constexpr double inner_share = 0.3;
constexpr int rounds_per_block = 60;
constexpr int tightenings = 8;

class driver {
public:
    driver(const backend::opened_device& device, const operations<double>& ops, const path_options& options,
           path_start start)
        : started_(start.started), device_(device), ops_(ops), options_(options), shares_(start.shares),
          fit_(start.fit), likely_(start.likely), of_all_(start.of_all), start_(std::move(start.narrow)),
          null_(std::move(start.null)), certifier_(ops, fit_, start.unpenalised, null_.residual)
    {
        make_solver();
        lambdas_ = lambda_grid(options, null_.lambda_max, fit_.n, fit_.p);
        // Without variation in y, or without a feature that could enter, the path is the null model alone.
        if (lambdas_.empty()) lambdas_ = {0.0};
        recorder_.emplace(fit_, null_.loss, lambdas_.size());
        // The moments; then the null model's correlations, or the products that hold them.
        passes_ = 1 + (start_.empty() ? null_.passes : 1);
        before_.correlation = null_.correlation;
        latest_.correlation.assign(before_.correlation.size(), 0.0);
        // With every feature in use, no pass needs bounds from the ends of a block.
        if (start_.empty()) {
            before_.residual = ops.allocate(fit_.n, 1);
            ops.upload(null_.residual, before_.residual);
            latest_.residual = ops.allocate(fit_.n, 1);
        }
        before_.lambda = null_.lambda_max;
        tolerance_ = std::max(options.tol * null_.loss, null_.rounding);
        account_.gram += start_.seconds;
        result_.seconds.prepare = seconds_since(started_) - start_.seconds;
    }

    path_result run()
    {
        start_working_set();
        while (next_ < lambdas_.size() && report()) {
            std::size_t solved = 0;
            try {
                auto block = choose_block();
                if (krylov_) solve_ridge(block);
                solve_block(block);
                solved = block.size();
            } catch (const out_of_memory& problem) {
                if (!can_retreat()) throw;
                retreat(problem);
                continue;
            }
            std::swap(before_, latest_);
            next_ += solved;
            if (limits_.reached(*recorder_, next_)) break;
        }
        return finish();
    }

private:
    struct column {
        std::size_t index = 0; // in lambdas_
        std::int64_t iterations = 0;
        std::int64_t passes = 0;
        int tightened = 0;
        bool exhausted = false; // the inner solver could do no more
    };

    void make_solver()
    {
        solver_.emplace(device_, ops_, fit_,
                        restricted_settings{options_.solver, options_.form, options_.precision,
                                            shares_.gram_limit_bytes, shares_.factor_limit_bytes,
                                            null_.response_correlation, &start_, of_all_, [this] { return report(); }});
    }

    /// A device's memory is planned by estimates, and others may take of it.
    bool can_retreat() const
    {
        return ops_.memory_beside(fit_.X) != std::numeric_limits<std::uint64_t>::max() &&
               (krylov_ ? shares_.krylov_block : shares_.lambda_block) > 1;
    }

    /// From a block that did not fit to smaller ones: what was made for it goes, what is solved stays.
    void retreat(const out_of_memory& problem)
    {
        shares_.lambda_block = (shares_.lambda_block + 1) / 2;
        shares_.krylov_block = (shares_.krylov_block + 1) / 2;
        if (options_.form == form_kind::automatic) shares_.gram_limit_bytes /= 2;
        shares_.factor_limit_bytes /= 2;
        result_.notes.push_back(fmt::format("the device's memory did not do ({}); from lambda {} on at most {} are "
                                            "solved together",
                                            problem.what(), next_ + 1,
                                            krylov_ ? shares_.krylov_block : shares_.lambda_block));
        ridge_ = {};
        space_ = {};
        account_ = {};
        solver_.reset(); // its memory first
        if (of_all_ != nullptr) {
            const std::lock_guard<std::mutex> lock(of_all_->making);
            of_all_->C = {};
        }
        make_solver();
        if (!all_features_ && start_.empty()) {
            set_.columns.reset();
            set_.columns = ops_.gather_columns(*fit_.columns, set_.features, nullptr);
            warm_.resize(set_.features.size(), 0.0);
        }
    }

    void start_working_set()
    {
        all_features_ = takes_all_features(options_);
        krylov_ = takes_krylov(options_, fit_.n, fit_.p);
        set_.position.assign(static_cast<std::size_t>(fit_.p), -1);
        if (all_features_) {
            std::vector<std::int64_t> features(static_cast<std::size_t>(fit_.p));
            for (std::size_t j = 0; j < features.size(); ++j) features[j] = static_cast<std::int64_t>(j);
            add_features(features);
        } else if (!start_.empty()) {
            add_features(start_.features);
        } else if (is_narrow(options_, fit_.n, fit_.p)) {
            std::vector<std::int64_t> features;
            for (std::int64_t j = 0; j < fit_.p; ++j)
                if (fit_.skip[static_cast<std::size_t>(j)] == 0) features.push_back(j);
            add_features(features);
        } else {
            add_features(fit_.unpenalised);
            if (has_likely()) add_features(likely_features());
        }
        warm_.assign(set_.features.size(), 0.0);
        for (std::size_t u = 0; u < fit_.unpenalised.size(); ++u)
            warm_[static_cast<std::size_t>(set_.position[static_cast<std::size_t>(fit_.unpenalised[u])])] =
                null_.coefficients[u];
        if (has_likely()) take_likely_coefficients();
    }

    /// Where the null model leaves nothing, it is the solution.
    bool has_likely() const { return likely_ != nullptr && !likely_->empty() && !krylov_ && null_.loss > 0; }

    std::vector<std::int64_t> likely_features() const
    {
        std::vector<std::int64_t> features;
        for (const std::int64_t j : likely_->features)
            if (fit_.skip[static_cast<std::size_t>(j)] == 0 && set_.position[static_cast<std::size_t>(j)] < 0)
                features.push_back(j);
        return features;
    }

    void take_likely_coefficients()
    {
        for (std::size_t l = 0; l < likely_->features.size(); ++l) {
            const std::int64_t j = likely_->features[l];
            const std::int64_t place = set_.position[static_cast<std::size_t>(j)];
            if (place < 0 || fit_.skip[static_cast<std::size_t>(j)] != 0) continue;
            warm_[static_cast<std::size_t>(place)] = solver_coefficient(fit_, j, likely_->coefficients[l]);
        }
    }

    void add_features(const std::vector<std::int64_t>& features)
    {
        const auto start = clock::now();
        for (const std::int64_t j : features) {
            const auto at = static_cast<std::size_t>(j);
            set_.position[at] = set_.size();
            set_.features.push_back(j);
            set_.l1.push_back(fit_.l1[at]);
            set_.l2.push_back(fit_.l2[at]);
            set_.lower.push_back(fit_.lower[at]);
            set_.upper.push_back(fit_.upper[at]);
            set_.kkt_scale.push_back(fit_.kkt_scale[at]);
        }
        account_.candidates += static_cast<std::int64_t>(features.size());
        if (all_features_)
            set_.columns = fit_.columns;
        else if (!start_.empty())
            set_.columns = start_.columns;
        else
            set_.columns = ops_.gather_columns(*fit_.columns, features, set_.columns.get());
        warm_.resize(set_.features.size(), 0.0);
        account_.gather += seconds_since(start);
    }

    /// Lambdas solved together next, and their candidates taken into the working set.
    std::vector<column> choose_block()
    {
        auto count = std::min<std::size_t>(
            lambdas_.size() - next_, static_cast<std::size_t>(krylov_ ? shares_.krylov_block : shares_.lambda_block));
        if (has_likely() && next_ == 0) {
            count = 1; // what the rule knows at lambda_max says less than what is likely
        } else if (!all_features_) {
            const candidate_rule rule{fit_, set_, before_, latest_, margin_.width()};
            count = rule.block_length(std::span(lambdas_).subspan(next_, count));
            const auto candidates = rule.candidates(lambdas_[next_ + count - 1]);
            if (!candidates.empty()) add_features(candidates);
        }
        std::vector<column> block(count);
        for (std::size_t c = 0; c < count; ++c) block[c].index = next_ + c;
        return block;
    }

    std::vector<double> lambdas_of(const std::vector<column>& columns) const
    {
        std::vector<double> values;
        values.reserve(columns.size());
        for (const column& each : columns) values.push_back(lambdas_[each.index]);
        return values;
    }

    panel<double> upload_rows(const std::vector<double>& host, std::int64_t cols) const
    {
        panel<double> B = ops_.allocate(set_.size(), cols);
        ops_.upload(host, B);
        return B;
    }

    /// All columns of a ridge block from one Krylov space, on columns scaled so that the penalty is the identity.
    void solve_ridge(std::vector<column>& block)
    {
        const auto start = clock::now();
        backend::column_scaling scaling = fit_.columns->scaling();
        for (std::size_t j = 0; j < scaling.inverse.size(); ++j)
            if (fit_.l2[j] > 0) scaling.inverse[j] /= std::sqrt(fit_.l2[j]);
        space_.columns = ops_.make_design(fit_.X, std::move(scaling));
        solver::krylov_options settings;
        settings.gap_tolerance = inner_share * tolerance_;
        settings.max_iterations = options_.max_iterations;
        settings.vectors_kept = ridge_vectors_kept(static_cast<std::int64_t>(block.size()));
        settings.keep_going = [this] { return report(); };
        const std::vector<double> lambda = lambdas_of(block);
        const auto outcome =
            solver::krylov(ops_, *space_.columns, fit_.response, fit_.weights, lambda, ridge_, space_.basis, settings);
        std::vector<double> back(static_cast<std::size_t>(fit_.p), 0.0);
        for (std::size_t j = 0; j < back.size(); ++j)
            if (fit_.l2[j] > 0 && fit_.skip[j] == 0) back[j] = 1.0 / std::sqrt(fit_.l2[j]);
        ops_.scale_rows(back, ridge_);
        for (std::size_t c = 0; c < block.size(); ++c) block[c].iterations += outcome.iterations[c];
        passes_ += outcome.products;
        for (column& each : block) each.passes += outcome.products;
        method_ = "krylov";
        account_.reason = "Ridge without bounds: all lambdas from one Krylov space";
        for (const std::int64_t iterations : outcome.iterations)
            account_.iterations = std::max(account_.iterations, iterations); // shared
        account_.inner += seconds_since(start);
    }

    void solve_block(std::vector<column> open)
    {
        const std::size_t last = open.back().index;
        panel<double> B;
        bool presolved = krylov_;
        if (presolved) {
            B = std::move(ridge_);
            ridge_ = {};
        } else {
            std::vector<double> host(warm_.size() * open.size());
            for (std::size_t j = 0; j < warm_.size(); ++j)
                std::fill_n(host.begin() + static_cast<std::ptrdiff_t>(j * open.size()), open.size(), warm_[j]);
            B = upload_rows(host, static_cast<std::int64_t>(open.size()));
        }
        for (int round = 0; !open.empty() && round < rounds_per_block; ++round) {
            if (presolved)
                presolved = false;
            else if (!solve_restricted(open, B))
                return;
            if (!report()) return;
            account_.first_lambda = static_cast<std::int64_t>(open.front().index);
            account_.lambdas = static_cast<std::int64_t>(open.size());
            account_.opens_block = round == 0;
            account_.working_set = set_.size();
            const auto certificates = certify_open(open, B, last);
            close_round(certificates);
            sort_out(open, B, certificates, last, round + 1 == rounds_per_block);
        }
    }

    /// Books the round; what comes next counts for the one after.
    void close_round(const std::vector<column_certificate>& certificates)
    {
        std::vector<std::int64_t> violators;
        for (const column_certificate& each : certificates) {
            account_.converged += each.value.gap <= tolerance_ ? 1 : 0;
            violators.insert(violators.end(), each.violators.begin(), each.violators.end());
        }
        std::sort(violators.begin(), violators.end());
        account_.violators = std::unique(violators.begin(), violators.end()) - violators.begin();
        if (account_.opens_block) margin_.learn(account_.violators > 0);
        account_.method = method_;
        book_seconds();
        result_.account.push_back(std::move(account_));
        account_ = {};
    }

    void book_seconds()
    {
        result_.seconds.gather += account_.gather;
        result_.seconds.gram += account_.gram;
        result_.seconds.inner += account_.inner;
        result_.seconds.certify += account_.certify;
    }

    /// @return false when the caller wants to stop
    bool solve_restricted(std::vector<column>& open, panel<double>& B)
    {
        const auto start = clock::now();
        const double gram_before = solver_->gram_seconds();
        int tightened = 0;
        std::int64_t spent = 0;
        for (const column& each : open) {
            tightened = std::max(tightened, each.tightened);
            spent = std::max(spent, each.iterations);
        }
        const double target = inner_share * tolerance_ * std::pow(0.1, tightened);
        const auto outcome = solver_->solve(set_, lambdas_of(open), B, target,
                                            std::max<std::int64_t>(1, options_.max_iterations - spent));
        for (std::size_t c = 0; c < open.size(); ++c) {
            open[c].iterations += outcome.iterations[c];
            open[c].exhausted = outcome.gaps[c] > target || open[c].iterations >= options_.max_iterations;
            // Without screening the working set is X, and a product with it is a pass.
            if (all_features_ && outcome.products > 0) open[c].passes += outcome.products;
        }
        if (all_features_) passes_ += outcome.products;
        method_ = solver_->method();
        account_.reason = solver_->reason();
        for (const std::int64_t iterations : outcome.iterations) account_.iterations += iterations;
        const double gram = solver_->gram_seconds() - gram_before;
        account_.gram += gram;
        account_.inner += seconds_since(start) - gram;
        return !outcome.cancelled;
    }

    std::vector<column_certificate> certify_open(std::vector<column>& open, panel<double>& B, std::size_t last)
    {
        const auto start = clock::now();
        // Once the block's last column is done, what is known of it serves the others.
        known_ends ends{before_, latest_, open.back().index == last ? static_cast<std::int64_t>(open.size()) - 1 : -1};
        std::vector<column_certificate> certificates;
        std::int64_t entries_read = fit_.X.nonzeros();
        // Factors so small that their penalties are zero need the projection of the usual pass.
        if (!space_.basis.empty() && fit_.unpenalised.empty())
            certificates = certify_ridge(ops_, fit_, null_.residual, space_, B, lambdas_of(open), tolerance_);
        space_ = {};
        if (!start_.empty()) {
            certificates = certify_narrow(open, B);
            entries_read = certifier_.entries_read();
        } else {
            if (certificates.empty()) {
                certificates = certifier_.certify(set_, B, lambdas_of(open), all_features_ ? nullptr : &ends);
                entries_read = certifier_.entries_read();
            }
            ++passes_;
            for (column& each : open) ++each.passes;
        }
        account_.share_read =
            fit_.X.nonzeros() > 0 ? static_cast<double>(entries_read) / static_cast<double>(fit_.X.nonzeros()) : 0;
        account_.certify += seconds_since(start);
        return certificates;
    }

    /// From the products, and by one pass the columns where these are not exact enough.
    std::vector<column_certificate> certify_narrow(std::vector<column>& open, const panel<double>& B)
    {
        const std::vector<double> lambda = lambdas_of(open);
        auto known = certifier_.certify_from_products(set_, B, lambda, start_.products(), tolerance_);
        std::vector<std::int64_t> rest;
        std::vector<double> rest_lambda;
        for (std::size_t c = 0; c < known.size(); ++c) {
            if (known[c]) continue;
            rest.push_back(static_cast<std::int64_t>(c));
            rest_lambda.push_back(lambda[c]);
            ++open[c].passes;
        }
        if (!rest.empty()) {
            panel<double> part = ops_.compact(B, rest);
            auto read = certifier_.certify(set_, part, rest_lambda, nullptr);
            for (std::size_t r = 0; r < rest.size(); ++r) known[static_cast<std::size_t>(rest[r])] = std::move(read[r]);
            ++passes_;
        }
        std::vector<column_certificate> certificates;
        certificates.reserve(known.size());
        for (auto& each : known) certificates.push_back(std::move(*each));
        return certificates;
    }

    /// Stores the columns that are done, brings violators in, and keeps the rest open.
    void sort_out(std::vector<column>& open, panel<double>& B, const std::vector<column_certificate>& certificates,
                  std::size_t last, bool final_round)
    {
        const auto k = open.size();
        std::vector<double> host(static_cast<std::size_t>(B.rows) * k);
        ops_.download(B, host);
        std::vector<finished_column> finished;
        std::vector<column> still_open;
        std::vector<std::int64_t> kept;
        std::vector<std::int64_t> violators;
        for (std::size_t c = 0; c < k; ++c) {
            column& each = open[c];
            const column_certificate& certificate = certificates[c];
            const bool converged = certificate.value.gap <= tolerance_;
            const bool outside = !certificate.violators.empty();
            bool give_up = final_round;
            if (!converged && !outside) {
                give_up = give_up || each.exhausted || each.tightened >= tightenings;
                ++each.tightened;
            }
            if (converged || give_up) {
                finished.push_back(
                    {each.index, c, lambdas_[each.index], &certificate, each.iterations, each.passes, converged});
                if (each.index == last) {
                    for (std::size_t j = 0; j < warm_.size(); ++j) warm_[j] = host[j * k + c];
                    latest_.lambda = lambdas_[last];
                }
                continue;
            }
            violators.insert(violators.end(), certificate.violators.begin(), certificate.violators.end());
            still_open.push_back(each);
            kept.push_back(static_cast<std::int64_t>(c));
        }
        recorder_->store(finished, set_.features, host, k);
        open = std::move(still_open);
        if (open.empty()) return;
        B = ops_.compact(B, kept);
        if (violators.empty()) return;
        std::sort(violators.begin(), violators.end());
        violators.erase(std::unique(violators.begin(), violators.end()), violators.end());
        add_features(strongest(fit_, violators, latest_.correlation, set_));
        panel<double> grown = ops_.allocate(set_.size(), B.cols);
        ops_.copy_block(B, grown);
        B = std::move(grown);
    }

    bool report()
    {
        if (stopped_ || !options_.on_progress) return !stopped_;
        progress now;
        now.now = phase::solving;
        now.lambdas_done = recorder_ ? recorder_->stored() : 0;
        now.lambdas_total = static_cast<std::int64_t>(lambdas_.size());
        now.fraction =
            lambdas_.empty() ? 0 : static_cast<double>(now.lambdas_done) / static_cast<double>(lambdas_.size());
        now.elapsed_s = seconds_since(started_);
        now.passes = passes_;
        now.working_set = set_.size();
        now.largest_rel_gap = recorder_ ? recorder_->largest_rel_gap() : 0;
        stopped_ = !options_.on_progress(now);
        return !stopped_;
    }

    path_result finish()
    {
        result_.lambdas_asked = static_cast<std::int64_t>(lambdas_.size());
        result_.ended_by = limits_.ended_by();
        if (result_.ended_by != path_end::whole) {
            lambdas_.resize(limits_.kept());
            recorder_->truncate(limits_.kept());
            result_.notes.push_back(limits_.note(result_.lambdas_asked));
        }
        recorder_->fill_interrupted(lambdas_, null_);
        recorder_->move_into(result_);
        result_.lambda_max = null_.lambda_max;
        result_.null_loss = null_.loss;
        result_.n = fit_.n;
        result_.p = fit_.p;
        result_.nonzeros = fit_.X.nonzeros();
        result_.alpha = fit_.alpha;
        result_.l2_divisor = fit_.l2_divisor;
        result_.constant_features = fit_.constant;
        result_.passes = passes_;
        result_.rounds = static_cast<std::int64_t>(result_.account.size());
        book_seconds(); // of a round that was cut short
        result_.solver = method_;
        result_.memory = shares_.plan;
        if (!fit_.constant.empty())
            result_.notes.push_back(fmt::format("{} of {} features have no variation; their coefficients are 0",
                                                fit_.constant.size(), fit_.p));
        if (null_.loss == 0)
            result_.notes.emplace_back(
                "the null model fits y exactly (y is constant, or explained by the unpenalised part)");
        else if (!(null_.lambda_max > 0))
            result_.notes.emplace_back(reason_without_lambda_max());
        result_.seconds.total = seconds_since(started_);
        return std::move(result_);
    }

    /// Why no lambda makes a difference.
    const char* reason_without_lambda_max() const
    {
        bool any = false;
        for (std::size_t j = 0; j < fit_.skip.size(); ++j) {
            if (fit_.skip[j] != 0) continue;
            any = true;
            if (fit_.l1[j] > 0 || fit_.l2[j] > 0)
                return "no penalised feature is correlated with y: their coefficients are 0 at every lambda";
        }
        return any ? "no feature is penalised: the fit is the same at every lambda"
                   : "no feature takes part: all are excluded or have no variation";
    }

    clock::time_point started_;
    const backend::opened_device& device_;
    const operations<double>& ops_;
    const path_options& options_;
    memory_shares shares_;
    const problem& fit_;
    const likely_solution* likely_;
    shared_gram* of_all_;
    narrow_start start_;
    null_model null_;
    certifier certifier_;
    std::optional<restricted_solver> solver_;
    std::optional<path_recorder> recorder_;
    std::vector<double> lambdas_;
    path_limits limits_{options_.dfmax, options_.pmax};
    std::size_t next_ = 0;
    double tolerance_ = 0;

    working_set set_;
    known_residual before_; // at the last lambda before the block in work
    known_residual latest_; // at the block's last one; between blocks at an older one than before_
    screening_margin margin_;
    std::vector<double> warm_; // coefficients at before_, |W|
    panel<double> ridge_;      // coefficients handed from solve_ridge to solve_block
    ridge_space space_;        // that they were made of, until they are certified
    bool all_features_ = false;
    bool krylov_ = false;
    bool stopped_ = false;
    std::int64_t passes_ = 0;
    std::string method_ = "none";
    round_account account_; // the round in work
    path_result result_;
};

} // namespace

path_result drive_path(const backend::opened_device& device, const operations<double>& ops, const path_options& options,
                       path_start start)
{
    return driver(device, ops, options, std::move(start)).run();
}

} // namespace proxpath::path
