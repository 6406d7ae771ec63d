#include "examples/common/elements.h"

#include <gst/gst.h>

bool is_installed(const char* element) {
  GstElementFactory* factory = gst_element_factory_find(element);
  if (factory) gst_object_unref(factory);
  return factory != nullptr;
}
