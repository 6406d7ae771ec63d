// Runs one case file through a checkpoint and writes every stage (names: vidi-model page, section
// 9), so that any case can be compared with what the published code computes. The product's guards
// on answers are off.
#include <c10/util/Exception.h>
#include <getopt.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/case.h"
#include "tests/tools/storage_format.h"

namespace vidi {
namespace {

constexpr const char* kUsage =
    "usage: vidi-trace CHECKPOINT input.safetensors output.safetensors\n"
    "         [--device cpu|cuda] [--precision fp32|fp16|bf16] [--weights auto|native|int8] "
    "[--keys auto|native|int8] [--max-new-tokens N]\n"
    "Defaults: cpu, fp32, 24.\n";

struct Arguments {
  OpenOptions open;
  std::string input, output;
  int max_new_tokens = 24;
};

[[noreturn]] void bad_argument(const std::string& message) {
  throw EngineError(ErrorCode::kBadInput, message);
}

Precision parse_precision(const std::string& text) {
  if (text == "fp32") return Precision::kFp32;
  if (text == "fp16") return Precision::kFp16;
  if (text == "bf16") return Precision::kBf16;
  bad_argument("--precision is \"" + text + "\", expected fp32, fp16 or bf16");
}

int parse_count(const std::string& text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) {
    bad_argument("--max-new-tokens is \"" + text + "\", expected a number of at least 1");
  }
  return value;
}

Arguments parse_arguments(int argc, char** argv) {
  static const option kOptions[] = {{"device", required_argument, nullptr, 'd'},
                                    {"precision", required_argument, nullptr, 'p'},
                                    {"weights", required_argument, nullptr, 'w'},
                                    {"keys", required_argument, nullptr, 'k'},
                                    {"max-new-tokens", required_argument, nullptr, 'n'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {}};
  Arguments a;
  a.open.device = "cpu";
  a.open.precision = Precision::kFp32;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (c) {
      case 'd':
        a.open.device = optarg;
        break;
      case 'p':
        a.open.precision = parse_precision(optarg);
        break;
      case 'w':
        a.open.weights = parse_format<WeightFormat>("weights", optarg);
        break;
      case 'k':
        a.open.keys = parse_format<KeyFormat>("keys", optarg);
        break;
      case 'n':
        a.max_new_tokens = parse_count(optarg);
        break;
      case 'h':
        std::fputs(kUsage, stdout);
        std::exit(0);
      default:
        bad_argument("an option is not understood, see vidi-trace --help");
    }
  }
  if (argc - optind != 3) {
    bad_argument("expected CHECKPOINT, input and output, found " + std::to_string(argc - optind) +
                 " argument(s), see vidi-trace --help");
  }
  a.open.folder = argv[optind], a.input = argv[optind + 1], a.output = argv[optind + 2];
  return a;
}

void trace(const Arguments& arguments) {
  const Case c = read_case(arguments.input);
  auto session = VidiSession::load(arguments.open, Cancel());
  write_stages(arguments.output, run_case(*session, c, arguments.max_new_tokens));
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  try {
    vidi::trace(vidi::parse_arguments(argc, argv));
    return 0;
  } catch (const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    std::fprintf(stderr, "vidi-trace: %s\n", text.substr(0, text.find('\n')).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vidi-trace: %s\n", e.what());
  }
  return 1;
}
