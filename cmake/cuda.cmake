# The CUDA kernels, the host side that drives them, and libproxpath_cuda.so, which holds both with CUDA's runtime and is
# loaded when a device is asked for: nothing else is linked with CUDA. Warnings are errors, and ptxas warns of registers
# that spill and of local memory. The same kernels compiled for the emulated device are in tests/emulation.
file(GLOB kernel_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*.cu)

# What needs no CUDA to compile: the operations of the backend, and what they keep in a device's memory. Every file
# defines some members of one class and instantiates these: no unity.
file(GLOB device_sources CONFIGURE_DEPENDS host/backend/cuda/*.cpp)
set(sources_with_cuda host/backend/cuda/cuda_runtime.cpp host/backend/cuda/cuda_driver.cpp
  host/backend/cuda/cuda_provider.cpp host/backend/cuda/device_code.cu)
list(FILTER device_sources EXCLUDE REGEX "cuda_(runtime|driver|provider|library)\\.cpp$")
add_library(proxpath_device_host OBJECT EXCLUDE_FROM_ALL ${device_sources})
proxpath_compile_settings(proxpath_device_host)
proxpath_compile_lightly(proxpath_device_host) # calls launchers
target_link_libraries(proxpath_device_host PRIVATE proxpath_dependencies)
set_target_properties(proxpath_device_host PROPERTIES UNITY_BUILD OFF POSITION_INDEPENDENT_CODE ON)

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

# What all targets with kernels of ours are compiled with.
function(proxpath_compile_for_cuda target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  # What ptxas says of each kernel is kept beside its object, for the table in docs/kernels.md.
  set(launcher ${PROJECT_SOURCE_DIR}/cmake/keep_ptxas.sh ${CMAKE_CUDA_COMPILER_LAUNCHER})
  set_target_properties(${target} PROPERTIES CUDA_COMPILER_LAUNCHER "${launcher}"
    CUDA_EXTENSIONS OFF CXX_EXTENSIONS OFF UNITY_BUILD OFF POSITION_INDEPENDENT_CODE ON
    CUDA_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include
    ${PROJECT_SOURCE_DIR}/kernels/nvcc)
  target_compile_options(${target} PRIVATE
    # The standard by its flag: CMake 3.25 does not know which ones nvcc 13 has.
    $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20 -Xcompiler=-Wall,-Wextra
      -Xptxas=-v,--warn-on-spills,--warn-on-local-memory-usage>
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>)
  if(PROXPATH_WERROR)
    target_compile_options(${target} PRIVATE
      $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xcompiler=-Werror -Xptxas=--warning-as-error>
      $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
endfunction()

add_library(proxpath_cuda STATIC ${kernel_sources} ${sources_with_cuda})
proxpath_compile_for_cuda(proxpath_cuda)
# 80-real is compute capability 8.0 to those who read of it.
list(TRANSFORM CMAKE_CUDA_ARCHITECTURES REPLACE "^([0-9]+)([0-9][a-z]?)(-real|-virtual)?$" "\\1.\\2"
  OUTPUT_VARIABLE architectures)
list(JOIN architectures ", " architectures)
target_compile_definitions(proxpath_cuda PRIVATE PROXPATH_CUDA_ARCHITECTURES="${architectures}")
target_link_libraries(proxpath_cuda PUBLIC CUDA::cudart_static PRIVATE ${proxpath_fmt})

add_library(proxpath_cuda_backend MODULE host/backend/cuda/cuda_library.cpp $<TARGET_OBJECTS:proxpath_device_host>)
proxpath_compile_settings(proxpath_cuda_backend)
target_link_libraries(proxpath_cuda_backend PRIVATE proxpath_cuda)
proxpath_backend_file(proxpath_cuda_backend)
set_target_properties(proxpath_cuda_backend PROPERTIES OUTPUT_NAME proxpath_cuda)
