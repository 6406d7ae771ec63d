// How loud a window is, and whether that differs from what another one left. Pure arithmetic.
//
// A level is that of a tenth of a second, in dB of full scale without its mean (a microphone's
// offset is no sound); what is below kSilence_dB counts as that, since codecs make up what nobody
// hears.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gst/media/samples.h"

namespace vidi {

inline constexpr double kSilence_dB = -60;

using SoundChunks = std::vector<std::shared_ptr<const SoundChunk>>;

// In order, from sample `skip` on, whole tenths; nothing where no sound is.
std::vector<double> levels_of(const SoundChunks& audio, int64_t skip = 0);

// What a window leaves behind for those that follow.
struct LeftSound {
  double background = kSilence_dB;  // a tenth of its levels are below
  double end = kSilence_dB;         // the loudest of its last second
};
LeftSound left_sound(const std::vector<double>& levels);

// Whether something sounds that is not in the background, or what was there at the end has ceased:
// a tenth of a second is louder than the background by 6 dB (twice the amplitude), or all of a
// second is less than the end by as much.
bool differs(const std::vector<double>& levels, const LeftSound& left);

}  // namespace vidi
