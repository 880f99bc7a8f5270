// Fuzz target: any bytes as a .csv file, through the reader in host/io/csv.cpp.

#include "tests/fuzz/fuzz_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    proxpath::fuzz::read(data, size, proxpath::file_format::csv, "fuzz.csv");
    return 0;
}
