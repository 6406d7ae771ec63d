// `--version` of the programs.
#pragma once

#include <glib.h>

// Prints `NAME (vidifilter) VERSION` and ends the program with status 0, as `--help` does; NAME is
// what g_get_prgname() says, which parsing an option sets.
GOptionEntry version_option();
