// One ordinary decoder element inside vididecode: frames are pushed in from here, and what it
// decodes comes out here. One thread at a time, that of whoever uses it.
#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

#include "gst/decode/coded_frame.h"

namespace vidi {

class InnerDecoder {
 public:
  using TakeBuffer = std::function<GstFlowReturn(GstBuffer*)>;  // owned
  using TakeEvent = std::function<void(GstEvent*)>;             // owned

  // The decoder becomes a child of `bin`. What it asks of downstream goes to the peer of `outlet`.
  // With `alone` it works on its caller's thread, else with as many threads as it likes. Null when
  // it cannot be made or does not start.
  static std::unique_ptr<InnerDecoder> make(GstBin* bin, GstElementFactory* factory, GstPad* outlet,
                                            bool alone);
  ~InnerDecoder();
  InnerDecoder(const InnerDecoder&) = delete;
  InnerDecoder& operator=(const InnerDecoder&) = delete;

  // Where pictures and events go; events may be left out.
  void on_output(TakeBuffer take_buffer, TakeEvent take_event = {});
  // The beginning of a stream: STREAM_START, CAPS, SEGMENT.
  bool begin(GstCaps* caps, const GstSegment& segment);
  GstFlowReturn push(const CodedFrame& frame);
  bool send(GstEvent* event);  // takes it
  // Everything that is inside comes out; the next frame begins anew.
  void drain(const GstSegment& segment);

  GstCaps* output_caps() const { return gst_pad_get_current_caps(out_); }  // owned; may be null

 private:
  InnerDecoder(GstBin* bin, GstElement* element, GstPad* outlet, bool alone);
  bool start();
  static GstFlowReturn on_buffer(GstPad* pad, GstObject* parent, GstBuffer* buffer);
  static gboolean on_event(GstPad* pad, GstObject* parent, GstEvent* event);
  static gboolean on_query(GstPad* pad, GstObject* parent, GstQuery* query);

  GstBin* const bin_;
  GstElement* const element_;
  GstPad* const outlet_;
  const bool alone_;
  bool begins_ = true;  // the next frame follows no other
  GstPad *in_, *out_;   // ours, linked to the decoder's
  TakeBuffer take_buffer_;
  TakeEvent take_event_;
};

// The decoder that GStreamer would take for these caps, without vididecode itself; null when there
// is none. Owned.
GstElementFactory* best_decoder(const GstCaps* caps);

// How many decoders of this kind are best used side by side; 1: only one by itself.
int n_side_by_side(GstElementFactory* factory);

}  // namespace vidi
