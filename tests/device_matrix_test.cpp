// A design matrix that lies in a device's memory already: fits have the bits of one that is brought there, read it in
// place and on the caller's stream, and say what is wrong with one that cannot be.

#include "host/backend/cuda/forwarding_runtime.hpp"
#include "host/backend/cuda/session_device.hpp"
#include "host/backend/device_choice.hpp"
#include "tests/emulation/emulated_provider.hpp"
#include "tests/emulation/emulated_runtime.hpp"
#include "tests/emulation/streams.hpp"
#include "tests/support/checks.hpp"

#include <proxpath/proxpath.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proxpath::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Numbers that get into device memory when the stream gets to them, as late as it may be.
template <class T>
class late_numbers {
public:
    late_numbers(std::vector<T> numbers, emulation::stream* stream)
        : arrived_(std::make_unique<T[]>(numbers.size())), count_(numbers.size())
    {
        std::memset(arrived_.get(), 0xff, count_ * sizeof(T));
        emulation::enqueue(
            stream, [to = arrived_.get(), from = std::move(numbers)] { std::copy(from.begin(), from.end(), to); });
    }
    const T* data() const { return arrived_.get(); }
    std::vector<T> now() const { return {arrived_.get(), arrived_.get() + count_}; }

private:
    std::unique_ptr<T[]> arrived_;
    std::size_t count_;
};

/// A matrix on the emulated device, by columns and by rows, on a stream of its own.
template <class O, class V>
class device_copy {
public:
    explicit device_copy(const dense_matrix& X)
        : device_copy(compressed_matrix<std::int32_t, V>(X, storage_order::csc),
                      compressed_matrix<std::int32_t, V>(X, storage_order::csr))
    {}
    device_copy(const compressed_matrix<std::int32_t, V>& columns, const compressed_matrix<std::int32_t, V>& rows)
        : n_(columns.n), p_(columns.p), stored_(columns.offsets.back()), columns_(columns, stream_.get()),
          rows_(rows, stream_.get())
    {}

    device_copy(const device_copy&) = delete;
    device_copy& operator=(const device_copy&) = delete;
    ~device_copy() { stream_.reset(); } // before the memory that its work writes to

    device_matrix_view by_columns() const
    {
        return placed(
            device_csc_view(n_, p_, stored_, columns_.offsets.data(), columns_.indices.data(), columns_.values.data()));
    }
    device_matrix_view by_rows() const
    {
        return placed(
            device_csr_view(n_, p_, stored_, rows_.offsets.data(), rows_.indices.data(), rows_.values.data()));
    }
    device_matrix_view both() const { return both_orders(by_columns(), by_rows()); }
    std::vector<V> values_now() const { return columns_.values.now(); }

private:
    struct lists {
        late_numbers<O> offsets;
        late_numbers<std::int32_t> indices;
        late_numbers<V> values;
        lists(const compressed_matrix<std::int32_t, V>& of, emulation::stream* stream)
            : offsets({of.offsets.begin(), of.offsets.end()}, stream), indices(of.indices, stream),
              values(of.values, stream)
        {}
    };
    device_matrix_view placed(device_matrix_view view) const
    {
        view.device = "emulated:0";
        view.stream = stream_.get();
        return view;
    }

    std::unique_ptr<emulation::stream, void (*)(emulation::stream*)> stream_{
        emulation::make_stream(), [](emulation::stream* of) { emulation::destroy_stream(of); }};
    std::int64_t n_;
    std::int64_t p_;
    std::int64_t stored_;
    lists columns_;
    lists rows_;
};

