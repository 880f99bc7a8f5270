// X that does not fit the device: lists cut into parts, parts written for kernels, results with the bits of a resident
// X however the parts are, nothing brought that nobody looks at, and whole paths in a tenth of the memory that X would
// take. The operations one by one run on streamed designs in the typed suites (tests/backend_*_test.cpp).

#include "host/backend/cuda/cuda_operations.hpp"
#include "host/backend/cuda/forwarding_runtime.hpp"
#include "host/backend/cuda/limited_runtime.hpp"
#include "host/backend/cuda/session_device.hpp"
#include "host/backend/device_choice.hpp"
#include "tests/emulation/emulated_runtime.hpp"
#include "tests/emulation/streamed_provider.hpp"
#include "tests/emulation/streams.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/checks.hpp"

#include <proxpath/proxpath.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using backend::device_memory_plan;
using backend::list_choice;
using backend::list_part;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ListParts, TakeAsManyListsAsGoIntoThem)
{
    const std::vector<std::int64_t> offsets{0, 3, 6, 9, 12};
    const std::uint64_t two = backend::part_bytes<float>(2, 2, 6);
    const list_part part = backend::next_part<float>(offsets, list_choice(1, 4), two);
    EXPECT_THAT(part.chosen, ElementsAre(1, 2));
    EXPECT_EQ(part.first, 1);
    EXPECT_EQ(part.end, 3);
    EXPECT_EQ(part.entries, 6);
    EXPECT_THAT(backend::next_part<float>(offsets, list_choice(1, 4), two - 1).chosen, ElementsAre(1));
}

TEST(ListParts, AreOneListAtLeast)
{
    const std::vector<std::int64_t> offsets{0, 1000, 1000, 2000};
    EXPECT_THAT(backend::next_part<double>(offsets, list_choice(0, 3), 1).chosen, ElementsAre(0));
}

TEST(ListParts, BeginAtAChosenListAndEndBehindOne)
{
    std::vector<std::int64_t> offsets(1001, 0);
    std::iota(offsets.begin(), offsets.end(), std::int64_t{0});
    const std::vector<std::int64_t> chosen{7, 8, 900};
    // The lists between 8 and 900 would take more room than the piece has.
    const list_part part = backend::next_part<float>(offsets, list_choice(chosen), 200);
    EXPECT_THAT(part.chosen, ElementsAre(7, 8));
    EXPECT_EQ(part.end, 9);
}

TEST(ListParts, CountEntriesBeyond32Bits)
{
    constexpr std::int64_t many = std::int64_t{3} << 31;
    const std::vector<std::int64_t> offsets{many, 2 * many, 2 * many + 5, 3 * many};
    const std::uint64_t bytes = backend::part_bytes<float>(2, 2, many + 5);
    EXPECT_GT(bytes, std::uint64_t{8} * static_cast<std::uint64_t>(many));
    const list_part part = backend::next_part<float>(offsets, list_choice(0, 3), bytes);
    EXPECT_EQ(part.entries, many + 5);
    EXPECT_EQ(part.end, 2);
    EXPECT_EQ(backend::least_part_bytes<float>(offsets), backend::part_bytes<float>(1, 1, many));
}

/// Lists of a written part as the kernels find them, in the order of its ids.
template <class V>
std::vector<std::vector<std::pair<std::uint32_t, V>>> lists_of(const kernels::lists_view<V>& view)
{
    std::vector<std::vector<std::pair<std::uint32_t, V>>> lists;
    const auto take = [&](const std::int64_t* ids, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            auto& list = lists.emplace_back();
            for (std::int64_t at = view.offsets[ids[i]]; at < view.offsets[ids[i] + 1]; ++at)
                list.emplace_back(view.indices[at], view.values[at]);
        }
    };
    take(view.short_ids, view.short_count);
    take(view.long_ids, view.long_count);
    return lists;
}

