// Where a time of a window lies on the clocks of its stream. NONE or NULL where that is not known.
#pragma once

#include <gst/gst.h>

#include "gst/windows/analysis_window.h"

namespace vidi {

// Times of a hit through the segment that its frames had. A hit may begin before the segment does
// (a seek into the middle of a window's first frame): it is cut there, unless that is the time
// before the first picture, when sound was there.
GstClockTime stream_time(const AnalysisWindow& window, Time time);
GstClockTime running_time(const AnalysisWindow& window, Time time);

// By the wall clock of the pictures around it; the caller's.
GstDateTime* utc_time(const AnalysisWindow& window, Time time);

}  // namespace vidi
