#include "tests/support/case.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <charconv>

#include "kernels/log_mel.h"
#include "model/checkpoint/safetensors.h"
#include "model/text/answer.h"
#include "tests/support/aten.h"
#include "tests/support/printed_answer.h"

namespace vidi {
namespace {

[[noreturn]] void bad_case(const std::string& message) {
  throw EngineError(ErrorCode::kBadInput, message);
}

double parse_seconds(const std::string& path, const std::string& text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    bad_case(path + ": metadata duration is \"" + text + "\", expected seconds");
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
    bad_case(path + ": frames is " + dtype_name(entry.dtype) + " " + shape_text(entry.shape) +
             ", expected U8 [F, H, W, 3]");
  }
  c.frames = read_values<uint8_t>(path, entry);
  c.n_frames = entry.shape[0], c.height = entry.shape[1], c.width = entry.shape[2];
}

void read_samples(const std::string& path, const TensorEntry& entry, Case& c) {
  if (entry.dtype != Dtype::kI16 || entry.shape.size() != 1) {
    bad_case(path + ": audio is " + dtype_name(entry.dtype) + " " + shape_text(entry.shape) +
             ", expected I16 [samples]");
  }
  for (int16_t s : read_values<int16_t>(path, entry)) c.samples.push_back(s / 32768.0f);
}

at::Tensor for_file(const at::Tensor& value) {
  const auto type =
      at::isIntegralType(value.scalar_type(), /*includeBool=*/false) ? at::kLong : at::kFloat;
  return value.to(at::kCPU, type).clone().contiguous();
}

}  // namespace

Case read_case(const std::string& path) {
  const SafetensorsHeader header = read_safetensors_header(path);
  Case c;
  for (const char* key : {"question", "duration"}) {
    if (!header.metadata.count(key)) bad_case(path + " has no metadata \"" + key + "\"");
  }
  c.question = header.metadata.at("question");
  if (auto it = header.metadata.find("task"); it != header.metadata.end()) c.task = it->second;
  c.duration_s = parse_seconds(path, header.metadata.at("duration"));
  if (auto it = header.tensors.find("frames"); it != header.tensors.end()) {
    read_frames(path, it->second, c);
  }
  if (auto it = header.tensors.find("audio"); it != header.tensors.end()) {
    read_samples(path, it->second, c);
  }
  return c;
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
  window.frames = value_of(session.encode_images(frames, cancel));
  for (size_t at = 0; at < c.samples.size(); at += kChunkSamples) {
    const size_t n = std::min<size_t>(kChunkSamples, c.samples.size() - at);
    window.audio.push_back(
        value_of(session.encode_audio(c.samples.data() + at, static_cast<int>(n), cancel)));
  }
  return window;
}

Stages run_case(VidiSession& session, const Case& c, int max_new_tokens) {
  c10::InferenceMode inference;
  const Cancel cancel;
  std::map<std::string, std::vector<at::Tensor>> pieces;
  session.set_tap([&](const std::string& name, const at::Tensor& value) {
    pieces[name].push_back(for_file(value));
  });
  auto encoded = value_of(session.encode(look_and_listen(session, c, cancel), cancel));
  if (!encoded->has_audio()) pieces.erase("audio.mel");  // too short to count as sound
  AskOptions options;
  options.max_new_tokens = max_new_tokens;
  options.stop_repetition = false;
  Query query;
  query.text = c.question, query.task = c.task;
  const Answer answer = value_of(session.ask(*encoded, {query}, options, cancel)).at(0);
  session.set_tap({});

  Stages stages;
  for (const auto& [name, parts] : pieces) stages.tensors[name] = at::cat(parts);
  const std::vector<int64_t> ids(answer.ids.begin(), answer.ids.end());
  stages.tensors["output.ids"] = at::tensor(ids, at::kLong);
  const PrintedAnswer printed =
      print_answer(session.model().config().prompt.family, answer.text, c.duration_s);
  stages.metadata = {{"output.text", answer.text},
                     {"output.ranges", printed.failed ? "" : printed.text},
                     {"question", c.question},
                     {"duration", std::to_string(c.duration_s)}};
  return stages;
}

void write_stages(const std::string& path, const Stages& stages) {
  std::vector<TensorToWrite> out;
  for (const auto& [name, t] : stages.tensors) {
    out.push_back({name, t.scalar_type() == at::kLong ? Dtype::kI64 : Dtype::kF32, t.sizes().vec(),
                   t.const_data_ptr()});
  }
  write_safetensors(path, out, stages.metadata);
}

}  // namespace vidi
