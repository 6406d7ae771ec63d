#include "gst/thread_priority.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace vidi {

void yield_to_streaming_threads([[maybe_unused]] int nice) {
#ifdef __linux__
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);  // 0: this thread
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice);
#endif
}

}  // namespace vidi
