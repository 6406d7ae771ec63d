// Hits as subtitle files, a cue each, by time.
#pragma once

#include <string>
#include <vector>

#include "examples/common/hit.h"

std::string web_vtt(const std::vector<Hit>& hits);
std::string sub_rip(const std::vector<Hit>& hits);
