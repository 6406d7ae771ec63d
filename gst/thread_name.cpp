#include "gst/thread_name.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace vidi {

void name_thread([[maybe_unused]] const char* name) {
#ifdef __linux__
  prctl(PR_SET_NAME, name, 0, 0, 0);
#endif
}

}  // namespace vidi