class DeviceMatrix : public testing::Test {
protected:
    void SetUp() override
    {
        if (!backend::names_a_device("emulated")) backend::register_device_provider(emulation::emulated_devices());
        random_numbers random(31);
        X = random_matrix(random, 60, 40, 0.3);
        y.resize(60);
        for (std::size_t i = 0; i < y.size(); ++i)
            y[i] = random.normal() + X.at(static_cast<std::int64_t>(i), 3) - 2 * X.at(static_cast<std::int64_t>(i), 11);
        options.n_lambda = 6;
        options.lambda_min_ratio = 0.05;
    }
    path_result from_host(path_options of) const
    {
        of.device = "emulated";
        return fit_path(compressed_matrix<std::int32_t, double>(X, storage_order::csc).view(), y, of);
    }
    /// What a fit says of the matrix.
    std::string complaint(const device_matrix_view& view, path_options of) const
    {
        try {
            fit_path(view, y, of);
        } catch (const invalid_input& problem) {
            return problem.what();
        }
        return "";
    }
    std::string complaint(const device_matrix_view& view) const { return complaint(view, options); }

    /// What a fit says where the columns, the rows or both are not as they should be.
    using change = std::function<void(compressed_matrix<std::int32_t, double>&)>;
    std::string complaint_of_columns(const change& spoil) const
    {
        compressed_matrix<std::int32_t, double> columns(X, storage_order::csc);
        spoil(columns);
        return complaint(device_copy<std::int64_t, double>(columns, {X, storage_order::csr}).by_columns());
    }

    dense_matrix X;
    std::vector<double> y;
    path_options options;
};

TEST_F(DeviceMatrix, FitsAsOneThatIsBroughtThere)
{
    for (double& value : X.values) value = static_cast<float>(value); // the same matrix in float and in double
    for (const double alpha : {1.0, 0.5, 0.0}) {
        SCOPED_TRACE(alpha);
        options.alpha = alpha;
        const path_result expected = from_host(options);
        EXPECT_TRUE(expected.all_converged());
        const device_copy<std::int64_t, double> wide(X);
        expect_same_bits(fit_path(wide.by_columns(), y, options), expected);
        expect_same_bits(fit_path(wide.by_rows(), y, options), expected);
        const device_copy<std::int32_t, float> narrow(X);
        const path_result result = fit_path(narrow.both(), y, options);
        expect_same_bits(result, expected);
        EXPECT_EQ(result.device, "emulated:0");
        EXPECT_EQ(result.device_reason, "X lies there");
    }
}

TEST_F(DeviceMatrix, MayHaveAnyShape)
{
    for (const auto& [n, p] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 33}, {33, 1}, {2100, 2}, {2, 700}}) {
        SCOPED_TRACE(testing::Message() << n << " x " << p);
        random_numbers random(7);
        X = random_matrix(random, n, p, 0.9);
        y.assign(static_cast<std::size_t>(n), 0.0);
        for (double& value : y) value = random.normal();
        expect_same_bits(fit_path(device_copy<std::int32_t, double>(X).both(), y, options), from_host(options));
        expect_same_bits(fit_path(device_copy<std::int64_t, double>(X).by_rows(), y, options), from_host(options));
    }
}

TEST_F(DeviceMatrix, WithoutEntriesFitsTheInterceptAlone)
{
    std::fill(X.values.begin(), X.values.end(), 0.0);
    const path_result result = fit_path(device_copy<std::int64_t, double>(X).by_columns(), y, options);
    EXPECT_EQ(result.points.back().df, 0);
    EXPECT_TRUE(result.all_converged());
}

TEST_F(DeviceMatrix, IsReadOnItsOwnersStreamAndLeftAsItWas)
{
    const device_copy<std::int64_t, double> copy(X);
    EXPECT_TRUE(std::isnan(copy.values_now().front())) << "nothing has arrived when the fit begins";
    EXPECT_TRUE(fit_path(copy.both(), y, options).all_converged());
    EXPECT_EQ(copy.values_now(), (compressed_matrix<std::int32_t, double>(X, storage_order::csc).values));
}

TEST_F(DeviceMatrix, MayBeOnTheDefaultStream)
{
    const compressed_matrix<std::int32_t, double> columns(X, storage_order::csc);
    device_matrix_view view = device_csc_view(X.n, X.p, columns.offsets.back(), columns.offsets.data(),
                                              columns.indices.data(), columns.values.data());
    view.device = "emulated:0";
    expect_same_bits(fit_path(view, y, options), from_host(options));
}

