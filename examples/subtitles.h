// Hits as subtitle files, a cue each, by time.
#pragma once

#include <string>
#include <vector>

#include "hit_list.h"

std::string web_vtt(const std::vector<Hit>& hits);
std::string sub_rip(const std::vector<Hit>& hits);

// Returns an empty string, or a sentence that says why the file cannot be written.
std::string write_file(const std::string& path, const std::string& text);
