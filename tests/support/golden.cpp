#include "tests/support/golden.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/checkpoint/safetensors.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;

at::Tensor read_tensor(const std::string& path, const TensorEntry& entry) {
  const auto type = entry.dtype == Dtype::kI64 ? at::kLong : at::kFloat;
  at::Tensor t = at::empty(entry.shape, type);
  read_file_range(path, entry.begin, t.data_ptr(), t.nbytes());
  return t;
}

// A large tensor's golden holds values start, start + step, ... of the flattened tensor only.
struct Sample {
  std::vector<int64_t> shape;
  int64_t start = 0, step = 1;
};

Sample sample_of(const SafetensorsHeader& header, const std::string& stage) {
  auto it = header.metadata.find("sample." + stage);
  if (it == header.metadata.end()) return {header.tensors.at(stage).shape, 0, 1};
  const auto j = nlohmann::json::parse(it->second);
  return {j.at("shape"), j.at("start"), j.at("step")};
}

StageError compare_floats(const std::string& stage, const at::Tensor& expected,
                          const at::Tensor& actual) {
  at::Tensor e = expected.to(at::kDouble), a = actual.to(at::kDouble);
  if (!at::isfinite(a).all().item<bool>()) return {stage, INFINITY, "not finite"};
  const double rms = std::sqrt(e.square().mean().item<double>());
  return {stage, (a - e).abs().max().item<double>() / std::max(rms, 1e-30), ""};
}

StageError compare_stage(const std::string& path, const SafetensorsHeader& header,
                         const std::string& stage, const Stages& actual, int64_t n_steps) {
  auto it = actual.tensors.find(stage);
  if (it == actual.tensors.end()) return {stage, INFINITY, "missing"};
  at::Tensor expected = read_tensor(path, header.tensors.at(stage)), ours = it->second;
  const Sample sample = sample_of(header, stage);
  if (stage == "decoder.logits") {  // steps after a first different id follow from another text
    expected = expected.narrow(0, 0, n_steps);
    ours = ours.narrow(0, 0, n_steps);
  } else if (ours.sizes() != at::IntArrayRef(sample.shape)) {
    return {stage, INFINITY,
            "shape " + shape_text(ours.sizes().vec()) + ", expected " + shape_text(sample.shape)};
  }
  ours = ours.flatten().slice(0, sample.start, std::nullopt, sample.step);
  expected = expected.flatten();
  if (expected.scalar_type() == at::kLong) {
    return {stage, at::equal(expected, ours) ? 0.0 : INFINITY,
            at::equal(expected, ours) ? "" : "integers differ"};
  }
  return compare_floats(stage, expected, ours);
}

}  // namespace

std::vector<GoldenCase> golden_cases() {
  std::vector<GoldenCase> cases;
  for (const auto& set : fs::directory_iterator(VIDI_TEST_DATA "/golden")) {
    for (const auto& folder : fs::directory_iterator(set.path())) {
      const fs::path input = folder.path() / "input.safetensors";
      if (!fs::exists(input)) continue;
      const fs::path own = set.path() / "checkpoint";
      cases.push_back({set.path().filename(), folder.path().filename(),
                       fs::exists(own) ? own.string() : VIDI_DEMO_CHECKPOINT, input,
                       (folder.path() / "expected.safetensors").string()});
    }
  }
  std::sort(cases.begin(), cases.end(), [](const GoldenCase& a, const GoldenCase& b) {
    return std::pair(a.set, a.name) < std::pair(b.set, b.name);
  });
  return cases;
}

IdAgreement compare_ids(const std::string& path, const Stages& actual) {
  const SafetensorsHeader header = read_safetensors_header(path);
  at::Tensor expected = read_tensor(path, header.tensors.at("output.ids"));
  at::Tensor ours = actual.tensors.at("output.ids");
  IdAgreement agreement{0, static_cast<size_t>(expected.size(0)), 0};
  const int64_t n = std::min(expected.size(0), ours.size(0));
  const int64_t* e = expected.data_ptr<int64_t>();
  const int64_t* a = ours.data_ptr<int64_t>();
  int64_t same = 0;
  while (same < n && e[same] == a[same]) ++same;
  agreement.n_same = same;
  if (same < expected.size(0)) {
    at::Tensor logits = read_tensor(path, header.tensors.at("decoder.logits"))[same];
    at::Tensor best = std::get<0>(logits.topk(2));
    agreement.margin_at_difference = (best[0] - best[1]).item<double>();
  }
  return agreement;
}

std::vector<StageError> compare_stages(const std::string& path, const Stages& actual) {
  const SafetensorsHeader header = read_safetensors_header(path);
  const IdAgreement ids = compare_ids(path, actual);
  const int64_t n_steps = std::min(ids.n_same + 1, ids.n_expected);
  std::vector<StageError> errors;
  for (const auto& [stage, entry] : header.tensors) {
    errors.push_back(compare_stage(path, header, stage, actual, n_steps));
  }
  for (const auto& [stage, tensor] : actual.tensors) {
    if (!header.tensors.count(stage))
      errors.push_back({stage, INFINITY, "a stage this case must not have"});
  }
  for (const char* key : {"output.text", "output.ranges"}) {
    const bool same = header.metadata.at(key) == actual.metadata.at(key);
    errors.push_back({key, same ? 0.0 : INFINITY, same ? "" : "text differs"});
  }
  return errors;
}

}  // namespace vidi
