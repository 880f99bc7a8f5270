# Writes proxpath_build_id.hpp: the version and a digest of the headers on which the seam between the library and a
# backend's file depends (host/backend/device_interface.hpp). Run at build time, so that an edited header counts:
#
#     cmake -DOUT=… -DVERSION=… -DSOURCE_DIR=… "-DHEADERS=a.hpp;b.hpp" -P build_id.cmake
cmake_minimum_required(VERSION 3.25)
set(digests "")
foreach(header IN LISTS HEADERS)
  file(SHA256 ${SOURCE_DIR}/${header} digest)
  string(APPEND digests "${header} ${digest}\n")
endforeach()
string(SHA256 digest "${digests}")
string(SUBSTRING ${digest} 0 12 digest)
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT "// Made by cmake/build_id.cmake.
#pragma once

#define PROXPATH_BUILD_ID \"@VERSION@-@digest@\"
")
