// What cross-validation, stability selection and bootstrap do as a fit does: reading and checking before their own
// work, writing and reporting after it. What is interrupted is not written: parts of their answers would mislead.
#pragma once

#include "host/cli/fit_command.hpp"
#include "host/cli/fit_summary.hpp"
#include "host/cli/model_inputs.hpp"
#include "host/cli/reporter.hpp"
#include "host/cli/staging.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

class one_response_run {
public:
    /// Reads everything that a fit reads.
    /// @param fit must stay
    /// @throws what reading throws; invalid_input for several responses
    one_response_run(const arguments& typed, fit_settings& fit, const char* command, console& to);

    const data_set& data() const { return loaded_.set; }
    path_options options() const { return ready_options(fit_, data(), inputs_); }
    /// Instead of the work. @return the exit code
    int dry_run(const path_options& path) const;

    /// The part of an answer that is not a fit's.
    struct own_part {
        std::function<void(const staging_folder&)> write;
        std::function<void(nlohmann::json& summary)> summarise;
        std::function<std::string(bool verbose)> page;
        bool all_converged = true;
        const char* fits = ""; ///< besides that of all rows: "folds"
    };
    /// Calls the work, which gives an answer, and takes its time.
    template <class Work>
    auto solve(const Work& work)
    {
        const auto solving = std::chrono::steady_clock::now();
        auto result = work();
        facts_.solve_s = seconds_since(solving);
        return result;
    }
    /// Writes the folder and prints what is to be printed. @return the exit code
    int finish(const path_result& fit, const own_part& own);

private:
    const arguments& typed_;
    fit_settings& fit_;
    console& to_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    reporter report_;
    fit_facts facts_;
    std::optional<destination> where_;
    loaded_data loaded_;
    model_inputs inputs_;
};

} // namespace proxpath::cli
