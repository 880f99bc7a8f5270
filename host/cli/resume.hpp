// --resume: fits of several responses go on where an interrupted run stopped.
#pragma once

#include "host/cli/fit_command.hpp"
#include "host/cli/responses_table.hpp"
#include "host/cli/staging.hpp"

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

namespace proxpath::cli {

/// What the folder of an interrupted run holds.
struct earlier_fits {
    std::vector<response_line> lines;
    std::vector<double> lambda; ///< of the first of them
    bool interrupted = false;   ///< as its summary says
};

/// Checks that the folder settings.out was made by the same fit of the same data, and brings the files of its fits into
/// the new folder, without copying where the file system can.
/// @param options as options_json makes them
/// @throws invalid_input naming what is another one; file_error where a file is damaged; system_error
earlier_fits take_over_earlier(const fit_settings& settings, const loaded_data& data, const model_inputs& inputs,
                               const nlohmann::json& options, std::uint64_t matrix_checksum,
                               const staging_folder& into);

/// What is left to be fitted.
struct remaining_responses {
    bool taken = false;                ///< false: all, where they are
    std::vector<std::int64_t> numbers; ///< from 0
    std::vector<double> values;        ///< of these, one after the other
};
remaining_responses responses_without(const loaded_data& data, const std::vector<response_line>& lines);

} // namespace proxpath::cli
