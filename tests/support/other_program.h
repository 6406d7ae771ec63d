// device-memory-holder beside the test, as long as the object lives.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace vidi {

class OtherProgram {
 public:
  // Waits until no more than about `left_bytes` of GPU 0 are free.
  explicit OtherProgram(int64_t left_bytes) {
    int in[2], out[2];
    if (pipe(in) != 0 || pipe(out) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) become_holder(in, out, std::to_string(left_bytes));
    close(in[0]), close(out[1]);
    input_ = in[1];
    char said[5] = {};
    const bool held = read(out[0], said, 5) == 5;
    close(out[0]);
    if (!held) throw std::runtime_error("device-memory-holder did not run");
  }
  ~OtherProgram() {
    close(input_);
    waitpid(pid_, nullptr, 0);
  }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;

 private:
  [[noreturn]] static void become_holder(const int (&in)[2], const int (&out)[2],
                                         const std::string& left) {
    dup2(in[0], 0), dup2(out[1], 1);
    for (int fd : {in[0], in[1], out[0], out[1]}) close(fd);
    char self[4096] = {};
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    const std::string path(self, n > 0 ? n : 0);
    const std::string holder = path.substr(0, path.rfind('/') + 1) + "device-memory-holder";
    execl(holder.c_str(), holder.c_str(), left.c_str(), nullptr);
    _exit(127);
  }

  pid_t pid_ = -1;
  int input_ = -1;
};

}  // namespace vidi
