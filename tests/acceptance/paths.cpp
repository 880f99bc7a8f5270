// See paths.hpp.

#include "tests/acceptance/paths.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

namespace proxpath::acceptance {

namespace {

struct path_row {
    double lambda = 0;
    double primal = 0;
    double gap = 0;
    std::string status;
};

struct fitted {
    nlohmann::json summary;
    std::vector<path_row> rows;
    std::map<std::pair<std::int64_t, std::int64_t>, double> coefficients; ///< by lambda, then feature
};

std::ifstream part_of(const std::string& folder, const char* name)
{
    std::ifstream file(folder + '/' + name);
    if (!file) throw std::runtime_error(folder + '/' + name + " is not there");
    return file;
}

std::vector<std::string> cells(const std::string& line)
{
    std::vector<std::string> made;
    std::istringstream words(line);
    for (std::string word; std::getline(words, word, ',');) made.push_back(word);
    return made;
}

fitted read(const std::string& folder)
{
    fitted made;
    part_of(folder, "summary.json") >> made.summary;
    std::ifstream rows = part_of(folder, "path.csv");
    std::string line;
    std::getline(rows, line);
    const std::vector<std::string> names = cells(line);
    const auto column = [&](const char* name) {
        const auto at = std::find(names.begin(), names.end(), name);
        if (at == names.end()) throw std::runtime_error(folder + "/path.csv has no column " + name);
        return static_cast<std::size_t>(at - names.begin());
    };
    const std::size_t lambda = column("lambda"), primal = column("primal"), gap = column("gap"),
                      status = column("status");
    while (std::getline(rows, line)) {
        const std::vector<std::string> words = cells(line);
        if (words.size() != names.size()) throw std::runtime_error(folder + "/path.csv has an odd line: " + line);
        made.rows.push_back({std::stod(words[lambda]), std::stod(words[primal]), std::stod(words[gap]), words[status]});
    }
    std::ifstream entries = part_of(folder, "coefficients.mtx");
    while (std::getline(entries, line) && line.starts_with('%')) {
    }
    std::int64_t feature = 0, row = 0;
    for (double value = 0; entries >> feature >> row >> value;) made.coefficients[{row, feature}] = value;
    return made;
}

std::string problem_of(const fitted& one, const fitted& other)
{
    if (one.rows.size() != other.rows.size())
        return fmt::format("{} lambdas against {}", one.rows.size(), other.rows.size());
    for (std::size_t k = 0; k < one.rows.size(); ++k) {
        const path_row& a = one.rows[k];
        const path_row& b = other.rows[k];
        if (a.status != "converged" || b.status != "converged")
            return fmt::format("lambda {}: {} against {}", k + 1, a.status, b.status);
        // lambda_max is a sum of products: it may differ in its last digits, and the objectives with it.
        constexpr double digits = 1e-9;
        if (std::fabs(a.lambda - b.lambda) > digits * a.lambda)
            return fmt::format("lambda {}: {} against {}", k + 1, a.lambda, b.lambda);
        if (std::fabs(a.primal - b.primal) > std::max(a.gap, b.gap) + digits * std::fabs(a.primal))
            return fmt::format("lambda {}: objectives {} and {} are further apart than the gaps {} and {} allow", k + 1,
                               a.primal, b.primal, a.gap, b.gap);
    }
    return {};
}

} // namespace

nlohmann::ordered_json compare_paths(const std::string& reference, const std::string& other)
{
    const fitted a = read(reference);
    const fitted b = read(other);
    std::int64_t in_one_only = 0;
    double largest = 0;
    double apart = 0;
    for (const auto& [at, value] : a.coefficients) {
        const auto found = b.coefficients.find(at);
        if (found == b.coefficients.end()) ++in_one_only;
        largest = std::max(largest, std::fabs(value));
        apart = std::max(apart, std::fabs(value - (found == b.coefficients.end() ? 0 : found->second)));
    }
    for (const auto& [at, value] : b.coefficients)
        if (!a.coefficients.contains(at)) {
            ++in_one_only;
            apart = std::max(apart, std::fabs(value));
        }
    const auto side = [](const fitted& of) {
        return nlohmann::ordered_json{
            {"device", of.summary.at("device")},       {"device_name", of.summary.at("device_name")},
            {"threads", of.summary.at("threads")},     {"solve_s", of.summary.at("seconds").at("solve")},
            {"seconds", of.summary.at("seconds")},     {"largest_rel_gap", of.summary.at("largest_rel_gap")},
            {"converged", of.summary.at("converged")}, {"passes", of.summary.at("passes")},
            {"entries", of.coefficients.size()}};
    };
    const double other_s = b.summary.at("seconds").at("solve").get<double>();
    return {{"n", a.summary.at("n")},
            {"p", a.summary.at("p")},
            {"nnz", a.summary.at("nnz")},
            {"n_lambda", a.summary.at("n_lambda")},
            {"reference", side(a)},
            {"other", side(b)},
            {"times_faster", other_s > 0 ? a.summary.at("seconds").at("solve").get<double>() / other_s : 0.0},
            {"entries_in_one_only", in_one_only},
            {"largest_coefficient", largest},
            {"largest_difference", apart},
            {"problem", problem_of(a, b)}};
}

} // namespace proxpath::acceptance
