#include "gst/filter/model_status.h"

#include "gst/results/structures.h"

namespace vidi {

void ModelStatus::set(ModelState state) {
  if (state_.exchange(state) != state) g_object_notify(G_OBJECT(element_), "model-state");
}

void ModelStatus::send(const ModelInfo* info, const char* error, int64_t device_bytes) {
  delivery_.send(model_structure(state_, delivery_.session_id(), settings_.now()->model_path, info,
                                 device_bytes, error),
                 nullptr);
}

void ModelStatus::post_error(const Error& error) {
  const bool fatal = settings_.now()->error_policy == ErrorPolicy::kFail;
  if (fatal) is_fatal_ = true;
  notices_.post_error(error, fatal);
}

}  // namespace vidi
