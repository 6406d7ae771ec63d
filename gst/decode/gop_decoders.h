// Decodes ranges side by side, each on a thread and in a decoder of its own. Fourth step of
// vididecode. Ranges are handed out in the order in which they came, so the earliest is always in
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

struct RangeJob {
  CodedRange range;
  std::vector<PlannedFrame> frames;                 // all that it shows, in order
  size_t n_needed = 0;                              // of them
  std::vector<std::pair<Time, OwnedEvent>> events;  // each before the frame of this PTS, in order

  // The workers' until wait() has returned.
  std::vector<OwnedBuffer> pictures;  // of the needed frames, in order
  bool done = false, whole = true;    // whole: all pictures came, as they were expected
};

// What came between the frames that a range shows, by the PTS of the one behind.
std::vector<std::pair<Time, OwnedEvent>> events_of(const CodedRange& range);

// The frames that have to be decoded for those that are needed, in order.
std::vector<CodedFrame> frames_to_decode(const RangeJob& job);

class RangeWorkers {
 public:
  using MakeDecoder = std::function<std::unique_ptr<InnerDecoder>()>;  // begun; null: cannot

  // Decoders are made as they are needed, up to `n_most`. Pictures that are not of `expected` caps
  // are no pictures.
  RangeWorkers(int n_most, MakeDecoder make, const GstSegment& segment, GstCaps* expected);
  ~RangeWorkers();  // what is in work is broken off
  RangeWorkers(const RangeWorkers&) = delete;
  RangeWorkers& operator=(const RangeWorkers&) = delete;

  int n_most() const { return n_most_; }
  void submit(std::shared_ptr<RangeJob> job);
  bool wait(const RangeJob& job);  // false when interrupted
  void interrupt();                // every wait returns, at once and from now on

 private:
  void run();
  std::shared_ptr<RangeJob> next();
  void decode(InnerDecoder& decoder, RangeJob& job);

  const int n_most_;
  const MakeDecoder make_;
  const GstSegment segment_;
  GstCaps* const expected_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<RangeJob>> jobs_;
  int n_idle_ = 0;
  bool interrupted_ = false;
};

}  // namespace vidi
