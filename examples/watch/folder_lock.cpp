#include "examples/watch/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

int lock_folder(const std::string& folder, bool by_link) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (by_link ? 0 : O_NOFOLLOW);
  const int descriptor = open(folder.c_str(), flags);
  if (descriptor < 0) return -1;
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  close(descriptor);
  errno = EWOULDBLOCK;
  return -1;
}
