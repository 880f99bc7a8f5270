// The lines of README.md, "The library", as a program; tests/readme_test.cpp sees that they are the same.
#include <proxpath/proxpath.hpp>

#include <cstdio>

int main(int count, char** words)
{
    if (count != 2) return 1;
    const char* const file = words[1];
    try {
        const proxpath::data_set data = proxpath::read_data(file); // X, and y where the file holds it
        const proxpath::path_result path = proxpath::fit_path(data.X, data.y);
        for (const proxpath::path_point& point : path.points)
            std::printf("lambda %g: %lld non-zeros, relative gap %.1e\n", point.lambda,
                        static_cast<long long>(point.df), point.rel_gap);
        return path.all_converged() ? 0 : 2;
    } catch (const proxpath::error& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
