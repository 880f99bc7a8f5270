// Devices: the words that name them, the file that a backend is loaded from (tests/device_library has files that stand
// for it), the choice, and what program and library say where a device cannot be used.

#include "tests/io_support.hpp"
#include "tests/support/problems.hpp"

#include "host/backend/cuda/session_device.hpp"
#include "host/backend/device_choice.hpp"
#include "host/backend/device_interface.hpp"
#include "host/backend/device_library.hpp"
#include "host/cli/exit_code.hpp"
#include "host/cli/run.hpp"
#include "kernels/device_error.hpp"
#include "tests/emulation/emulated_provider.hpp"
#include "tests/emulation/emulated_runtime.hpp"

#include <proxpath/proxpath.hpp>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace proxpath::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string fake_backend = std::string(PROXPATH_FAKE_BACKENDS) + "/fake_backend.so";
const std::string other_build = std::string(PROXPATH_FAKE_BACKENDS) + "/other_build.so";
const std::string no_backend = std::string(PROXPATH_FAKE_BACKENDS) + "/no_backend.so";

/// An environment variable for the time of a test.
class variable {
public:
    variable(const char* name, const std::string& value) : name_(name)
    {
        if (const char* const before = std::getenv(name)) before_ = before;
        ::setenv(name, value.c_str(), 1);
    }
    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;
    ~variable() { ::setenv(name_, before_.c_str(), 1); } // an empty one counts as none

private:
    const char* name_;
    std::string before_;
};

/// The fake backend with these devices in the place of CUDA's.
struct fake_devices {
    explicit fake_devices(const std::string& words) : devices("FAKE_DEVICES", words) {}

    variable file{backend::device_library_variable, fake_backend};
    variable devices;
};

/// Words that a failure is described by; empty where there is none.
template <class Error>
std::string error_of(const std::function<void()>& call)
{
    try {
        call();
    } catch (const Error& problem) {
        return problem.what();
    }
    return {};
}

/// Six rows, four columns.
path_result fit_on_device(const std::string& device, precision_kind precision = precision_kind::float64)
{
    random_numbers random(5);
    const dense_matrix X = random_matrix(random, 6, 4, 0.8);
    const std::vector<double> y{1, 2, 4, 3, 1, 5};
    path_options options;
    options.device = device;
    options.threads = 1;
    options.n_lambda = 20;
    options.solver = precision == precision_kind::float32 ? solver_kind::fista : solver_kind::automatic;
    options.precision = precision;
    return fit_path(X.view(), y, options);
}

bool is_loaded(const std::string& file)
{
    void* const handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD);
    if (handle != nullptr) ::dlclose(handle);
    return handle != nullptr;
}

struct program_outcome {
    int code = -1;
    std::string out;
    std::string err;
};

program_outcome run_program(const std::vector<std::string>& words)
{
    std::ostringstream out;
    std::ostringstream err;
    cli::console to{out, err, false};
    std::vector<const char*> pointers;
    for (const std::string& word : words) pointers.push_back(word.c_str());
    program_outcome done;
    done.code = cli::run(pointers, to);
    done.out = out.str();
    done.err = err.str();
    return done;
}

TEST(DeviceWord, NamesAutoTheCpuOrACudaDevice)
{
    for (const char* const word : {"auto", "cpu", "cuda", "cuda:0", "cuda:12"})
        EXPECT_TRUE(backend::names_a_device(word)) << word;
    for (const char* const word : {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cuda:1:2", "cpu:0",
                                   "auto:0", ":0", "cuda:99999999999", "cuda: 1", "cuda "})
        EXPECT_FALSE(backend::names_a_device(word)) << word;
}

TEST(DeviceWord, IsRefusedInTheOptionsOfAFit)
{
    EXPECT_THAT(error_of<invalid_input>([] { fit_on_device("gpu"); }),
                AllOf(HasSubstr("device is 'gpu'"), HasSubstr("cuda:N")));
}

TEST(DeviceLibrary, IsLookedForBesideTheProgramThenInTheLibraryFolderOrWhereTheVariableSays)
{
    const std::filesystem::path own = std::filesystem::canonical("/proc/self/exe").parent_path();
    {
        const variable unset(backend::device_library_variable, "");
        const auto places = backend::device_library_places();
        ASSERT_EQ(places.size(), 2U);
        EXPECT_EQ(places[0], own / "libproxpath_cuda.so");
        EXPECT_THAT(places[1], AllOf(HasSubstr(own.parent_path().string()), HasSubstr("lib"),
                                     testing::EndsWith("/libproxpath_cuda.so")));
    }
    const variable named(backend::device_library_variable, "some/where.so");
    EXPECT_THAT(backend::device_library_places(),
                testing::ElementsAre(std::filesystem::absolute("some/where.so").string()));
}

