#include "examples/batch/settings_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "examples/batch/whole_file.h"

namespace {

std::string path_in(const std::string& folder) { return folder + "/" + kSettingsName; }

bool is_one_of(const nlohmann::json& object, const char* key,
               std::initializer_list<const char*> choices, std::string* text) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return false;
  *text = found->get<std::string>();
  for (const char* choice : choices) {
    if (*text == choice) return true;
  }
  return false;
}

}  // namespace

std::optional<Forms> read_settings(const std::string& folder, std::string* error) {
  const std::string path = path_in(folder);
  std::ifstream file(path);
  if (!file) {
    if (access(path.c_str(), F_OK) == 0) *error = path + " cannot be read";
    return std::nullopt;
  }
  const auto object = nlohmann::json::parse(file, nullptr, false);
  Forms forms;
  const bool is_understood =
      object.is_object() &&
      is_one_of(object, "precision", {"fp32", "fp16", "bf16"}, &forms.precision) &&
      is_one_of(object, "weights", {"native", "int8"}, &forms.weights) &&
      is_one_of(object, "keys", {"native", "int8"}, &forms.keys);
  if (is_understood) return forms;
  *error = path + " is not understood, expected precision, weights and keys as a batch wrote them";
  return std::nullopt;
}

std::string write_settings(const std::string& folder, const Forms& forms, Forms* taken) {
  const nlohmann::ordered_json object{
      {"precision", forms.precision}, {"weights", forms.weights}, {"keys", forms.keys}};
  const int failed = write_new(folder, kSettingsName, object.dump() + "\n");
  if (failed != 0 && failed != EEXIST)
    return path_in(folder) + " cannot be written: " + std::strerror(failed);
  std::string error;
  const auto kept = read_settings(folder, &error);
  if (kept) *taken = *kept;
  if (!kept && error.empty()) error = path_in(folder) + " has gone again";
  return error;
}

std::string contradiction(const std::string& folder, const Forms& kept, const Forms& asked) {
  struct Part {
    const char* option;
    const std::string &kept, &asked;
  };
  for (const Part& part :
       {Part{"--precision", kept.precision, asked.precision},
        Part{"--weights", kept.weights, asked.weights}, Part{"--keys", kept.keys, asked.keys}}) {
    if (part.asked != "auto" && part.asked != part.kept)
      return part.option + std::string(" ") + part.asked + ": the answers in " + folder +
             " are of " + part.kept + " (its " + kSettingsName +
             "), expected that or another folder";
  }
  return "";
}
