// Memory of the CPU backend and its maker.

#include "host/backend/cpu/cpu_operations.hpp"

#include "host/backend/cpu/cpu_design.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace proxpath::backend {

template <class T>
panel<T> cpu_operations<T>::allocate(std::int64_t rows, std::int64_t cols) const
{
    panel<T> made;
    made.rows = rows;
    made.cols = cols;
    made.stride = padded_cols(cols);
    const std::uint64_t bytes = (made.bytes() / 64 + 1) * 64;
    void* const pointer = std::aligned_alloc(64, bytes);
    if (pointer == nullptr) throw std::bad_alloc();
    std::memset(pointer, 0, bytes);
    made.owner = {pointer, storage::free_deleter{}};
    made.data = static_cast<T*>(pointer);
    return made;
}

template <class T>
void cpu_operations<T>::upload(std::span<const T> host, panel<T>& to) const
{
    for (std::int64_t i = 0; i < to.rows; ++i)
        for (std::int64_t c = 0; c < to.cols; ++c) to.row(i)[c] = host[static_cast<std::size_t>(i * to.cols + c)];
}

template <class T>
void cpu_operations<T>::download(const panel<T>& from, std::span<T> host) const
{
    for (std::int64_t i = 0; i < from.rows; ++i)
        for (std::int64_t c = 0; c < from.cols; ++c) host[static_cast<std::size_t>(i * from.cols + c)] = from.row(i)[c];
}

template <class T>
std::shared_ptr<const design> cpu_operations<T>::make_design(const matrix& X, column_scaling scaling) const
{
    return std::make_shared<cpu_design>(X, std::move(scaling), 0);
}

template <class T>
panel<T> cpu_operations<T>::compact(const panel<T>& from, std::span<const std::int64_t> columns) const
{
    panel<T> to = allocate(from.rows, static_cast<std::int64_t>(columns.size()));
    for (std::int64_t i = 0; i < from.rows; ++i)
        for (std::size_t c = 0; c < columns.size(); ++c) to.row(i)[c] = from.row(i)[columns[c]];
    return to;
}

template <class T>
void cpu_operations<T>::copy_block(const panel<T>& from, panel<T>& to) const
{
    for (std::int64_t i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
}

template <class T>
void cpu_operations<T>::copy_column(const panel<T>& from, std::int64_t from_column, panel<T>& to,
                                    std::int64_t to_column) const
{
    for (std::int64_t i = 0; i < from.rows; ++i) to.row(i)[to_column] = from.row(i)[from_column];
}

template <class T>
std::unique_ptr<operations<T>> make_cpu_operations(int threads)
{
    return std::make_unique<cpu_operations<T>>(threads);
}

template panel<float> cpu_operations<float>::allocate(std::int64_t, std::int64_t) const;
template void cpu_operations<float>::upload(std::span<const float>, panel<float>&) const;
template void cpu_operations<float>::download(const panel<float>&, std::span<float>) const;
template std::shared_ptr<const design> cpu_operations<float>::make_design(const matrix&, column_scaling) const;
template panel<float> cpu_operations<float>::compact(const panel<float>&, std::span<const std::int64_t>) const;
template void cpu_operations<float>::copy_block(const panel<float>&, panel<float>&) const;
template void cpu_operations<float>::copy_column(const panel<float>&, std::int64_t, panel<float>&, std::int64_t) const;
template panel<double> cpu_operations<double>::allocate(std::int64_t, std::int64_t) const;
template void cpu_operations<double>::upload(std::span<const double>, panel<double>&) const;
template void cpu_operations<double>::download(const panel<double>&, std::span<double>) const;
template std::shared_ptr<const design> cpu_operations<double>::make_design(const matrix&, column_scaling) const;
template panel<double> cpu_operations<double>::compact(const panel<double>&, std::span<const std::int64_t>) const;
template void cpu_operations<double>::copy_block(const panel<double>&, panel<double>&) const;
template void cpu_operations<double>::copy_column(const panel<double>&, std::int64_t, panel<double>&,
                                                  std::int64_t) const;
template std::unique_ptr<operations<float>> make_cpu_operations<float>(int);
template std::unique_ptr<operations<double>> make_cpu_operations<double>(int);

} // namespace proxpath::backend
