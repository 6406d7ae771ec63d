// Files of a batch's folder: whole, or not there. Temporary names begin with a dot and carry host
// and process, so that who comes later knows whose they were. Any thread.
#pragma once

#include <string>

std::string host_name();

// Written beside and renamed; replaces what is there. Returns 0, or errno.
int write_whole(const std::string& folder, const std::string& name, const std::string& text);
// The same, but EEXIST where a file of that name is there.
int write_new(const std::string& folder, const std::string& name, const std::string& text);

// Of a temporary name: made by a process of this computer that has ended.
bool is_left_over(const std::string& name);
