// Any bytes as a safetensors header: only EngineError may leave, and what is accepted lies inside
// the file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/checkpoint/safetensors.h"
#include "model/result.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  // Once as the whole file, once as the beginning of a larger one.
  for (const uint64_t file_size : {uint64_t{size}, uint64_t{size} + 64}) {
    try {
      const auto header = vidi::parse_safetensors_header(head, file_size, "fuzz");
      for (const auto& [name, entry] : header.tensors) {
        const uint64_t bytes = static_cast<uint64_t>(entry.numel()) * vidi::dtype_size(entry.dtype);
        if (entry.end > file_size || entry.end - entry.begin != bytes) std::abort();
      }
    } catch (const vidi::EngineError&) {
    }
  }
  return 0;
}
