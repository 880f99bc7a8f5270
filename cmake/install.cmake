# What `cmake --install` puts where: headers, both libraries, the program, and the files by which CMake and pkg-config
# find them. Each library has an export set of its own, so that a user of the shared one needs none of the development
# packages that the static one must be linked with.
if(NOT PROXPATH_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/proxpath)

install(DIRECTORY include/proxpath DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
foreach(kind static shared)
  install(TARGETS proxpath_${kind} EXPORT proxpath_${kind}_targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT proxpath_${kind}_targets DESTINATION ${package_dir} NAMESPACE proxpath::
    FILE proxpath-${kind}-targets.cmake)
endforeach()
# Beside the shared library, which looks for it there.
if(PROXPATH_CUDA_FOUND)
  install(TARGETS proxpath_cuda_backend LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
if(PROXPATH_BUILD_PROGRAM)
  install(TARGETS proxpath_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/proxpath-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_package_config_file(cmake/proxpath-config.cmake.in ${PROJECT_BINARY_DIR}/proxpath-config.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
install(FILES ${PROJECT_BINARY_DIR}/proxpath-config.cmake ${PROJECT_BINARY_DIR}/proxpath-config-version.cmake
  DESTINATION ${package_dir})

# The prefix is told relative to the file, so that an installed tree may be moved.
file(RELATIVE_PATH pkgconfig_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/proxpath.pc.in ${PROJECT_BINARY_DIR}/proxpath.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/proxpath.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
