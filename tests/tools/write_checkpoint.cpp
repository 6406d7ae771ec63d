// write-checkpoint: a folder of the published layout with random weights, to try loading at full
// size.
//
//   write-checkpoint --geometry vidi1.5-9b|vidi-7b|tiny --out FOLDER [--seed N] [--tokenizer
//   tokenizer.model]
//
// The same seed gives the same bytes. Values are made block by block on several threads and written
// as they come: memory stays below 100 MB whatever the size.
#include <getopt.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "model/checkpoint/safetensors_writer.h"
#include "model/result.h"
#include "tests/tools/geometry.h"

namespace vidi {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kShardBytes = 5'000'000'000;  // as Hugging Face splits
constexpr size_t kBlockValues = 2 << 20;         // 4 MiB of bfloat16 on each thread
constexpr double kDeviation = 0.02;

struct Options {
  std::string geometry, out, tokenizer;
  uint64_t seed = 1;
};

uint16_t to_bf16(double value) {
  return static_cast<uint16_t>((std::bit_cast<uint32_t>(static_cast<float>(value)) + 0x8000) >> 16);
}

// Values of a normal distribution as 65536 equally likely bfloat16 values: a draw is 16 random bits
// and a look-up.
std::vector<uint16_t> normal_table(double centre) {
  std::vector<uint16_t> table(1 << 16);
  double z = -5, step = 1e-4;
  double below = 0;  // share of the values below z
  size_t filled = 0;
  for (; filled < table.size(); z += step) {
    below += std::exp(-z * z / 2) / std::sqrt(2 * M_PI) * step;
    while (filled < table.size() && (below * 65536 > static_cast<double>(filled) + 0.5 || z > 5)) {
      table[filled++] = to_bf16(centre + kDeviation * z);
    }
  }
  return table;
}

// splitmix64: any two seeds give unrelated streams.
uint64_t next_random(uint64_t& state) {
  uint64_t x = state += 0x9E3779B97F4A7C15;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

void fill_block(std::vector<uint16_t>& block, const std::vector<uint16_t>& table, uint64_t seed) {
  uint64_t state = seed, bits = 0;
  for (size_t i = 0; i < block.size(); ++i, bits >>= 16) {
    if (i % 4 == 0) bits = next_random(state);
    block[i] = table[bits & 0xFFFF];
  }
}

// Writes one tensor, a block for each thread at a time.
void write_tensor(SafetensorsWriter& writer, int64_t numel, const std::vector<uint16_t>& table,
                  uint64_t& seed) {
  const size_t n_threads = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  std::vector<std::vector<uint16_t>> blocks(n_threads);
  for (size_t left = static_cast<size_t>(numel); left > 0;) {
    std::vector<std::jthread> threads;
    size_t used = 0;
    for (; used < n_threads && left > 0; ++used) {
      blocks[used].resize(std::min(left, kBlockValues));
      left -= blocks[used].size();
      const uint64_t block_seed = next_random(seed);
      threads.emplace_back(
          [&block = blocks[used], &table, block_seed] { fill_block(block, table, block_seed); });
    }
    threads.clear();  // joins
    for (size_t i = 0; i < used; ++i) writer.append(blocks[i].data(), blocks[i].size() * 2);
  }
}

void write_text(const fs::path& path, const std::string& text) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                             &std::fclose);
  if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    throw EngineError(ErrorCode::kUnreadable,
                      "cannot write '" + path.string() + "': " + std::strerror(errno));
  }
}

// In the order of the list, a new shard where the next tensor would not fit.
std::vector<std::vector<TensorToWrite>> split_into_shards(const CheckpointGeometry& geometry) {
  std::vector<std::vector<TensorToWrite>> shards(1);
  uint64_t bytes = 0;
  for (const NamedShape& tensor : geometry.tensors) {
    const TensorToWrite next = {tensor.name, Dtype::kBF16, tensor.shape, nullptr};
    const uint64_t size = static_cast<uint64_t>(next.numel()) * 2;
    if (bytes + size > kShardBytes && !shards.back().empty()) {
      shards.emplace_back();
      bytes = 0;
    }
    bytes += size;
    shards.back().push_back(next);
  }
  return shards;
}

