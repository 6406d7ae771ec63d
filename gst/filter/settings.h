// The element's properties: one row each in settings.cpp. A copy is taken before work.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <vector>

#include "gst/filter/model_place.h"
#include "gst/windows/analysis_window.h"
#include "gst/windows/frame_sampler.h"
#include "gst/worker/gate.h"
#include "gst/worker/shared_model.h"
#include "gst/worker/window_queue.h"

namespace vidi {

enum class ModelLoad { kAsync, kSync };
enum class Task { kRetrieval, kHighlight };
enum class OverloadChoice { kAuto, kBlock, kDropOldest, kDropNewest };
enum class ErrorPolicy { kFail, kPassthrough };
enum class GateChoice { kNone, kMotion };

// Pictures a second.
struct FrameRate {
  int numerator = 0, denominator = 1;
  bool is_set() const { return numerator > 0; }
  Time interval() const;  // only when set
};

struct Settings {
  std::string model_path, device = "auto";
  Precision precision = Precision::kAuto;
  WeightFormat weights = WeightFormat::kAuto;
  KeyFormat keys = KeyFormat::kAuto;
  guint64 unload_after = 0;
  guint64 memory_limit = 0;  // bytes; 0: none
  bool split_windows = false;
  ModelLoad model_load = ModelLoad::kAsync;
  Task task = Task::kRetrieval;
  std::string query;
  std::vector<std::string> queries;
  std::string queries_file;
  std::vector<std::string> file_queries;  // read when queries-file was set
  std::string prompt_template;
  unsigned max_highlights = 3, max_new_tokens = 1024;
  FrameRate rate;  // not set: the checkpoint's own
  guint64 window_duration = 60 * GST_SECOND, window_stride = 30 * GST_SECOND;
  guint64 merge_gap = GST_SECOND;  // GST_CLOCK_TIME_NONE: never merge
  double min_confidence = 0;
  guint64 audio_wait = 2 * GST_SECOND;
  OverloadChoice overload_policy = OverloadChoice::kAuto;
  unsigned max_pending_windows = 2;
  guint64 max_delay = 0;      // from a live window's end to its deadline; 0: its stride
  unsigned keep_windows = 1;  // encoded windows kept for `ask`
  GateChoice gate = GateChoice::kNone;
  double gate_similarity = 0.9;
  ErrorPolicy error_policy = ErrorPolicy::kFail;
  bool passthrough = false, analytics_meta = false;
  // No property: what the checkpoint says of itself, read in READY->PAUSED.
  FrameRate checkpoint_rate{1, 1};

  FrameRate frame_rate() const { return rate.is_set() ? rate : checkpoint_rate; }
  SamplingShape shape() const;
  ModelKey model_key() const;
  ModelPlace model_place() const { return find_model(model_path); }
  OverloadPolicy policy(bool live) const;
  GateSettings gate_settings() const { return {gate == GateChoice::kMotion, gate_similarity}; }
  // What to ask a model; `has_highlight_prompt`: it brings its own sentence for highlights.
  std::shared_ptr<const AskPlan> plan(bool has_highlight_prompt) const;
};

// Ids of the properties that are not in Settings: read-only ones.
enum : guint { kPropStats = 1000, kPropModelState };

void install_properties(GObjectClass* object_class);  // all, read-only ones too
// Both return false for an id that is not theirs. The caller holds the settings' lock.
bool set_setting(Settings& settings, guint id, const GValue* value, std::string* error);
bool get_setting(const Settings& settings, guint id, GValue* value);

}  // namespace vidi
