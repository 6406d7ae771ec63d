// Ctrl-C, SIGTERM and SIGHUP: the first one asks for an end, and gives it a few seconds; the second
// one, or the time, ends the process whatever it is doing.
#pragma once

#include <functional>

// From the main loop: `on_stop`. On a thread of its own, half a second at most: `on_hard_end`,
// before the process ends though it has not come to its end. SIGHUP stays ignored where it was
// (nohup).
void stop_at_signals(std::function<void()> on_stop, std::function<void()> on_hard_end);
