// What CUDA's runtime does not tell: which context is current in the calling thread, and whether there is one. The
// runtime answers with device 0 where none is, and to make that device current again would make a context on it.
#pragma once

namespace proxpath::backend {

/// Null where no context is current, or no driver is in use.
void* current_context();

/// @param context from current_context
void make_current(void* context);

} // namespace proxpath::backend
