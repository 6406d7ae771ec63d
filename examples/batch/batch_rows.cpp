#include "examples/batch/batch_rows.h"

#include <nlohmann/json.hpp>

#include "examples/common/text.h"

namespace {

using Json = nlohmann::ordered_json;

constexpr char kOk[] = "ok", kFailed[] = "failed";

std::string line_of(const Json& row) {
  return row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json text_in(const GstStructure* structure, const char* field) {
  const gchar* text = gst_structure_get_string(structure, field);
  return text ? Json(text) : Json();
}

Json time_in(const GstStructure* structure, const char* field) {
  guint64 time = 0;
  return gst_structure_get_uint64(structure, field, &time) ? Json(time) : Json();
}

Json count_in(const GstStructure* structure, const char* field) {
  guint n = 0;
  return gst_structure_get_uint(structure, field, &n) ? Json(n) : Json();
}

Json flag_in(const GstStructure* structure, const char* field) {
  gboolean flag = FALSE;
  return gst_structure_get_boolean(structure, field, &flag) ? Json(flag != FALSE) : Json();
}

// Of an array of texts; null where there is no such one.
Json text_at(const GstStructure* structure, const char* field, guint i) {
  const GValue* list = gst_structure_get_value(structure, field);
  if (!list || !GST_VALUE_HOLDS_ARRAY(list) || i >= gst_value_array_get_size(list)) return {};
  const GValue* item = gst_value_array_get_value(list, i);
  const gchar* text = G_VALUE_HOLDS_STRING(item) ? g_value_get_string(item) : nullptr;
  return text ? Json(text) : Json();
}

guint length_of(const GstStructure* structure, const char* field) {
  const GValue* list = gst_structure_get_value(structure, field);
  return list && GST_VALUE_HOLDS_ARRAY(list) ? gst_value_array_get_size(list) : 0;
}

Json stream_time(const GstStructure* window, const char* field, const GstSegment* segment) {
  guint64 time = 0;
  if (!gst_structure_get_uint64(window, field, &time)) return {};
  const guint64 shown = gst_segment_to_stream_time(segment, GST_FORMAT_TIME, time);
  return GST_CLOCK_TIME_IS_VALID(shown) ? Json(shown) : Json(time);
}

}  // namespace

static Json row_of(const RowHead& head, const std::string& device, const char* kind) {
  return {{"type", "row"},
          {"uri", without_credentials(head.uri)},
          {"key", head.key},
          {"run_id", head.run_id},
          {"model", head.model},
          {"query_id", nullptr},
          {"query", nullptr},
          {"kind", kind},
          {"start_ns", nullptr},
          {"stop_ns", nullptr},
          {"confidence", nullptr},
          {"source", nullptr},
          {"label", nullptr},
          {"text", nullptr},
          {"window_start_ns", nullptr},
          {"window_stop_ns", nullptr},
          {"has_audio", nullptr},
          {"frames", nullptr},
          {"status", kOk},
          {"error", nullptr},
          {"wall_s", nullptr},
          {"device", device.empty() ? Json() : Json(device)}};
}

void BatchRows::take_hit(const GstStructure* result) {
  gboolean final = FALSE;
  gst_structure_get_boolean(result, "final", &final);
  const bool has_stream_time = gst_structure_has_field(result, "stream-time");
  guint64 start = 0, duration = 0;
  if (!final || !gst_structure_get_uint64(result, "duration", &duration) ||
      !gst_structure_get_uint64(result, has_stream_time ? "stream-time" : "timestamp", &start))
    return;
  Json row = row_of(head_, device_, "hit");
  for (const char* field : {"query", "source", "label", "text"})
    row[field] = text_in(result, field);
  row["query_id"] = text_in(result, "query-id");
  row["start_ns"] = start, row["stop_ns"] = start + duration;
  double confidence = 0;
  if (gst_structure_get_double(result, "confidence", &confidence)) row["confidence"] = confidence;
  // A window's times are timestamps; the hit has both.
  guint64 timestamp = start;
  gst_structure_get_uint64(result, "timestamp", &timestamp);
  for (const auto& [column, field] :
       {std::pair{"window_start_ns", "window-start"}, std::pair{"window_stop_ns", "window-stop"}}) {
    guint64 time = 0;
    if (gst_structure_get_uint64(result, field, &time) && time + start >= timestamp)
      row[column] = time + start - timestamp;
  }
  row["has_audio"] = flag_in(result, "has-audio");
  row["frames"] = count_in(result, "frames");
  text_ += line_of(row);
  ++n_hits_;
}

void BatchRows::take_window(const GstStructure* window, const GstSegment* segment) {
  Json row = row_of(head_, device_, "window");
  row["start_ns"] = row["window_start_ns"] = stream_time(window, "window-start", segment);
  row["stop_ns"] = row["window_stop_ns"] = stream_time(window, "window-stop", segment);
  row["has_audio"] = flag_in(window, "has-audio");
  row["frames"] = count_in(window, "frames");
  row["error"] = text_in(window, "error");
  if (!row["error"].is_null()) row["status"] = kFailed;
  if (const Json ns = time_in(window, "inference-time"); !ns.is_null())
    row["wall_s"] = ns.get<double>() / GST_SECOND;
  ++n_windows_;
  const guint n = length_of(window, "queries");
  for (guint i = 0; i < n; ++i) {
    row["query"] = text_at(window, "queries", i);
    row["query_id"] = text_at(window, "query-ids", i);
    row["text"] = text_at(window, "texts", i);
    text_ += line_of(row);
  }
  if (n == 0) text_ += line_of(row);
}

std::string BatchRows::file_row(const FileFacts& facts) const {
  Json row = row_of(head_, facts.device.empty() ? device_ : facts.device, "file");
  if (GST_CLOCK_TIME_IS_VALID(facts.duration)) {
    row["start_ns"] = 0;
    row["stop_ns"] = facts.duration;
  }
  if (facts.error.empty()) {
    row["has_audio"] = facts.has_audio;
    row["frames"] = facts.frames;
  } else {
    row["status"] = kFailed;
    row["error"] = facts.error;
  }
  row["wall_s"] = facts.wall_s;
  return line_of(row);
}
