// A runtime that keeps an account of what it hands out and fails at a call that is chosen beforehand, so that tests can
// let every call of a whole fit fail, one after the other.
#pragma once

#include "host/backend/cuda/device_runtime.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace proxpath::emulation {

enum class failure {
    of_call,  ///< the call throws, and has no effect
    of_kernel ///< calls are launches alone, and the kernel fails when it runs
};

/// What happened on a device, and what is to happen.
struct device_account {
    failure kind = failure::of_call;
    std::int64_t fail_at = 0; ///< number of a call, from 1 on; 0: none

    std::int64_t calls = 0;  ///< that can fail; launches are among them
    std::string failed = {}; ///< name of the one that did
    std::map<void*, std::uint64_t> memory = {};
    std::int64_t streams = 0;
    std::int64_t events = 0;
    std::int64_t wrong_frees = 0; ///< of memory that was not handed out, or not with that size
};

/// For as long as it lives, kernels that this thread launches are calls of the account. One at a time.
class counted_launches {
public:
    explicit counted_launches(device_account& account);
    counted_launches(const counted_launches&) = delete;
    counted_launches& operator=(const counted_launches&) = delete;
    ~counted_launches();
};

/// @param account outlives it
std::unique_ptr<backend::device_runtime> make_failing_runtime(std::unique_ptr<backend::device_runtime> runtime,
                                                              device_account& account);

} // namespace proxpath::emulation
