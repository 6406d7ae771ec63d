// Ctrl-C in a program that looks at a flag between its steps.
#pragma once

#include <atomic>

// Whoever finds that it is no use to go on (nobody reads, the disk is full) may set it as well.
extern std::atomic<bool> interrupted;

// Set by the first SIGINT, SIGTERM or SIGHUP (which stays ignored where it was: nohup); the second
// one ends the process at once. A system call that waits ends too.
void stop_at_ctrl_c();
