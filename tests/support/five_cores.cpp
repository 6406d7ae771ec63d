// Preloaded (LD_PRELOAD) by tests/other_cpus.sh: the scheduler seems to grant five cores, so that
// the engine takes as many threads on any machine. A thread that is tied to some of the cores keeps
// to them.
#include <dlfcn.h>
#include <sched.h>

#include <thread>

constexpr int kCores = 5;

extern "C" int sched_getaffinity(pid_t process, size_t size, cpu_set_t* set) noexcept {
  using Function = int(pid_t, size_t, cpu_set_t*);
  static const auto granted = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, "sched_getaffinity"));
  const int status = granted(process, size, set);
  if (status != 0 || CPU_COUNT_S(size, set) < static_cast<int>(std::thread::hardware_concurrency()))
    return status;
  for (int i = 0; CPU_COUNT_S(size, set) < kCores; ++i) CPU_SET_S(i, size, set);
  return status;
}
