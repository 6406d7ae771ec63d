// Decodes GOPs side by side, each on a thread and in a decoder of its own. Fourth step of
// vididecode. GOPs are handed out in the order in which they came, so the earliest is always in
// work or done.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "gst/decode/frame_plan.h"
#include "gst/decode/gop.h"
#include "gst/decode/inner_decoder.h"

namespace vidi {

struct GopJob {
  Gop gop;
  std::vector<PlannedFrame> frames;                 // all that it shows, in order
  size_t n_needed = 0;                              // of them
  std::vector<std::pair<Time, OwnedEvent>> events;  // each before the frame of this PTS, in order

  // The workers' until wait() has returned.
  std::vector<OwnedBuffer> pictures;  // of the needed frames, in order
  bool done = false, whole = true;    // whole: all pictures came, as they were expected
};

// What came between the frames that a GOP shows, by the PTS of the one behind.
std::vector<std::pair<Time, OwnedEvent>> events_of(const Gop& gop);

// The frames that have to be decoded for those that are needed, in order.
std::vector<CodedFrame> frames_to_decode(const GopJob& job);

class GopDecoders {
 public:
  using MakeDecoder = std::function<std::unique_ptr<InnerDecoder>()>;  // begun; null: cannot

  // Decoders are made as they are needed, up to `n_most`. Pictures that are not of `expected` caps
  // are no pictures.
  GopDecoders(int n_most, MakeDecoder make, const GstSegment& segment, GstCaps* expected);
  ~GopDecoders();  // what is in work is broken off
  GopDecoders(const GopDecoders&) = delete;
  GopDecoders& operator=(const GopDecoders&) = delete;

  int n_most() const { return n_most_; }
  void submit(std::shared_ptr<GopJob> job);
  bool wait(const GopJob& job);  // false when interrupted
  void interrupt();              // every wait returns, at once and from now on

 private:
  void run();
  std::shared_ptr<GopJob> next();
  void decode(InnerDecoder& decoder, GopJob& job);

  const int n_most_;
  const MakeDecoder make_;
  const GstSegment segment_;
  GstCaps* const expected_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<GopJob>> jobs_;
  int n_idle_ = 0;
  bool interrupted_ = false;
};

}  // namespace vidi
