#include "examples/ask/reference_mode.h"

#include "examples/ask/pass.h"

namespace {

bool is_16_bit(const std::string& precision) { return precision == "fp16" || precision == "bf16"; }

}  // namespace

bool asks_for_reference(const Arguments& a) {
  if (a.weights != "native" || a.keys != "native") return false;
  if (a.precision == "auto") return true;
  return is_cpu(a.device) ? a.precision == "fp32"
                          : a.device.starts_with("cuda") && is_16_bit(a.precision);
}

bool is_reference(const Mode& mode) {
  if (mode.weights != "native" || mode.keys != "native") return false;
  return mode.on_cpu() ? mode.precision == "fp32" : is_16_bit(mode.precision);
}

std::string no_other_mode(const std::string& place) {
  return "--compare-precision: expected another mode than the reference's, for example --weights "
         "int8, found the reference itself" +
         (place.empty() ? "" : " " + place);
}

Arguments reference_of(const Arguments& arguments, const Mode& chosen) {
  Arguments reference = arguments;
  reference.device = chosen.device;
  reference.weights = reference.keys = "native";
  reference.precision = chosen.on_cpu()               ? "fp32"
                        : is_16_bit(chosen.precision) ? chosen.precision
                                                      : "fp16";
  reference.exports = {};
  return reference;
}
