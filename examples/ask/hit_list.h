// Hits as the element reports them, and the forms in which vidi-ask prints them.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <vector>

#include "examples/common/hit.h"

// From a `vidi/result`; empty for one that a later window may still change.
std::optional<Hit> final_hit(const GstStructure* result);

// By start. Hits of one question that overlap, as answers of overlapping windows do, become one.
std::vector<Hit> merged(std::vector<Hit> hits);

// Rows by question, in the order of `queries`, then by time; a question without a hit has a row
// that says so. Without `queries` (highlights): by time.
std::string table(const std::vector<std::string>& queries, std::vector<Hit> hits);
