#include "gst/worker/device_list.h"

#include <algorithm>
#include <charconv>

namespace vidi {
namespace {

constexpr size_t kMostDevices = 64;
const std::string kAll = "cuda:all";

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t comma; (comma = list.find(',', begin)) != std::string::npos; begin = comma + 1)
    parts.push_back(trimmed(list.substr(begin, comma - begin)));
  parts.push_back(trimmed(list.substr(begin)));
  return parts;
}

// N of "cuda:N"; "cuda" is the first. Below 0: another word.
int cuda_number(const std::string& name) {
  if (name == "cuda") return 0;
  if (name.rfind("cuda:", 0) != 0) return -1;
  int number = -1;
  const char* end = name.data() + name.size();
  const auto [last, error] = std::from_chars(name.data() + 5, end, number);
  return error == std::errc() && last == end ? number : -1;
}

std::string found(int n_cuda) {
  return n_cuda == 0 ? "no CUDA device" : std::to_string(n_cuda) + " CUDA device(s)";
}

Error refused(const std::string& list, const std::string& why) {
  return {ErrorCode::kBadInput, "device is \"" + list + "\"" + why};
}

Error unusable(const std::string& name, int n_cuda) {
  return {ErrorCode::kNoDevice, "device \"" + name + "\" is not usable: found " + found(n_cuda)};
}

// The devices of one entry of a list, at the end of `all`; or why not.
Result<bool> take(const std::string& list, const std::string& name, int n_cuda,
                  std::vector<std::string>& all) {
  if (name.empty()) return refused(list, ", expected no empty entry in the list");
  if (name == kAll) {
    if (n_cuda <= 0) return unusable(name, 0);
    for (int i = 0; i < n_cuda; ++i) all.push_back("cuda:" + std::to_string(i));
    return true;
  }
  if (name == "cpu") return all.push_back(name), true;
  const int number = cuda_number(name);
  if (number < 0)
    return refused(list, ": in a list \"" + name + "\" is none of cpu, cuda, cuda:N and cuda:all");
  if (number >= n_cuda) return unusable(name, n_cuda);
  return all.push_back("cuda:" + std::to_string(number)), true;
}

}  // namespace

Result<std::vector<std::string>> devices_of(const std::string& list, int n_cuda) {
  const std::vector<std::string> names = split(list);
  if (names.size() == 1 && names[0] != kAll) return names;
  std::vector<std::string> all;
  for (const std::string& name : names) {
    const Result<bool> taken = take(list, name, n_cuda, all);
    if (!taken) return taken.error();
    if (all.size() > kMostDevices)
      return refused(list.substr(0, 40) + "...",
                     ", expected " + std::to_string(kMostDevices) + " devices at most");
  }
  return all;
}

std::vector<std::string> joined(const std::vector<std::string>& devices) {
  std::string list;
  for (const std::string& device : devices) list += (list.empty() ? "" : ",") + device;
  return {list};
}

bool may_be_cuda(const std::string& list) {
  const std::vector<std::string> names = split(list);
  return std::any_of(names.begin(), names.end(), [](const auto& name) { return name != "cpu"; });
}

bool may_be_cpu(const std::string& list) {
  const std::vector<std::string> names = split(list);
  return std::any_of(names.begin(), names.end(),
                     [](const auto& name) { return !name.starts_with("cuda"); });
}

bool name_one_device(const std::string& list, const std::string& other) {
  const std::vector<std::string> names = split(list), others = split(other);
  return std::any_of(names.begin(), names.end(), [&](const auto& name) {
    return std::find(others.begin(), others.end(), name) != others.end();
  });
}

std::string picture_device(const std::string& list) {
  const std::vector<std::string> names = split(list);
  if (names.size() == 1 && names[0] != kAll) return names[0];
  const auto first = std::find_if(names.begin(), names.end(),
                                  [](const auto& name) { return name.rfind("cuda", 0) == 0; });
  if (first == names.end()) return "cpu";
  return *first == kAll ? "cuda:0" : *first;
}

}  // namespace vidi
