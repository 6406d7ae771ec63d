// Which of the two published families a checkpoint is of.
#pragma once

namespace vidi {

enum class Family { kVidi15, kVidi7b };

}  // namespace vidi
