#include "gst/filter/model_place.h"

#include <cstdlib>
#include <filesystem>

namespace vidi {
namespace {

bool is_checkpoint(const std::filesystem::path& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder / "config.json", ignored);
}

}  // namespace

ModelPlace find_model(const std::string& model_path) {
  if (!model_path.empty()) return {model_path, "model-path"};
  if (const char* named = std::getenv("VIDI_MODEL"))
    return *named ? ModelPlace{named, "VIDI_MODEL"} : ModelPlace();
  if (is_checkpoint(VIDI_INSTALLED_MODEL)) return {VIDI_INSTALLED_MODEL, "installed"};
  return {};
}

}  // namespace vidi
