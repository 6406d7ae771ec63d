// The types of the element's properties that are one of several words; made when first asked for.
#pragma once

#include <gst/gst.h>

namespace vidi {

GType precision_type();     // GstVidiFilterPrecision
GType weights_type();       // GstVidiFilterWeights
GType keys_type();          // GstVidiFilterKeys
GType model_load_type();    // GstVidiFilterModelLoad
GType task_type();          // GstVidiFilterTask
GType overload_type();      // GstVidiFilterOverloadPolicy
GType gate_type();          // GstVidiFilterGate
GType error_policy_type();  // GstVidiFilterErrorPolicy
GType model_state_type();   // GstVidiFilterModelState

}  // namespace vidi
