# Warnings, standard, visibility, processor and sanitizers: the same for every target of this project.
function(proxpath_compile_settings target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
    # gcc 12 reports its own AVX-512 header wherever Eigen or xxhash inline it.
    -Wno-maybe-uninitialized -Wno-uninitialized
    -fopenmp-simd # the pragma alone; threads are host/parallel's own
    # Where several files are compiled as one, each counts as a header, in which unnamed namespaces are suspect.
    $<$<BOOL:${CMAKE_UNITY_BUILD}>:-Wno-subobject-linkage>
    $<$<BOOL:${PROXPATH_WERROR}>:-Werror>
    $<$<BOOL:${PROXPATH_NATIVE}>:-march=native>
    $<$<CONFIG:Release,RelWithDebInfo>:-O3>
    $<$<STREQUAL:$<CONFIG>,>:-O2>) # as a part of a project that names no build type: else 20 times slower
  if(PROXPATH_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${PROXPATH_SANITIZE} -fno-omit-frame-pointer
      -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${PROXPATH_SANITIZE})
    # A null pointer stops AddressSanitizer as well; checks of virtual tables find nothing that it does not.
    if(PROXPATH_SANITIZE MATCHES "address.*undefined")
      target_compile_options(${target} PUBLIC -fno-sanitize=null,vptr)
    endif()
  endif()
endfunction()

# Tests: what they call is optimised, they themselves are compiled in the way that takes least. With all sanitizers: of an
# inline function that is in both, the linker may take their copy.
function(proxpath_compile_tests target)
  proxpath_compile_settings(${target})
  proxpath_compile_lightly(${target})
  if(PROXPATH_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# For a target whose own code is not where the time of a release build's runs goes; -O1 compiles it in about two thirds
# of the time.
function(proxpath_compile_lightly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O1>)
endfunction()
