// A device that fails in the middle of a fit: whichever call or kernel it is, the fit ends with a certified result or
// with an error that says what failed and what can be done, nothing stays behind on the device, and the next fit on the
// same session has the bits of an undisturbed one.

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/session_device.hpp"
#include "host/backend/device_choice.hpp"
#include "tests/emulation/emulated_runtime.hpp"
#include "tests/emulation/failing_runtime.hpp"
#include "tests/support/problems.hpp"

#include <proxpath/proxpath.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using emulation::failure;
using testing::AllOf;
using testing::HasSubstr;

/// Failures of a fit: of all its calls, but for builds with sanitizers, in which fits take ten and forty times as long.
#if defined(__SANITIZE_THREAD__)
constexpr std::int64_t most_failures = 5;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::int64_t most_failures = 20;
#else
constexpr std::int64_t most_failures = std::numeric_limits<std::int64_t>::max();
#endif

/// An emulated device whose session outlives fits, until `close`: "failing:0", and "failing:1", to which X is streamed.
class failing_devices final : public backend::device_provider {
public:
    std::string name() const override { return "failing"; }
    device_survey survey() const override
    {
        device_survey found;
        found.devices.resize(2);
        found.devices[1].index = 1;
        return found;
    }
    void examine(device_info&) const override {}
    std::unique_ptr<backend::opened_device> open(int index, const backend::device_terms& terms) const override
    {
        if (session_ == nullptr) {
            auto runtime = emulation::make_failing_runtime(emulation::make_emulated_runtime(), account);
            auto plan = backend::device_memory_plan::of(runtime->free_bytes());
            if (index == 1) plan.with_X = 0;
            if (index == 1) plan.piece = 64; // a list or two
            session_ = std::make_shared<backend::device_session>(std::move(runtime), terms.threads, plan);
        }
        return backend::open_session(session_);
    }
    void close() const { session_.reset(); }

    mutable emulation::device_account account;

private:
    mutable std::shared_ptr<backend::device_session> session_;
};

const failing_devices& devices()
{
    static const failing_devices provider;
    if (!backend::names_a_device("failing")) backend::register_device_provider(provider);
    return provider;
}

struct bits_of_fit {
    bool certified = false;
    std::vector<double> numbers;
    bool operator==(const bits_of_fit&) const = default;
};

bits_of_fit bits_of(const path_result& path)
{
    bits_of_fit bits{path.all_converged(), path.coefficients.values};
    for (const path_point& point : path.points) {
        bits.numbers.push_back(point.intercept);
        bits.numbers.push_back(point.gap);
    }
    return bits;
}

using fit_call = std::function<bits_of_fit()>;

/// Every how many-th call fails; odd, so that it does not keep step with a loop of the fit.
std::int64_t stride_of(std::int64_t calls, std::int64_t most) { return most < calls ? calls / most | 1 : 1; }

void expect_nothing_left(const emulation::device_account& account)
{
    EXPECT_EQ(account.memory.size(), 0U);
    EXPECT_EQ(account.wrong_frees, 0);
    EXPECT_EQ(account.streams, 0);
    EXPECT_EQ(account.events, 0);
}

void expect_a_clear_error(const error& problem, const emulation::device_account& account)
{
    EXPECT_THAT(problem.what(), AllOf(HasSubstr(account.failed), HasSubstr("device cpu")));
}

/// @param most failures, of a fit that takes too many calls for all of them
void expect_every_failure_survived(failure kind, const fit_call& fit,
                                   std::int64_t most = std::numeric_limits<std::int64_t>::max())
{
    const failing_devices& device = devices();
    emulation::device_account& account = device.account;
    account = {.kind = kind};
    const emulation::counted_launches launches(account);
    const bits_of_fit undisturbed = fit();
    ASSERT_TRUE(undisturbed.certified);
    const std::int64_t calls = account.calls;
    const std::size_t kept_by_session = account.memory.size();
    ASSERT_GT(calls, kind == failure::of_call ? 100 : 20);
    device.close();
    const std::int64_t stride = stride_of(calls, std::min(most, most_failures));
    std::set<std::string> failed;
    for (std::int64_t call = 1; call <= calls; call += stride) {
        SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(calls));
        account = {.kind = kind, .fail_at = call};
        try {
            EXPECT_TRUE(fit().certified);
        } catch (const out_of_memory& problem) {
            expect_a_clear_error(problem, account);
        } catch (const system_error& problem) {
            expect_a_clear_error(problem, account);
        }
        EXPECT_NE(account.failed, "");
        failed.insert(account.failed);
        EXPECT_LE(account.memory.size(), kept_by_session) << "left by the fit in which failed " << account.failed;
        EXPECT_EQ(fit(), undisturbed) << "after " << account.failed;
        device.close();
        expect_nothing_left(account);
        if (testing::Test::HasFailure()) return;
    }
    testing::Test::RecordProperty("calls", std::to_string(calls));
    testing::Test::RecordProperty("failed", std::to_string(failed.size()));
}

TEST(DeviceOwners, GiveBackOnceWhereverTheyWereMoved)
{
    emulation::device_account account;
    const auto runtime = emulation::make_failing_runtime(emulation::make_emulated_runtime(), account);
    {
        backend::device_stream stream(*runtime);
        backend::device_event event(*runtime);
        const backend::device_stream stream_moved = std::move(stream);
        const backend::device_event event_moved = std::move(event);
        backend::device_buffer<double> buffer(3, stream_moved.view(), *runtime);
        const backend::device_buffer<double> buffer_moved = std::move(buffer);
        EXPECT_EQ(account.streams, 1);
        EXPECT_EQ(account.events, 1);
        EXPECT_EQ(account.memory.size(), 1U);
    }
    expect_nothing_left(account);
}

