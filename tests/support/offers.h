// What clients of a model may offer it.
#pragma once

#include "gst/worker/schedule.h"

namespace vidi {

using namespace std::chrono_literals;
using Kind = Schedule::Kind;

inline Moment at(Time t) { return Moment(std::chrono::duration_cast<Moment::duration>(t)); }

inline Offer window_until(Time deadline) {
  Offer offer;
  offer.has_window = true;
  offer.deadline = at(deadline);
  offer.patience = 10s;
  return offer;
}

inline Offer file_window() {
  Offer offer;
  offer.has_window = true;
  return offer;
}

inline Offer question() {
  Offer offer;
  offer.asks = true;
  return offer;
}

inline Offer ahead() {
  Offer offer;
  offer.looks_ahead = true;
  return offer;
}

}  // namespace vidi
