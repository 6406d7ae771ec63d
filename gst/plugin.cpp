// Registers the elements. The plugin is thin: the engine comes in with NULL->READY
// (engine_library.h).
#include <gst/gst.h>

#include "gst/vididecode.h"
#include "gst/vidifilter.h"

static gboolean plugin_init(GstPlugin* plugin) {
  return gst_element_register(plugin, "vidifilter", GST_RANK_NONE, GST_TYPE_VIDI_FILTER) &&
         gst_element_register(plugin, "vididecode", GST_RANK_NONE, GST_TYPE_VIDI_DECODE);
}

#define PACKAGE "vidifilter"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vidi,
                  "Says when something is seen or heard in a stream", plugin_init, VIDI_VERSION,
                  "Apache 2.0", "vidifilter", "vidifilter")