std::string shard_name(size_t i, size_t n) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, n);
  return name;
}

bool is_around_one(const CheckpointGeometry& geometry, const TensorToWrite& tensor) {
  const bool norm = tensor.shape.size() == 1 && tensor.name.ends_with(".weight");
  const bool decoder =
      tensor.name.starts_with("model.layers.") || tensor.name == "model.norm.weight";
  return norm && !(decoder && geometry.decoder_norms_add_one);
}

void write_shards(const CheckpointGeometry& geometry, const Options& options) {
  const auto shards = split_into_shards(geometry);
  const std::vector<uint16_t> around_zero = normal_table(0), around_one = normal_table(1);
  nlohmann::ordered_json map = nlohmann::ordered_json::object();
  uint64_t total = 0, seed = options.seed;
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shard_name(i, shards.size());
    std::fprintf(stderr, "writing %s\n", name.c_str());
    SafetensorsWriter writer((fs::path(options.out) / name).string(), shards[i],
                             {{"format", "pt"}});
    for (const TensorToWrite& tensor : writer.order()) {
      write_tensor(writer, tensor.numel(),
                   is_around_one(geometry, tensor) ? around_one : around_zero, seed);
      map.push_back({tensor.name, name});
      total += static_cast<uint64_t>(tensor.numel()) * 2;
    }
    writer.finish();
    std::fprintf(stderr, "%.1f GB written\n", static_cast<double>(total) / 1e9);
  }
  const nlohmann::ordered_json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  write_text(fs::path(options.out) / "model.safetensors.index.json", index.dump(2));
}

void write_checkpoint(const Options& options) {
  const CheckpointGeometry geometry = checkpoint_geometry(options.geometry);
  config_of(geometry);  // what is written can be read
  const fs::path out = options.out;
  fs::create_directories(out);
  write_text(out / "config.json", geometry.config);
  write_text(out / "tokenizer_config.json", geometry.tokenizer_config);
  for (const auto& [name, text] : {std::pair(geometry.vision_name, geometry.vision_tower),
                                   std::pair(geometry.audio_name, geometry.audio_tower)}) {
    if (text.empty()) continue;
    fs::create_directories(out / name);
    write_text(out / name / "config.json", text);
  }
  if (!options.tokenizer.empty()) {
    fs::copy_file(options.tokenizer, out / "tokenizer.model", fs::copy_options::overwrite_existing);
  }
  write_shards(geometry, options);
  if (options.tokenizer.empty())
    std::fputs(
        "no tokenizer.model: it loads for benchmarks; to be asked it needs --tokenizer FILE\n",
        stderr);
}

bool parse_options(int argc, char** argv, Options& options) {
  const option names[] = {{"geometry", required_argument, nullptr, 'g'},
                          {"out", required_argument, nullptr, 'o'},
                          {"seed", required_argument, nullptr, 's'},
                          {"tokenizer", required_argument, nullptr, 't'},
                          {nullptr, 0, nullptr, 0}};
  for (int c; (c = getopt_long(argc, argv, "", names, nullptr)) != -1;) {
    const std::string value = optarg ? optarg : "";
    const char* end = value.data() + value.size();
    if (c == '?') return false;
    if (c == 'g') options.geometry = value;
    if (c == 'o') options.out = value;
    if (c == 't') options.tokenizer = value;
    if (c == 's' && std::from_chars(value.data(), end, options.seed).ptr != end) return false;
  }
  return optind == argc && !options.geometry.empty() && !options.out.empty();
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  vidi::Options options;
  if (!vidi::parse_options(argc, argv, options)) {
    std::fputs(
        "usage: write-checkpoint --geometry vidi1.5-9b|vidi-7b|tiny --out FOLDER [--seed N] "
        "[--tokenizer FILE]\n",
        stderr);
    return 2;
  }
  try {
    vidi::write_checkpoint(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write-checkpoint: %s\n", error.what());
    return 1;
  }
  return 0;
}
