// Keeps the model and the conversion of pictures from holding up the stream they watch.
#pragma once

namespace vidi {

// The calling thread, and those it starts from now on, yields to threads that stream: it does not
// interrupt a running thread when it wakes up (SCHED_BATCH), and gets the smaller share of a busy
// processor (nice). What an idle processor does is not changed. Does nothing where the system does
// not know this.
void yield_to_streaming_threads(int nice);

}  // namespace vidi
