// The forms in which a JSON line leaves `json_src`: as it is, or wrapped for the muxer of an
// MPEG-TS. Downstream's caps decide. No state, any thread.
#pragma once

#include <gst/gst.h>

namespace vidi {

// All of them, the usual one first. meta/x-klv: a SMPTE 336 packet under a private key of the
// experimental class; meta/x-id3: an ID3v2.4 tag with one TXXX frame `vidi`. Both hold the line
// without its end.
inline constexpr char kLineCaps[] =
    "application/x-json; meta/x-klv, parsed=(boolean)true; meta/x-id3, parsed=(boolean)true";

// Takes the line, and returns it in the form of these caps, with its times.
GstBuffer* in_form(GstBuffer* line, const GstCaps* form);

}  // namespace vidi
