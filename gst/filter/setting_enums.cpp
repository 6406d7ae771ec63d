#include "gst/filter/setting_enums.h"

#include "gst/filter/settings.h"

namespace vidi {
namespace {

// Test program and plugin may both hold this file: whoever comes second takes the type that is
// there.
GType register_enum(const char* name, const GEnumValue* values) {
  if (const GType known = g_type_from_name(name)) return known;
  const GType type = g_enum_register_static(name, values);
  gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  return type;
}

template <class E>
constexpr GEnumValue value(E number, const char* meaning, const char* nick) {
  return {static_cast<gint>(number), meaning, nick};
}
constexpr GEnumValue kEndOfValues = {0, nullptr, nullptr};

}  // namespace

GType precision_type() {
  static const GEnumValue values[] = {value(Precision::kAuto, "fp16 on CUDA, fp32 on CPU", "auto"),
                                      value(Precision::kFp32, "32 bit float", "fp32"),
                                      value(Precision::kFp16, "16 bit float", "fp16"),
                                      value(Precision::kBf16, "16 bit brain float", "bf16"),
                                      kEndOfValues};
  static const GType type = register_enum("GstVidiFilterPrecision", values);
  return type;
}

GType weights_type() {
  static const GEnumValue values[] = {
      value(WeightFormat::kAuto, "native, if the memory has room for that", "auto"),
      value(WeightFormat::kNative, "As precision says", "native"),
      value(WeightFormat::kInt8, "8 bits, made while loading", "int8"), kEndOfValues};
  static const GType type = register_enum("GstVidiFilterWeights", values);
  return type;
}

GType keys_type() {
  static const GEnumValue values[] = {
      value(KeyFormat::kAuto, "native, if the memory has room for that", "auto"),
      value(KeyFormat::kNative, "As precision says", "native"),
      value(KeyFormat::kInt8, "8 bits, made while a window is encoded", "int8"), kEndOfValues};
  static const GType type = register_enum("GstVidiFilterKeys", values);
  return type;
}

GType model_load_type() {
  static const GEnumValue values[] = {
      value(ModelLoad::kAsync, "Load in the background, PROGRESS messages follow", "async"),
      value(ModelLoad::kSync, "Loaded when PAUSED is reached", "sync"), kEndOfValues};
  static const GType type = register_enum("GstVidiFilterModelLoad", values);
  return type;
}

GType task_type() {
  static const GEnumValue values[] = {
      value(Task::kRetrieval, "Answer the queries", "retrieval"),
      value(Task::kHighlight, "Find the moments worth keeping", "highlight"), kEndOfValues};
  static const GType type = register_enum("GstVidiFilterTask", values);
  return type;
}

GType overload_type() {
  static const GEnumValue values[] = {
      value(OverloadChoice::kAuto, "Drop the oldest if upstream is live, else block", "auto"),
      value(OverloadChoice::kBlock, "The video waits for the model", "block"),
      value(OverloadChoice::kDropOldest, "The oldest waiting window is dropped", "drop-oldest"),
      value(OverloadChoice::kDropNewest, "The new window is dropped", "drop-newest"), kEndOfValues};
  static const GType type = register_enum("GstVidiFilterOverloadPolicy", values);
  return type;
}

GType gate_type() {
  static const GEnumValue values[] = {
      value(GateChoice::kNone, "Every window is analysed", "none"),
      value(GateChoice::kMotion, "Only windows in which something moves, changes or sounds",
            "motion"),
      kEndOfValues};
  static const GType type = register_enum("GstVidiFilterGate", values);
  return type;
}

GType error_policy_type() {
  static const GEnumValue values[] = {
      value(ErrorPolicy::kFail, "A broken model is an error", "fail"),
      value(ErrorPolicy::kPassthrough, "A broken model is a warning, the stream goes on",
            "passthrough"),
      kEndOfValues};
  static const GType type = register_enum("GstVidiFilterErrorPolicy", values);
  return type;
}

GType model_state_type() {
  static const GEnumValue values[] = {
      value(ModelState::kUnloaded, "No model is loaded", "unloaded"),
      value(ModelState::kLoading, "The model is being loaded", "loading"),
      value(ModelState::kReady, "The model answers", "ready"),
      value(ModelState::kFailed, "The model cannot be loaded", "failed"), kEndOfValues};
  static const GType type = register_enum("GstVidiFilterModelState", values);
  return type;
}

}  // namespace vidi
