// An RTSP server for tests, on 127.0.0.1 alone: a thread and a GMainContext of its own, so that it
// may live in the process of its client and be stopped and started while that one plays.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <string>
#include <thread>

namespace vidi::test {

// What is served under /test. The synthetic stream is live: a moving ball and ticks, 320 x 240 at
// 15 frames a second with a key frame every second. A file is played from its start for every
// client, at its own speed, and ends when it ends.
struct RtspContent {
  std::string file;           // "" = the synthetic stream
  std::string codec = "vp8";  // or "h264", where an encoder for it is installed
  bool audio = true;          // A-law; a file must have it then
};
// As gst_rtsp_media_factory_set_launch() takes it.
std::string launch_line(const RtspContent& content);

class RtspServer {
 public:
  // Serves at once. `port` 0 takes a free one; port() is 0 when that failed.
  explicit RtspServer(const RtspContent& content, int port = 0);
  ~RtspServer();  // as if killed: every connection is closed without a word

  // From now on that is a reset (RST) for the client, an error in the middle of a read, and no
  // orderly end (FIN). Without this it is the one or the other, by what lies unread in the socket.
  void reset_connections_at_the_end() { resets_ = true; }

  int port() const { return port_; }
  std::string uri() const { return "rtsp://127.0.0.1:" + std::to_string(port_) + "/test"; }

 private:
  static gboolean hang_up(gpointer self);

  GMainContext* const context_;
  GMainLoop* const loop_;
  GstRTSPServer* const server_;
  GSource* source_ = nullptr;
  int port_ = 0;
  bool resets_ = false;
  std::thread thread_;
};

}  // namespace vidi::test