TEST(DeviceLibrary, ThatIsNotThereIsSaidWithThePlaces)
{
    {
        const variable unset(backend::device_library_variable, "");
        const auto found = backend::find_device_library();
        EXPECT_EQ(found.provider, nullptr);
        EXPECT_EQ(found.problem, "no CUDA backend is installed");
        for (const std::string& place : backend::device_library_places()) EXPECT_THAT(found.detail, HasSubstr(place));
        EXPECT_THAT(found.detail, HasSubstr("PROXPATH_CUDA_BACKEND"));
    }
    const variable named(backend::device_library_variable, "/no/such/file.so");
    const auto found = backend::find_device_library();
    EXPECT_EQ(found.problem, "PROXPATH_CUDA_BACKEND names a file that is not there");
    EXPECT_THAT(found.detail, HasSubstr("/no/such/file.so"));
}

TEST(DeviceLibrary, OfAnotherBuildIsRefusedWithBothIdsAndUnloaded)
{
    const auto found = backend::load_device_library(other_build);
    EXPECT_EQ(found.provider, nullptr);
    EXPECT_EQ(found.problem, "the CUDA backend belongs to another build of proxpath");
    EXPECT_THAT(found.detail, AllOf(HasSubstr(other_build), HasSubstr("0.0.9-0123456789ab"),
                                    HasSubstr(backend::this_build), HasSubstr("install both from one build")));
    EXPECT_FALSE(is_loaded(other_build));
    EXPECT_THAT(backend::this_build, testing::StartsWith(std::string(version()) + "-"));
}

TEST(DeviceLibrary, ThatIsNoBackendOrNoSharedObjectIsRefused)
{
    const auto stranger = backend::load_device_library(no_backend);
    EXPECT_EQ(stranger.problem, "the CUDA backend cannot be loaded");
    EXPECT_THAT(stranger.detail, HasSubstr("no_backend.so is no backend of proxpath"));
    EXPECT_FALSE(is_loaded(no_backend));

    const io_test::temporary_folder folder;
    io_test::spill(folder.file("text.so"), "not a shared object, though long enough for the header of one: "
                                           "........................................................");
    const auto text = backend::load_device_library(folder.file("text.so"));
    EXPECT_EQ(text.problem, "the CUDA backend cannot be loaded");
    EXPECT_THAT(text.detail, AllOf(HasSubstr(folder.file("text.so")), HasSubstr("ELF")));
}

TEST(DeviceLibrary, FitsTheSamePathAsTheCpuThroughTheFile)
{
    const fake_devices fake("good");
    for (const precision_kind precision : {precision_kind::float64, precision_kind::float32}) {
        const path_result there = fit_on_device("cuda", precision);
        const path_result here = fit_on_device("cpu", precision);
        EXPECT_EQ(there.device, "cuda:0");
        EXPECT_EQ(there.device_name, "good");
        EXPECT_EQ(here.device, "cpu");
        EXPECT_EQ(here.device_name, "");
        EXPECT_TRUE(there.all_converged());
        EXPECT_EQ(there.coefficients.indices, here.coefficients.indices);
        EXPECT_EQ(there.coefficients.values, here.coefficients.values);
    }
}

TEST(DeviceLibrary, ThrowsWhatIsCaughtByTypeOutside)
{
    const fake_devices fake("full picky broken");
    try {
        fit_on_device("cuda:0");
        ADD_FAILURE() << "the full device was not full";
    } catch (const out_of_memory& problem) {
        EXPECT_STREQ(problem.what(), "the fake device is full");
        EXPECT_EQ(problem.needed_bytes(), 4096U);
    }
    EXPECT_EQ(error_of<invalid_input>([] { fit_on_device("cuda:1"); }), "the fake device does not like this");
    EXPECT_EQ(error_of<kernels::device_error>([] { fit_on_device("cuda:2"); }), "the fake device broke");
    EXPECT_EQ(error_of<system_error>([] { fit_on_device("cuda:2"); }), "the fake device broke");
    EXPECT_EQ(error_of<error>([] { fit_on_device("cuda:2"); }), "the fake device broke");
}

