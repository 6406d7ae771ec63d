// Structures as lines of JSON: the `json_src` pad's form of what structures.cpp makes.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "gst/results/structures.h"

namespace vidi {
namespace {

using Json = nlohmann::ordered_json;  // keys in the order of the structure

Json value_to_json(const GValue* value);

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json text(const gchar* value) { return value ? Json(value) : Json(); }

// "2026-11-21T07:12:13.123456Z". GStreamer's own form has no fractions of a second.
Json time_text(const GstDateTime* value) {
  if (!value) return {};
  auto* with_zone = gst_date_time_to_g_date_time(const_cast<GstDateTime*>(value));
  if (!with_zone) return {};  // a date alone
  GDateTime* utc = g_date_time_to_utc(with_zone);
  gchar* seconds = g_date_time_format(utc, "%Y-%m-%dT%H:%M:%S");
  gchar* all = g_strdup_printf("%s.%06dZ", seconds, g_date_time_get_microsecond(utc));
  Json json = all;
  g_free(all);
  g_free(seconds);
  g_date_time_unref(utc);
  g_date_time_unref(with_zone);
  return json;
}

template <class Size, class Item>
Json list_to_json(const GValue* value, Size size, Item item) {
  Json list = Json::array();
  for (guint i = 0; i < size(value); i++) list.push_back(value_to_json(item(value, i)));
  return list;
}

std::string key_of(const gchar* field) {
  std::string key = field;
  for (char& c : key) c = c == '-' ? '_' : c;
  return key;
}

void add_fields(Json& object, const GstStructure* structure) {
  for (int i = 0; i < gst_structure_n_fields(structure); i++) {
    const gchar* field = gst_structure_nth_field_name(structure, i);
    Json json = value_to_json(gst_structure_get_value(structure, field));
    if (!json.is_null()) object[key_of(field)] = std::move(json);
  }
}

Json object_of(const GstStructure* structure) {
  if (!structure) return {};
  Json object = Json::object();
  add_fields(object, structure);
  return object;
}

Json serialized(const GValue* value) {
  gchar* form = gst_value_serialize(value);
  Json json = text(form);
  g_free(form);
  return json;
}

// null for what has no value: left out of objects.
Json value_to_json(const GValue* value) {
  const GType type = G_VALUE_TYPE(value);
  if (type == GST_TYPE_DATE_TIME)
    return time_text(static_cast<const GstDateTime*>(g_value_get_boxed(value)));
  if (type == GST_TYPE_STRUCTURE) return object_of(gst_value_get_structure(value));
  if (type == GST_TYPE_ARRAY)
    return list_to_json(value, gst_value_array_get_size, gst_value_array_get_value);
  if (type == GST_TYPE_LIST)
    return list_to_json(value, gst_value_list_get_size, gst_value_list_get_value);
  switch (type) {
    case G_TYPE_BOOLEAN:
      return static_cast<bool>(g_value_get_boolean(value));
    case G_TYPE_INT:
      return g_value_get_int(value);
    case G_TYPE_UINT:
      return g_value_get_uint(value);
    case G_TYPE_INT64:
      return g_value_get_int64(value);
    case G_TYPE_UINT64:
      return g_value_get_uint64(value);
    case G_TYPE_FLOAT:
      return number(g_value_get_float(value));
    case G_TYPE_DOUBLE:
      return number(g_value_get_double(value));
    case G_TYPE_STRING:
      return text(g_value_get_string(value));
    default:
      return serialized(value);
  }
}

std::string type_of(const GstStructure* structure) {
  const std::string name = gst_structure_get_name(structure), ours = "vidi/";
  return name.starts_with(ours) ? name.substr(ours.size()) : name;
}

// JSON leaves DEL and the C1 controls as they are; terminals do not (U+009B begins an escape).
std::string without_controls(const std::string& line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    const auto next = static_cast<unsigned char>(i + 1 < line.size() ? line[i + 1] : 0);
    char escape[8];
    if (byte == 0x7f) {
      text += "\\u007f";
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      std::snprintf(escape, sizeof escape, "\\u%04x", unsigned{next});
      text += escape;
      ++i;
    } else {
      text += line[i];
    }
  }
  return text;
}

}  // namespace

std::string json_line(const GstStructure* structure) {
  Json object = {{"type", type_of(structure)}};
  add_fields(object, structure);
  return without_controls(object.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace vidi
