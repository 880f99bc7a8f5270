// See device_choice.hpp.

#include "host/backend/device_choice.hpp"

#include "host/backend/device_library.hpp"

#include <proxpath/errors.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace proxpath::backend {

namespace {

constexpr std::string_view automatic_word = "auto";
constexpr std::string_view cpu_word = "cpu";

std::vector<const device_provider*>& known_providers()
{
    static std::vector<const device_provider*> known{&cuda_library()};
    return known;
}

/// "cuda:1" taken apart.
struct device_word {
    std::string_view kind;
    std::optional<int> index;
};

std::optional<device_word> parsed(std::string_view word)
{
    const std::size_t colon = word.find(':');
    device_word found{word.substr(0, colon), std::nullopt};
    if (colon == std::string_view::npos) return found;
    const std::string_view digits = word.substr(colon + 1);
    int index = 0;
    const auto outcome = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (outcome.ec != std::errc{} || outcome.ptr != digits.data() + digits.size() || index < 0) return std::nullopt;
    found.index = index;
    return found;
}

const device_provider* provider_named(std::string_view kind)
{
    const auto& known = known_providers();
    const auto found = std::find_if(known.begin(), known.end(), [&](const auto* each) { return each->name() == kind; });
    return found == known.end() ? nullptr : *found;
}

std::string text_of(const device_provider& provider, const device_info& device)
{
    return fmt::format("{}:{} ({})", provider.name(), device.index, device.name);
}

device_choice chosen(const device_provider& provider, const device_info& device, std::string reason, bool automatic)
{
    return {fmt::format("{}:{}", provider.name(), device.index),
            device.name,
            std::move(reason),
            &provider,
            device.index,
            automatic};
}

/// Examines devices up to the first that can be used; null where none can.
const device_info* first_usable(const device_provider& provider, device_survey& survey)
{
    for (device_info& each : survey.devices) {
        provider.examine(each);
        if (each.problem.empty()) return &each;
    }
    return nullptr;
}

/// Every device with what keeps it from being used.
std::string problems_of(const device_provider& provider, const device_survey& survey)
{
    std::string text;
    for (const device_info& each : survey.devices)
        text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", text_of(provider, each), each.problem);
    return text;
}

device_choice choose_automatically()
{
    const device_provider& provider = cuda_library();
    device_survey survey = provider.survey();
    std::string why = survey.devices.empty() ? survey.problem : provider.reservation();
    if (why.empty()) {
        if (const device_info* const device = first_usable(provider, survey))
            return chosen(provider, *device, "auto: the first usable CUDA device", true);
        why = problems_of(provider, survey);
    }
    device_choice cpu;
    cpu.reason = "auto: " + why;
    cpu.automatic = true;
    return cpu;
}

device_choice choose_of(const device_provider& provider, const device_word& word, std::string_view typed)
{
    device_survey survey = provider.survey();
    if (survey.devices.empty())
        throw system_error(
            fmt::format("device {}: {}{}{}", typed, survey.problem, survey.detail.empty() ? "" : "; ", survey.detail));
    if (!word.index) {
        if (const device_info* const device = first_usable(provider, survey))
            return chosen(provider, *device, "as asked, the first usable one", false);
        throw system_error(fmt::format("device {}: none can be used: {}", typed, problems_of(provider, survey)));
    }
    const auto found = std::find_if(survey.devices.begin(), survey.devices.end(),
                                    [&](const device_info& device) { return device.index == *word.index; });
    if (found == survey.devices.end()) {
        const std::size_t count = survey.devices.size();
        throw system_error(fmt::format("device {}: there {} {}, counted from {}:0", typed, count == 1 ? "is" : "are",
                                       count == 1 ? "one" : fmt::format("{}", count), provider.name()));
    }
    provider.examine(*found);
    if (!found->problem.empty())
        throw system_error(fmt::format("device {} ({}): {}", typed, found->name, found->problem));
    return chosen(provider, *found, "as asked", false);
}

class cpu_device final : public opened_device {
public:
    explicit cpu_device(int threads) : threads_(threads) {}
    std::unique_ptr<operations<double>> make_double() const override { return make_cpu_operations<double>(threads_); }
    std::unique_ptr<operations<float>> make_float() const override { return make_cpu_operations<float>(threads_); }

private:
    int threads_;
};

} // namespace

bool names_a_device(std::string_view word)
{
    if (word == automatic_word || word == cpu_word) return true;
    const auto request = parsed(word);
    return request && provider_named(request->kind) != nullptr;
}

device_choice choose_device(std::string_view word)
{
    if (!names_a_device(word)) throw invalid_input(fmt::format("device is '{}'; must be {}", word, device_rule));
    if (word == automatic_word) return choose_automatically();
    if (word == cpu_word) {
        device_choice cpu;
        cpu.reason = "as asked";
        return cpu;
    }
    const device_word request = *parsed(word);
    return choose_of(*provider_named(request.kind), request, word);
}

std::unique_ptr<opened_device> open_device(const device_choice& choice, const device_terms& terms)
{
    if (choice.provider == nullptr) return std::make_unique<cpu_device>(terms.threads);
    return choice.provider->open(choice.index, terms);
}

void register_device_provider(const device_provider& provider) { known_providers().push_back(&provider); }

} // namespace proxpath::backend

namespace proxpath {

device_survey list_devices()
{
    const backend::device_provider& provider = backend::cuda_library();
    device_survey survey = provider.survey();
    for (device_info& each : survey.devices) provider.examine(each);
    return survey;
}

} // namespace proxpath
