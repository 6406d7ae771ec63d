// From what the model said of a window to what leaves the element: hits are ranked, merged with
// those of the windows before, and sent as far as they are settled, then the window itself.
//
// Thread-safe. Nothing of a window from before the last flush is sent.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "gst/results/delivery.h"
#include "gst/results/highlights.h"
#include "gst/results/hit_merger.h"
#include "gst/results/present_hits.h"
#include "gst/worker/analysis.h"

namespace vidi {

class Reporter {
 public:
  Reporter(Delivery& delivery, PresentHits& present) : delivery_(delivery), present_(present) {}

  void flush(uint64_t epoch);  // forgets what is open; windows of another epoch are stale
  void report(const Analysis& analysis);
  void report_gated(const AnalysisWindow& window, const GateReading& reading);
  void report_answer(const Analysis& analysis);  // of `ask`: its hits stand alone
  void report_failure(const AnalysisWindow& window, const Error& error);
  void pass(const AnalysisWindow& window);  // it brought nothing: no later hit joins one of before
  void finish();  // no later window comes: what one might have extended is final

 private:
  struct Settled {
    size_t n_found = 0;
    std::vector<Hit> hits;  // to be sent now
  };
  std::optional<Settled> settle(const Analysis& analysis);
  void send(const std::vector<Hit>& hits);

  Delivery& delivery_;
  PresentHits& present_;
  std::mutex mutex_;
  uint64_t epoch_ = 0;
  HitMerger merger_;
  HighlightRanker ranker_;
};

}  // namespace vidi
