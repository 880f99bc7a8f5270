// The lines of docs/cross-validation.md as a program; tests/readme_test.cpp sees that they are the same.
#include <proxpath/proxpath.hpp>

#include <cstdio>

int main(int count, char** words)
{
    if (count != 3) return 1;
    const char* const file = words[1];
    proxpath::read_options reading;
    reading.y_column = words[2];
    try {
        const proxpath::data_set data = proxpath::read_data(file, reading);
        proxpath::cv_options options;
        options.alphas = {1, 0.5};
        options.kind = proxpath::fold_kind::stratified;
        options.seed = 7;
        const proxpath::cv_result chosen = proxpath::fit_cv(data.X, data.y, options);
        std::printf("alpha %g, lambda.min %g, lambda.1se %g\n", chosen.curve().alpha, chosen.lambda_min(),
                    chosen.lambda_1se());
        return chosen.all_converged() ? 0 : 2;
    } catch (const proxpath::error& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
