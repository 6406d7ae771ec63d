// What of a file did not come, in words; empty when all came. vidi-ask says it at the end.
#pragma once

#include <string>
#include <vector>

#include "decoded_stream.h"

// Of the tracks of one kind that were watched, one after the other.
std::string undecoded(const std::vector<const DecodedStream*>& streams, Kind kind);

// Of the file as a whole: what was watched ends before the length that the file states
// (`states_length`: and its clock can be believed) and no other track reaches it, or it has a hole
// in which neither a picture nor sound came.
std::string unread(const std::vector<const DecodedStream*>& watched,
                   const std::vector<const DecodedStream*>& others, GstClockTime length,
                   bool states_length);
