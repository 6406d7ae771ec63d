// A GstStructure under construction, for the files that fill one (structures.h).
#pragma once

#include <gst/gst.h>

#include <cmath>
#include <string>
#include <vector>

#include "gst/media/stream_origin.h"

namespace vidi {

// A structure under construction. What is unknown (NONE, empty, NULL, not finite) is left out, and
// every string is made valid UTF-8: GStreamer drops fields that are not.
class Fields {
 public:
  explicit Fields(const char* name) : structure_(gst_structure_new_empty(name)) {}

  void number(const char* name, guint value) { set(name, G_TYPE_UINT, value); }
  void large(const char* name, guint64 value) { set(name, G_TYPE_UINT64, value); }
  void flag(const char* name, bool value) { set(name, G_TYPE_BOOLEAN, gboolean{value}); }
  void real(const char* name, double value) {
    if (std::isfinite(value)) set(name, G_TYPE_DOUBLE, value);
  }
  void clock(const char* name, GstClockTime value) {
    if (GST_CLOCK_TIME_IS_VALID(value)) large(name, value);
  }
  void time(const char* name, Time value) {
    if (value.count() >= 0 && value != kForever) clock(name, value.count());
  }
  void seconds(const char* name, double value) {
    if (value >= 0 && value < 1e9) large(name, std::llround(value * 1e9));
  }
  void text(const char* name, const std::string& value) {
    if (!value.empty()) take(name, text_value(value));
  }
  void texts(const char* name, const std::vector<std::string>& values) {
    GValue list = G_VALUE_INIT;
    gst_value_array_init(&list, values.size());
    for (const std::string& value : values) {
      GValue item = text_value(value);
      gst_value_array_append_and_take_value(&list, &item);
    }
    take(name, list);
  }
  void structures(const char* name, const std::vector<GstStructure*>& values) {  // takes them
    GValue list = G_VALUE_INIT;
    gst_value_array_init(&list, values.size());
    for (GstStructure* value : values) {
      GValue item = G_VALUE_INIT;
      g_value_init(&item, GST_TYPE_STRUCTURE);
      g_value_take_boxed(&item, value);
      gst_value_array_append_and_take_value(&list, &item);
    }
    take(name, list);
  }
  void date(const char* name, GstDateTime* value) {  // takes it
    if (!value) return;
    set(name, GST_TYPE_DATE_TIME, value);
    gst_date_time_unref(value);
  }

  GstStructure* take() { return structure_; }

 private:
  template <class T>
  void set(const char* name, GType type, T value) {
    gst_structure_set(structure_, name, type, value, nullptr);
  }
  void take(const char* name, GValue value) { gst_structure_take_value(structure_, name, &value); }
  static GValue text_value(const std::string& text) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_TYPE_STRING);
    g_value_take_string(&value, g_utf8_make_valid(text.data(), text.size()));
    return value;
  }

  GstStructure* structure_;
};

}  // namespace vidi
