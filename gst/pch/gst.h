// Precompiled for what is built on GStreamer: the element, its parts, the programs.
#ifndef VIDI_GST_PCH_GST_H_
#define VIDI_GST_PCH_GST_H_

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#endif
