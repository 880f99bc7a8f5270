// How fast this machine copies memory: what every other figure is compared with.
#pragma once

namespace proxpath::bench {

/// Bytes per second, read and written ones counted, that `threads` threads together copy between two arrays far larger
/// than the caches: the best of several copies. Measured once for each number of threads.
double copy_bandwidth(int threads);

} // namespace proxpath::bench
