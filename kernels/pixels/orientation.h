// How a stored picture is turned to be looked at. Torch-free.
//
// Note [Turned pictures]: the model's pictures are small squares, so they are turned when they are
// small. The bits are those of the turned picture made small, since
// - the taps of a mirrored row are the mirrored taps, weight by weight (test_resize.cpp
//   compares them), and sums of integers have no order;
// - the two passes round in between, so their order shows: it is the one that the turned picture
//   would have had (columns_come_first), not the stored one's.
// Colour is converted before, on the picture as it is stored: half-size chroma lies where its
// encoder put it, which a turned plane would no longer say.
#pragma once

#include <cstdint>

namespace vidi {

// The eight ways of EXIF and of GStreamer's tag image-orientation.
struct Orientation {
  bool mirrored_x = false;  // first, left and right change places,
  bool mirrored_y = false;  // top and bottom do,
  bool transposed = false;  // and then rows become columns
  bool operator==(const Orientation&) const = default;
};

// Turns `rgb` ([side, side, 3], packed) where it is.
void turn_square(uint8_t* rgb, int side, const Orientation& orientation);

}  // namespace vidi
