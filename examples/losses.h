// What of a file did not come, in words; empty when all came. vidi-ask says it at the end.
#pragma once

#include <string>
#include <vector>

#include "decoded_stream.h"

// Of the tracks of one kind that were watched, one after the other.
std::string undecoded(const std::vector<const DecodedStream*>& streams, Kind kind);

// Of the file as a whole, all of its tracks taken together: it ends before the length that it
// states
// (`states_length`: and that can be believed), or it has a hole in which neither a picture nor
// sound came.
std::string unread(const std::vector<const DecodedStream*>& streams,
                   const std::vector<const DecodedStream*>& sounds, GstClockTime length,
                   bool states_length);
