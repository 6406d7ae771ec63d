// Files that a program writes for its user: whole, or not at all.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

// Returns an empty string, or a sentence that says why `path` cannot be written; nothing of it is
// changed.
std::string check_writable(const std::string& path);

// Beside the old file first, which is replaced when all is written (a link's target; what is no
// regular file, such as /dev/stdout, is written as it is). Returns an empty string, or why not:
// then the old file is as it was.
std::string write_file(const std::string& path, const std::string& text);

// The same for what another writes, such as a muxer: an empty file beside `path`, whose name goes
// to `beside`, and its renaming when it is complete. Both return an empty string, or why not; a
// file that cannot be renamed stays where it is.
std::string make_beside(const std::string& path, std::string* beside);
std::string move_in_place(const std::string& beside, const std::string& path);

int write_all(int descriptor, const void* bytes, size_t size);  // 0, or errno

// Whether both names are one file, also by a link, and also if it is not there yet.
bool is_same_file(const std::string& one, const std::string& other);

// Empty, or which output would destroy what: one of the inputs, what is piped in, or another
// output. Empty names are left out.
std::string conflict(const std::vector<std::string>& outputs,
                     const std::vector<std::string>& inputs);
