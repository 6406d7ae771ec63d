#include "gst/filter/model_status.h"

#include "gst/results/structures.h"

namespace vidi {

void ModelStatus::set(ModelState state) {
  if (state_.exchange(state) != state) g_object_notify(G_OBJECT(element_), "model-state");
}

void ModelStatus::send(const ModelInfo* info, const char* error, int64_t device_bytes) {
  const ModelPlace place = settings_.now()->model_place();
  GstStructure* structure =
      model_structure(state_, delivery_.session_id(), place.folder, info, device_bytes, error);
  gst_structure_set(structure, VIDI_FIELD_MODEL_FROM, G_TYPE_STRING, place.from.c_str(),
                    VIDI_FIELD_HAS_AUDIO, G_TYPE_BOOLEAN, gboolean{hears()}, nullptr);
  delivery_.send(structure, nullptr);
}

// Hosts that pass pictures alone never ask for the pad.
bool ModelStatus::hears() const {
  GstPad* pad = gst_element_get_static_pad(element_, VIDI_PAD_AUDIO_SINK);
  const bool is_linked = pad && gst_pad_is_linked(pad);
  gst_clear_object(&pad);
  return is_linked;
}

void ModelStatus::post_error(const Error& error) {
  const bool fatal = settings_.now()->error_policy == ErrorPolicy::kFail;
  if (fatal) is_fatal_ = true;
  notices_.post_error(error, fatal);
}

}  // namespace vidi
