// Registers the elements. The plugin is thin: the engine comes in with NULL->READY
// (engine_library.h).
#include <gst/gst.h>

#include "gst/decode/vididecode.h"
#include "gst/filter/vidifilter.h"
#include "gst/vidi.h"

// On the CPU the model's threads wait for each other many times in a step. OpenMP's default is to
// spin meanwhile, which takes the cores from the threads that stream, and from the model itself as
// soon as another program runs. OpenMP reads this when its library is loaded, with the engine or
// before; who says something else is heard.
static void let_model_threads_sleep() {
  if (!g_getenv("GOMP_SPINCOUNT")) g_setenv("OMP_WAIT_POLICY", "passive", FALSE);
}

static gboolean plugin_init(GstPlugin* plugin) {
  let_model_threads_sleep();
  return gst_element_register(plugin, VIDI_ELEMENT, GST_RANK_NONE, GST_TYPE_VIDI_FILTER) &&
         gst_element_register(plugin, "vididecode", GST_RANK_NONE, GST_TYPE_VIDI_DECODE);
}

#define PACKAGE "vidifilter"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vidi,
                  "Says when something is seen or heard in a stream", plugin_init, VIDI_VERSION,
                  "Apache 2.0", "vidifilter", "vidifilter")
