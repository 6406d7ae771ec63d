#include "gst/worker/counters.h"

#include <numeric>

namespace vidi {

uint64_t Counters::windows_dropped() const {
  return std::accumulate(dropped.begin(), dropped.end(), uint64_t{0});
}

}  // namespace vidi
