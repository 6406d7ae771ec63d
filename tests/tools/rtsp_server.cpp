// Serves a test stream on 127.0.0.1, prints its address and ends on SIGINT or SIGTERM:
//
//   build/tests/rtsp-server [--port N] [--codec vp8|h264] [--no-audio] [FILE]
//
// Without FILE a synthetic live stream. See tests/support/rtsp_server.h.
#include "tests/support/rtsp_server.h"

#include <glib-unix.h>

#include <cstdio>

namespace {

gboolean stop(gpointer loop) {
  g_main_loop_quit(static_cast<GMainLoop*>(loop));
  return G_SOURCE_REMOVE;
}

struct Options {
  gint port = 0;
  gchar* codec = nullptr;
  gboolean no_audio = FALSE;
  gchar** files = nullptr;
};

bool parse(int* argc, char*** argv, Options* options) {
  const GOptionEntry entries[] = {
      {"port", 0, 0, G_OPTION_ARG_INT, &options->port, "Port; 0 (default) takes a free one", "N"},
      {"codec", 0, 0, G_OPTION_ARG_STRING, &options->codec, "vp8 (default) or h264", "NAME"},
      {"no-audio", 0, 0, G_OPTION_ARG_NONE, &options->no_audio, "Serve the pictures alone",
       nullptr},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->files, nullptr, "[FILE]"},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};
  GOptionContext* context = g_option_context_new("- a test stream on 127.0.0.1");
  g_option_context_add_main_entries(context, entries, nullptr);
  g_option_context_add_group(context, gst_init_get_option_group());
  GError* error = nullptr;
  const bool parsed = g_option_context_parse(context, argc, argv, &error);
  if (error) fprintf(stderr, "rtsp-server: %s\n", error->message);
  g_clear_error(&error);
  g_option_context_free(context);
  return parsed;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(&argc, &argv, &options)) return 2;
  vidi::test::RtspContent content;
  if (options.files) content.file = options.files[0];
  if (options.codec) content.codec = options.codec;
  content.audio = !options.no_audio;

  const vidi::test::RtspServer server(content, options.port);
  if (server.port() == 0) {
    fprintf(stderr, "rtsp-server: port %d of 127.0.0.1 cannot be used\n", options.port);
    return 1;
  }
  printf("%s\n", server.uri().c_str());
  fflush(stdout);

  GMainLoop* loop = g_main_loop_new(nullptr, FALSE);
  g_unix_signal_add(SIGINT, stop, loop);
  g_unix_signal_add(SIGTERM, stop, loop);
  g_main_loop_run(loop);
  g_main_loop_unref(loop);
  g_strfreev(options.files);
  g_free(options.codec);
  return 0;
}
