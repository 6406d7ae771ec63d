#include "gst/decode/gop.h"

#include <utility>

namespace vidi {
namespace {

// Beyond it, decoders side by side would hold more than they gain.
constexpr size_t kMostFrames = 1200;
constexpr size_t kMostBytes = size_t{64} << 20;

}  // namespace

bool GopSplitter::add(CodedFrame frame, std::vector<Gop>& complete) {
  n_bytes_ += gst_buffer_get_size(frame.buffer.get());
  const bool begins = !own_.empty() || frame.starts;
  const bool shown_in_time =
      own_.empty() || !next_.empty() || !frame.pts || !own_[0].pts || *frame.pts >= *own_[0].pts;
  const bool fits = own_.size() + next_.size() < kMostFrames && n_bytes_ < kMostBytes;
  const bool good = frame.pts && begins && shown_in_time && fits;
  if (good) {
    take(std::move(frame), complete);
  } else {
    (next_.empty() ? own_ : next_).push_back(std::move(frame));
  }
  return good;
}

void GopSplitter::take(CodedFrame frame, std::vector<Gop>& complete) {
  if (!next_.empty() && *frame.pts >= *next_[0].pts) complete_with_next(complete);
  if (!next_.empty() || own_.empty()) {
    (own_.empty() ? own_ : next_).push_back(std::move(frame));
  } else if (frame.starts) {
    next_.push_back(std::move(frame));
    if (next_[0].closed) complete_with_next(complete);
  } else {
    own_.push_back(std::move(frame));
  }
}

void GopSplitter::complete_with_next(std::vector<Gop>& complete) {
  Gop gop{std::exchange(own_, {}), {}};
  own_.push_back(next_[0]);
  if (next_.size() > 1) gop.tail = std::move(next_);
  next_.clear();
  n_bytes_ = gst_buffer_get_size(own_[0].buffer.get());
  complete.push_back(std::move(gop));
}

std::vector<Gop> GopSplitter::finish() {
  std::vector<Gop> complete;
  if (!next_.empty()) complete_with_next(complete);
  if (!own_.empty()) complete.push_back({std::exchange(own_, {}), {}});
  n_bytes_ = 0;
  return complete;
}

std::vector<CodedFrame> GopSplitter::rest() const {
  std::vector<CodedFrame> rest = own_;
  rest.insert(rest.end(), next_.begin(), next_.end());
  return rest;
}

std::vector<CodedFrame> GopSplitter::take_rest() {
  std::vector<CodedFrame> rest = this->rest();
  own_.clear(), next_.clear();
  n_bytes_ = 0;
  return rest;
}

std::vector<CodedFrame> joined(const std::vector<const Gop*>& gops, std::vector<CodedFrame> rest) {
  std::vector<CodedFrame> all;
  const Gop* before = nullptr;
  const auto append = [&](const std::vector<CodedFrame>& own) {
    for (size_t i = 0; i < own.size(); ++i) {
      all.push_back(own[i]);
      // The leading frames come right behind the first frame of the GOP that follows them.
      if (i == 0 && before && !before->tail.empty())
        all.insert(all.end(), before->tail.begin() + 1, before->tail.end());
    }
  };
  for (const Gop* gop : gops) {
    append(gop->own);
    before = gop;
  }
  append(rest);
  return all;
}

}  // namespace vidi
