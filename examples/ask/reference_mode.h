// The mode that --compare-precision takes as the yardstick: weights and keys as they are, and on a
// GPU 16 bits (fp16, or bf16 where that was chosen), on the CPU fp32. No GStreamer.
#pragma once

#include <string>

#include "examples/ask/arguments.h"

struct Mode;

// Whether the command line asks for the reference itself, as far as is known before a model is
// loaded: with a precision and --device auto it is is_reference() that knows.
bool asks_for_reference(const Arguments& arguments);
bool is_reference(const Mode& mode);
// The sentence for it; `place`: where and how the loaded model runs (place_text()), which may be
// otherwise than was asked for.
std::string no_other_mode(const std::string& place = "");

// The same questions in the reference's mode, on the device that the chosen mode ran on. Writes no
// files.
Arguments reference_of(const Arguments& arguments, const Mode& chosen);
