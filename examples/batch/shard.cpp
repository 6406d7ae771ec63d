#include "examples/batch/shard.h"

#include <charconv>

#include "examples/batch/batch_key.h"

namespace {

constexpr uint64_t kMostShards = 1'000'000;

std::optional<uint64_t> number_in(const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || last != end) return std::nullopt;
  return value;
}

}  // namespace

bool Shard::holds(const std::string& uri) const {
  constexpr size_t kDigits = 15;  // 60 bits
  const uint64_t hash = std::stoull(sha256(uri).substr(0, kDigits), nullptr, 16);
  return hash % count == index;
}

std::optional<Shard> parse_shard(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto index = number_in(text.substr(0, slash)), count = number_in(text.substr(slash + 1));
  if (!index || !count || *count > kMostShards || *index >= *count) return std::nullopt;
  return Shard{*index, *count};
}
