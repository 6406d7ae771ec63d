// The questions of a command line, as the element takes them.
#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

void set_queries(GstElement* filter, const std::vector<std::string>& queries);
