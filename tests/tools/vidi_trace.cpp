// Runs one case file through a checkpoint and writes every stage (names: vidi-model page, section 9), so that any case can
// be compared with what the published code computes. The product's guards on answers are off.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <getopt.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "kernels/log_mel.h"
#include "model/answer.h"
#include "model/safetensors.h"
#include "model/vidi_session.h"

namespace vidi {
namespace {

constexpr const char* kUsage =
    "usage: vidi-trace CHECKPOINT input.safetensors output.safetensors\n"
    "         [--device cpu|cuda] [--precision fp32|fp16|bf16] [--max-new-tokens N]\n";

struct Arguments {
  OpenOptions open;
  std::string input, output;
  int max_new_tokens = 24;
};

// Frames [F, H, W, 3] and samples of a case, in host memory.
struct Case {
  std::vector<uint8_t> frames;
  int64_t n_frames = 0, height = 0, width = 0;
  std::vector<float> samples;
  std::string question;
  double duration_s = 0;
};

[[noreturn]] void fail(ErrorCode code, const std::string& message) { throw EngineError(code, message); }

double parse_seconds(const std::string& text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ErrorCode::kBadInput, "metadata duration is \"" + text + "\", expected seconds");
  }
  return value;
}

template <class T>
std::vector<T> read_values(const std::string& path, const TensorEntry& entry) {
  std::vector<T> values(entry.numel());
  read_file_range(path, entry.begin, values.data(), values.size() * sizeof(T));
  return values;
}

void read_frames(const std::string& path, const TensorEntry& entry, Case& c) {
  if (entry.dtype != Dtype::kU8 || entry.shape.size() != 4 || entry.shape[3] != 3) {
    fail(ErrorCode::kBadInput, path + ": frames is " + dtype_name(entry.dtype) + " " +
                                   shape_text(entry.shape) + ", expected U8 [F, H, W, 3]");
  }
  c.frames = read_values<uint8_t>(path, entry);
  c.n_frames = entry.shape[0], c.height = entry.shape[1], c.width = entry.shape[2];
}

void read_samples(const std::string& path, const TensorEntry& entry, Case& c) {
  if (entry.dtype != Dtype::kI16 || entry.shape.size() != 1) {
    fail(ErrorCode::kBadInput, path + ": audio is " + dtype_name(entry.dtype) + " " +
                                   shape_text(entry.shape) + ", expected I16 [samples]");
  }
  for (int16_t s : read_values<int16_t>(path, entry)) c.samples.push_back(s / 32768.0f);
}

Case read_case(const std::string& path) {
  const SafetensorsHeader header = read_safetensors_header(path);
  Case c;
  for (const char* key : {"question", "duration"}) {
    if (!header.metadata.count(key)) fail(ErrorCode::kBadInput, path + " has no metadata \"" + key + "\"");
  }
  c.question = header.metadata.at("question");
  c.duration_s = parse_seconds(header.metadata.at("duration"));
  if (auto it = header.tensors.find("frames"); it != header.tensors.end()) read_frames(path, it->second, c);
  if (auto it = header.tensors.find("audio"); it != header.tensors.end()) read_samples(path, it->second, c);
  return c;
}

// What the tap reports, in pieces until the end.
class Stages {
 public:
  Tap tap() {
    return [this](const std::string& name, const at::Tensor& value) {
      const auto type = at::isIntegralType(value.scalar_type(), false) ? at::kLong : at::kFloat;
      pieces_[name].push_back(value.detach().to(at::kCPU, type).clone().contiguous());
    };
  }
  void drop(const std::string& prefix) {
    std::erase_if(pieces_, [&](const auto& p) { return p.first.rfind(prefix, 0) == 0; });
  }
  void add_ids(const std::string& name, const std::vector<int>& ids) {
    std::vector<int64_t> wide(ids.begin(), ids.end());
    pieces_[name] = {at::tensor(wide, at::kLong)};
  }
  void write(const std::string& path, const std::map<std::string, std::string>& metadata) {
    std::vector<at::Tensor> joined;  // keeps the data alive
    std::vector<TensorToWrite> out;
    for (auto& [name, pieces] : pieces_) {
      joined.push_back(pieces.size() == 1 ? pieces[0] : at::cat(pieces));
      const at::Tensor& t = joined.back();
      out.push_back({name, t.scalar_type() == at::kLong ? Dtype::kI64 : Dtype::kF32,
                     t.sizes().vec(), t.const_data_ptr()});
    }
    write_safetensors(path, out, metadata);
  }

