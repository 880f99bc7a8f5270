// Everything the library offers, in the order of a first reading: a matrix, options, the fit, its result.
#pragma once

#include <proxpath/bootstrap.hpp>
#include <proxpath/criteria.hpp>
#include <proxpath/cv.hpp>
#include <proxpath/degrees_of_freedom.hpp>
#include <proxpath/device_matrix_view.hpp>
#include <proxpath/devices.hpp>
#include <proxpath/errors.hpp>
#include <proxpath/fit.hpp>
#include <proxpath/io.hpp>
#include <proxpath/leave_one_out.hpp>
#include <proxpath/matrix.hpp>
#include <proxpath/matrix_view.hpp>
#include <proxpath/options.hpp>
#include <proxpath/predict.hpp>
#include <proxpath/progress.hpp>
#include <proxpath/relax.hpp>
#include <proxpath/responses.hpp>
#include <proxpath/result.hpp>
#include <proxpath/scale.hpp>
#include <proxpath/stability.hpp>
#include <proxpath/version.hpp>
