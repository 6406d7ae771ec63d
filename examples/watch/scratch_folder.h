// A hidden folder beside the clips, for what is no clip yet: it lies on the same disk, so that a
// clip is moved into place when it is complete.
#pragma once

#include <string>

class ScratchFolder {
 public:
  ScratchFolder() = default;
  ~ScratchFolder() { leave(); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  // Leaves the one before; makes `parent`, too, where it is not there. Empty, or why it cannot.
  std::string make(const std::string& parent);
  void leave();  // it is deleted with all that is in it
  bool is_there() const;
  const std::string& path() const { return path_; }
  // Of processes that were killed: nobody has a lock on it.
  void sweep_others(const std::string& parent) const;

 private:
  std::string path_;
  int lock_ = -1;
};

// Any thread: those of this process, where it ends without its destructors. Somebody may still
// write into them: tried again for a moment.
void delete_scratch_folders();
