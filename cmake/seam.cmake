# The seam between the library and a backend in a file of its own (host/backend/device_interface.hpp): the build id that
# both sides carry, and how such a file is made.
file(GLOB seam_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
  include/proxpath/*.hpp host/backend/*.hpp host/matrix/*.hpp)
list(TRANSFORM seam_headers PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE seam_header_paths)
set(build_id_header ${PROJECT_BINARY_DIR}/generated/proxpath_build_id.hpp)
add_custom_command(OUTPUT ${build_id_header}
  COMMAND ${CMAKE_COMMAND} -DOUT=${build_id_header} -DVERSION=${PROJECT_VERSION} -DSOURCE_DIR=${PROJECT_SOURCE_DIR}
    "-DHEADERS=${seam_headers}" -P ${PROJECT_SOURCE_DIR}/cmake/build_id.cmake
  DEPENDS ${seam_header_paths} cmake/build_id.cmake COMMENT "Build id" VERBATIM)
add_custom_target(proxpath_make_build_id DEPENDS ${build_id_header})
add_library(proxpath_build_id INTERFACE)
target_include_directories(proxpath_build_id INTERFACE ${PROJECT_BINARY_DIR}/generated)
add_dependencies(proxpath_build_id proxpath_make_build_id)

# A backend's file: exports its one function, and what of the library it needs is in it under names of its own.
function(proxpath_backend_file target)
  target_link_libraries(${target} PRIVATE proxpath_build_id proxpath_static proxpath_dependencies)
  target_link_options(${target} PRIVATE -Wl,--as-needed -Wl,--no-undefined
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/backend_symbols.map)
  set_target_properties(${target} PROPERTIES PREFIX lib LINKER_LANGUAGE CXX
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/backend_symbols.map)
endfunction()
