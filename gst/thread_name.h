// What the element's threads are called in top, gdb and perf.
#pragma once

namespace vidi {

// The calling thread, and those that it starts from now on; at most 15 bytes. Does nothing where
// the system does not know this.
void name_thread(const char* name);

}  // namespace vidi
