# The program, the shared library and the backend's file as somebody gets them on a machine of which nothing is known:
# none of them asks the system's loader for CUDA, and `proxpath devices` works without environment and finds the file
# that belongs to it.
#
#     cmake -DPROGRAM=… -DLIBRARY=… -DBACKEND=…(or nothing) -DREADELF=… -P check_program.cmake
cmake_minimum_required(VERSION 3.25)

foreach(file IN ITEMS ${PROGRAM} ${LIBRARY} ${BACKEND})
  execute_process(COMMAND ${READELF} -d ${file} OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "NEEDED[^\n]*" needed "${dynamic}")
  if(NOT needed)
    message(FATAL_ERROR "${file} is linked with nothing: this check no longer reads what readelf writes")
  endif()
  if("${needed}" MATCHES "(libcuda|libcudart|libnvidia)[^\n;]*")
    message(FATAL_ERROR "${file} is linked with ${CMAKE_MATCH_0}")
  endif()
endforeach()

execute_process(COMMAND env -i ${PROGRAM} devices --json OUTPUT_VARIABLE json COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND env -i ${PROGRAM} devices OUTPUT_VARIABLE page COMMAND_ERROR_IS_FATAL ANY)
string(JSON file GET "${json}" backend_file)
string(JSON problem ERROR_VARIABLE none GET "${json}" problem)
string(JSON runtime ERROR_VARIABLE none GET "${json}" runtime_version)
if(BACKEND)
  file(REAL_PATH ${BACKEND} expected)
  if(NOT file STREQUAL expected)
    message(FATAL_ERROR "${PROGRAM} found the backend '${file}' and not '${expected}':\n${json}")
  endif()
  if(NOT runtime MATCHES "^[0-9]+\\.[0-9]+$")
    message(FATAL_ERROR "the backend was not loaded:\n${json}")
  endif()
elseif(NOT problem STREQUAL "no CUDA backend is installed" OR NOT page MATCHES "no CUDA backend is installed")
  message(FATAL_ERROR "there is no backend, and the program does not say so:\n${page}${json}")
endif()
message(STATUS "${page}")
