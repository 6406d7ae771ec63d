#include "examples/batch/file_stamp.h"

#include <gst/gst.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "examples/batch/http_stamp.h"
#include "examples/common/places.h"

namespace {

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

FileStamp stamp_of_path(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0)
    return {"", errno == ENOENT ? "there is no such file"
                                : std::string("it cannot be read: ") + std::strerror(errno)};
  if (!S_ISREG(facts.st_mode))
    return {"", "it is " + kind_of(facts.st_mode) + ", expected a video file"};
  if (facts.st_size == 0) return {"size 0", "it is empty, expected a video file"};
  return {"size " + std::to_string(facts.st_size) + " time " +
              std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec),
          ""};
}

std::string uri_of_path(const std::string& path) {
  gchar* uri = gst_filename_to_uri(path.c_str(), nullptr);
  const std::string text = uri ? uri : "";
  g_free(uri);
  return text;
}

}  // namespace

std::string absolute_uri(const std::string& file, std::string* error) {
  struct stat ignored {};
  const bool is_uri = gst_uri_is_valid(file.c_str()) && stat(file.c_str(), &ignored) != 0;
  if (is_uri && file.starts_with("fd:")) {
    *error = "it can be read only once, expected a file";
    return "";
  }
  const std::string path = is_uri ? path_of(file) : file;
  const std::string uri = path.empty() ? file : uri_of_path(path);
  if (uri.empty()) *error = "its name cannot be made a URI";
  return uri;
}

FileStamp stamp_of(const std::string& uri, const std::atomic<bool>& stop) {
  if (const std::string path = path_of(uri); !path.empty()) return stamp_of_path(path);
  if (uri.starts_with("file:")) return {"", "its address names no file of this computer"};
  if (uri.starts_with("http:") || uri.starts_with("https:")) return stamp_of_http(uri, stop);
  return {};
}
