#include "examples/watch/hls_branches.h"

#include "examples/common/elements.h"

namespace {

// What cannot be written in time is left out.
constexpr char kSource[] =
    "appsrc name=in format=time is-live=true min-latency=0 leaky-type=downstream max-buffers=0 "
    "max-bytes=67108864 max-time=20000000000 ! ";
// The parameters stand before every key frame: a player may begin at each.
constexpr char kParsedH264[] =
    "h264parse config-interval=-1 ! capsfilter "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au";
constexpr char kParsedH265[] =
    "h265parse config-interval=-1 ! capsfilter "
    "caps=video/x-h265,stream-format=byte-stream,alignment=au";

// The first that is installed; elements of a chain are its first word.
std::string first_of(std::initializer_list<const char*> chains) {
  for (const std::string chain : chains) {
    if (is_installed(chain.substr(0, chain.find(' ')).c_str())) return chain;
  }
  return "";
}

HlsBranch raw_pictures() {
  const std::string encoder =
      first_of({"x264enc tune=zerolatency speed-preset=veryfast key-int-max=15 bitrate=2000",
                "openh264enc gop-size=15 bitrate=2000000"});
  if (encoder.empty())
    return {"",
            "raw pictures need an encoder of H.264 for HLS, x264enc or openh264enc, and none is "
            "installed"};
  return {std::string(kSource) + "videoconvert ! video/x-raw,format=I420 ! " + encoder + " ! " +
              kParsedH264,
          ""};
}

HlsBranch pictures(const std::string& type, bool raw) {
  if (raw) return raw_pictures();
  if (type == "video/x-h264") return {std::string(kSource) + kParsedH264, ""};
  if (type == "video/x-h265") return {std::string(kSource) + kParsedH265, ""};
  return {"", "pictures of " + type + " cannot be published in HLS, expected H.264 or H.265"};
}

// The parser of sound that MPEG-TS and players of HLS take as it is; empty: it has to become AAC.
std::string parser_of(const GstStructure* caps) {
  if (gst_structure_has_name(caps, "audio/x-ac3")) return "ac3parse";
  if (!gst_structure_has_name(caps, "audio/mpeg")) return "";
  gint version = 0;
  gst_structure_get_int(caps, "mpegversion", &version);
  if (version == 1) return "mpegaudioparse";
  const gchar* format = gst_structure_get_string(caps, "stream-format");
  const bool fits = g_strcmp0(format, "raw") == 0 || g_strcmp0(format, "adts") == 0;
  return fits ? "aacparse ! capsfilter caps=audio/mpeg,stream-format=adts" : "";
}

HlsBranch sound(const GstStructure* caps, bool raw) {
  const std::string parser = parser_of(caps);
  if (!parser.empty()) return {kSource + parser, ""};
  const std::string encoder = first_of({"fdkaacenc", "voaacenc", "avenc_aac"});
  if (encoder.empty())
    return {"", "there is no sound in HLS: it is no AAC, and no encoder of AAC is installed"};
  return {kSource + std::string(raw ? "" : "decodebin ! ") +
              "audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=[1,2] ! " + encoder +
              " ! aacparse ! capsfilter caps=audio/mpeg,stream-format=adts",
          ""};
}

}  // namespace

HlsBranch hls_branch(const StreamTap& tap) {
  GstCaps* caps = tap.caps();
  if (!caps) return {"", "a stream without data cannot be published in HLS"};
  const GstStructure* s = gst_caps_get_structure(caps, 0);
  const HlsBranch branch =
      tap.video() ? pictures(gst_structure_get_name(s), tap.raw()) : sound(s, tap.raw());
  gst_caps_unref(caps);
  return branch;
}
