// vididecode: the decoder for files that vidifilter watches. It cuts the stream at the frames where
// decoding may begin, decodes only what is needed for the frames that vidifilter will copy, several
// GOPs side by side, and passes those pictures on in order. A frame that is not needed passes as
// a GAP event.
//
//   coded frames (coded_frame.h) > GOPs (gop.h) > which are needed (frame_plan.h) >
//   decoders side by side (gop_decoders.h) > pictures and gaps in order
//
// The work itself is an ordinary decoder's (inner_decoder.h): the one that GStreamer would take.
// *Plain* is the way back: one such decoder, and all frames pass. It is taken from the start when
// nobody downstream says what is needed, or the stream is of a kind that cannot be cut; and from
// the GOP on where something comes out otherwise than it was expected.
//
// The chain function and events run with the pad's stream lock; GObject boilerplate is in
// vididecode_class.cpp.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "gst/decode/frame_plan.h"
#include "gst/decode/gop.h"
#include "gst/decode/gop_decoders.h"
#include "gst/decode/inner_decoder.h"

#define GST_TYPE_VIDI_DECODE (gst_vidi_decode_get_type())
G_BEGIN_DECLS
G_DECLARE_FINAL_TYPE(GstVidiDecode, gst_vidi_decode, GST, VIDI_DECODE, GstBin)
G_END_DECLS

namespace vidi {

class SamplingDecoder {
 public:
  explicit SamplingDecoder(GstBin* bin);  // adds the pads
  ~SamplingDecoder();

  GstFlowReturn chain(GstBuffer* buffer);
  gboolean event(GstEvent* event);

  void resume();     // READY->PAUSED
  void interrupt();  // PAUSED->READY, before the pads are deactivated: every wait returns
  void end();        // and after it
  // Errors and warnings of decoders side by side are nobody's business: their GOP is decoded
  // again, plainly.
  bool has_fallen_back() const { return has_fallen_back_; }

  std::atomic<guint> n_decoders{0};           // property; 0 = as many as are useful
  std::atomic<guint64> n_gops{0};             // property: decoded side by side
  std::atomic<guint64> n_coded{0}, n_fed{0};  // properties: frames that came, and that were needed

 private:
  GstFlowReturn begin_gops();
  GstFlowReturn take_gops(std::vector<Gop> complete);
  GstFlowReturn finish_gops();
  std::shared_ptr<GopJob> planned(Gop gop);
  bool list_frames(const Gop& gop, std::vector<PlannedFrame>& frames) const;
  GstFlowReturn submit(std::shared_ptr<GopJob> job);
  bool is_full() const;
  GstFlowReturn emit_first();
  GstFlowReturn emit_all();
  GstFlowReturn emit(GopJob& job);

  bool can_be_cut() const;
  std::unique_ptr<InnerDecoder> make_decoder(bool alone);
  OwnedBuffer decoded_first();
  void announce(GstCaps* raw);
  void pass_on(const OwnedEvent& event);
  bool send_plain(const OwnedEvent& event);
  void remember_tags(const OwnedEvent& event);
  GstFlowReturn push(GstBuffer* picture);

  GstFlowReturn fall_back(const char* why);
  GstFlowReturn start_fallback(const char* why);
  GstFlowReturn fallback_output(GstBuffer* picture);
  void fallback_event(GstEvent* event);

  gboolean take_caps(GstEvent* event);
  gboolean take_segment(GstEvent* event);
  gboolean pass(GstEvent* event);
  GstFlowReturn finish();
  void forget_stream();
  void drop_workers();

  GstBin* const bin_;
  GstPad *sink_ = nullptr, *src_ = nullptr;

  GstCaps* caps_ = nullptr;  // compressed
  GstElementFactory* factory_ = nullptr;
  std::optional<CodedFrameReader> reader_;  // empty: nothing that can be cut
  GstSegment segment_;
  guint32 segment_seqnum_ = GST_SEQNUM_INVALID;
  std::vector<OwnedEvent> held_;     // until the first picture has told the caps
  std::vector<OwnedEvent> waiting_;  // came behind the last frame
  OwnedEvent stream_tags_;           // passed on last, or given to the plain decoder
  bool announced_ = false;

  GopSplitter splitter_;
  std::deque<Gop> gops_;                      // cut, not yet planned
  std::deque<std::shared_ptr<GopJob>> jobs_;  // planned, not yet passed on
  std::optional<FramePlan> plan_;             // empty: no frame came yet
  std::optional<FramePlan> plan_before_;      // of the caps before, which the element goes on with
  size_t picture_bytes_ = 0;
  std::optional<Time> first_;  // PTS of the very first frame, which went ahead of its GOP
  std::unique_ptr<InnerDecoder> fallback_;
  GstFlowReturn fallback_flow_ = GST_FLOW_OK;
  std::atomic<bool> has_fallen_back_{false};

  std::mutex mutex_;  // guards what follows
  std::unique_ptr<GopDecoders> workers_;
  std::unique_ptr<InnerDecoder> spare_;  // decoded the first frame
  bool interrupted_ = false;
};

}  // namespace vidi
