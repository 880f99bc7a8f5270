// The lines of docs/bootstrap.md as a program; tests/readme_test.cpp sees that they are the same.
#include <proxpath/proxpath.hpp>

#include <cstdint>
#include <cstdio>

int main(int count, char** words)
{
    if (count != 3) return 1;
    proxpath::read_options reading;
    reading.y_column = words[2];
    try {
        const proxpath::data_set data = proxpath::read_data(words[1], reading);
        proxpath::bootstrap_options options;
        options.path.lambda = {2};
        options.resamples = 500;
        const proxpath::bootstrap_result drawn = proxpath::fit_bootstrap(data.X, data.y, options);
        for (const proxpath::bootstrap_coefficient& each : drawn.at(0))
            std::printf("%s: %.3g, 95 %% between %.3g and %.3g, not 0 in %.0f %% of the resamples\n",
                        data.feature_names[static_cast<std::size_t>(each.feature)].c_str(), each.estimate,
                        each.spread.lower, each.spread.upper, 100 * each.frequency);
        return 0;
    } catch (const proxpath::error& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