 private:
  std::map<std::string, std::vector<at::Tensor>> pieces_;
};

template <class T>
T value_of(Result<T> result) {
  if (!result) fail(result.error().code, result.error().message);
  return std::move(*result);
}

Window look_and_listen(VidiSession& session, const Case& c, const Cancel& cancel) {
  Window window;
  window.duration_s = c.duration_s;
  std::vector<Frame> frames;
  const size_t row = c.width * 3;
  for (int64_t i = 0; i < c.n_frames; ++i) {
    frames.push_back({c.frames.data() + i * c.height * row, static_cast<int>(c.width),
                      static_cast<int>(c.height), row});
  }
  window.frames = value_of(session.see(frames, cancel));
  for (size_t at = 0; at < c.samples.size(); at += kChunkSamples) {
    const size_t n = std::min<size_t>(kChunkSamples, c.samples.size() - at);
    window.audio.push_back(value_of(session.hear(c.samples.data() + at, static_cast<int>(n), cancel)));
  }
  return window;
}

void trace(const Arguments& arguments) {
  c10::InferenceMode inference;
  const Cancel cancel;
  const Case c = read_case(arguments.input);
  auto session = VidiSession::load(arguments.open, cancel);
  Stages stages;
  session->set_tap(stages.tap());
  const Window window = look_and_listen(*session, c, cancel);
  auto encoded = value_of(session->encode(window, cancel));
  if (!encoded->has_audio()) stages.drop("audio.");
  AskOptions options{.max_new_tokens = arguments.max_new_tokens, .stop_repetition = false};
  Query query;
  query.text = c.question;
  const Answer answer = value_of(session->ask(*encoded, {query}, options, cancel)).at(0);
  stages.add_ids("output.ids", answer.ids);
  const PrintedAnswer printed = print_answer(session->config().prompt.family, answer.text, c.duration_s);
  stages.write(arguments.output, {{"output.text", answer.text},
                                  {"output.ranges", printed.failed ? "" : printed.text},
                                  {"question", c.question},
                                  {"duration", std::to_string(c.duration_s)}});
}

Precision parse_precision(const std::string& text) {
  if (text == "fp32") return Precision::kFp32;
  if (text == "fp16") return Precision::kFp16;
  if (text == "bf16") return Precision::kBf16;
  fail(ErrorCode::kBadInput, "--precision is \"" + text + "\", expected fp32, fp16 or bf16");
}

int parse_count(const std::string& text) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1) {
    fail(ErrorCode::kBadInput, "--max-new-tokens is \"" + text + "\", expected a number of at least 1");
  }
  return value;
}

Arguments parse_arguments(int argc, char** argv) {
  static const option kOptions[] = {{"device", required_argument, nullptr, 'd'},
                                    {"precision", required_argument, nullptr, 'p'},
                                    {"max-new-tokens", required_argument, nullptr, 'n'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {}};
  Arguments a;
  a.open.device = "cpu";
  a.open.precision = Precision::kFp32;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    if (c == 'd') a.open.device = optarg;
    else if (c == 'p') a.open.precision = parse_precision(optarg);
    else if (c == 'n') a.max_new_tokens = parse_count(optarg);
    else if (c == 'h') std::fputs(kUsage, stdout), std::exit(0);
    else fail(ErrorCode::kBadInput, "an option is not understood, see vidi-trace --help");
  }
  if (argc - optind != 3) {
    fail(ErrorCode::kBadInput, "expected CHECKPOINT, input and output, found " +
                                   std::to_string(argc - optind) + " argument(s), see vidi-trace --help");
  }
  a.open.folder = argv[optind], a.input = argv[optind + 1], a.output = argv[optind + 2];
  return a;
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  try {
    vidi::trace(vidi::parse_arguments(argc, argv));
    return 0;
  } catch (const c10::Error& e) {
    std::fprintf(stderr, "vidi-trace: %s\n", std::string(e.what_without_backtrace()).substr(0, 300).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "vidi-trace: %s\n", e.what());
  }
  return 1;
}