TEST(DeviceLibrary, StaysAsLongAsAnythingThatCameOutOfIt)
{
    std::exception_ptr thrown;
    backend::panel<double> panel;
    std::unique_ptr<backend::operations<double>> ops;
    {
        const fake_devices fake("good broken");
        const auto good = backend::open_device(backend::choose_device("cuda:0"), {});
        ops = good->make_double();
        panel = ops->allocate(3, 2);
        try {
            const auto broken = backend::open_device(backend::choose_device("cuda:1"), {});
            (void)broken->make_float();
        } catch (...) {
            thrown = std::current_exception();
        }
    }
    // Device and provider are gone; the exception's words, the operations and the panel's memory are still the file's.
    EXPECT_TRUE(is_loaded(fake_backend));
    ASSERT_TRUE(thrown);
    EXPECT_EQ(error_of<system_error>([&] { std::rethrow_exception(thrown); }), "the fake device broke");
    std::vector<double> numbers(6, 1.0);
    ops->download(panel, numbers);
    EXPECT_EQ(numbers, std::vector<double>(6, 0.0));
    ops.reset();
    panel = {};
}

TEST(DeviceChoice, AutoTakesTheFirstUsableDeviceAndSaysSo)
{
    const fake_devices fake("old good good");
    const path_result result = fit_on_device("auto");
    EXPECT_EQ(result.device, "cuda:1");
    EXPECT_THAT(result.device_reason, HasSubstr("first usable"));
    EXPECT_EQ(fit_on_device("cuda").device, "cuda:1");
    EXPECT_EQ(fit_on_device("cuda:2").device, "cuda:2");
}

TEST(DeviceChoice, AutoTakesTheCpuWhereNoDeviceCanBeUsedAndSaysWhy)
{
    {
        const fake_devices fake("old old");
        EXPECT_EQ(fit_on_device("auto").device, "cpu");
        EXPECT_THAT(fit_on_device("auto").device_reason,
                    AllOf(HasSubstr("cuda:0"), HasSubstr("cuda:1"), HasSubstr("its compute capability is too low")));
    }
    {
        const fake_devices fake("");
        EXPECT_EQ(fit_on_device("auto").device_reason, "auto: there is no fake device");
    }
    const variable named(backend::device_library_variable, other_build);
    EXPECT_THAT(fit_on_device("auto").device_reason, HasSubstr("belongs to another build"));
}

TEST(DeviceChoice, AutoTakesTheCpuInThePlaceOfADeviceWhoseMemoryDoesNotDo)
{
    const fake_devices fake("full");
    const path_result result = fit_on_device("auto");
    EXPECT_EQ(result.device, "cpu");
    EXPECT_THAT(result.device_reason, AllOf(HasSubstr("cuda:0"), HasSubstr("the fake device is full")));
    EXPECT_TRUE(result.all_converged());
}

TEST(DeviceChoice, ADeviceThatWasAskedForAndCannotBeUsedIsAnErrorThatSaysWhy)
{
    {
        const fake_devices fake("good old");
        EXPECT_THAT(error_of<system_error>([] { fit_on_device("cuda:2"); }),
                    AllOf(HasSubstr("device cuda:2"), HasSubstr("there are 2, counted from cuda:0")));
        EXPECT_THAT(error_of<system_error>([] { fit_on_device("cuda:1"); }),
                    AllOf(HasSubstr("device cuda:1 (old)"), HasSubstr("compute capability is too low")));
    }
    {
        const fake_devices fake("old");
        EXPECT_THAT(error_of<system_error>([] { fit_on_device("cuda"); }),
                    AllOf(HasSubstr("none can be used"), HasSubstr("compute capability is too low")));
    }
    {
        const fake_devices fake("");
        EXPECT_THAT(error_of<system_error>([] { fit_on_device("cuda"); }),
                    AllOf(HasSubstr("there is no fake device"), HasSubstr("FAKE_DEVICES is empty")));
    }
    const variable named(backend::device_library_variable, "");
    EXPECT_THAT(error_of<system_error>([] { fit_on_device("cuda"); }), HasSubstr("no CUDA backend is installed"));
}

TEST(DeviceChoice, ABackendWithAReservationIsTakenByNameOnly)
{
    const fake_devices fake("good");
    const variable reservation("FAKE_RESERVATION", "it has not been tried");
    EXPECT_EQ(fit_on_device("auto").device, "cpu");
    EXPECT_EQ(fit_on_device("auto").device_reason, "auto: it has not been tried");
    EXPECT_EQ(fit_on_device("cuda:0").device, "cuda:0");
    EXPECT_EQ(list_devices().devices.at(0).problem, "");
}

