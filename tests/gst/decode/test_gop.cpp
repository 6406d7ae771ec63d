#include <gtest/gtest.h>

#include "gst/decode/gop.h"

namespace vidi {
namespace {

using std::chrono::seconds;

OwnedBuffer some_buffer() { return OwnedBuffer(gst_buffer_new(), BufferUnref()); }

// "I4": an open start at 4 s, "K4": a closed one, "p5": another frame.
CodedFrame frame_of(const std::string& text) {
  CodedFrame frame;
  frame.buffer = some_buffer();
  frame.pts = seconds(std::stoi(text.substr(1)));
  frame.duration = seconds(1);
  frame.starts = text[0] != 'p';
  frame.closed = text[0] == 'K';
  return frame;
}

std::string text_of(const CodedFrame& frame) {
  const char kind = frame.closed ? 'K' : frame.starts ? 'I' : 'p';
  return kind + std::to_string(frame.pts->count() / 1'000'000'000);
}

std::string text_of(const std::vector<CodedFrame>& frames) {
  std::string text;
  for (const CodedFrame& frame : frames) text += (text.empty() ? "" : " ") + text_of(frame);
  return text;
}

std::string text_of(const Gop& gop) {
  return text_of(gop.own) + (gop.tail.empty() ? "" : " + " + text_of(gop.tail));
}

struct Cut {
  std::vector<std::string> gops;
  std::vector<Gop> kept;
  bool good = true;
  std::string rest;
};

// Cuts the words of `text`; what is left at the first word that cannot be cut is in `rest`.
Cut cut(const std::string& text) {
  gst_init(nullptr, nullptr);
  Cut result;
  GopSplitter cutter;
  std::istringstream words(text);
  for (std::string word; result.good && words >> word;)
    result.good = cutter.add(frame_of(word), result.kept);
  if (result.good) {
    for (Gop& gop : cutter.finish()) result.kept.push_back(std::move(gop));
  }
  result.rest = text_of(cutter.take_rest());
  for (const Gop& gop : result.kept) result.gops.push_back(text_of(gop));
  return result;
}

using Texts = std::vector<std::string>;

// A closed frame begins a GOP at once; its own later frames may come in any order.
TEST(Gop, IsCutAtClosedFrames) {
  EXPECT_EQ(cut("K0 p2 p1 K3 p5 p4 K6").gops, (Texts{"K0 p2 p1", "K3 p5 p4", "K6"}));
}

// Leading frames of an open start belong to the GOP before, which decodes that start as well.
TEST(Gop, LeadingFramesStayBefore) {
  EXPECT_EQ(cut("K0 p1 I4 p2 p3 p6 p5 I8 p7").gops,
            (Texts{"K0 p1 + I4 p2 p3", "I4 p6 p5 + I8 p7", "I8"}));
  EXPECT_EQ(cut("K0 I1 I2 K3 I4").gops, (Texts{"K0", "I1", "I2", "K3", "I4"}));
}

// What cannot be cut is said, and nothing is lost.
TEST(Gop, SaysWhatCannotBeCut) {
  const Cut no_start = cut("p0 p1");
  EXPECT_FALSE(no_start.good);
  EXPECT_EQ(no_start.rest, "p0");
  const Cut late_leading = cut("K0 p1 I4 p2 p5 p3 p6");
  EXPECT_FALSE(late_leading.good);
  EXPECT_EQ(late_leading.gops, (Texts{"K0 p1 + I4 p2"}));
  EXPECT_EQ(late_leading.rest, "I4 p5 p3");
  std::string endless = "K0";
  for (int i = 1; i < 5000; ++i) endless += " p" + std::to_string(i);
  EXPECT_FALSE(cut(endless).good);
}

// Joined again, GOPs are the stream as it was, without what was shown before the first of them.
TEST(Gop, RangesJoinToTheStream) {
  const std::string text = "K0 p1 I4 p2 p3 p6 p5 I8 p7 p9 K10 p11";
  const Cut all = cut(text);
  std::vector<const Gop*> gops;
  for (const Gop& gop : all.kept) gops.push_back(&gop);
  EXPECT_EQ(text_of(joined(gops, {})), text);
  gops.erase(gops.begin());
  EXPECT_EQ(text_of(joined(gops, {})), "I4 p6 p5 I8 p7 p9 K10 p11");
  EXPECT_EQ(text_of(joined({gops[0]}, {frame_of("I8"), frame_of("p9")})), "I4 p6 p5 I8 p7 p9");
}

}  // namespace
}  // namespace vidi
