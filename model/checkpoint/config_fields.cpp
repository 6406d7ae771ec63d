#include "model/checkpoint/config_fields.h"

#include <cmath>

#include "model/checkpoint/input_file.h"
#include "model/checkpoint/safetensors.h"
#include "model/result.h"

namespace vidi {
namespace {

constexpr int kMaxLayers = 1024;  // a bound for counting, above every range that is checked

// A value as it stands in the file, short enough for a message.
std::string found_text(const nlohmann::json& value) {
  using Json = nlohmann::json;
  if (value.is_structured() && value.size() > 8) return std::string("a long ") + value.type_name();
  return in_quotes(value.dump(-1, ' ', false, Json::error_handler_t::replace), 80);
}

}  // namespace

const nlohmann::json* Fields::find(const std::string& name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<int> Fields::whole(const std::string& name, int least, int most) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return {};
  const std::string expected =
      "a whole number in " + std::to_string(least) + ".." + std::to_string(most);
  if (!value->is_number()) fail(name, expected);
  // As double: exact for every number in range, and no overflow for the others. 32.0 is as good
  // as 32.
  const double number = value->get<double>();
  if (!(number >= least && number <= most) || number != std::floor(number)) fail(name, expected);
  return static_cast<int>(number);
}

int Fields::whole(const std::string& name, int least, int most,
                  std::optional<int> otherwise) const {
  const std::optional<int> value = whole(name, least, most);
  if (value) return *value;
  if (otherwise && *otherwise >= least && *otherwise <= most) return *otherwise;
  const std::string range = std::to_string(least) + ".." + std::to_string(most);
  if (!otherwise) fail(name, "a whole number in " + range);
  throw EngineError(ErrorCode::kDamaged, file_ + ": field " + in_quotes(name) +
                                             " must be a whole number in " + range +
                                             ", found none, and the tensors or the default give " +
                                             std::to_string(*otherwise));
}

std::optional<double> Fields::positive(const std::string& name, double most) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return {};
  std::string expected = "a finite number above 0";
  if (most != kNoLimit) expected += " and at most " + nlohmann::json(most).dump();
  if (!value->is_number()) fail(name, expected);
  const double number = value->get<double>();
  if (!std::isfinite(number) || number <= 0 || number > most) fail(name, expected);
  return number;
}

bool Fields::boolean(const std::string& name, bool otherwise) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) fail(name, "true or false");
  return value->get<bool>();
}

std::string Fields::text(const std::string& name, const std::string& otherwise) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) fail(name, "a string");
  return value->get<std::string>();
}

Activation Fields::activation(const std::string& name, Activation otherwise) const {
  if (find(name) == nullptr) return otherwise;
  const std::string kind = text(name, "");
  if (kind == "gelu_pytorch_tanh") return Activation::kGeluTanh;
  if (kind == "gelu") return Activation::kGelu;
  if (kind == "silu") return Activation::kSilu;
  refuse(name, "'gelu_pytorch_tanh', 'gelu' or 'silu'");
}

std::string Fields::complaint(const std::string& name, const std::string& expected) const {
  const nlohmann::json* value = find(name);
  return file_ + ": field " + in_quotes(name) + " must be " + expected + ", found " +
         (value       ? found_text(*value)
          : has(name) ? "null"
                      : "nothing");
}

void Fields::fail(const std::string& name, const std::string& expected) const {
  throw EngineError(ErrorCode::kDamaged, complaint(name, expected));
}

void Fields::refuse(const std::string& name, const std::string& expected) const {
  throw EngineError(ErrorCode::kUnsupported, complaint(name, expected));
}

std::optional<int> side_of(const ShapeLookup& shape_of, const std::string& tensor, size_t rank,
                           size_t axis) {
  const auto shape = shape_of(tensor);
  if (!shape) return {};
  if (shape->size() != rank || (*shape)[axis] < 1 || (*shape)[axis] > INT32_MAX) {
    throw EngineError(ErrorCode::kDamaged, "tensor '" + tensor + "' must have " +
                                               std::to_string(rank) +
                                               " axes of at least 1, found " + shape_text(*shape));
  }
  return static_cast<int>((*shape)[axis]);
}

int count_layers(const ShapeLookup& shape_of, const std::string& prefix, const std::string& suffix,
                 int step) {
  int n = 0;
  while (n < kMaxLayers && shape_of(prefix + std::to_string(n * step) + suffix)) ++n;
  return n;
}

}  // namespace vidi
