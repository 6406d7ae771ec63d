// The last analysed windows of all clients of a model, as they are encoded, for questions that come
// later: without what they were made of, pixels, samples and features. They have memory that nobody
// else wants: the oldest goes first. Those that the gate was closed for are not encoded: they keep
// pixels and samples, have no memory of the device to give, and are encoded when they are asked
// about. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "gst/worker/analysis.h"

namespace vidi {

class KeptWindows {
 public:
  using Owner = const void*;
  // How many of an owner are kept at most; his oldest go. His windows come by their start.
  void set_bound(Owner owner, size_t n);
  void add(Owner owner, const Analysis& analysis);
  std::vector<Analysis> overlapping(Owner owner, Time start, Time stop) const;
  // How far his windows reach from `start` without a hole; `start`: none has it.
  Time covered_until(Owner owner, Time start) const;
  // Whether a window of that time was kept, and has given its memory to another.
  bool gave_way(Owner owner, Time start, Time stop) const;
  void forget(Owner owner);
  void forget_before(Owner owner, Time start);  // those that begin before it
  void remove(Owner owner);                     // he has gone
  // For memory; false when there is none. What another still reads is freed with him.
  bool drop_oldest();
  bool drop_all();

 private:
  struct Kept {
    Owner owner;
    Analysis analysis;
  };
  struct Limits {
    size_t bound = 1;
    std::deque<std::pair<Time, Time>> gave_way;  // start and stop of some of the last
  };
  using Windows = std::list<Kept>;
  Windows take_beyond_bound(Owner owner);
  void note_that_it_gave_way(const Kept& kept);

  mutable std::mutex mutex_;
  Windows windows_;  // of all owners, the oldest first
  std::map<Owner, Limits> owners_;
};

}  // namespace vidi
