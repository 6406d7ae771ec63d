/* The same in C, against what is installed: prints every hit in a file as it is found.
 *
 *   cc embed.c $(pkg-config --cflags --libs vidi) -o embed
 *   ./embed FILE QUERY [CHECKPOINT]
 *
 * Without CHECKPOINT the model is $VIDI_MODEL, or the small one that is installed with the plugin.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <vidi/vidi.h>

/* One line a result. Hits that the next window may still change are not final. */
static void print_result(const GstStructure* result) {
  gboolean final = FALSE;
  guint64 start = 0, duration = 0;
  gst_structure_get(result, VIDI_FIELD_FINAL, G_TYPE_BOOLEAN, &final, VIDI_FIELD_STREAM_TIME,
                    G_TYPE_UINT64, &start, VIDI_FIELD_DURATION, G_TYPE_UINT64, &duration, NULL);
  if (!final) return;
  printf("%s: %.1f s to %.1f s\n", gst_structure_get_string(result, VIDI_FIELD_QUERY),
         (double)start / GST_SECOND, (double)(start + duration) / GST_SECOND);
}

static void print_error(GstMessage* message) {
  GError* error = NULL;
  gst_message_parse_error(message, &error, NULL);
  fprintf(stderr, "embed: %s\n", error->message);
  g_clear_error(&error);
}

/* The end of the stream comes after the last result: TRUE. An error: FALSE. */
static gboolean watch(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessageType last = GST_MESSAGE_UNKNOWN;
  while (last != GST_MESSAGE_EOS && last != GST_MESSAGE_ERROR) {
    GstMessage* message = gst_bus_timed_pop(bus, GST_CLOCK_TIME_NONE);
    last = GST_MESSAGE_TYPE(message);
    if (gst_message_has_name(message, VIDI_MESSAGE_RESULT))
      print_result(gst_message_get_structure(message));
    if (last == GST_MESSAGE_ERROR) print_error(message);
    gst_message_unref(message);
  }
  gst_object_unref(bus);
  return last == GST_MESSAGE_EOS;
}

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: embed FILE QUERY [CHECKPOINT]\n");
    return 2;
  }
  GError* error = NULL;
  GstElement* pipeline = gst_parse_launch(
      "uridecodebin name=file " VIDI_ELEMENT " name=vidi  file. ! queue ! vidi." VIDI_PAD_SINK
      "  file. ! queue ! vidi." VIDI_PAD_AUDIO_SINK "  vidi." VIDI_PAD_SRC " ! fakesink sync=false",
      &error);
  if (error) {
    fprintf(stderr, "embed: %s\n", error->message);
    g_clear_error(&error);
    return 1;
  }
  gchar* uri = gst_filename_to_uri(argv[1], NULL);
  gst_child_proxy_set(GST_CHILD_PROXY(pipeline), "file::uri", uri, "vidi::query", argv[2],
                      "vidi::model-path", argc == 4 ? argv[3] : NULL, NULL);
  g_free(uri);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  const gboolean watched = watch(pipeline);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return watched ? 0 : 1;
}