/// "elsewhere:0": a device that cannot read the memory that it is lent.
class devices_elsewhere final : public backend::device_provider {
public:
    std::string name() const override { return "elsewhere"; }
    device_survey survey() const override
    {
        device_survey survey;
        survey.devices.emplace_back().name = "emulated device";
        return survey;
    }
    void examine(device_info&) const override {}
    std::unique_ptr<backend::opened_device> open(int, const backend::device_terms& terms) const override
    {
        class blind_runtime final : public backend::forwarding_runtime {
        public:
            using forwarding_runtime::forwarding_runtime;
            std::string why_unreadable(const void*) override { return "lies on cuda:1"; }
        };
        return backend::open_session(std::make_unique<blind_runtime>(emulation::make_emulated_runtime()), terms);
    }
};

TEST_F(DeviceMatrix, IsRefusedWhereTheDeviceCannotReadIt)
{
    static const devices_elsewhere provider;
    if (!backend::names_a_device("elsewhere")) backend::register_device_provider(provider);
    device_matrix_view view = device_copy<std::int64_t, double>(X).by_columns();
    view.stream = nullptr;
    view.device = "elsewhere:0";
    EXPECT_EQ(complaint(view), "X: what its device is to read as offsets of its columns lies on cuda:1");
}

TEST_F(DeviceMatrix, IsNotCopied)
{
    random_numbers random(3);
    X = random_matrix(random, 400, 300, 0.9);
    y.assign(400, 0.0);
    for (double& value : y) value = random.normal();
    const device_copy<std::int64_t, double> copy(X);
    options.n_lambda = 3;
    options.lambda_min_ratio = 0.8;
    options.device_memory = 1 << 20; // the entries take 1.2 MiB, each way
    EXPECT_TRUE(fit_path(copy.both(), y, options).all_converged());
    try {
        fit_path(copy.by_columns(), y, options);
        ADD_FAILURE() << "the rows fit, it seems";
    } catch (const out_of_memory& problem) {
        EXPECT_THAT(problem.what(), HasSubstr("give X by columns and by rows to spare these"));
    }
}

TEST_F(DeviceMatrix, IsRefusedWithTheEntryThatIsWrong)
{
    EXPECT_THAT(complaint_of_columns([](auto& of) { of.indices[5] = 60; }),
                AllOf(HasSubstr("X: indices[5] = 60 (column 0) is outside 0 … 59")));
    EXPECT_THAT(complaint_of_columns([](auto& of) { of.indices[5] = -1; }), HasSubstr("indices[5] = -1 (column 0)"));
    EXPECT_THAT(complaint_of_columns([](auto& of) { of.indices[1] = of.indices[0]; }),
                AllOf(HasSubstr("X: column 0 holds row "), HasSubstr("must ascend, each once")));
    EXPECT_THAT(complaint_of_columns([](auto& of) { std::swap(of.indices[1], of.indices[2]); }),
                HasSubstr("must ascend"));
    const auto last = [](auto& of) { return of.values.size() - 1; };
    EXPECT_THAT(complaint_of_columns([&](auto& of) { of.values[last(of)] = std::nan(""); }),
                AllOf(HasSubstr("column 39 is nan"), HasSubstr("must be finite")));
    EXPECT_THAT(complaint_of_columns([&](auto& of) { of.values[last(of)] = -infinity; }), HasSubstr("is -inf"));
}

TEST_F(DeviceMatrix, IsRefusedWithTheFirstOfManyEntriesThatAreWrong)
{
    const auto spoil = [](auto& of) {
        for (std::size_t at = 300; at < of.values.size(); ++at) of.values[at] = std::nan("");
    };
    const compressed_matrix<std::int32_t, double> columns(X, storage_order::csc);
    const auto column = std::upper_bound(columns.offsets.begin(), columns.offsets.end(), 300) - columns.offsets.begin();
    EXPECT_THAT(complaint_of_columns(spoil), HasSubstr("row " + std::to_string(columns.indices[300]) + ", column " +
                                                       std::to_string(column - 1) + " is nan"));
}

