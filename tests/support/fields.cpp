#include "tests/support/fields.h"

#include <gtest/gtest.h>

namespace vidi::test {

guint64 number(const GstStructure* s, const char* field) {
  guint small = 0;
  return gst_structure_get_uint(s, field, &small) ? small : large_number(s, field);
}

guint small_number(const GstStructure* s, const char* field) {
  guint value = 0;
  EXPECT_TRUE(gst_structure_get_uint(s, field, &value)) << "no number " << field;
  return value;
}

guint64 large_number(const GstStructure* s, const char* field) {
  guint64 value = 0;
  EXPECT_TRUE(gst_structure_get_uint64(s, field, &value)) << "no number " << field;
  return value;
}

double real(const GstStructure* s, const char* field) {
  double value = 0;
  EXPECT_TRUE(gst_structure_get_double(s, field, &value)) << "no number " << field;
  return value;
}

bool flag(const GstStructure* s, const char* field) {
  gboolean value = FALSE;
  EXPECT_TRUE(gst_structure_get_boolean(s, field, &value)) << "no flag " << field;
  return value;
}

std::string text(const GstStructure* s, const char* field) {
  const gchar* value = gst_structure_get_string(s, field);
  EXPECT_TRUE(value) << "no text " << field;
  return value ? value : "";
}

std::vector<std::string> texts(const GstStructure* s, const char* field) {
  std::vector<std::string> found;
  const GValue* array = gst_structure_get_value(s, field);
  if (!array || !GST_VALUE_HOLDS_ARRAY(array)) {
    ADD_FAILURE() << "no texts " << field;
    return found;
  }
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    found.emplace_back(g_value_get_string(gst_value_array_get_value(array, i)));
  }
  return found;
}

std::map<std::string, GType> types_of_fields(const GstStructure* s) {
  std::map<std::string, GType> types;
  for (int i = 0; i < gst_structure_n_fields(s); ++i) {
    const char* name = gst_structure_nth_field_name(s, i);
    types[name] = gst_structure_get_field_type(s, name);
  }
  return types;
}

}  // namespace vidi::test
