// What tells one content of a file from another: size and time of a file on a disk, ETag (else
// Last-Modified) and length over HTTP. Of other addresses nothing is known.
#pragma once

#include <atomic>
#include <string>

// An absolute URI of a path or a URI; a path need not be there. Empty with `error`: what it is not.
std::string absolute_uri(const std::string& file, std::string* error);

struct FileStamp {
  std::string text;   // part of the file's key
  std::string error;  // why it cannot be asked, as a sentence without its subject
};

// Blocks, over HTTP for as long as the server lets it wait or until `stop`. Any thread.
FileStamp stamp_of(const std::string& uri, const std::atomic<bool>& stop);
