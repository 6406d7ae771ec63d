// A window through the engine: see, hear, encode. Runs on the model's worker thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gst/windows/analysis_window.h"
#include "model/result.h"
#include "model/session.h"

namespace vidi {

// What the gate (gate.h) made of a window.
struct GateReading {
  bool is_open = true;  // the window is to be analysed
  // Of that of its new pictures that is least like the last analysed window's end; nothing: none
  // was compared.
  std::optional<double> similarity;
};

// What the model made of a window.
struct Analysis {
  std::shared_ptr<const AnalysisWindow> window;
  std::vector<Answer> answers;  // one per question of the plan
  // Likewise: why the model refuses the question (reserved text, too many tokens); "": it does not.
  std::vector<std::string> refusals;
  std::shared_ptr<const Encoded> encoded;  // null: the gate was closed for it
  std::optional<GateReading> gate;         // nothing: there is none
  Time inference_time{};
  bool in_small_steps = false;  // the device ran out of memory once, smaller steps went through
};

// The window seen, heard and encoded, its questions still to be asked (answering.h). Features that
// a frame or sound chunk already has are used again, and let go of when no other window needs them;
// what was let go of when the window has to be tried again is made again. When the device runs out
// of memory, `forget_windows` may free others (true when there were any), and the window is tried
// again; after that its features and the engine's caches are freed and everything is tried once
// more in the smallest steps. kOverLimit is final: nothing that is freed would do. Features belong
// to the Session that made them: when a model was loaded again, the caller drops the frames and
// chunks of the one before.
Result<Analysis> encode_window(Session& session, std::shared_ptr<const AnalysisWindow> window,
                               const std::function<bool()>& forget_windows = {});

using SharedPictures = std::vector<std::shared_ptr<const SampledFrame>>;

// Looks at pictures before their window is complete, so many in a call; those that have been looked
// at are left out. A failure costs nothing but time: the window's own analysis tries again, and
// tells.
void look_ahead(Session& session, const SharedPictures& pictures, const Cancel& cancel,
                size_t at_once = kPicturesAtOnce);

// The same for a stretch of sound.
void hear_ahead(Session& session, const SoundChunk& sound, const Cancel& cancel);

// An encoded window with other questions and a cancel of their own, to be asked.
Analysis with_questions(const Analysis& before, std::shared_ptr<const AskPlan> plan,
                        std::shared_ptr<Cancel> cancel);

// The questions of `plan` as the engine takes them.
std::vector<Query> queries_of(const AskPlan& plan);

}  // namespace vidi