TEST_F(DeviceMatrix, IsRefusedWithOffsetsThatAreNone)
{
    EXPECT_THAT(complaint_of_columns([](auto& of) { of.offsets[0] = 1; }), HasSubstr("offsets[0] of its columns is 1"));
    EXPECT_THAT(complaint_of_columns([](auto& of) { of.offsets[7] = 100000; }),
                AllOf(HasSubstr("offsets[8] of its columns is "), HasSubstr("less than the one before it, 100000")));
    const device_copy<std::int64_t, double> copy(X);
    device_matrix_view view = copy.by_columns();
    ++view.stored;
    EXPECT_THAT(complaint(view), HasSubstr("must be the number of entries"));
    view.by_columns.offsets = nullptr;
    EXPECT_THAT(complaint(view), HasSubstr("offsets must not be null"));
    view = copy.by_columns();
    view.by_columns.values = nullptr;
    EXPECT_THAT(complaint(view), HasSubstr("indices and values of its columns must not be null"));
    view = copy.by_columns();
    view.by_columns.values = reinterpret_cast<const char*>(view.by_columns.values) + 4;
    EXPECT_THAT(complaint(view), HasSubstr("values of its columns do not lie at a multiple of 8 bytes"));
    view.rows = std::int64_t{1} << 31;
    EXPECT_THAT(complaint(view), HasSubstr("from 0 to 2^31 - 1 rows"));
}

TEST_F(DeviceMatrix, IsRefusedWhereItsTwoOrdersAreNotOneMatrix)
{
    compressed_matrix<std::int32_t, double> rows(X, storage_order::csr);
    rows.values[17] = std::nextafter(rows.values[17], infinity);
    const device_copy<std::int64_t, double> copy({X, storage_order::csc}, rows);
    EXPECT_THAT(complaint(copy.both()), HasSubstr("its columns and its rows do not hold the same entries"));
    const device_copy<std::int64_t, double> other(dense_matrix(60, 40));
    EXPECT_THROW(both_orders(copy.by_columns(), other.by_rows()), invalid_input);
    const device_copy<std::int64_t, double> same(X);
    EXPECT_THROW(both_orders(copy.by_columns(), same.by_rows()), invalid_input) << "they are on different streams";
    device_matrix_view elsewhere = same.by_rows();
    elsewhere.stream = nullptr;
    EXPECT_NO_THROW(both_orders(copy.by_columns(), elsewhere));
    elsewhere.device = "emulated:1";
    EXPECT_THROW(both_orders(copy.by_columns(), elsewhere), invalid_input);
}

TEST_F(DeviceMatrix, IsFittedWhereItLiesOrNotAtAll)
{
    const device_copy<std::int64_t, double> copy(X);
    options.device = "cpu";
    EXPECT_THAT(complaint(copy.both(), options), HasSubstr("X lies on emulated:0: the fit cannot run on cpu"));
    options.device = "emulated";
    EXPECT_EQ(complaint(copy.both(), options), "");
    device_matrix_view view = copy.both();
    view.device = "cpu";
    EXPECT_THAT(complaint(view), HasSubstr("it must be one with its number, like cuda:0"));
    view.device = "emulated";
    EXPECT_THAT(complaint(view), HasSubstr("it must be one with its number, like cuda:0"));
    options.device = "gpu";
    EXPECT_THAT(complaint(copy.both(), options), HasSubstr("device is 'gpu'; must be auto, cpu"));
}

TEST_F(DeviceMatrix, NeedsAResponseOfItsRows)
{
    y.pop_back();
    EXPECT_NE(complaint(device_copy<std::int64_t, double>(X).both()), "");
}

} // namespace
} // namespace proxpath::test