TEST(DeviceMemory, OfASessionIsCappedAndGivenBack)
{
    const auto device = backend::open_session(emulation::make_emulated_runtime(), {.memory_limit = 64 << 10});
    const auto ops = device->make_double();
    const auto narrow = device->make_float();
    backend::panel<double> first = ops->allocate(64, 64); // half of it
    backend::panel<float> second = narrow->allocate(64, 64);
    try {
        (void)ops->allocate(64, 64);
        ADD_FAILURE() << "more than the cap";
    } catch (const out_of_memory& problem) {
        EXPECT_EQ(problem.needed_bytes(), 64U * 64 * 8);
        EXPECT_EQ(problem.limit_bytes(), 64U << 10);
        EXPECT_THAT(problem.what(), HasSubstr("16384 of the 65536 allowed are left"));
    }
    first = {};
    EXPECT_NO_THROW(first = ops->allocate(64, 64));
}

TEST(DeviceProgram, ListsDevicesWithWhatTheyHaveAndWhatKeepsThemFromBeingUsed)
{
    const fake_devices fake("good old");
    const program_outcome page = run_program({"devices"});
    EXPECT_EQ(page.code, cli::exit_certified) << page.err;
    EXPECT_THAT(page.out, AllOf(HasSubstr("cuda:0"), HasSubstr("good"), HasSubstr("8.00 GiB"), HasSubstr("4.00 GiB"),
                                HasSubstr("1500 GB/s"), HasSubstr("9.0"), HasSubstr("no kernel reaches")));
    EXPECT_THAT(page.out, AllOf(HasSubstr("no: its compute capability is too low"), HasSubstr(fake_backend),
                                HasSubstr("made with CUDA 13.0; driver: up to CUDA 13.0"),
                                HasSubstr("a fit takes cuda:0 (auto: the first usable CUDA device)")));

    const program_outcome json = run_program({"devices", "--json"});
    const auto found = nlohmann::json::parse(json.out);
    EXPECT_EQ(found["backend_file"], fake_backend);
    EXPECT_EQ(found["driver_version"], "13.0");
    EXPECT_EQ(found["runtime_version"], "13.0");
    EXPECT_EQ(found["problem"], nullptr);
    EXPECT_EQ(found["auto"], "cuda:0");
    ASSERT_EQ(found["devices"].size(), 2U);
    EXPECT_EQ(found["devices"][0]["index"], 0);
    EXPECT_EQ(found["devices"][0]["name"], "good");
    EXPECT_EQ(found["devices"][0]["memory_bytes"], std::uint64_t{8} << 30);
    EXPECT_EQ(found["devices"][0]["free_bytes"], std::uint64_t{4} << 30);
    EXPECT_EQ(found["devices"][0]["theoretical_bandwidth_bytes_per_s"], 1.5e12);
    EXPECT_EQ(found["devices"][0]["compute_capability"], "9.0");
    EXPECT_EQ(found["devices"][0]["usable"], true);
    EXPECT_EQ(found["devices"][1]["usable"], false);
    EXPECT_EQ(found["devices"][1]["problem"], "its compute capability is too low");
}

TEST(DeviceProgram, ThatFindsNoDevicesSaysWhyInALineAndThatIsNoError)
{
    const auto first_line = [](const program_outcome& done) { return done.out.substr(0, done.out.find('\n')); };
    {
        const variable named(backend::device_library_variable, "");
        const program_outcome page = run_program({"devices"});
        EXPECT_EQ(page.code, cli::exit_certified);
        EXPECT_THAT(first_line(page), HasSubstr("no CUDA backend is installed"));
        const auto json = nlohmann::json::parse(run_program({"devices", "--json"}).out);
        EXPECT_EQ(json["devices"].size(), 0U);
        EXPECT_EQ(json["auto"], "cpu");
        EXPECT_EQ(json["runtime_version"], nullptr);
        EXPECT_EQ(json["problem"], "no CUDA backend is installed");
    }
    const fake_devices fake("");
    const program_outcome page = run_program({"devices"});
    EXPECT_EQ(page.code, cli::exit_certified);
    EXPECT_THAT(first_line(page), HasSubstr("there is no fake device"));
    EXPECT_THAT(page.out, HasSubstr("driver: none"));
}

