// What the model's client tells its element. All calls come with no lock held: from the model's
// thread, but for window_dropped(), which comes from whoever submits as well.
#pragma once

#include <string>

#include "gst/windows/analysis_window.h"
#include "gst/worker/analysis.h"
#include "gst/worker/counters.h"
#include "model/options.h"
#include "model/result.h"

namespace vidi {

inline constexpr int kFailuresUntilBroken = 3;  // windows in a row

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void model_progress(double fraction) = 0;  // 0..1, while loading
  virtual void model_ready(const ModelInfo& info) = 0;
  virtual void model_failed(const Error& error) = 0;
  virtual void model_unloaded(const Error* why) = 0;  // see WorkSource::on_unloaded
  virtual void model_loading() = 0;                   // anew
  // One of several devices is of no use, from the start or from now on; others are.
  virtual void device_left_out(const std::string& device, const Error& why) = 0;
  // The window is kept for questions by now, and counted.
  virtual void window_analysed(const Analysis& analysis) = 0;
  // Not analysed, since nothing in it differs from the last one that was: the gate was closed. It
  // is kept for questions by now, and counted.
  virtual void window_gated(const AnalysisWindow& window, const GateReading& reading) = 0;
  // `error`: what failed, or empty.
  virtual void window_dropped(const AnalysisWindow& window, DropReason reason,
                              const std::string& error) = 0;
  // `in_a_row` failures until now, this one included; of several devices on the one that has had
  // the fewest.
  virtual void window_failed(const AnalysisWindow& window, const Error& error, int in_a_row) = 0;
  // The model refuses a question of the windows; the others are answered.
  virtual void question_refused(const Question& question, const std::string& why) = 0;
  // What was asked about a window beside its own questions.
  virtual void request_answered(const Analysis& analysis) = 0;
  // The request with this id gets no answer.
  virtual void request_failed(const std::string& id, const std::string& why) = 0;
};

}  // namespace vidi
