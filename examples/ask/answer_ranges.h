// The ranges in a model's answer, "0.106-0.222, 0.51-0.60 a dog", as sets of points in time. No
// GStreamer. The text is untrusted.
//
// The element reads answers with more patience (its `vidi/result` are what counts); this reads the
// form that the models were trained to write, alike for both modes.
#pragma once

#include <string_view>
#include <vector>

struct Range {
  double start = 0, stop = 0;  // 0 to 1 of the window, start <= stop
  bool operator==(const Range&) const = default;
};

// Their union: by start, none touches the next. Numbers above 1 are cut to 1, percent are divided.
std::vector<Range> ranges_in(std::string_view answer);

// Time that both cover over time that either covers; 1 where neither has a range, or both have the
// same moment alone. Both as ranges_in() gives them.
double temporal_iou(const std::vector<Range>& a, const std::vector<Range>& b);
