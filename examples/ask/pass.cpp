#include "examples/ask/pass.h"

#include <numeric>

namespace {

double seconds_in(const GstStructure* structure, const char* field) {
  guint64 ns = 0;
  gst_structure_get_uint64(structure, field, &ns);
  return static_cast<double>(ns) / GST_SECOND;
}

std::string text_in(const GstStructure* structure, const char* field) {
  const gchar* text = gst_structure_get_string(structure, field);
  return text ? text : "";
}

std::vector<std::string> texts_in(const GstStructure* structure, const char* field) {
  std::vector<std::string> texts;
  const GValue* list = gst_structure_get_value(structure, field);
  if (!list || !GST_VALUE_HOLDS_ARRAY(list)) return texts;
  for (guint i = 0; i < gst_value_array_get_size(list); ++i) {
    const GValue* item = gst_value_array_get_value(list, i);
    const gchar* text = G_VALUE_HOLDS_STRING(item) ? g_value_get_string(item) : nullptr;
    texts.emplace_back(text ? text : "");
  }
  return texts;
}

}  // namespace

std::string Mode::name() const {
  std::string name = precision;
  if (weights != "native") name += ", " + weights + " weights";
  if (keys != "native") name += ", " + keys + " keys";
  return name;
}

double Pass::inference_s() const {
  return std::accumulate(
      windows.begin(), windows.end(), 0.0,
      [](double sum, const WindowAnswers& window) { return sum + window.inference_s; });
}

Mode mode_of(const GstStructure* model) {
  Mode mode{text_in(model, "device"), text_in(model, "precision"), text_in(model, "weights"),
            text_in(model, "keys"), seconds_in(model, "load-time")};
  guint64 weight_bytes = 0, device_bytes = 0;
  gst_structure_get_uint64(model, "weight-bytes", &weight_bytes);
  gst_structure_get_uint64(model, "device-memory", &device_bytes);
  mode.weight_bytes = weight_bytes, mode.device_bytes = device_bytes;
  return mode;
}

WindowAnswers answers_of(const GstStructure* window) {
  WindowAnswers answers;
  guint64 index = 0;
  gst_structure_get_uint64(window, "window-index", &index);
  gst_structure_get_uint64(window, "window-start", &answers.start);
  gst_structure_get_uint64(window, "window-stop", &answers.stop);
  answers.index = index;
  answers.inference_s = seconds_in(window, "inference-time");
  answers.queries = texts_in(window, "queries");
  answers.ids = texts_in(window, "query-ids");
  answers.texts = texts_in(window, "texts");
  return answers;
}