class DeviceFit : public testing::Test {
protected:
    DeviceFit() { io_test::spill(folder.file("x.svm"), "1 1:1 2:2\n2 1:2\n4 2:1 3:1\n3 1:1 3:2\n1 2:1\n"); }
    program_outcome fit(const std::vector<std::string>& more)
    {
        std::vector<std::string> words{"fit", folder.file("x.svm"), "--out", folder.file("fit"), "--force"};
        words.insert(words.end(), more.begin(), more.end());
        return run_program(words);
    }
    nlohmann::json summary() const { return nlohmann::json::parse(io_test::slurp(folder.file("fit/summary.json"))); }

    io_test::temporary_folder folder;
};

TEST_F(DeviceFit, SaysWhichDeviceItTookAndWhy)
{
    const fake_devices fake("good");
    const program_outcome done = fit({"--verbose", "--device-memory", "1G"});
    EXPECT_EQ(done.code, cli::exit_certified) << done.err;
    EXPECT_THAT(done.err, HasSubstr("device cuda:0 good"));
    EXPECT_THAT(done.out, HasSubstr("cuda:0 good"));
    EXPECT_EQ(summary()["device"], "cuda:0");
    EXPECT_EQ(summary()["device_name"], "good");
    EXPECT_EQ(summary()["device_reason"], "auto: the first usable CUDA device");
    EXPECT_EQ(summary()["options"]["device"], "auto");
    EXPECT_EQ(summary()["options"]["device_memory"], 1 << 30);

    EXPECT_EQ(fit({"--device", "cpu"}).code, cli::exit_certified);
    EXPECT_EQ(summary()["device"], "cpu");
    EXPECT_EQ(summary()["device_reason"], "as asked");
}

TEST_F(DeviceFit, OnADeviceThatIsNotThereEndsWithCodeFourBeforeTheDataIsRead)
{
    const fake_devices fake("good");
    const program_outcome done =
        run_program({"fit", folder.file("none.svm"), "--out", folder.file("fit"), "--device", "cuda:5"});
    EXPECT_EQ(done.code, cli::exit_system);
    EXPECT_THAT(done.err, AllOf(HasSubstr("device cuda:5: there is one"), Not(HasSubstr("none.svm"))));
    EXPECT_FALSE(std::filesystem::exists(folder.file("fit")));
}

TEST_F(DeviceFit, ThatFailsLeavesNothing)
{
    const fake_devices fake("broken full");
    const program_outcome broken = fit({"--device", "cuda:0"});
    EXPECT_EQ(broken.code, cli::exit_system);
    EXPECT_THAT(broken.err, HasSubstr("the fake device broke"));
    EXPECT_EQ(fit({"--device", "cuda:1"}).code, cli::exit_system);
    EXPECT_FALSE(std::filesystem::exists(folder.file("fit")));
}

TEST_F(DeviceFit, RefusesWordsThatNameNoDeviceAndSizesThatAreNone)
{
    EXPECT_THAT(fit({"--device", "gpu"}).err, HasSubstr("--device is 'gpu'; it must be auto, cpu, cuda or cuda:N"));
    EXPECT_EQ(fit({"--device", "gpu"}).code, cli::exit_wrong_input);
    EXPECT_THAT(fit({"--device-memory", "much"}).err, HasSubstr("--device-memory is 'much'"));
    EXPECT_THAT(fit({"--device-memory", "1k"}).err, HasSubstr("at least 1.00 MiB"));
}

TEST_F(DeviceFit, OnTheEmulatedDeviceIsThatOfTheCpu)
{
    if (!backend::names_a_device("emulated")) backend::register_device_provider(emulation::emulated_devices());
    const program_outcome done = fit({"--device", "emulated", "--n-lambda", "5"});
    const program_outcome tiny = fit({"--device", "emulated:0", "--device-memory", "1M", "--features", "100000"});
    EXPECT_EQ(tiny.code, cli::exit_system);
    EXPECT_THAT(tiny.err, HasSubstr("the device's memory has "));
    EXPECT_EQ(done.code, cli::exit_certified) << done.err;
    EXPECT_EQ(summary()["device"], "emulated:0");
    const double there = summary()["lambda_max"];
    EXPECT_EQ(fit({"--device", "cpu", "--n-lambda", "5"}).code, cli::exit_certified);
    EXPECT_NEAR(there, summary()["lambda_max"], 1e-12);
}

} // namespace
} // namespace proxpath::test
