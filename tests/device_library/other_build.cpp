// A backend of another build: all that may be read of it is its id.

namespace {

struct library_of_another_build {
    const char* build_id;
    int something_else;
};

} // namespace

extern "C" __attribute__((visibility("default"))) const library_of_another_build* proxpath_device_library()
{
    static constexpr library_of_another_build library{"0.0.9-0123456789ab", 7};
    return &library;
}
