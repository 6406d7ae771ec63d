#include "examples/common/queries.h"

void set_queries(GstElement* filter, const std::vector<std::string>& queries) {
  GValue all = G_VALUE_INIT;
  gst_value_array_init(&all, queries.size());
  for (const std::string& query : queries) {
    GValue item = G_VALUE_INIT;
    g_value_init(&item, G_TYPE_STRING);
    g_value_set_string(&item, query.c_str());
    gst_value_array_append_and_take_value(&all, &item);
  }
  g_object_set_property(G_OBJECT(filter), "queries", &all);
  g_value_unset(&all);
}
