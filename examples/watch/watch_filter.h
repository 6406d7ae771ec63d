// vidifilter as the command line describes it.
#pragma once

#include <gst/gst.h>

#include <string>

#include "examples/watch/watch_arguments.h"

// With everything that the command line says about it; null when it cannot be made.
GstElement* make_filter(const WatchArguments& arguments, const std::string& model);
