// The calls that fit one response: the device is chosen, X prepared, and the driver does the rest. What the system
// refuses on the way is said in terms of the fit.

#include "host/backend/device_choice.hpp"
#include "host/io/memory_guard.hpp"
#include "host/matrix/lent_matrix.hpp"
#include "host/parallel/parallel_for.hpp"
#include "host/path/path_driver.hpp"

#include <proxpath/fit.hpp>

#include <chrono>
#include <new>
#include <utility>

#include <fmt/format.h>

namespace proxpath {

namespace {

path::null_model null_of(const backend::operations<double>& ops, const path::problem& fit,
                         const path::unpenalised_space& unpenalised, const path::narrow_start& narrow)
{
    if (!narrow.empty()) return path::fit_null_model(fit, narrow.features, narrow.correlation, narrow.response_square);
    const std::span<const double> response(fit.response);
    return std::move(path::fit_null_models(ops, fit, unpenalised, {&response, 1}).front());
}

path_result fit_on(const backend::device_choice& choice, const matrix& X, std::span<const double> y,
                   const path_options& options, const path::likely_solution* likely = nullptr,
                   std::optional<void*> stream = {})
{
    const int threads = parallel::resolve_threads(options.threads);
    const auto device = backend::open_device(choice, {options.device_memory, threads, stream});
    const auto ops = device->make_double();
    const auto started = std::chrono::steady_clock::now();
    const path::memory_shares shares = path::share_memory(X, options, ops->memory_beside(X));
    path::problem fit = path::prepare_columns(*ops, X, options);
    path::set_response(fit, y, options);
    const path::unpenalised_space unpenalised(*ops, fit);
    path::narrow_start narrow = path::start_narrow(*ops, fit, options, shares);
    path::null_model null = null_of(*ops, fit, unpenalised, narrow);
    path_result result =
        path::drive_path(*device, *ops, options,
                         {fit, unpenalised, shares, std::move(narrow), std::move(null), likely, nullptr, started});
    result.device = choice.device;
    result.device_name = choice.name;
    result.device_reason = choice.reason;
    return result;
}

/// Nobody asked for a device that turns out to be too small: the CPU takes its place.
path_result fit_on_any(const matrix& X, std::span<const double> y, const path_options& options,
                       const path::likely_solution* likely = nullptr)
{
    const backend::device_choice choice = backend::choose_device(options.device);
    if (!choice.automatic || choice.provider == nullptr) return fit_on(choice, X, y, options, likely);
    backend::device_choice cpu;
    try {
        return fit_on(choice, X, y, options, likely);
    } catch (const out_of_memory& problem) {
        cpu.reason = fmt::format("auto: the memory of {} did not do: {}", choice.device, problem.what());
    }
    return fit_on(cpu, X, y, options, likely);
}

/// The device that X lies on, and no other.
backend::device_choice device_of(const device_matrix_view& X, const path_options& options)
{
    const std::string kind = X.device.substr(0, X.device.find(':'));
    if (X.device == kind || !backend::names_a_device(X.device))
        throw invalid_input(
            fmt::format("X: its device is '{}'; it must be one with its number, like cuda:0", X.device));
    if (!backend::names_a_device(options.device))
        throw invalid_input(fmt::format("device is '{}'; must be {}", options.device, backend::device_rule));
    if (options.device != "auto" && options.device != kind && options.device != X.device)
        throw invalid_input(fmt::format("X lies on {}: the fit cannot run on {}, as asked", X.device, options.device));
    backend::device_choice choice = backend::choose_device(X.device);
    choice.reason = "X lies there";
    return choice;
}

/// Turning X over takes host memory, which a system that hands out more than it has would end the process for.
void check_host_memory(const device_matrix_view& X)
{
    if (X.has_both_orders()) return;
    const std::uint64_t entry = sizeof(std::int32_t) + (X.wide_value ? sizeof(double) : sizeof(float));
    const std::uint64_t needed = 2 * entry * static_cast<std::uint64_t>(X.stored);
    const std::uint64_t available = io::available_memory();
    if (needed > available)
        throw out_of_memory(fmt::format("X is given one way, and turning it over takes {} of the host's memory, where "
                                        "{} are left; give X by columns and by rows",
                                        io::readable_bytes(needed), io::readable_bytes(available)),
                            needed, available);
}

/// Calls the fit. What the system refuses on the way is said in terms of the fit.
template <class Fit>
path_result with_memory_explained(const matrix& X, std::span<const double> y, const path_options& options,
                                  const Fit& fit)
{
    path::check_options(options, X.rows(), X.cols());
    path::check_response(y, X.rows());
    try {
        return fit();
    } catch (const std::bad_alloc&) {
        const memory_plan plan = path::share_memory(X, options).plan;
        const std::uint64_t needed = plan.vectors_bytes + plan.working_bytes + plan.factor_bytes;
        throw out_of_memory(fmt::format("the system refused memory during the fit, which takes about {} MiB beside X; "
                                        "free some, or set a lower limit",
                                        (needed >> 20) + 1),
                            needed, plan.limit_bytes);
    }
}

} // namespace

path_result fit_path(const matrix& X, std::span<const double> y, const path_options& options)
{
    return with_memory_explained(X, y, options, [&] { return fit_on_any(X, y, options); });
}

path_result path::fit_path_near(const matrix& X, std::span<const double> y, const path_options& options,
                                const likely_solution& likely)
{
    return with_memory_explained(X, y, options, [&] { return fit_on_any(X, y, options, &likely); });
}

path_result fit_path(const device_matrix_view& X, std::span<const double> y, const path_options& options)
{
    const matrix lent = storage::lent_matrix(X);
    check_host_memory(X);
    return with_memory_explained(lent, y, options,
                                 [&] { return fit_on(device_of(X, options), lent, y, options, nullptr, X.stream); });
}

path_result fit_path(const matrix_view& X, std::span<const double> y, const path_options& options)
{
    return fit_path(matrix::from_view(X, options.threads), y, options);
}

memory_plan plan_memory(const matrix& X, const path_options& options)
{
    path::check_options(options, X.rows(), X.cols());
    return path::share_memory(X, options).plan;
}

} // namespace proxpath
