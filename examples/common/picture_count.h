// Which track of a file is the film and which is a still: only counting tells, since a container
// need not say it.
#pragma once

#include <string>
#include <vector>

// The first of these tracks (by stream id) that has two pictures or more; empty when none has.
// Reads the file without decoding it, mostly no further than to its second picture. Blocks; any
// thread.
std::string first_with_two_pictures(const std::string& uri, const std::vector<std::string>& tracks);
