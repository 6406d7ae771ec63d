// Samples of one kind picked from between others, as packed formats have them. Torch-free.
#pragma once

#include <cstdint>

namespace vidi {

// out[i] = in[i * step]; steps are 1 to 4. Nothing behind the last sample is read.
void deinterleave(const uint8_t* in, int step, int n, uint8_t* out);

// The same for little-endian words of ten bits at an even address, which become P010's: shifted up
// by `shift`, their highest bits repeated below. Steps, of words, are 1 and 2.
void deinterleave(const uint8_t* in, int step, int n, int shift, uint16_t* out);

}  // namespace vidi
