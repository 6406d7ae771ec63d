// Features of a window's pictures and sound: made when they are needed, and let go of when no other
// window needs them. On the model's worker thread; what the engine refuses ends as EngineError.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "gst/windows/analysis_window.h"
#include "model/session.h"

namespace vidi {

// Out of a call with its value.
template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw EngineError(result.error().code, result.error().message);
  return std::move(*result);
}

using Pictures = std::vector<const SampledFrame*>;

// The window's pictures that this session is still to look at, each once, however often it shows
// them.
Pictures unseen(const Session& session, const AnalysisWindow& window);

// So many in a call.
void look_at(Session& session, const Pictures& pictures, const Cancel& cancel, size_t at_once);
void listen_to(Session& session, const AnalysisWindow& window);

// The window's pictures go through the decoder a piece at a time and are looked at as they come, so
// that the features of few of them exist at once; window.prepared has them then. What is no more
// than a piece is left to Session::encode(), and so is all of it where the engine says so.
void stream_pictures(Session& session, const AnalysisWindow& window);

// The window is encoded: of what this session made nothing is kept but what other windows need.
void let_go(const Session& session, const AnalysisWindow& window);
// Whoever needs it.
void drop_features(const Session& session, const AnalysisWindow& window);

}  // namespace vidi
