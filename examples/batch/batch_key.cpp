#include "examples/batch/batch_key.h"

#include <glib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kKeyDigits = 20;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Json file_stamp(const fs::path& path, const fs::path& folder) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return nullptr;
  return {path.lexically_relative(folder).string(), facts.st_size, facts.st_mtim.tv_sec,
          facts.st_mtim.tv_nsec};
}

}  // namespace

std::string sha256(const std::string& bytes) {
  gchar* digits = g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
  const std::string text = digits;
  g_free(digits);
  return text;
}

std::string model_stamp(const std::string& folder, std::string* error) {
  std::ifstream config(fs::path(folder) / "config.json", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(config), std::istreambuf_iterator<char>()};
  if (!config) {
    *error = folder + " has no config.json that can be read, expected the folder of a checkpoint";
    return "";
  }
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    std::error_code ignored;
    if (at->is_regular_file(ignored) && at->path().extension() != ".md")
      files.push_back(at->path());
  }
  if (failed) *error = folder + " cannot be listed: " + failed.message();
  std::sort(files.begin(), files.end());
  Json all{{"config", text}, {"files", Json::array()}};
  for (const fs::path& file : files) all["files"].push_back(file_stamp(file, folder));
  return error->empty() ? sha256(dump(all)) : "";
}

std::string key_of(const KeyParts& parts) {
  const Json all{{"uri", parts.uri},         {"stamp", parts.stamp},
                 {"queries", parts.queries}, {"settings", parts.settings},
                 {"model", parts.model},     {"weights", parts.forms.weights},
                 {"keys", parts.forms.keys}, {"precision", parts.forms.precision}};
  return sha256(dump(all)).substr(0, kKeyDigits);
}
