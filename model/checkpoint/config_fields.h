// Typed, range-checked access to one JSON object of a checkpoint, with messages that name field,
// expected and found.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"

namespace vidi {

inline constexpr double kNoLimit = std::numeric_limits<double>::max();

// A missing field and null are the same thing, except to has().
class Fields {
 public:
  // `file` serves the messages, e.g. "config.json".
  Fields(nlohmann::json object, std::string file)
      : object_(std::move(object)), file_(std::move(file)) {}

  bool has(const std::string& name) const { return object_.contains(name); }  // null counts
  const nlohmann::json* find(const std::string& name) const;                  // null does not
  const std::string& file() const { return file_; }

  std::optional<int> whole(const std::string& name, int least, int most) const;
  int whole(const std::string& name, int least, int most, std::optional<int> otherwise) const;
  // A finite number above 0.
  std::optional<double> positive(const std::string& name, double most = kNoLimit) const;
  bool boolean(const std::string& name, bool otherwise) const;
  std::string text(const std::string& name, const std::string& otherwise) const;
  Activation activation(const std::string& name, Activation otherwise) const;

  // Throws kDamaged: "<file>: field '<name>' must be <expected>, found <what stands there>".
  [[noreturn]] void fail(const std::string& name, const std::string& expected) const;
  // The same, with kUnsupported.
  [[noreturn]] void refuse(const std::string& name, const std::string& expected) const;

 private:
  std::string complaint(const std::string& name, const std::string& expected) const;

  nlohmann::json object_;
  std::string file_;
};

// Side `axis` of a tensor of `rank` axes, or nothing when the checkpoint lacks it. Throws kDamaged
// for another rank or a side outside 1 .. 2^31 - 1.
std::optional<int> side_of(const ShapeLookup& shape_of, const std::string& tensor, size_t rank,
                           size_t axis);

// How many of prefix + 0 + suffix, prefix + step + suffix, prefix + 2 * step + suffix ... the
// checkpoint has in a row.
int count_layers(const ShapeLookup& shape_of, const std::string& prefix, const std::string& suffix,
                 int step = 1);

// config_towers.cpp. `config` is config.json, `tower` the tower folder's text ("" = no such file).
VisionConfig parse_vision(const Fields& config, const std::string& tower,
                          const ShapeLookup& shape_of);
AudioConfig parse_audio(const Fields& config, const std::string& tower,
                        const ShapeLookup& shape_of);

}  // namespace vidi
