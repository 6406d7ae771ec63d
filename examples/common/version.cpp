#include "examples/common/version.h"

#include <cstdlib>
#include <string>

#include "examples/common/output.h"

static gboolean print_version(const gchar*, const gchar*, gpointer, GError**) {
  const std::string name = g_get_prgname() ? g_get_prgname() : "vidifilter";
  std::exit(print(name + " (vidifilter) " VIDI_VERSION "\n") ? EXIT_SUCCESS : EXIT_FAILURE);
}

GOptionEntry version_option() {
  return {"version",
          0,
          G_OPTION_FLAG_NO_ARG,
          G_OPTION_ARG_CALLBACK,
          reinterpret_cast<gpointer>(&print_version),
          "Print the version and end",
          nullptr};
}