TEST(ListParts, HaveTheEntriesOfTheirListsWhateverTheirKind)
{
    random_numbers random(3);
    for (const double density : {0.0, 0.2, 1.0}) {
        const dense_matrix dense = random_matrix(random, 37, 50, density);
        const matrix X = matrix::from_view(compressed_matrix<std::int32_t, double>(dense, storage_order::csr).view());
        const backend::column_source<double> source(X);
        std::vector<std::int64_t> chosen;
        for (std::int64_t j = 0; j < X.cols(); ++j)
            if (random.chance(0.4)) chosen.push_back(j);
        const list_part part = backend::next_part<double>(source.offsets(), list_choice(chosen), 1 << 20);
        ASSERT_EQ(part.chosen, chosen);
        std::vector<std::byte> bytes(1 << 20);
        const auto view = backend::write_part(source, part, 2, bytes.data(), bytes.data());
        ASSERT_EQ(view.short_count, std::ssize(chosen));
        const auto lists = lists_of(view);
        for (std::size_t c = 0; c < chosen.size(); ++c) {
            std::vector<std::pair<std::uint32_t, double>> expected;
            for (std::int64_t i = 0; i < X.rows(); ++i)
                if (dense.at(i, chosen[c]) != 0)
                    expected.emplace_back(static_cast<std::uint32_t>(i), dense.at(i, chosen[c]));
            EXPECT_EQ(lists[c], expected) << "column " << chosen[c];
        }
    }
}

TEST(ListParts, ListTheirLongListsBehindTheShortOnes)
{
    const dense_matrix dense = [] {
        dense_matrix made(kernels::segment_length + 1, 3);
        for (std::int64_t i = 0; i < made.n; ++i) made.at(i, 1) = 2;
        made.at(5, 0) = 3;
        made.at(7, 2) = 3;
        return made;
    }();
    const matrix X = matrix::from_view(compressed_matrix<std::int32_t, float>(dense, storage_order::csr).view());
    const backend::column_source<float> source(X);
    std::vector<std::byte> bytes(1 << 16);
    const auto view =
        backend::write_part(source, backend::next_part<float>(source.offsets(), list_choice(0, 3), bytes.size()), 1,
                            bytes.data(), bytes.data());
    EXPECT_EQ(view.short_count, 2);
    EXPECT_EQ(view.long_count, 1);
    EXPECT_EQ(view.long_ids[0], 1);
    EXPECT_EQ(lists_of(view)[1].front(), std::pair(7U, 3.0F)); // of column 2
    EXPECT_EQ(lists_of(view)[2].size(), static_cast<std::size_t>(kernels::segment_length + 1));
}

/// A runtime that counts what copies bring to the device.
class counting_runtime final : public backend::forwarding_runtime {
public:
    counting_runtime(std::unique_ptr<device_runtime> runtime, std::uint64_t& brought)
        : forwarding_runtime(std::move(runtime)), brought_(brought)
    {}
    void copy(const backend::copy_request& request, backend::stream_view stream) override
    {
        if (request.direction == backend::copy_direction::to_device) brought_ += request.row_bytes * request.rows;
        forwarding_runtime::copy(request, stream);
    }

private:
    std::uint64_t& brought_;
};

using double_operations = std::unique_ptr<backend::operations<double>>;

double_operations resident()
{
    return backend::make_cuda_operations<double>(
        std::make_shared<backend::device_session>(emulation::make_emulated_runtime()));
}

double_operations streaming(std::uint64_t piece, std::uint64_t working_set, std::uint64_t* brought = nullptr)
{
    auto runtime = emulation::make_emulated_runtime();
    if (brought != nullptr) runtime = std::make_unique<counting_runtime>(std::move(runtime), *brought);
    return backend::make_cuda_operations<double>(
        std::make_shared<backend::device_session>(std::move(runtime), 1,
                                                  device_memory_plan{.all = 1 << 30,
                                                                     .with_X = 0,
                                                                     .working_set = working_set,
                                                                     .tile = 1 << 19,
                                                                     .piece = piece,
                                                                     .longest_piece = 1 << 20}));
}

