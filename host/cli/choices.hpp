// The words of the command line for the library's enumerations: the option table lists them, settings.cpp looks them
// up.
#pragma once

#include <proxpath/bootstrap.hpp>
#include <proxpath/cv.hpp>
#include <proxpath/io.hpp>
#include <proxpath/options.hpp>
#include <proxpath/responses.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace proxpath::cli {

template <class E>
struct choice {
    std::string_view name;
    E value;
};

inline constexpr std::array format_choices{
    choice<file_format>{"auto", file_format::automatic}, choice<file_format>{"svmlight", file_format::svmlight},
    choice<file_format>{"mtx", file_format::matrix_market}, choice<file_format>{"npz", file_format::npz},
    choice<file_format>{"csv", file_format::csv}};

inline constexpr std::array solver_choices{
    choice<solver_kind>{"auto", solver_kind::automatic}, choice<solver_kind>{"ista", solver_kind::ista},
    choice<solver_kind>{"fista", solver_kind::fista}, choice<solver_kind>{"cd", solver_kind::cd},
    choice<solver_kind>{"krylov", solver_kind::krylov}};

inline constexpr std::array screening_choices{choice<screening_kind>{"auto", screening_kind::automatic},
                                              choice<screening_kind>{"none", screening_kind::none}};

inline constexpr std::array form_choices{choice<form_kind>{"auto", form_kind::automatic},
                                         choice<form_kind>{"gram", form_kind::gram},
                                         choice<form_kind>{"residual", form_kind::residual}};

inline constexpr std::array precision_choices{choice<precision_kind>{"double", precision_kind::float64},
                                              choice<precision_kind>{"single", precision_kind::float32}};

inline constexpr std::array convention_choices{
    choice<lambda_convention>{"proxpath", lambda_convention::proxpath},
    choice<lambda_convention>{"glmnet", lambda_convention::glmnet},
    choice<lambda_convention>{"scikit-learn", lambda_convention::scikit_learn}};

inline constexpr std::array response_grid_choices{choice<response_grid>{"own", response_grid::own},
                                                  choice<response_grid>{"common", response_grid::common}};

inline constexpr std::array split_choices{choice<fold_kind>{"random", fold_kind::random},
                                          choice<fold_kind>{"stratified", fold_kind::stratified},
                                          choice<fold_kind>{"blocked", fold_kind::blocked}};

inline constexpr std::array loss_choices{choice<cv_loss>{"mse", cv_loss::mse}, choice<cv_loss>{"mae", cv_loss::mae},
                                         choice<cv_loss>{"r2", cv_loss::r2}};

inline constexpr std::array bootstrap_choices{choice<bootstrap_kind>{"pairs", bootstrap_kind::pairs},
                                              choice<bootstrap_kind>{"bayesian", bootstrap_kind::bayesian}};

template <class Choices>
std::vector<std::string> names_of(const Choices& choices)
{
    std::vector<std::string> names;
    names.reserve(choices.size());
    for (const auto& each : choices) names.emplace_back(each.name);
    return names;
}

/// The name of a value; every value has one.
template <class Choices, class E>
std::string name_of(const Choices& choices, E value)
{
    for (const auto& each : choices)
        if (each.value == value) return std::string(each.name);
    return {};
}

/// The value of a name; names were checked against the table before.
template <class Choices>
auto value_of(const Choices& choices, std::string_view name)
{
    for (const auto& each : choices)
        if (each.name == name) return each.value;
    return choices.front().value;
}

} // namespace proxpath::cli
