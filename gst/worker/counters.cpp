#include "gst/worker/counters.h"

#include <algorithm>
#include <numeric>

namespace vidi {

uint64_t Counters::windows_dropped() const {
  return std::accumulate(dropped.begin(), dropped.end(), uint64_t{0});
}

void Counters::count_drops(size_t n, DropReason reason) {
  dropped[static_cast<size_t>(reason)] += n;
}

void Counters::count_completed(Time inference, Time delay) {
  ++windows_completed;
  inference_last = inference;
  inference_sum += inference;
  inference_max = std::max(inference_max, inference);
  delay_last = delay;
  delay_sum += delay;
  delay_max = std::max(delay_max, delay);
}

}  // namespace vidi
