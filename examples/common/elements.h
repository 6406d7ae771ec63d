// Which of GStreamer's elements are there.
#pragma once

bool is_installed(const char* element);
