// Of a layer's product. Plain.
#pragma once

namespace vidi {

enum class Activation { kGeluTanh, kGelu, kSilu };

}  // namespace vidi
