// The lines of docs/stability.md as a program; tests/readme_test.cpp sees that they are the same.
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
        proxpath::stability_options options;
        options.expected_false = 0.5;
        options.path.alpha = 0.9;
        const proxpath::stability_result chosen = proxpath::fit_stability(data.X, data.y, options);
        for (const std::int64_t feature : chosen.stable)
            std::printf("%s: in %lld of %lld halves\n", data.feature_names[static_cast<std::size_t>(feature)].c_str(),
                        static_cast<long long>(chosen.selections[static_cast<std::size_t>(feature)]),
                        static_cast<long long>(2 * chosen.pairs));
        std::printf("%.2g of them may be false\n", chosen.expected_false);
        return 0;
    } catch (const proxpath::error& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
