// The kinds of property that the table in settings.cpp is made of: a text, a number, a time and so
// on. Each kind knows its GParamSpec, how a GValue is checked and taken, and how it is given back.
// Included by settings.cpp only.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <string>
#include <vector>

#include "gst/filter/query_file.h"
#include "gst/filter/settings.h"

namespace vidi::kind {

// One property. Every function below makes one, of one kind.
struct Property {
  std::function<GParamSpec*()> make;
  std::function<std::string(Settings&, const GValue*)> set;  // returns the error, "" = taken
  std::function<void(const Settings&, GValue*)> get;
};

// The defaults are those of the struct, said once.
inline const Settings& defaults() {
  static const Settings settings;
  return settings;
}

// The kinds that GObject checks by itself: a getter and a setter of GValue, and the field.
template <class T, class From, class To>
Property plain(T Settings::*field, From from, To to, std::function<GParamSpec*()> make) {
  return {std::move(make),
          [=](Settings& settings, const GValue* v) {
            settings.*field = static_cast<T>(from(v));
            return std::string();
          },
          [=](const Settings& settings, GValue* v) { to(v, settings.*field); }};
}

inline Property number(const char* name, int flags, unsigned Settings::*field, guint min, guint max,
                       const char* blurb) {
  return plain(field, g_value_get_uint, g_value_set_uint, [=] {
    return g_param_spec_uint(name, name, blurb, min, max, defaults().*field, GParamFlags(flags));
  });
}

inline Property time(const char* name, int flags, guint64 Settings::*field, guint64 max,
                     const char* blurb) {
  return plain(field, g_value_get_uint64, g_value_set_uint64, [=] {
    return g_param_spec_uint64(name, name, blurb, 0, max, defaults().*field, GParamFlags(flags));
  });
}

inline Property bytes(const char* name, int flags, guint64 Settings::*field, const char* blurb) {
  return plain(field, g_value_get_uint64, g_value_set_uint64, [=] {
    return g_param_spec_uint64(name, name, blurb, 0, G_MAXINT64, defaults().*field,
                               GParamFlags(flags));
  });
}

inline Property fraction_of_one(const char* name, int flags, double Settings::*field,
                                const char* blurb) {
  return plain(field, g_value_get_double, g_value_set_double, [=] {
    return g_param_spec_double(name, name, blurb, 0, 1, defaults().*field, GParamFlags(flags));
  });
}

inline Property flag(const char* name, int flags, bool Settings::*field, const char* blurb) {
  return plain(field, g_value_get_boolean, g_value_set_boolean, [=] {
    return g_param_spec_boolean(name, name, blurb, defaults().*field, GParamFlags(flags));
  });
}

template <class E>
Property choice(const char* name, int flags, E Settings::*field, GType (*type)(),
                const char* blurb) {
  const auto to = [](GValue* v, E chosen) { g_value_set_enum(v, static_cast<gint>(chosen)); };
  return plain(field, g_value_get_enum, to, [=] {
    return g_param_spec_enum(name, name, blurb, type(), static_cast<gint>(defaults().*field),
                             GParamFlags(flags));
  });
}

inline const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// NULL brings the default back. Folder names are bytes to the system, everything else is UTF-8.
inline Property text(const char* name, int flags, std::string Settings::*field, const char* blurb) {
  return {[=] {
            return g_param_spec_string(name, name, blurb, or_null(defaults().*field),
                                       GParamFlags(flags));
          },
          [=](Settings& settings, const GValue* v) -> std::string {
            const char* given = g_value_get_string(v);
            if (given && field != &Settings::model_path && !g_utf8_validate(given, -1, nullptr)) {
              return std::string("The property ") + name +
                     " must be UTF-8 text, but it holds other bytes.";
            }
            settings.*field = given ? std::string(given) : defaults().*field;
            return "";
          },
          [=](const Settings& settings, GValue* v) {
            g_value_set_string(v, or_null(settings.*field));
          }};
}

// 0/1 = not set. What lies between that and a picture an hour is a typing error.
inline Property frame_rate(const char* name, int flags, FrameRate Settings::*field,
                           const char* blurb) {
  return {[=] {
            return gst_param_spec_fraction(name, name, blurb, 0, 1, 240, 1,
                                           (defaults().*field).numerator,
                                           (defaults().*field).denominator, GParamFlags(flags));
          },
          [=](Settings& settings, const GValue* v) -> std::string {
            const FrameRate given{gst_value_get_fraction_numerator(v),
                                  gst_value_get_fraction_denominator(v)};
            if (given.is_set() &&
                gst_util_fraction_compare(given.numerator, given.denominator, 1, 3600) < 0) {
              return std::string("The property ") + name + " must be 0/1 or 1/3600 to 240/1, but " +
                     "it is " + std::to_string(given.numerator) + "/" +
                     std::to_string(given.denominator) + ".";
            }
            settings.*field = given;
            return "";
          },
          [=](const Settings& settings, GValue* v) {
            gst_value_set_fraction(v, (settings.*field).numerator, (settings.*field).denominator);
          }};
}

// Why item `index` cannot be a query, or "".
inline std::string error_of_item(const GValue* item, guint index) {
  const bool is_text = G_VALUE_HOLDS_STRING(item);
  const char* given = is_text ? g_value_get_string(item) : nullptr;
  const char* found = nullptr;
  // GObject puts NULL in place of an item that is no string.
  if (!given)
    found = "it is no text";
  else if (!*given)
    found = "it is empty";
  else if (!g_utf8_validate(given, -1, nullptr))
    found = "it holds other bytes";
  if (!found) return "";
  return "Item " + std::to_string(index) +
         " (counted from 0) of the property queries must be UTF-8 text of at least one character, "
         "but " +
         found + ".";
}

// All or nothing: one bad item leaves the queries as they were.
inline std::string set_queries(Settings& settings, const GValue* array) {
  std::vector<std::string> queries;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    const GValue* item = gst_value_array_get_value(array, i);
    std::string error = error_of_item(item, i);
    if (!error.empty()) return error;
    queries.emplace_back(g_value_get_string(item));
  }
  settings.queries = std::move(queries);
  return "";
}