/// A fit of 8 rows and 5 columns, small enough to be repeated for each of its calls.
struct small_fit {
    dense_matrix dense{8, 5};
    std::vector<double> y;
    matrix X; ///< borrows from `dense`
    path_options options;

    small_fit(const small_fit&) = delete;
    small_fit& operator=(const small_fit&) = delete;
    small_fit()
    {
        random_numbers random(8);
        for (double& value : dense.values) value = random.chance(0.7) ? random.normal() : 0;
        X = matrix::from_view(dense.view());
        for (std::int64_t i = 0; i < dense.n; ++i)
            y.push_back(dense.at(i, 0) - 2 * dense.at(i, 3) + 0.3 * random.normal());
        options.device = "failing:0";
        options.threads = 1;
        options.n_lambda = 2;
        options.lambda_min_ratio = 0.3;
    }
    fit_call call() const
    {
        (void)devices();
        return [this] { return bits_of(fit_path(X, y, options)); };
    }
};

class DeviceFailures : public testing::TestWithParam<failure> {};

TEST_P(DeviceFailures, OfALassoLeaveNothingBehind)
{
    const small_fit small;
    expect_every_failure_survived(GetParam(), small.call());
}

TEST_P(DeviceFailures, OfAStreamedFitLeaveNothingBehind)
{
    small_fit small;
    const std::vector<double> resident = small.call()().numbers;
    devices().close();
    small.options.device = "failing:1";
    const std::vector<double> streamed = small.call()().numbers;
    devices().close();
    EXPECT_EQ(streamed, resident);
    expect_every_failure_survived(GetParam(), small.call(), 100);
}

TEST_P(DeviceFailures, OfAFitOnALentMatrixLeaveNothingBehind)
{
    const small_fit small;
    (void)devices();
    // Any memory will do as the emulated device's.
    const compressed_matrix<std::int32_t, double> columns(small.dense, storage_order::csc);
    device_matrix_view lent = device_csc_view(8, 5, columns.offsets.back(), columns.offsets.data(),
                                              columns.indices.data(), columns.values.data());
    lent.device = "failing:0";
    expect_every_failure_survived(
        GetParam(), [&] { return bits_of(fit_path(lent, small.y, small.options)); }, 60);
}

TEST_P(DeviceFailures, OfARidgeLeaveNothingBehind)
{
    small_fit small;
    small.options.alpha = 0;
    expect_every_failure_survived(GetParam(), small.call());
}

TEST_P(DeviceFailures, OfDescentOnResidualsLeaveNothingBehind)
{
    small_fit small;
    small.options.alpha = 0.5;
    small.options.intercept = false;
    small.options.standardize = false;
    small.options.solver = solver_kind::cd;
    small.options.form = form_kind::residual;
    expect_every_failure_survived(GetParam(), small.call());
}

TEST_P(DeviceFailures, OfProximalGradientInFloatLeaveNothingBehind)
{
    small_fit small;
    small.options.solver = solver_kind::fista;
    small.options.precision = precision_kind::float32;
    small.options.tol = 1e-2;
    small.options.lambda_min_ratio = 0.6;
    expect_every_failure_survived(GetParam(), small.call(), 40); // hundreds of steps
}

TEST_P(DeviceFailures, OfACrossValidationLeaveNothingBehind)
{
    const small_fit small;
    (void)devices();
    expect_every_failure_survived(
        GetParam(),
        [&] {
            cv_options options;
            options.path = small.options;
            options.folds = 2;
            const cv_result result = fit_cv(small.X, small.y, options);
            bits_of_fit bits = bits_of(result.fit);
            bits.certified = result.all_converged();
            bits.numbers.insert(bits.numbers.end(), result.predictions.begin(), result.predictions.end());
            return bits;
        },
        30); // three fits
}

TEST_P(DeviceFailures, OfOneProductLeaveNothingBehind)
{
    // Short enough for every call under sanitizers, too; here the session ends with the failure.
    const small_fit small;
    const failing_devices& device = devices();
    const emulation::counted_launches launches(device.account);
    for (const int index : {0, 1}) {
        const auto product = [&] {
            const auto ops = device.open(index, {})->make_double();
            device.close();
            const auto X = ops->make_design(small.X, {std::vector(5, 0.0), std::vector(5, 0.5), std::vector(5, 1.0)});
            backend::panel<double> R = ops->allocate(8, 1);
            backend::panel<double> C = ops->allocate(5, 1);
            ops->upload(small.y, R);
            ops->transpose_multiply(*X, R, C);
            std::vector<double> result(5);
            ops->download(C, result);
            return result;
        };
        device.account = {.kind = GetParam()};
        const std::vector<double> undisturbed = product();
        const std::int64_t calls = device.account.calls;
        for (std::int64_t call = 1; call <= calls; ++call) {
            SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(calls));
            device.account = {.kind = GetParam(), .fail_at = call};
            try {
                product();
                ADD_FAILURE() << "no error";
            } catch (const error& problem) {
                expect_a_clear_error(problem, device.account);
            }
            device.close();
            expect_nothing_left(device.account);
            device.account = {};
            EXPECT_EQ(product(), undisturbed);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(, DeviceFailures, testing::Values(failure::of_call, failure::of_kernel),
                         [](const auto& of) { return of.param == failure::of_call ? "Call" : "Kernel"; });

} // namespace
} // namespace proxpath::test
