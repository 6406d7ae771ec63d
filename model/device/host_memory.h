// What memory the host has left for a model on the CPU: without a look at it the kernel ends the
// application that loads too large a one. Torch-free.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vidi {

// Bytes that this process can still take: the least of MemAvailable (`meminfo`: /proc/meminfo) and
// of what the limits of its control groups leave (`groups`: /proc/self/cgroup, under `mount`, up to
// the root). Empty where none of these says it.
std::optional<int64_t> available_memory(const std::string& meminfo, const std::string& groups,
                                        const std::string& mount);
std::optional<int64_t> available_memory();  // of this process

// Throws kOutOfMemory: a model of this size cannot be loaded on the CPU. `why_no_gpu`: of
// choose_device(), "" where the CPU was asked for.
void check_host_has_room(std::optional<int64_t> available, int64_t needed,
                         const std::string& why_no_gpu);

// Throws kOutOfMemory: so many layers that do not fit the device do not fit the host either.
void check_host_takes_layers(std::optional<int64_t> available, int64_t layers, int64_t bytes);

}  // namespace vidi
