// What of a file did not come, in words; empty when all came. vidi-ask says it at the end.
#pragma once

#include <string>
#include <vector>

#include "examples/ask/decoded_stream.h"
#include "examples/ask/transport_check.h"

// Of the tracks of one kind that were watched, one after the other.
std::string undecoded(const std::vector<const DecodedStream*>& streams, Kind kind);

// How far a file's length can be believed.
enum class StatedLength {
  kGuessed,  // from a clock that may begin anew
  kPerhaps,  // unless it is several times what came
  kWritten,  // in its header
};

// Of the file as a whole: what was watched ends before the length that the file states and no other
// track reaches it, or it has a hole in which neither a picture nor sound came.
std::string unread(const std::vector<const DecodedStream*>& watched,
                   const std::vector<const DecodedStream*>& others, GstClockTime length,
                   StatedLength stated);

// Of a transport stream: parts that are none, and tracks whose times are not the stream's own.
std::string damaged(const TransportCheck& stream, const std::vector<const DecodedStream*>& watched);

// Of an AVI or WAV file (`uri`): it ends before the length in its first bytes. avidemux takes what
// is there for all.
std::string cut_off(const std::string& uri);
