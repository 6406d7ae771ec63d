// A window all the way, as the model's worker takes it: encoded, then asked until it is answered.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "gst/worker/analysis.h"
#include "gst/worker/answering.h"

namespace vidi::test {

inline Result<Analysis> answer(Session& session, Analysis encoded,
                               const std::function<bool()>& find_room = {}) {
  Answering answering;
  const auto cancel = encoded.window->cancel;
  answering.join(session, {}, std::move(encoded));
  while (!answering.empty()) {
    answering.pass(
        session, [&] { return find_room && find_room(); }, *cancel);
    answering.sweep([](ClientId) { return true; });
  }
  return std::move(answering.take_outcomes().at(0).analysis);
}

inline Result<Analysis> analyze(Session& session, std::shared_ptr<const AnalysisWindow> window,
                                const std::function<bool()>& find_room = {}) {
  auto encoded = encode_window(session, std::move(window), find_room);
  return encoded ? answer(session, std::move(*encoded), find_room) : std::move(encoded);
}

}  // namespace vidi::test
