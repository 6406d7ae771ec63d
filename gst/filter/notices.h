// What the element says on the bus of its own accord: warnings, errors, progress, QOS. What the
// model found is Delivery's.
//
// Any thread, and never with a lock held: whoever hears a message may call back. Only the set of
// refused questions has a lock, which is given back before anything is said.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "gst/windows/analysis_window.h"
#include "gst/worker/counters.h"
#include "model/result.h"

namespace vidi {

class Notices {
 public:
  // Said once for each READY->PAUSED.
  enum Said {
    kSaidNoPts,
    kSaidTrickMode,
    kSaidAudio,
    kSaidPicture,
    kSaidSoundStopped,
    kSaidOnePicture,
    kSaidCaps,
    kNSaid
  };

  explicit Notices(GstElement* element) : element_(element) {}
  void start();  // READY->PAUSED: all may be said again

  void warn(const std::string& text, GstStructure* details = nullptr) const;  // takes them
  void warn_once(Said which, const std::string& text);
  // A question gets no answer. Without an id: it was not even given one.
  void warn_of_refusal(const std::string& text, const std::string& query_id = "",
                       const std::string& query = "") const;
  // The model refuses a question of the windows: once for each of a run, not with every window.
  void warn_of_question(const Question& question, const std::string& why);
  // Now and then, not with every window.
  void warn_of_drops(DropReason reason, const std::string& error, const Counters& counters);
  void post_error(const Error& error, bool fatal) const;  // not fatal: a warning
  void refuse_caps_once(const std::string& text);         // an error: nothing can come

  void post_progress(GstProgressType type, const std::string& text, int percent = -1) const;
  void post_loaded(double fraction);  // of the model; once for each percent
  void post_qos(const AnalysisWindow& window, const Counters& counters) const;

 private:
  GstElement* const element_;
  std::atomic<bool> said_[kNSaid] = {};
  std::atomic<gint64> last_drop_warning_{0};
  std::atomic<int> last_percent_{-1};
  std::mutex refused_mutex_;
  std::set<std::string> refused_;  // questions of this run that were said to be refused
};

}  // namespace vidi
