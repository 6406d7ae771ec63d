#include "tests/support/rtsp_server.h"

#include <sys/socket.h>

#include <future>

namespace vidi::test {
namespace {

constexpr guint64 kReportInterval = 500 * GST_MSECOND;  // RTCP; usual are 5 s

bool is_installed(const char* element) {
  GstElementFactory* factory = gst_element_factory_find(element);
  if (factory) gst_object_unref(factory);
  return factory != nullptr;
}

std::string encoder(const std::string& codec) {
  if (codec != "h264") {
    return "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=15 target-bitrate=2000000 "
           "! rtpvp8pay name=pay0 pt=96 ";
  }
  // One slice a picture: the payloader puts parameters before each of them, and a parser then takes
  // each for a picture.
  const std::string h264 = is_installed("x264enc")
                               ? "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 "
                                 "threads=1"
                               : "openh264enc gop-size=15 bitrate=2000000";
  return h264 + " ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 ";
}

std::string uri_of(const std::string& file) {
  gchar* text = gst_filename_to_uri(file.c_str(), nullptr);
  const std::string uri = text ? text : "";
  g_free(text);
  return uri;
}

// Reports tell the clients the wall clock of the stream; tests do not want to wait for them.
void report_often(GstRTSPMedia* media, gpointer) {
  for (guint i = 0; i < gst_rtsp_media_n_streams(media); ++i) {
    GObject* session = gst_rtsp_stream_get_rtpsession(gst_rtsp_media_get_stream(media, i));
    if (!session) continue;
    g_object_set(session, "rtcp-min-interval", kReportInterval, nullptr);
    g_object_unref(session);
  }
}

void on_configure(GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer) {
  g_signal_connect(media, "prepared", G_CALLBACK(report_often), nullptr);
}

void mount(GstRTSPServer* server, const RtspContent& content) {
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, launch_line(content).c_str());
  gst_rtsp_media_factory_set_shared(factory, content.file.empty());
  g_signal_connect(factory, "media-configure", G_CALLBACK(on_configure), nullptr);
  GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/test", factory);
  g_object_unref(mounts);
}

// A socket that does not linger at all is closed with a reset.
void reset_when_closed(GstRTSPClient* client) {
  GSocket* socket = gst_rtsp_connection_get_read_socket(gst_rtsp_client_get_connection(client));
  constexpr linger kNever{1, 0};
  setsockopt(g_socket_get_fd(socket), SOL_SOCKET, SO_LINGER, &kNever, sizeof kNever);
}

GstRTSPFilterResult drop_client(GstRTSPServer*, GstRTSPClient* client, gpointer resets) {
  if (*static_cast<const bool*>(resets)) reset_when_closed(client);
  return GST_RTSP_FILTER_REMOVE;
}

gboolean quit(gpointer loop) {
  g_main_loop_quit(static_cast<GMainLoop*>(loop));
  return G_SOURCE_REMOVE;
}

void tell(gpointer ended, GObject*) { static_cast<std::promise<void>*>(ended)->set_value(); }

// Media and clients are taken apart on threads of the server's pool, each of which holds the pool:
// it goes with the last of them. Nothing of the server is there any more when this returns.
void unref_and_wait(GstRTSPServer* server) {
  std::promise<void> ended;
  GstRTSPThreadPool* pool = gst_rtsp_server_get_thread_pool(server);
  g_object_weak_ref(G_OBJECT(pool), tell, &ended);
  g_object_unref(pool);
  g_object_unref(server);
  ended.get_future().wait();
}

// By default clients live on threads of a pool, and one that is closed from another thread while it
// reads never stops reading: its watch and the close race for the connection's streams.
void keep_clients_on_one_thread(GstRTSPServer* server) {
  GstRTSPThreadPool* pool = gst_rtsp_server_get_thread_pool(server);
  gst_rtsp_thread_pool_set_max_threads(pool, 0);
  g_object_unref(pool);
}

void invoke(GMainContext* context, GSourceFunc function, gpointer data) {
  GSource* source = g_idle_source_new();
  g_source_set_callback(source, function, data, nullptr);
  g_source_attach(source, context);
  g_source_unref(source);
}

}  // namespace

std::string launch_line(const RtspContent& content) {
  std::string video =
      "videotestsrc is-live=true pattern=ball ! "
      "video/x-raw,width=320,height=240,framerate=15/1 ! ";
  std::string audio = "audiotestsrc is-live=true wave=ticks ! ";
  if (!content.file.empty()) {
    video = "uridecodebin name=d uri=\"" + uri_of(content.file) + "\" d. ! queue ! ";
    audio = "d. ! queue ! ";
  }
  std::string line =
      "( " + video + "videoconvert ! video/x-raw,format=I420 ! " + encoder(content.codec);
  if (content.audio) {
    line += audio +
            "audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! alawenc ! "
            "rtppcmapay name=pay1 pt=8 ";
  }
  return line + ")";
}

RtspServer::RtspServer(const RtspContent& content, int port)
    : context_(g_main_context_new()),
      loop_(g_main_loop_new(context_, FALSE)),
      server_(gst_rtsp_server_new()) {
  gst_rtsp_server_set_address(server_, "127.0.0.1");
  gst_rtsp_server_set_service(server_, std::to_string(port).c_str());
  mount(server_, content);
  keep_clients_on_one_thread(server_);
  source_ = gst_rtsp_server_create_source(server_, nullptr, nullptr);
  if (!source_) return;
  g_source_attach(source_, context_);
  port_ = gst_rtsp_server_get_bound_port(server_);
  thread_ = std::thread([this] {
    g_main_context_push_thread_default(context_);
    g_main_loop_run(loop_);
    g_main_context_pop_thread_default(context_);
  });
}

// Runs on the server's thread, where its connections live.
gboolean RtspServer::hang_up(gpointer data) {
  auto* self = static_cast<RtspServer*>(data);
  gst_rtsp_server_client_filter(self->server_, drop_client, &self->resets_);
  return G_SOURCE_REMOVE;
}

RtspServer::~RtspServer() {
  if (source_) {
    g_source_destroy(source_);  // no new clients
    g_source_unref(source_);
    invoke(context_, hang_up, this);
    invoke(context_, quit, loop_);
    thread_.join();
  }
  unref_and_wait(server_);
  g_main_loop_unref(loop_);
  g_main_context_unref(context_);
}

}  // namespace vidi::test
