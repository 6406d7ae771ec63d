#include "model/device/host_memory.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "kernels/control_groups.h"
#include "model/result.h"

namespace vidi {
namespace {

// A file that holds one number; "max", in version 2, is no limit.
std::optional<int64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  int64_t number = 0;
  if (!(file >> number) || number < 0) return std::nullopt;
  return number;
}

// Files that were read and can be forgotten count as used; the kernel gives them up.
int64_t page_cache(const std::string& folder) {
  std::istringstream lines(text_of_file(folder + "/memory.stat"));
  int64_t sum = 0, value = 0;
  for (std::string key; lines >> key >> value;) {
    if (key == "inactive_file" || key == "active_file") sum += value;
  }
  return sum;
}

std::optional<int64_t> left_in(const std::string& folder) {
  auto limit = number_in(folder + "/memory.max"), used = number_in(folder + "/memory.current");
  if (!limit) limit = number_in(folder + "/memory.limit_in_bytes");
  if (!used) used = number_in(folder + "/memory.usage_in_bytes");
  if (!limit || !used) return std::nullopt;
  return std::max<int64_t>(0, *limit - *used + page_cache(folder));
}

std::optional<int64_t> least(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::string gigabytes(int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

}  // namespace

std::optional<int64_t> available_memory(const std::string& meminfo, const std::string& groups,
                                        const std::string& mount) {
  std::optional<int64_t> left;
  const std::string key = "MemAvailable:";
  if (const size_t at = meminfo.find(key); at != std::string::npos) {
    int64_t kilobytes = 0;
    if (std::istringstream(meminfo.substr(at + key.size())) >> kilobytes) left = kilobytes * 1024;
  }
  for_each_group(groups, mount, "memory",
                 [&](const std::string& folder) { left = least(left, left_in(folder)); });
  return left;
}

std::optional<int64_t> available_memory() {
  return available_memory(text_of_file("/proc/meminfo"), text_of_file("/proc/self/cgroup"),
                          "/sys/fs/cgroup");
}

void check_host_has_room(std::optional<int64_t> available, int64_t needed,
                         const std::string& why_no_gpu) {
  if (!available || needed <= *available) return;
  const std::string why = why_no_gpu.empty() ? "" : " (no GPU is used: " + why_no_gpu + ")";
  throw EngineError(ErrorCode::kOutOfMemory,
                    "On the CPU" + why + " the model's weights need " + gigabytes(needed) +
                        " of memory in fp32, found " + gigabytes(*available) +
                        " available: a GPU, more memory or a smaller model would help");
}

void check_host_takes_layers(std::optional<int64_t> available, int64_t layers, int64_t bytes) {
  if (!available || bytes <= *available) return;
  throw EngineError(ErrorCode::kOutOfMemory,
                    std::to_string(layers) + " layers that do not fit the device need " +
                        gigabytes(bytes) + " of the host's memory, found " + gigabytes(*available) +
                        " available: more memory, a shorter window-duration or a smaller model "
                        "would help");
}

}  // namespace vidi
