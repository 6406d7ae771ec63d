#include "model/text/bpe.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "model/text/utf8.h"

namespace vidi {

// The symbols of one text, a list by index, and the pairs that may be joined, best first.
class Bpe::Merger {
 public:
  Merger(const Bpe& bpe, std::string_view text) : bpe_(bpe), text_(text) {
    for (size_t at = 0; at < text.size();) {
      const size_t length = std::max<size_t>(utf8_length(text, at), 1);
      const int index = static_cast<int>(symbols_.size());
      symbols_.push_back({at, length, index - 1, index + 1});
      at += length;
    }
    if (!symbols_.empty()) symbols_.back().next = -1;
  }

  void join_all() {
    for (int i = 0; i + 1 < static_cast<int>(symbols_.size()); ++i) offer(i, i + 1);
    while (!pairs_.empty()) {
      const Pair pair = pairs_.top();
      pairs_.pop();
      if (!is_stale(pair)) join(pair);
    }
  }

  void append_ids(std::vector<int>& ids) const {
    for (int i = symbols_.empty() ? -1 : 0; i >= 0; i = symbols_[i].next) {
      const std::string_view text = text_.substr(symbols_[i].begin, symbols_[i].length);
      if (const Piece* piece = bpe_.find(text)) {
        ids.push_back(piece->id);
        continue;
      }
      for (const char byte : text) ids.push_back(bpe_.byte_ids_[static_cast<unsigned char>(byte)]);
    }
  }

 private:
  struct Symbol {
    size_t begin, length;  // length 0: joined to the symbol on its left
    int previous, next;    // -1: none
  };
  struct Pair {
    float score;
    int left, right;
    size_t length;  // of both when offered
    bool operator<(const Pair& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  void offer(int left, int right) {
    if (left < 0 || right < 0) return;
    const size_t length = symbols_[left].length + symbols_[right].length;
    if (const Piece* piece = bpe_.find(text_.substr(symbols_[left].begin, length))) {
      pairs_.push({piece->score, left, right, length});
    }
  }

  // One of the two has been joined to something else since the pair was offered: symbols only grow
  // or vanish.
  bool is_stale(const Pair& pair) const {
    const size_t left = symbols_[pair.left].length, right = symbols_[pair.right].length;
    return left == 0 || right == 0 || left + right != pair.length;
  }

  void join(const Pair& pair) {
    Symbol& left = symbols_[pair.left];
    Symbol& right = symbols_[pair.right];
    left.length = pair.length;
    left.next = right.next;
    right.length = 0;
    if (left.next >= 0) symbols_[left.next].previous = pair.left;
    offer(left.previous, pair.left);
    offer(pair.left, left.next);
  }

  const Bpe& bpe_;
  std::string_view text_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Pair> pairs_;
};

void Bpe::add_piece(std::string text, float score, int id) {
  longest_ = std::max(longest_, text.size());
  pieces_.insert_or_assign(std::move(text), Piece{score, id});
}

void Bpe::encode(std::string_view text, std::vector<int>& ids) const {
  Merger merger(*this, text);
  merger.join_all();
  merger.append_ids(ids);
}

const Bpe::Piece* Bpe::find(std::string_view text) const {
  if (text.size() > longest_) return nullptr;
  const auto found = pieces_.find(text);
  return found == pieces_.end() ? nullptr : &found->second;
}

}  // namespace vidi
