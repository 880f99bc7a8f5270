# The CUDA kernels and the host side that drives them. Nothing of the library uses them yet: what nvcc compiles here is
# checked (warnings and register spills are errors), and linked by the tests that run on a GPU. The same kernels
# compiled for the emulated device are in tests/emulation.
file(GLOB kernel_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cu)

# What needs no CUDA to compile: the operations of the backend, and what they keep in a device's memory. Every file
# defines some members of one class and instantiates these: no unity.
file(GLOB device_sources CONFIGURE_DEPENDS host/backend/cuda/*.cpp)
list(FILTER device_sources EXCLUDE REGEX "cuda_runtime\\.cpp$")
add_library(proxpath_device_host OBJECT EXCLUDE_FROM_ALL ${device_sources})
proxpath_compile_settings(proxpath_device_host)
proxpath_compile_lightly(proxpath_device_host) # calls launchers
set_target_properties(proxpath_device_host PROPERTIES UNITY_BUILD OFF)

set(PROXPATH_CUDA_FOUND OFF)
if(PROXPATH_CUDA)
  find_program(PROXPATH_NVCC nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
  if(PROXPATH_NVCC AND NOT CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER ${PROXPATH_NVCC})
  endif()
  if(CMAKE_CUDA_COMPILER)
    set(PROXPATH_CUDA_FOUND ON)
  elseif(NOT PROXPATH_CUDA STREQUAL AUTO)
    message(FATAL_ERROR "PROXPATH_CUDA=${PROXPATH_CUDA}, but there is no nvcc: install the CUDA toolkit, name nvcc by "
      "-DCMAKE_CUDA_COMPILER=…, or leave PROXPATH_CUDA at AUTO")
  endif()
endif()
if(NOT PROXPATH_CUDA_FOUND)
  message(STATUS "CUDA kernels: not compiled for a GPU")
  return()
endif()

# Code for the three generations in data centres; others run the nearest below, newer ones compile the PTX of the last.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100)
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
message(STATUS "CUDA kernels: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")

add_library(proxpath_cuda STATIC ${kernel_sources} host/backend/cuda/cuda_runtime.cpp)
target_compile_features(proxpath_cuda PUBLIC cxx_std_20)
set_target_properties(proxpath_cuda PROPERTIES CUDA_EXTENSIONS OFF CXX_EXTENSIONS OFF UNITY_BUILD OFF
  POSITION_INDEPENDENT_CODE ON CUDA_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
target_include_directories(proxpath_cuda PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include
  ${PROJECT_SOURCE_DIR}/kernels/nvcc)
target_compile_options(proxpath_cuda PRIVATE
  # The standard by its flag: CMake 3.25 does not know which ones nvcc 13 has.
  $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20 -Xcompiler=-Wall,-Wextra -Xptxas=-v,--warn-on-spills>
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>)
if(PROXPATH_WERROR)
  target_compile_options(proxpath_cuda PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xcompiler=-Werror -Xptxas=--warning-as-error>
    $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
target_link_libraries(proxpath_cuda PUBLIC CUDA::cudart_static)
