// A clip cut exactly: decoded, and encoded anew.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <string>

// Replaces the file `*path`, which begins with a key frame, by its part `from` to `to`
// (nanoseconds). Its name changes where another container is needed. Blocks. Returns an empty
// string, or why not: then neither file is there.
std::string encode_clip(std::string* path, gint64 from, gint64 to, bool has_sound,
                        const std::atomic<bool>& interrupted);