inline void get_queries(const Settings& settings, GValue* array) {
  for (const std::string& query : settings.queries) {
    GValue item = G_VALUE_INIT;
    g_value_init(&item, G_TYPE_STRING);
    g_value_set_string(&item, query.c_str());
    gst_value_array_append_and_take_value(array, &item);
  }
}

// GObject would refuse a wrong item with a warning that no application sees: it is let through, and
// refused here with a sentence.
inline Property query_list(const char* name, int flags, const char* blurb) {
  const auto lax = GParamFlags(flags | G_PARAM_LAX_VALIDATION);
  return {[=] {
            GParamSpec* item = g_param_spec_string("query", "query", "One query.", nullptr, lax);
            return gst_param_spec_array(name, name, blurb, item, lax);
          },
          set_queries, get_queries};
}

// NULL, or nothing: no file. One that cannot be read leaves the queries as they were.
inline std::string set_query_file(Settings& settings, const GValue* v) {
  const char* path = g_value_get_string(v);
  std::vector<std::string> queries;
  if (path && *path) {
    auto read = read_query_file(path);
    if (!read) return read.error().message;
    queries = std::move(*read);
  }
  settings.queries_file = path ? path : "";
  settings.file_queries = std::move(queries);
  return "";
}

inline Property query_file(const char* name, int flags, const char* blurb) {
  return {[=] { return g_param_spec_string(name, name, blurb, nullptr, GParamFlags(flags)); },
          set_query_file,
          [](const Settings& settings, GValue* v) {
            g_value_set_string(v, or_null(settings.queries_file));
          }};
}

}  // namespace vidi::kind
