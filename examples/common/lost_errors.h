// decodebin and parsebin keep the errors of an element back while they connect it, since another
// one may be tried. A demuxer that reads by itself fails in that moment, too, when its file is cut
// off, and then its error is lost: nothing comes any more, neither an error nor an end
// (GStreamer 1.22 and 1.26, gstdecodebin2.c: connect_pad, remove_error_filter).
#pragma once

#include <gst/gst.h>

// From now on `pipeline` hears such errors: those of elements that run already and fail on a thread
// of their own. Before it plays; its bus gets a synchronous handler.
void hear_lost_errors(GstElement* pipeline);
