// Fuzz target: any bytes as a .svm file, through the reader in host/io/svmlight.cpp.

#include "tests/fuzz/fuzz_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    proxpath::fuzz::read(data, size, proxpath::file_format::svmlight, "fuzz.svm");
    return 0;
}
