# Everything the library and the program use, all from the distribution. None of it appears in a public header.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(LibArchive REQUIRED)
find_path(FAST_FLOAT_INCLUDE_DIR fast_float/fast_float.h REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)

# Programs that are taken to machines without these libraries (scripts/make_gpu_bundle.sh) have them linked in, the
# compiler's own included. Debian has fmt as a shared library or as headers; of libarchive's formats only those are
# linked that are read, hence the short list.
option(PROXPATH_STATIC_DEPENDENCIES "Link programs with static libraries, but for the C library and CUDA" OFF)
set(proxpath_fmt fmt::fmt)
set(proxpath_libarchive LibArchive::LibArchive)
if(PROXPATH_STATIC_DEPENDENCIES)
  set(proxpath_fmt fmt::fmt-header-only)
  set(proxpath_libarchive "")
  foreach(name archive nettle lzma zstd bz2 z)
    find_library(PROXPATH_STATIC_${name} lib${name}.a REQUIRED)
    list(APPEND proxpath_libarchive ${PROXPATH_STATIC_${name}})
  endforeach()
endif()

add_library(proxpath_dependencies INTERFACE)
target_link_libraries(proxpath_dependencies INTERFACE
  Threads::Threads ${proxpath_fmt} nlohmann_json::nlohmann_json CLI11::CLI11 Eigen3::Eigen ${proxpath_libarchive}
  ${CMAKE_DL_LIBS})
# A target that needs a shared library written in C++ says so by the property SHARED_RUNTIME.
target_link_options(proxpath_dependencies INTERFACE
  $<$<AND:$<BOOL:${PROXPATH_STATIC_DEPENDENCIES}>,$<NOT:$<BOOL:$<TARGET_PROPERTY:SHARED_RUNTIME>>>>:-static-libstdc++>
  $<$<AND:$<BOOL:${PROXPATH_STATIC_DEPENDENCIES}>,$<NOT:$<BOOL:$<TARGET_PROPERTY:SHARED_RUNTIME>>>>:-static-libgcc>)
target_include_directories(proxpath_dependencies SYSTEM INTERFACE ${FAST_FLOAT_INCLUDE_DIR} ${XXHASH_INCLUDE_DIR})
# Eigen may not start threads of its own: its blocking would then depend on their number.
# And it has a namespace of its own here: its functions are compiled for this processor, and a linker would otherwise take
# them, or those of a program that uses Eigen with other flags, for both.
target_compile_definitions(proxpath_dependencies INTERFACE EIGEN_DONT_PARALLELIZE Eigen=proxpath_eigen XXH_INLINE_ALL
  $<$<NOT:$<CONFIG:Release,RelWithDebInfo>>:XXH_NO_INLINE_HINTS=1>) # -Og does not inline what it forces to be
