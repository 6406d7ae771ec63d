// A folder that one process has for itself.
#pragma once

#include <string>

// A lock that ends with this process, however it ends, or when the descriptor is closed. -1: errno
// says why, EWOULDBLOCK where another process has it. Without `by_link` a link is no folder.
int lock_folder(const std::string& folder, bool by_link);
