// Paths of many responses to the same rows; the lines of docs/responses.md.
#include <proxpath/proxpath.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <vector>

int main()
{
    try {
        // 50 rows of 8 waves, and as responses three mixtures of them.
        const std::int64_t n = 50;
        std::vector<double> values;
        for (int j = 0; j < 8; ++j)
            for (std::int64_t i = 0; i < n; ++i)
                values.push_back(std::sin(0.11 * (j + 1) * static_cast<double>(i) + 0.2 * j));
        const proxpath::matrix X = proxpath::matrix::from_view(proxpath::dense_view(n, 8, values.data(), n));
        std::vector<double> Y; // one response after the other
        for (std::size_t r = 0; r < 3; ++r)
            for (std::size_t i = 0; i < 50; ++i) Y.push_back(values[r * 50 + i] - 0.5 * values[(r + 4) * 50 + i]);
        // clang-format off
        proxpath::responses_options options;
        options.path.n_lambda = 20;
        proxpath::fit_responses(X, Y, options, [](std::int64_t response, proxpath::path_result&& fit) {
            std::printf("response %lld: lambda_max %.4f, %lld non-zeros at the last of %zu lambdas\n",
                        static_cast<long long>(response), fit.lambda_max,
                        static_cast<long long>(fit.points.back().df), fit.points.size());
        });
        // clang-format on
        return 0;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
