// Whether a complete window is worth the decoder's time and its questions: where nothing in it
// differs from what the last analysed window ended with, and nothing sounds, it means "as before".
//
// A picture is compared by the engine's features of it (Session::similarities) with the last one of
// the last analysed window, never with the one before it: so a slow change adds up. What windows in
// between had was compared with the same one. A window is compared only when it follows without a
// hole; else, as the first one, it is analysed.
//
// Thread-safe; what takes a Session is called by the model's worker only.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "gst/windows/analysis_window.h"
#include "gst/worker/analysis.h"
#include "gst/worker/sound_level.h"
#include "model/session.h"

namespace vidi {

struct GateSettings {
  bool is_on = false;
  double least_similarity = 1;  // of a picture in which nothing has changed
};

class Gate {
 public:
  void set(const GateSettings& settings);  // for the windows that are judged from now on
  bool is_on() const;
  void forget();  // flush, end, a failure: the next window is analysed

  // Looks at those of the window's pictures that are new and were not looked at. `plan`: what is to
  // be asked about it.
  GateReading judge(Session& session, const AnalysisWindow& window, const AskPlan& plan);
  void pass_by(const AnalysisWindow& window);  // that it is closed for
  // Encoded, or about to be asked.
  void analysed(const Session& session, const AnalysisWindow& window);

  // Whether it is known already that the window will be analysed, by the pictures that it has.
  bool opens(Session& session, const OpenWindow& window);
  // What is looked at now may be of windows that are never analysed.
  bool is_closed() const;

 private:
  struct Reference {                               // the last analysed window
    std::shared_ptr<const FrameFeatures> picture;  // its last
    std::shared_ptr<const AskPlan> plan;
    LeftSound sound;
    uint64_t epoch = 0;
    Time first_frame{};  // of its grid
    // As far as windows were analysed or passed by: the pictures, the sound, the next one's start.
    Time seen_until{}, heard_until{}, next_start = kForever;
  };
  struct Ahead {  // the window that fills
    uint64_t index = 0, epoch = 0;
    Time seen_until = Time::min();
    bool is_open = false;
    std::optional<double> similarity;  // of what was looked at last
  };
  using Pictures = std::vector<std::shared_ptr<const SampledFrame>>;

  std::optional<double> opened_ahead(const AnalysisWindow& window) const;
  static bool follows(const AnalysisWindow& window, const Reference& last);
  std::pair<GateSettings, std::optional<Reference>> now() const;
  void remember(const Ahead& ahead);

  mutable std::mutex mutex_;
  GateSettings settings_;
  std::optional<Reference> reference_;
  Ahead ahead_;
};

}  // namespace vidi
