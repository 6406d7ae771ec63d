// The safetensors container: header checked, then used. Torch-free, so that it is fuzzed without
// torch.
//
// File layout: 8 bytes little-endian header length, JSON header, data. Every file is untrusted:
// length, JSON, dtype, shape, offsets, overlap and file size are checked before anything is
// allocated from them. Format: https://huggingface.co/docs/safetensors
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vidi {

enum class Dtype { kF32, kF16, kBF16, kF64, kU8, kI8, kI16, kI32, kI64, kBool };

size_t dtype_size(Dtype dtype);       // bytes of one value
const char* dtype_name(Dtype dtype);  // as the format spells it: "F32", "BF16", ...
std::string shape_text(const std::vector<int64_t>& shape);  // "[3584, 1280, 5]"

// Where one tensor lies. `begin` and `end` are absolute byte offsets in the file.
struct TensorEntry {
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;
  int64_t numel() const;
};

// Of a file, and of all files of a checkpoint together: a header is work and memory before anything
// of it is known to be of use. The published checkpoints have 0.2 MB; the format allows 100 MB a
// file.
constexpr uint64_t kMaxHeaderBytes = 16'000'000;

struct SafetensorsHeader {
  uint64_t bytes = 0;
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
};

// Parses the header of a file whose first bytes are `head` (at least 8 + header length of them, or
// the whole file when that is shorter) and whose size is `file_size`. `path` only serves the
// messages. Throws EngineError (kDamaged; kUnsupported for a dtype not listed above).
SafetensorsHeader parse_safetensors_header(std::string_view head, uint64_t file_size,
                                           const std::string& path);

// Opens `path`, reads its header. Throws EngineError (kNotFound, kUnreadable, and the above).
SafetensorsHeader read_safetensors_header(const std::string& path);

// Reads bytes [begin, begin + size) of `path` into `out`. Throws EngineError (kUnreadable) when
// they are not all there.
void read_file_range(const std::string& path, uint64_t begin, void* out, size_t size);

// One tensor to write; `data` holds numel * dtype_size bytes and outlives the call.
struct TensorToWrite {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
  const void* data = nullptr;
  int64_t numel() const;
};

// Writes a file that the format's own reader accepts (data 8-byte aligned). Throws EngineError
// (kUnreadable) with the system's reason, a full disk among them.
void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata);

// All tensors of a checkpoint folder, over its shards. Uses model.safetensors.index.json when there
// is one, else the single model.safetensors (or, without either, the only *.safetensors file).
struct CheckpointFiles {
  struct Place {
    int shard = 0;  // index into `shards`
    TensorEntry entry;
  };
  std::vector<std::string> shards;  // full paths
  std::map<std::string, Place> tensors;
  const Place* find(const std::string& name) const;
};

// Throws EngineError: no folder, no shards, an index that names a missing shard or a tensor that
// its shard lacks, a Git LFS pointer instead of a shard, and everything read_safetensors_header
// throws.
CheckpointFiles open_checkpoint_files(const std::string& folder);

}  // namespace vidi
