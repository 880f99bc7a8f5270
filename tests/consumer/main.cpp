// The smallest program that uses the library, built against it in every way that is offered: see CMakeLists.txt here.
#include <proxpath/proxpath.hpp>

#include <cstdio>
#include <cstring>
#include <vector>

int main()
{
    // Two orthogonal columns, y = 3 · first + 1 · second: lambda_max of the Lasso is 3 · sd² = 3.
    const std::vector<double> X{-1, -1, 1, 1, -1, 1, -1, 1};
    const std::vector<double> y{-4, -2, 2, 4};
    const auto path = proxpath::fit_path(proxpath::dense_view(4, 2, X.data(), 4), y);
    std::printf("proxpath %s: lambda_max %g, %lld coefficients at the end, all certified: %s\n", proxpath::version(),
                path.lambda_max, static_cast<long long>(path.points.back().df), path.all_converged() ? "yes" : "no");

    // Exceptions cross the border of the library.
    bool refused = false;
    try {
        (void)proxpath::fit_path(proxpath::dense_view(4, 2, X.data(), 4), std::vector<double>(3));
    } catch (const proxpath::invalid_input& problem) {
        refused = std::strlen(problem.what()) > 0;
    }
    const double off = path.lambda_max - 3;
    return path.all_converged() && off < 1e-12 && off > -1e-12 && path.points.back().df == 2 && refused ? 0 : 1;
}