struct streamed_problem {
    matrix X;
    backend::column_scaling scaling;
    host_panel<double> R;
    host_panel<double> B;
    std::vector<double> w;

    streamed_problem(std::int64_t n, std::int64_t p, std::int64_t k) : R(n, k), B(p, k)
    {
        random_numbers random(7);
        const dense_matrix dense = random_matrix(random, n, p, 0.3);
        X = matrix::from_view(compressed_matrix<std::int32_t, double>(dense, storage_order::csr).view());
        scaling.shift = random_vector(random, p, -1, 1);
        scaling.center = random_vector(random, p, -1, 1);
        scaling.inverse = random_vector(random, p, 0.5, 2);
        w.assign(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n));
        R = random_panel<double>(random, n, k);
        B = random_panel<double>(random, p, k);
    }
};

/// Numbers that the operations which read X make of one problem.
std::vector<double> numbers_of(const backend::operations<double>& ops, const streamed_problem& problem)
{
    std::vector<double> numbers;
    const auto keep = [&](const std::vector<double>& more) { numbers.insert(numbers.end(), more.begin(), more.end()); };
    const auto X = ops.make_design(problem.X, problem.scaling);
    const auto moments = ops.moments(problem.X, problem.w);
    keep(moments.mean);
    keep(moments.variance);
    const auto R = to_backend(ops, problem.R);
    const auto B = to_backend(ops, problem.B);
    auto C = ops.allocate(problem.B.rows, problem.B.cols);
    ops.transpose_multiply(*X, R, C);
    keep(to_host(ops, C).values);
    auto V = ops.allocate(problem.R.rows, problem.R.cols);
    ops.multiply(*X, B, V);
    keep(to_host(ops, V).values);

    const std::vector<std::int64_t> columns{9, 2, 31, 5, 0};
    const auto W = ops.gather_columns(*X, columns, nullptr);
    auto B_W = ops.allocate(5, problem.B.cols);
    host_panel<double> first_rows(5, problem.B.cols);
    std::copy_n(problem.B.values.begin(), first_rows.values.size(), first_rows.values.begin());
    ops.upload(first_rows.values, B_W);
    ops.multiply(*W, B_W, V);
    keep(to_host(ops, V).values);
    auto C_W = ops.allocate(5, problem.B.cols);
    ops.transpose_multiply(*W, R, C_W);
    keep(to_host(ops, C_W).values);
    return numbers;
}

TEST(Streaming, HasTheBitsOfAResidentMatrixHoweverItsPartsAre)
{
    const streamed_problem problem(130, 40, 5);
    const std::vector<double> expected = numbers_of(*resident(), problem);
    for (const std::uint64_t piece :
         {std::uint64_t{1}, std::uint64_t{2000}, std::uint64_t{5000}, std::uint64_t{1} << 20})
        for (const std::uint64_t working_set : {0, 1 << 20})
            EXPECT_THAT(numbers_of(*streaming(piece, working_set), problem), testing::ElementsAreArray(expected))
                << "piece " << piece;
}

/// A pass over all features at coefficients that are zero.
backend::correlation_result pass(const backend::operations<double>& ops, const streamed_problem& problem,
                                 const backend::correlation_bound& bound, std::int64_t save_column,
                                 std::vector<double>& saved)
{
    const auto p = static_cast<std::size_t>(problem.X.cols());
    const auto k = static_cast<std::size_t>(problem.R.cols);
    const auto X = ops.make_design(problem.X, problem.scaling);
    const auto R = to_backend(ops, problem.R);
    const auto none = ops.allocate(0, problem.R.cols);
    const std::vector<std::int64_t> position(p, -1);
    const std::vector<std::uint8_t> skip(p, 0);
    const penalty_vectors penalty{std::vector<double>(p, 1.0), std::vector<double>(p, 0.0),
                                  std::vector<double>(p, -infinity), std::vector<double>(p, infinity),
                                  std::vector<double>(p, 1.0)};
    const std::vector<double> lambda(k, 1.0);
    backend::correlation_request<double> request;
    request.X = X.get();
    request.weighted_residual = &R;
    request.coefficients = &none;
    request.position = position;
    request.skip = skip;
    request.penalty = penalty.view();
    request.lambda = lambda;
    request.save_column = save_column;
    request.bound = bound;
    saved.assign(p, 0.0);
    return ops.correlation_pass(request, saved);
}

