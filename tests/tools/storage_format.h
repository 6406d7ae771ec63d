// --weights and --keys of the engine's tools.
#pragma once

#include <string>

#include "model/options.h"
#include "model/result.h"

namespace vidi {

// Format: WeightFormat or KeyFormat. Throws EngineError.
template <class Format>
Format parse_format(const std::string& option, const std::string& text) {
  if (text == "auto") return Format::kAuto;
  if (text == "native") return Format::kNative;
  if (text == "int8") return Format::kInt8;
  throw EngineError(ErrorCode::kBadInput,
                    "--" + option + " is \"" + text + "\", expected auto, native or int8");
}

}  // namespace vidi
