// The stamp (file_stamp.h) of what lies on a web server: its headers, asked for by the element that
// will read it. The body is not read.
#pragma once

#include <atomic>
#include <string>

struct FileStamp;

FileStamp stamp_of_http(const std::string& uri, const std::atomic<bool>& stop);
