// The command line as properties of the element.
#pragma once

#include <gst/gst.h>

#include <string>

#include "examples/ask/arguments.h"

// `model`: the checkpoint folder.
void configure(GstElement* filter, const Arguments& arguments, const std::string& model);
