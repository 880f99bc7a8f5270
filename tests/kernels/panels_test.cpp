// Panels copied, combined and multiplied by a Gram matrix on the device.

#include "tests/kernels/operations_suite.hpp"

#include <algorithm>
#include <vector>

namespace proxpath::test {
namespace {

template <class T>
class KernelPanels : public operations_suite<T> {};

TYPED_TEST_SUITE(KernelPanels, kernel_numbers);

TYPED_TEST(KernelPanels, CopiesAreExactAndPaddingStaysZero)
{
    using T = TypeParam;
    random_numbers random(910);
    for (const std::int64_t rows : {0, 1, 31, 32, 33, 1023, 1025})
        for (const std::int64_t k : {1, 2, 5, 31, 32, 33, 130}) {
            if (rows > 1000 && k > 33) continue;
            SCOPED_TRACE(testing::Message() << "rows " << rows << ", k " << k);
            const host_panel<T> from = random_panel<T>(random, rows, k);
            const host_panel<T> under = random_panel<T>(random, rows + 1, k + 3);
            std::vector<std::int64_t> columns;
            for (std::int64_t c = k - 1; c >= 0; c -= 3) columns.push_back(c);
            columns.push_back(0);
            const auto results = this->same_in_every_way([&] {
                const panel<T> from_up = to_backend(*this->device_, from);
                panel<T> block = to_backend(*this->device_, under);
                panel<T> column = to_backend(*this->device_, under);
                this->device_->copy_block(from_up, block);
                this->device_->copy_column(from_up, k - 1, column, k + 2);
                panel<T> kept = this->device_->compact(from_up, columns);
                kept.cols = kept.stride;
                return std::vector{to_host(*this->device_, kept).values, to_host(*this->device_, block).values,
                                   to_host(*this->device_, column).values};
            });
            const std::int64_t stride = backend::padded_cols(static_cast<std::int64_t>(columns.size()));
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t c = 0; c < stride; ++c) {
                    const auto at = static_cast<std::size_t>(c);
                    EXPECT_EQ(results[0][static_cast<std::size_t>(i * stride + c)],
                              at < columns.size() ? from.at(i, columns[at]) : T(0));
                }
            for (std::int64_t i = 0; i <= rows; ++i)
                for (std::int64_t c = 0; c < k + 3; ++c) {
                    const auto at = static_cast<std::size_t>(i * (k + 3) + c);
                    EXPECT_EQ(results[1][at], i < rows && c < k ? from.at(i, c) : under.at(i, c));
                    EXPECT_EQ(results[2][at], i < rows && c == k + 2 ? from.at(i, k - 1) : under.at(i, c));
                }
        }
}

TYPED_TEST(KernelPanels, CombinationsAgreeWithTheCpu)
{
    using T = TypeParam;
    random_numbers random(920);
    for (const std::int64_t rows : {0, 1, 33, 1025})
        for (const std::int64_t s : {0, 1, 7, 65})
            for (const std::int64_t k : {1, 3, 33, 130}) {
                if (rows > 1000 && k > 33) continue;
                SCOPED_TRACE(testing::Message() << "rows " << rows << ", s " << s << ", k " << k);
                const host_panel<T> V = random_panel<T>(random, rows, s);
                const std::vector<double> Y = random_vector(random, s * k, -1, 1);
                const auto made = [&](const auto& ops, const host_panel<T>& vectors, const std::vector<double>& y) {
                    panel<T> B = to_backend(*ops, host_panel<T>(rows, k));
                    ops->combine(to_backend(*ops, vectors), y, B);
                    return to_host(*ops, B).values;
                };
                std::vector<double> Y_size = Y;
                for (double& y : Y_size) y = std::fabs(y);
                expect_agree(this->same_in_every_way([&] { return made(this->device_, V, Y); }), made(this->cpu_, V, Y),
                             made(this->cpu_, absolute(V), Y_size), s);
            }
}

TYPED_TEST(KernelPanels, AGramMatrixMultipliesAColumnToTheSameBitsAtEveryWidth)
{
    using T = TypeParam;
    random_numbers random(930);
    for (const std::int64_t p : {0, 1, 31, 32, 33, 64, 65, 300, 1025}) {
        host_panel<T> C = random_panel<T>(random, p, p);
        for (std::int64_t j = 0; j < p; ++j)
            for (std::int64_t e = 0; e < j; ++e) C.at(j, e) = C.at(e, j);
        const host_panel<T> all = random_panel<T>(random, p, 130);
        const panel<T> C_up = to_backend(*this->device_, C);
        std::vector<T> first;
        for (const std::int64_t k : {1, 2, 4, 5, 8, 9, 16, 17, 33, 130}) {
            if (p > 300 && k > 5 && k != 17) continue;
            SCOPED_TRACE(testing::Message() << "p " << p << ", k " << k);
            host_panel<T> B(p, k);
            for (std::int64_t j = 0; j < p; ++j)
                for (std::int64_t c = 0; c < k; ++c) B.at(j, c) = all.at(j, c);
            const panel<T> B_up = to_backend(*this->device_, B);
            const auto run = [&] {
                panel<T> Z = to_backend(*this->device_, host_panel<T>(p, k));
                this->device_->symmetric_multiply(C_up, B_up, Z);
                return to_host(*this->device_, Z).values;
            };
            const std::vector<T> result = p > 300 && k > 1 ? run() : this->same_in_every_way(run);
            std::vector<T> exact, size, column;
            for (std::int64_t j = 0; j < p; ++j) {
                column.push_back(result[static_cast<std::size_t>(j * k)]);
                for (std::int64_t c = 0; c < k; ++c) {
                    long double sum = 0, bound = 0;
                    for (std::int64_t e = 0; e < p; ++e) {
                        const long double term = static_cast<long double>(C.at(j, e)) * B.at(e, c);
                        sum += term;
                        bound += std::fabs(term);
                    }
                    exact.push_back(static_cast<T>(sum));
                    size.push_back(static_cast<T>(bound));
                }
            }
            expect_agree(result, exact, size, p); // in double also where T is float
            if (first.empty()) first = column;
            EXPECT_EQ(column, first);
        }
    }
}

} // namespace
} // namespace proxpath::test
