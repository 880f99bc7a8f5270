// Fuzz target: any bytes as a .mtx file, through the reader in host/io/matrix_market.cpp.

#include "tests/fuzz/fuzz_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    proxpath::fuzz::read(data, size, proxpath::file_format::matrix_market, "fuzz.mtx");
    return 0;
}
