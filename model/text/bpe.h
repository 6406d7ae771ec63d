// Byte pair encoding over a fixed set of pieces. Torch-free, no state: const methods may run on
// several threads.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vidi {

class Bpe {
 public:
  // A piece that text can be joined to.
  void add_piece(std::string text, float score, int id);
  // The piece that stands for one byte of a character without a piece of its own.
  void set_byte_piece(unsigned char byte, int id) { byte_ids_[byte] = id; }

  // Appends the ids of `text` (valid UTF-8): from single characters, joins the adjacent pair whose
  // joint piece has the highest score, leftmost on a tie, until no pair has one. O(n log n).
  void encode(std::string_view text, std::vector<int>& ids) const;

 private:
  struct Piece {
    float score;
    int id;
  };
  // Lets find() take a view without a copy.
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  class Merger;

  const Piece* find(std::string_view text) const;

  std::unordered_map<std::string, Piece, Hash, std::equal_to<>> pieces_;
  std::array<int, 256> byte_ids_{};
  size_t longest_ = 0;  // bytes of the longest piece
};

}  // namespace vidi
