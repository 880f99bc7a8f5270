# Everything the library and the program use, all from the distribution. None of it appears in a public header.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(LibArchive REQUIRED)
find_path(FAST_FLOAT_INCLUDE_DIR fast_float/fast_float.h REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)

add_library(proxpath_dependencies INTERFACE)
target_link_libraries(proxpath_dependencies INTERFACE
  Threads::Threads fmt::fmt nlohmann_json::nlohmann_json CLI11::CLI11 Eigen3::Eigen LibArchive::LibArchive
  ${CMAKE_DL_LIBS})
target_include_directories(proxpath_dependencies SYSTEM INTERFACE ${FAST_FLOAT_INCLUDE_DIR} ${XXHASH_INCLUDE_DIR})
# Eigen may not start threads of its own: its blocking would then depend on their number.
target_compile_definitions(proxpath_dependencies INTERFACE EIGEN_DONT_PARALLELIZE XXH_INLINE_ALL
  $<$<NOT:$<CONFIG:Release,RelWithDebInfo>>:XXH_NO_INLINE_HINTS=1>) # -Og does not inline what it forces to be
