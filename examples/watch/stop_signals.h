// Ctrl-C, SIGTERM and SIGHUP: the first one asks for an end, and gives it a few seconds; the second
// one, or the time, ends the process whatever it is doing.
#pragma once

#include <functional>

// From the main loop: `on_stop`. SIGHUP stays ignored where it was (nohup).
void stop_at_signals(std::function<void()> on_stop);
