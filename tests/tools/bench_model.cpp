// Times every phase of the engine: at real sizes with random weights made on the device, or of a
// checkpoint folder. Each phase stands beside what a plain big matrix product or a plain copy
// reaches in the same run.
#include <c10/core/InferenceMode.h>
#include <getopt.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "examples/common/byte_count.h"
#include "model/checkpoint/open_checkpoint.h"
#include "model/device/device.h"
#include "tests/tools/geometry.h"
#include "tests/tools/model_bench.h"
#include "tests/tools/print_plan.h"
#include "tests/tools/split_bench.h"
#include "tests/tools/storage_format.h"
#include "tests/tools/tool_options.h"

namespace vidi {
namespace {

constexpr const char* kUsage =
    "usage: bench-model --geometry vidi1.5-9b|vidi-7b|tiny [--seconds 306] [--queries 1]\n"
    "         [--precision fp32|fp16|bf16] [--weights auto|native|int8] [--keys auto|native|int8]\n"
    "         [--device auto] [--new-tokens 34] [--json FILE] [--memory-limit 24GB]\n"
    "       bench-model --geometry NAME|--checkpoint FOLDER [--seconds 306] [--memory-limit 20GB] "
    "[--device cpu] --plan\n"
    "       bench-model --checkpoint FOLDER [--seconds 306] ...\n"
    "       bench-model --geometry NAME|--checkpoint FOLDER --split --device cuda:0,cuda:1 ...\n"
    "       bench-model --load FOLDER [--precision ...] [--device auto] [--memory-limit 24GB]\n";

// Peak resident memory of this process so far, bytes.
int64_t peak_host_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

// Loads a checkpoint folder and says how long it took and how much host memory it needed beyond
// what a process with the device in use has anyway.
void time_load(const Arguments& a) {
  const at::Device device = choose_device(a.open.device);
  at::zeros({1 << 20}, at::TensorOptions(device)).add_(1).sum().item<float>();
  const int64_t before = peak_host_bytes();
  auto session = VidiSession::load(a.open, Cancel());
  const ModelInfo info = session->info();
  std::printf(
      "%s, %s on %s: %.2f GB of weights in %.2f s (%.2f GB/s), peak host memory %.2f GB, %.2f GB "
      "before\n",
      info.family.c_str(), info.precision.c_str(), info.device.c_str(), info.weight_bytes / 1e9,
      info.load_seconds, info.weight_bytes / 1e9 / info.load_seconds, peak_host_bytes() / 1e9,
      before / 1e9);
}

[[noreturn]] void bad_argument(const std::string& message) {
  refuse_options("bench-model", message);
}

int parse_count(const std::string& name, const std::string& text, int low, int high) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= low && value <= high)
    return value;
  bad_argument("--" + name + " is \"" + text + "\", expected " + std::to_string(low) + " to " +
               std::to_string(high));
}

Precision parse_precision(const std::string& text) {
  if (text == "fp32") return Precision::kFp32;
  if (text == "fp16") return Precision::kFp16;
  if (text == "bf16") return Precision::kBf16;
  bad_argument("--precision is \"" + text + "\", expected fp32, fp16 or bf16");
}

uint64_t parse_limit(const std::string& text) {
  const auto bytes = parse_byte_count(text);
  if (bytes) return *bytes;
  bad_argument("--memory-limit is \"" + text + "\", expected bytes, such as 24GB or 22000000000");
}

Arguments parse_arguments(int argc, char** argv) {
  static const option kOptions[] = {{"geometry", required_argument, nullptr, 'g'},
                                    {"seconds", required_argument, nullptr, 's'},
                                    {"queries", required_argument, nullptr, 'q'},
                                    {"precision", required_argument, nullptr, 'p'},
                                    {"weights", required_argument, nullptr, 'w'},
                                    {"keys", required_argument, nullptr, 'k'},
                                    {"device", required_argument, nullptr, 'd'},
                                    {"json", required_argument, nullptr, 'j'},
                                    {"new-tokens", required_argument, nullptr, 'n'},
                                    {"load", required_argument, nullptr, 'l'},
                                    {"checkpoint", required_argument, nullptr, 'c'},
                                    {"memory-limit", required_argument, nullptr, 'm'},
                                    {"plan", no_argument, nullptr, 'P'},
                                    {"split", no_argument, nullptr, 'S'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {}};
  Arguments a;
  opterr = 0;  // what is wrong is told here
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (c) {
      case 'g':
        a.geometry = optarg;
        break;
      case 's':
        a.seconds = parse_count("seconds", optarg, 2, 36000);
        break;
      case 'q':
        a.queries = parse_count("queries", optarg, 1, 32);
        break;
      case 'n':
        a.new_tokens = parse_count("new-tokens", optarg, 1, 1024);
        break;
      case 'p':
        a.open.precision = parse_precision(optarg);
        break;
      case 'w':
        a.open.weights = parse_format<WeightFormat>("weights", optarg);
        a.names_form = true;
        break;
      case 'k':
        a.open.keys = parse_format<KeyFormat>("keys", optarg);
        a.names_form = true;
        break;
      case 'm':
        a.open.memory_limit = parse_limit(optarg);
        break;
      case 'd':
        a.open.device = optarg;
        break;
      case 'j':
        a.json = optarg;
        break;
      case 'l':
        a.only_load = true;
        [[fallthrough]];
      case 'c':
        a.open.folder = optarg;
        break;
      case 'P':
        a.only_plan = true;
        break;
      case 'S':
        a.splits = true;
        break;
      case 'h':
        std::fputs(kUsage, stdout);
        std::exit(0);
      default:
        bad_argument(std::string("there is no option ") + argv[optind - 1] +
                     ", or no value behind it");
    }
  }
  if (a.geometry.empty() == a.open.folder.empty() || optind != argc) {
    bad_argument("expected one of --geometry, --checkpoint and --load");
  }
  return a;
}

// Weights and keys are auto unless one of them was asked for.
void plan(const Arguments& arguments) {
  OpenOptions options = arguments.open;
  if (!arguments.names_form) options.weights = WeightFormat::kAuto, options.keys = KeyFormat::kAuto;
  if (!options.folder.empty()) {
    const Checkpoint checkpoint = open_checkpoint(options.folder);
    return print_plan(checkpoint.config, checkpoint.files, options, arguments.seconds);
  }
  const CheckpointGeometry geometry = checkpoint_geometry(arguments.geometry);
  print_plan(config_of(geometry), shapes_of(geometry), options, arguments.seconds);
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  try {
    c10::InferenceMode inference;
    const double core_seconds_before = vidi::core_seconds();
    vidi::Arguments arguments = vidi::parse_arguments(argc, argv);
    arguments.core_seconds_before = core_seconds_before;
    if (arguments.only_plan) {
      vidi::plan(arguments);
      return 0;
    }
    if (arguments.only_load) {
      vidi::time_load(arguments);
      return 0;
    }
    if (arguments.splits) {
      vidi::bench_split(arguments);
      return 0;
    }
    vidi::Bench bench(arguments);
    bench.run();
    bench.print();
    if (!arguments.json.empty()) {
      std::ofstream file(arguments.json);
      file << bench.as_json().dump(1) << "\n";
      if (!file.flush()) throw std::runtime_error("cannot write " + arguments.json);
    }
    return 0;
  } catch (const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    std::fprintf(stderr, "bench-model: %s\n", text.substr(0, text.find('\n')).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench-model: %s\n", e.what());
  }
  return 1;
}
