#include "examples/common/places.h"

#include <gst/gst.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace fs = std::filesystem;

namespace {

fs::path own_folder() {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path() : program.parent_path();
}

// A folder of the installation, wherever that was moved to: it lies as far from this program.
fs::path moved(const fs::path& installed) {
  const fs::path own = own_folder();
  return own.empty() ? installed : own / installed.lexically_relative(VIDI_BINDIR);
}

bool is_known() {
  GstElementFactory* factory = gst_element_factory_find("vidifilter");
  if (factory) gst_object_unref(factory);
  return factory != nullptr;
}

}  // namespace

std::string make_element_known() {
  if (is_known()) return "";
  const fs::path folder = own_folder() / ".." / "gst";
  for (const fs::path& place : {folder, moved(VIDI_INSTALLED_PLUGINS)}) {
    gst_registry_scan_path(gst_registry_get(), place.lexically_normal().c_str());
    if (is_known()) return "";
  }
  return "GStreamer has no element named vidifilter: expected the file libgstvidi.so in a folder "
         "that GST_PLUGIN_PATH names, or in " +
         folder.lexically_normal().string();
}

std::string demo_checkpoint() {
  std::error_code ignored;
  const fs::path in_build_tree = own_folder() / "../../examples/demo/checkpoint";
  for (const fs::path& place :
       {in_build_tree, moved(VIDI_INSTALLED_MODEL), fs::path(VIDI_DEMO_CHECKPOINT)}) {
    if (fs::exists(place / "config.json", ignored)) return fs::weakly_canonical(place).string();
  }
  return "";
}

std::string model_of_environment() {
  const char* named = std::getenv("VIDI_MODEL");
  return named ? named : "";
}

std::string path_of(const std::string& uri) {
  gchar* name = g_filename_from_uri(uri.c_str(), nullptr, nullptr);
  const std::string path = name ? name : "";
  g_free(name);
  return path;
}

bool is_file(const std::string& text) {
  std::error_code ignored;
  if (fs::exists(text, ignored) && !fs::is_directory(text, ignored)) return true;
  return gst_uri_is_valid(text.c_str()) && text.find("://") != std::string::npos &&
         text.find(' ') == std::string::npos;
}

std::string uri_of(const std::string& file, std::string* error) {
  if (file == "-") {
    if (isatty(STDIN_FILENO)) *error = "stdin is a terminal, expected a file that is piped in";
    return error->empty() ? "fd://0" : "";
  }
  std::error_code failed;
  if (fs::is_directory(file, failed)) {
    *error = "it is a folder, expected a video file";
    return "";
  }
  const bool there = fs::exists(file, failed);
  if (!there && gst_uri_is_valid(file.c_str())) return file;
  if (!there) {
    *error = "there is no such file";
    return "";
  }
  gchar* uri = gst_filename_to_uri(file.c_str(), nullptr);
  const std::string text = uri ? uri : "";
  g_free(uri);
  if (text.empty()) *error = "its name cannot be made a URI";
  return text;
}
