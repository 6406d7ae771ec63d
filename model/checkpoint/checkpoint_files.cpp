// A checkpoint folder's shards and index, seen as one table of tensors.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/interruption.h"
#include "model/checkpoint/input_file.h"
#include "model/checkpoint/safetensors.h"
#include "model/result.h"

namespace vidi {
namespace {

constexpr uint64_t kMaxIndexBytes = 16 << 20;
constexpr const char* kIndexName = "model.safetensors.index.json";

using ShardOfTensor = std::map<std::string, std::string>;

// A shard lies in the folder itself; a name that leads elsewhere would read files nobody pointed us
// to.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

ShardOfTensor read_index(const std::string& text, const std::string& path) {
  const nlohmann::json index = parse_json_object(text, path);
  const auto map = index.find("weight_map");
  if (map == index.end() || !map->is_object() || map->empty()) {
    throw_damaged(path, "must hold an object 'weight_map' from tensor names to shard names");
  }
  ShardOfTensor shards;
  for (const auto& [name, shard] : map->items()) {
    if (!shard.is_string() || !is_plain_name(shard.get_ref<const std::string&>())) {
      throw_damaged(
          path, "must name a file of its own folder for tensor " + in_quotes(name) + ", found " +
                    in_quotes(shard.is_string() ? shard.get<std::string>() : shard.type_name()));
    }
    shards[name] = shard.get<std::string>();
  }
  return shards;
}

// A folder without an index: model.safetensors, or the only *.safetensors file there is.
std::string only_shard(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code reason;
  for (std::filesystem::directory_iterator entry(folder, reason), end; !reason && entry != end;
       entry.increment(reason)) {
    const std::string name = entry->path().filename().string();
    if (name == "model.safetensors") return name;
    if (name.ends_with(".safetensors")) found.push_back(name);
  }
  if (reason) {
    throw EngineError(ErrorCode::kUnreadable, "cannot look into the checkpoint folder " +
                                                  path_in_quotes(folder) + ": " + reason.message());
  }
  if (found.size() == 1) return found[0];
  throw EngineError(ErrorCode::kNotFound, "the checkpoint folder " + path_in_quotes(folder) +
                                              " holds neither " + kIndexName +
                                              " nor a single *.safetensors file: found " +
                                              std::to_string(found.size()) + " of them");
}

SafetensorsHeader read_shard(const std::string& folder, const std::string& name) {
  try {
    return read_safetensors_header(folder + "/" + name);
  } catch (const EngineError& error) {
    if (error.code() != ErrorCode::kNotFound) throw;
    throw EngineError(ErrorCode::kNotFound,
                      std::string(kIndexName) + " names the shard " + in_quotes(name) +
                          ", which is not in the checkpoint folder " + path_in_quotes(folder) +
                          ": is the download complete?");
  }
}

CheckpointFiles open_one(const std::string& folder) {
  const std::string name = only_shard(folder);
  CheckpointFiles files;
  files.shards.push_back(folder + "/" + name);
  for (auto& [tensor, entry] : read_safetensors_header(files.shards[0]).tensors) {
    files.tensors[tensor] = {0, entry};
  }
  return files;
}

[[noreturn]] void throw_too_much(const std::string& folder, size_t n_shards) {
  throw_damaged(folder, "is not a checkpoint of these models: expected headers of at most " +
                            std::to_string(kMaxHeaderBytes) +
                            " bytes in all its shards, found more in " + "the first " +
                            std::to_string(n_shards));
}

CheckpointFiles open_indexed(const std::string& folder, const ShardOfTensor& shard_of) {
  std::map<std::string, std::vector<std::string>> tensors_of;
  for (const auto& [tensor, shard] : shard_of) tensors_of[shard].push_back(tensor);
  CheckpointFiles files;
  uint64_t header_bytes = 0;
  for (const auto& [shard, tensors] : tensors_of) {
    interruption_point();
    const SafetensorsHeader header = read_shard(folder, shard);
    header_bytes += header.bytes;
    if (header_bytes > kMaxHeaderBytes) throw_too_much(folder, files.shards.size() + 1);
    const int number = static_cast<int>(files.shards.size());
    files.shards.push_back(folder + "/" + shard);
    for (const std::string& tensor : tensors) {
      const auto found = header.tensors.find(tensor);
      if (found == header.tensors.end()) {
        throw_damaged(files.shards.back(), "lacks the tensor " + in_quotes(tensor) + " that " +
                                               kIndexName + " expects in it");
      }
      files.tensors[tensor] = {number, found->second};
    }
  }
  return files;
}

}  // namespace

const CheckpointFiles::Place* CheckpointFiles::find(const std::string& name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

CheckpointFiles open_checkpoint_files(const std::string& folder) {
  require_folder(folder);
  const std::string path = folder + "/" + kIndexName;
  const std::optional<std::string> index = read_text_file(path, kMaxIndexBytes);
  return index ? open_indexed(folder, read_index(*index, path)) : open_one(folder);
}

}  // namespace vidi
