// Cuts a compressed stream at the frames where decoding may begin. Second step of vididecode. One
// thread at a time.
//
//   coded:  K0 p p p K1 b b p p K2 ...      b: shown before K1 ("leading"), needs what is before it
//   GOPs:   [K0 p p p + K1 b b] [K1 p p + ...]
//
// Every GOP can be decoded by itself, and shows its own frames: those from its first frame's PTS
// on, below the next GOP's.
#pragma once

#include <optional>
#include <vector>

#include "gst/decode/coded_frame.h"

namespace vidi {

struct Gop {
  std::vector<CodedFrame> own;   // in order of decoding
  std::vector<CodedFrame> tail;  // the next GOP's first frame, not shown here, and its leading
                                 // frames, which are; empty when it has none
};

class GopSplitter {
 public:
  // Takes the next frame, in order of decoding; what it makes complete comes back. False: the
  // stream is none that can be cut (no PTS, no frame to begin with, too far from one such frame to
  // the next); `frame` is in rest() all the same.
  bool add(CodedFrame frame, std::vector<Gop>& complete);
  // The end of the stream: what is left as GOPs.
  std::vector<Gop> finish();
  // Every frame that is in no complete GOP and is not shown by one, in order of decoding.
  std::vector<CodedFrame> take_rest();
  std::vector<CodedFrame> rest() const;  // the same, left where it is
  bool empty() const { return own_.empty(); }

 private:
  void take(CodedFrame frame, std::vector<Gop>& complete);
  void complete_with_next(std::vector<Gop>& complete);

  std::vector<CodedFrame> own_;
  std::vector<CodedFrame> next_;  // the next GOP's first frame, while leading ones may follow
  size_t n_bytes_ = 0;            // of own_
};

// The frames of GOPs that follow each other and of what comes behind them, in order of decoding.
// What is shown before the first GOP's first frame is left out.
std::vector<CodedFrame> joined(const std::vector<const Gop*>& gops, std::vector<CodedFrame> rest);

}  // namespace vidi
