// Any bytes as the header of an MP4 file and as a transport stream, in pieces of any size: nothing
// outside them is read or written, and what is found is within what came.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "examples/ask/transport_check.h"
#include "examples/common/movie_header.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void read_header(const uint8_t* data, size_t size) {
  std::vector<uint8_t> moov(data, data + size);
  const MovieTracks tracks = mend_movie_header(moov.data(), moov.size());
  require(tracks.pictures >= 0 && tracks.sounds >= 0);
  require(8 * static_cast<size_t>(tracks.pictures + tracks.sounds) <= size);
}

void read_stream(const uint8_t* data, size_t size) {
  TransportCheck check;
  const size_t piece = size > 0 ? 1 + data[0] : 1;
  for (size_t at = 0; at < size; at += piece)
    check.feed(at, {data + at, std::min(piece, size - at)});
  require(check.damaged() >= 0 && check.damaged() <= 1);
  for (unsigned pid = 0; pid < 0x2000; pid += 0x100) check.extent(pid);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  read_header(data, size);
  read_stream(data, size);
  return 0;
}
