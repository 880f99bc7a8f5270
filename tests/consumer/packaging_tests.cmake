# Tests of what others get: the installed tree, the exported symbols, each public header alone. Included by
# tests/CMakeLists.txt; not for sanitizer builds, whose libraries nobody installs.
set(consumer_dir ${CMAKE_CURRENT_BINARY_DIR}/consumer)
set(consumer_prefix ${consumer_dir}/prefix)

add_test(NAME packaging.install
  COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${consumer_prefix})
set_tests_properties(packaging.install PROPERTIES FIXTURES_SETUP installed_proxpath)

# Configures, builds and runs the consumer in a folder of its own.
function(add_consumer_test name)
  add_test(NAME packaging.${name}
    COMMAND ${CMAKE_CTEST_COMMAND} --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/consumer ${consumer_dir}/${name}
      --build-generator ${CMAKE_GENERATOR} --build-makeprogram ${CMAKE_MAKE_PROGRAM} --build-noclean
      --build-target consumer --build-options -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
      -DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER} ${ARGN}
      --test-command ${consumer_dir}/${name}/consumer)
endfunction()

foreach(kind shared static)
  add_consumer_test(find_package_${kind} -DCMAKE_PREFIX_PATH=${consumer_prefix} -DCONSUMER_LINK=proxpath::${kind})
  set_tests_properties(packaging.find_package_${kind} PROPERTIES FIXTURES_REQUIRED installed_proxpath)
endforeach()
# This compiles the whole library once more, so in the way that takes least.
add_consumer_test(add_subdirectory -DPROXPATH_SOURCE=${PROJECT_SOURCE_DIR} -DPROXPATH_BUILD_PROGRAM=OFF
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG= -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=32)
set_tests_properties(packaging.add_subdirectory PROPERTIES TIMEOUT 900 PROCESSORS 2)

# An installed program finds the backend that was installed with it.
if(PROXPATH_BUILD_PROGRAM AND CMAKE_READELF)
  set(installed_backend "")
  if(PROXPATH_CUDA_FOUND)
    set(installed_backend ${consumer_prefix}/${CMAKE_INSTALL_LIBDIR}/libproxpath_cuda.so)
  endif()
  add_test(NAME packaging.devices COMMAND ${CMAKE_COMMAND} -DPROGRAM=${consumer_prefix}/${CMAKE_INSTALL_BINDIR}/proxpath
    -DLIBRARY=${consumer_prefix}/${CMAKE_INSTALL_LIBDIR}/libproxpath.so -DBACKEND=${installed_backend}
    -DREADELF=${CMAKE_READELF} -P ${CMAKE_CURRENT_SOURCE_DIR}/device_library/check_program.cmake)
  set_tests_properties(packaging.devices PROPERTIES FIXTURES_REQUIRED installed_proxpath)
endif()

find_program(PKG_CONFIG_PROGRAM pkg-config)
if(PKG_CONFIG_PROGRAM)
  add_test(NAME packaging.pkg_config COMMAND ${CMAKE_COMMAND} -E env
    PKG_CONFIG_PATH=${consumer_prefix}/${CMAKE_INSTALL_LIBDIR}/pkgconfig
    LD_LIBRARY_PATH=${consumer_prefix}/${CMAKE_INSTALL_LIBDIR}
    sh -ec "$1 -std=c++20 $2/main.cpp -o $3/by_pkg_config $($4 --cflags --libs proxpath) && exec $3/by_pkg_config"
    sh ${CMAKE_CXX_COMPILER} ${CMAKE_CURRENT_SOURCE_DIR}/consumer ${consumer_dir} ${PKG_CONFIG_PROGRAM})
  set_tests_properties(packaging.pkg_config PROPERTIES FIXTURES_REQUIRED installed_proxpath)
endif()

if(CMAKE_NM AND CMAKE_READELF)
  add_test(NAME packaging.exported_symbols COMMAND ${CMAKE_COMMAND} -DLIBRARY=$<TARGET_FILE:proxpath_shared>
    -DSONAME=$<TARGET_SONAME_FILE_NAME:proxpath_shared> -DINCLUDE_DIR=${PROJECT_SOURCE_DIR}/include
    -DNM=${CMAKE_NM} -DREADELF=${CMAKE_READELF} -P ${CMAKE_CURRENT_SOURCE_DIR}/consumer/check_exports.cmake)
endif()

# Each public header compiles alone, twice in one file, and with the warnings of strict projects. Compiling is the test.
file(GLOB public_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/include/proxpath/*.hpp)
set(header_sources "")
foreach(header IN LISTS public_headers)
  string(MAKE_C_IDENTIFIER ${header} name)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include <${header}>\n#include <${header}>\n" @ONLY)
  list(APPEND header_sources ${source})
endforeach()
add_library(proxpath_headers_alone OBJECT ${header_sources})
target_link_libraries(proxpath_headers_alone PRIVATE proxpath_static)
set_target_properties(proxpath_headers_alone PROPERTIES CXX_EXTENSIONS OFF UNITY_BUILD OFF)
target_compile_options(proxpath_headers_alone PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  $<$<BOOL:${PROXPATH_WERROR}>:-Werror>)
