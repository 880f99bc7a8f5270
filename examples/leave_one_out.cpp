// The lines of docs/leave-one-out.md as a program; tests/readme_test.cpp sees that they are the same.
#include <proxpath/proxpath.hpp>

#include <cstdio>

int main(int count, char** words)
{
    if (count != 3) return 1;
    proxpath::read_options reading;
    reading.y_column = words[2];
    try {
        const proxpath::data_set data = proxpath::read_data(words[1], reading);
        proxpath::path_options options;
        options.alpha = 0;
        const proxpath::path_result path = proxpath::fit_path(data.X, data.y, options);
        const proxpath::leave_one_out_result left_out = proxpath::compute_leave_one_out(data.X, data.y, options, path);
        const proxpath::leave_one_out_point& best = left_out.points[left_out.at_loo.value()];
        std::printf("lambda %g: error %g, %.1f degrees of freedom\n", best.lambda, best.mse, best.df);
        return 0;
    } catch (const proxpath::error& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
