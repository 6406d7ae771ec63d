// Whether the model is there, and whether the stream ends because of an error: said to the
// application as property, message and structure, and asked by the streaming threads before each
// buffer. Any thread, no lock.
#pragma once

#include <gst/gst.h>

#include <atomic>

#include "gst/filter/live_settings.h"
#include "gst/filter/notices.h"
#include "gst/results/delivery.h"
#include "gst/worker/model_state.h"

namespace vidi {

class ModelStatus {
 public:
  ModelStatus(GstElement* element, const LiveSettings& settings, const Notices& notices,
              Delivery& delivery)
      : element_(element), settings_(settings), notices_(notices), delivery_(delivery) {}

  ModelState state() const { return state_; }
  bool has_failed() const { return state_ == ModelState::kFailed; }
  bool is_fatal() const { return is_fatal_; }  // an error was posted: the stream ends
  void forget_error() { is_fatal_ = false; }

  void set(ModelState state);
  // `vidi/model`; either of `info` and `error` is null.
  void send(const ModelInfo* info, const char* error, int64_t device_bytes);
  // With error-policy=passthrough a broken model is a warning, and the stream goes on.
  void post_error(const Error& error);

 private:
  bool hears() const;  // whether audio_sink is linked now

  GstElement* const element_;
  const LiveSettings& settings_;
  const Notices& notices_;
  Delivery& delivery_;
  std::atomic<ModelState> state_{ModelState::kUnloaded};
  std::atomic<bool> is_fatal_{false};
};

}  // namespace vidi