TEST(Streaming, APassHasTheBitsOfOneOverAResidentMatrix)
{
    for (const std::int64_t k : {1, 3, 40}) {
        const streamed_problem problem(60, 2100, k); // more features than a piece of `select`, columns than a tile
        std::vector<double> expected_saved;
        const auto expected = pass(*resident(), problem, {}, 0, expected_saved);
        for (const std::uint64_t piece : {std::uint64_t{1000}, std::uint64_t{100'000}}) {
            std::vector<double> saved;
            const auto result = pass(*streaming(piece, 0), problem, {}, 0, saved);
            EXPECT_EQ(saved, expected_saved);
            EXPECT_EQ(result.violators, expected.violators);
            EXPECT_EQ(result.entries_read, expected.entries_read);
            for (std::size_t c = 0; c < result.sums.size(); ++c) {
                EXPECT_EQ(result.sums[c].s_max, expected.sums[c].s_max);
                EXPECT_EQ(result.sums[c].kkt, expected.sums[c].kkt);
            }
        }
    }
}

TEST(Streaming, APassBringsNoEntriesOfFeaturesThatABoundExcludes)
{
    const streamed_problem problem(200, 300, 4);
    const std::size_t p = 300;
    std::vector<double> from(p, 0.0);
    for (std::size_t j = 0; j < 10; ++j) from[j * 30] = 5; // beyond lambda; all others are far below
    const std::vector<double> position(4, 0.0), radius(4, 0.1), scale(4, 1.0);
    std::uint64_t brought = 0;
    const auto ops = streaming(1 << 14, 0, &brought);
    std::vector<double> saved;
    (void)pass(*ops, problem, {}, -1, saved);
    const std::uint64_t entry = sizeof(std::uint32_t) + sizeof(double);
    EXPECT_GT(brought, entry * static_cast<std::uint64_t>(problem.X.nonzeros()));
    brought = 0;
    const auto result = pass(*ops, problem, {from, from, position, radius, scale}, -1, saved);
    // Vectors of features and the panel of residuals, too.
    const std::uint64_t vectors = 100 * p + 8 * 200 * 4 + 4096;
    EXPECT_LE(brought, entry * static_cast<std::uint64_t>(result.entries_read) + vectors);
    EXPECT_LT(result.entries_read, problem.X.nonzeros() / 10);
}

TEST(Streaming, RefusesAColumnThatIsLongerThanTheDeviceCanHold)
{
    const streamed_problem problem(400, 3, 1);
    const auto ops = backend::make_cuda_operations<double>(std::make_shared<backend::device_session>(
        emulation::make_emulated_runtime(), 1, device_memory_plan::of(6 * 200)));
    try {
        (void)ops->moments(problem.X, problem.w);
        FAIL() << "no error";
    } catch (const out_of_memory& error) {
        EXPECT_THAT(error.what(), HasSubstr("longest column or row of X"));
        EXPECT_GT(error.needed_bytes(), error.limit_bytes());
    }
}

/// Makes "streamed:N" known, once.
void know_streamed_devices()
{
    static const bool known = [] {
        backend::register_device_provider(emulation::streamed_devices());
        return true;
    }();
    (void)known;
}

std::vector<std::int64_t> support(const path_result& result, std::size_t column)
{
    const auto begin = static_cast<std::size_t>(result.coefficients.offsets[column]);
    const auto end = static_cast<std::size_t>(result.coefficients.offsets[column + 1]);
    return {result.coefficients.indices.begin() + static_cast<std::ptrdiff_t>(begin),
            result.coefficients.indices.begin() + static_cast<std::ptrdiff_t>(end)};
}

bool same_bits(const path_result& a, const path_result& b)
{
    return a.coefficients.values == b.coefficients.values && a.coefficients.indices == b.coefficients.indices &&
           std::equal(a.points.begin(), a.points.end(), b.points.begin(), b.points.end(),
                      [](const path_point& x, const path_point& y) { return x.gap == y.gap && x.kkt == y.kkt; });
}

/// Fits on the CPU and on devices that have `memory` bytes for entries: certified, the same supports, the same bits for
/// any size of the parts and any order of threads.
void expect_same_path(const matrix& X, const std::vector<double>& y, path_options options, std::uint64_t memory)
{
    know_streamed_devices();
    options.device = "cpu";
    const path_result expected = fit_path(X, y, options);
    options.device_memory = memory;
    path_result first;
    for (int variant = 0; variant < 3; ++variant) {
        emulation::settings() = {};
        if (variant > 0) emulation::settings().order = {emulation::thread_order::kind::random, 17u + variant};
        options.device = "streamed:" + std::to_string(variant);
        path_result result = fit_path(X, y, options);
        emulation::settings() = {};
        EXPECT_TRUE(result.all_converged());
        for (std::size_t c = 0; c < result.points.size(); ++c)
            EXPECT_EQ(support(result, c), support(expected, c)) << "lambda " << c;
        if (variant == 0)
            first = std::move(result);
        else
            EXPECT_TRUE(same_bits(result, first)) << "streamed:" << variant;
    }
}

/// Bytes of X both ways, as a device holds it.
std::uint64_t device_bytes(const matrix& X)
{
    return backend::resident_bytes(X.rows(), X.cols(), X.nonzeros(), backend::fits_float(X));
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool slow_build = true;
#else
constexpr bool slow_build = false;
#endif

TEST(Streaming, PathsInATenthOfTheMemoryOfX)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "takes minutes; the kernels have tests of their own";
#endif
    random_numbers random(11);
    const dense_matrix dense = random_matrix(random, 600, 700, 0.8);
    std::vector<double> y(600);
    for (std::size_t i = 0; i < y.size(); ++i) {
        y[i] = random.normal();
        for (std::int64_t j = 0; j < 10; ++j) y[i] += dense.at(static_cast<std::int64_t>(i), 13 * j);
    }
    const matrix X = matrix::from_view(dense.view());
    for (const double alpha : {1.0, 0.5, 0.0}) {
        if (slow_build && alpha == 0.5) continue;
        SCOPED_TRACE(alpha);
        path_options options;
        options.alpha = alpha;
        options.n_lambda = 8;
        options.lambda_min_ratio = 0.1;
        options.tol = 1e-6;
        expect_same_path(X, y, options, device_bytes(X) / 10);
    }
}

/// "deceived:0": an emulated device that has less memory than its plan counts on, as where others took of it.
class deceived_devices final : public backend::device_provider {
public:
    std::string name() const override { return "deceived"; }
    device_survey survey() const override
    {
        device_survey survey;
        survey.devices.emplace_back().name = "emulated device";
        return survey;
    }
    void examine(device_info&) const override {}
    std::unique_ptr<backend::opened_device> open(int, const backend::device_terms& terms) const override
    {
        return backend::open_session(std::make_shared<backend::device_session>(
            backend::limit_memory(emulation::make_emulated_runtime(), terms.memory_limit), 1,
            device_memory_plan::of(std::uint64_t{1} << 30)));
    }
};

TEST(DeviceMemory, ThatDoesNotDoForABlockOfLambdasDoesForSmallerOnes)
{
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "takes minutes, and has one thread";
#endif
    static const deceived_devices provider;
    backend::register_device_provider(provider);
    random_numbers random(5);
    // Panels of all lambdas together take more than X does.
    const dense_matrix dense = random_matrix(random, 2000, 600, 0.004);
    std::vector<double> y(2000);
    for (std::size_t i = 0; i < y.size(); ++i)
        y[i] = 0.1 * random.normal() + dense.at(static_cast<std::int64_t>(i), 3) -
               dense.at(static_cast<std::int64_t>(i), 8);
    const matrix X = matrix::from_view(compressed_matrix<std::int32_t, double>(dense, storage_order::csr).view());
    path_options options;
    options.n_lambda = 16;
    options.lambda_min_ratio = 0.2;
    options.tol = 1e-6;
    const path_result expected = fit_path(X, y, options);
    options.device = "deceived:0";
    int retreats = 0;
    // From enough for all lambdas together to too little for one.
    bool fits = true;
    for (options.device_memory = 5 << 20; fits; options.device_memory -= options.device_memory / (slow_build ? 4 : 8)) {
        try {
            const path_result result = fit_path(X, y, options);
            EXPECT_TRUE(result.all_converged());
            for (std::size_t c = 0; c < result.points.size(); ++c)
                EXPECT_EQ(support(result, c), support(expected, c)) << "lambda " << c;
            retreats += testing::Value(result.notes, testing::Contains(HasSubstr("the device's memory did not do")));
        } catch (const out_of_memory&) {
            fits = false;
        }
    }
    EXPECT_GT(retreats, 0);
}

struct real_set {
    std::string name;
    std::string file;
    std::string y_file; ///< empty: y is in the file
};
void PrintTo(const real_set& set, std::ostream* out) { *out << set.name; }

/// The first of several responses.
std::vector<double> first_response(const std::string& path)
{
    const matrix Y = read_data(path).X;
    sparse_columns first;
    first.rows = Y.cols();
    first.cols = 1;
    first.offsets = {0, 1};
    first.indices = {0};
    first.values = {1};
    return predict(Y, first, std::vector<double>(1, 0.0));
}

class StreamingOfRealSets : public testing::TestWithParam<real_set> {};

TEST_P(StreamingOfRealSets, PathsInATenthOfTheMemoryOfTheirEntries)
{
    const char* const folder = std::getenv("PROXPATH_DATA");
    if (folder == nullptr) GTEST_SKIP() << "set PROXPATH_DATA to the folder with the published data sets to run this";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "takes minutes with sanitizers, which see the same of the test above";
#endif
    const std::filesystem::path path = std::filesystem::path(folder) / GetParam().file;
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
    read_options reading;
    if (GetParam().file.ends_with(".csv.gz")) reading.y_column = "y";
    const data_set data = read_data(path.string(), reading);
    const std::vector<double> y = GetParam().y_file.empty()
                                      ? data.y
                                      : first_response((std::filesystem::path(folder) / GetParam().y_file).string());
    for (const double alpha : {1.0, 0.5, 0.0}) {
        SCOPED_TRACE(alpha);
        path_options options;
        options.alpha = alpha;
        options.n_lambda = 4;
        options.lambda_min_ratio = 0.2;
        options.tol = 1e-9; // at 1e-6 a coefficient that is nearly zero may be on either side
        expect_same_path(data.X, y, options, device_bytes(data.X) / 10);
    }
}

INSTANTIATE_TEST_SUITE_P(, StreamingOfRealSets,
                         testing::Values(real_set{"we8there", "we8there.mtx.gz", "we8there_y.mtx.gz"},
                                         real_set{"riboflavin", "riboflavin.mtx.xz", "riboflavin_y.mtx"},
                                         real_set{"ames", "ames.mtx.gz", "ames_y.mtx.gz"},
                                         real_set{"wheat", "wheat.mtx.xz", "wheat_y.mtx"},
                                         real_set{"rank_train", "rank_train.svm.gz", ""},
                                         real_set{"diabetes64", "diabetes64.csv.gz", ""}),
                         [](const auto& test) { return test.param.name; });

} // namespace
} // namespace proxpath::test
