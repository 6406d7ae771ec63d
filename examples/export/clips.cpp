#include "examples/export/clips.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "examples/common/output_file.h"
#include "examples/common/places.h"
#include "examples/common/text.h"
#include "examples/export/clip_cutter.h"
#include "examples/export/clip_encoder.h"
#include "examples/export/clip_names.h"

namespace fs = std::filesystem;

namespace {

constexpr GstClockTime kPatience = 60 * GST_SECOND;  // with a slow server
constexpr char kIndex[] = "index.json";

class ClipSet {
 public:
  ClipSet(const std::string& uri, const std::vector<Hit>& hits, const ClipWishes& wishes,
          const std::atomic<bool>& interrupted)
      : uri_(uri), hits_(by_start(hits)), wishes_(wishes), interrupted_(interrupted) {}

  std::string conflict_with_film() const;
  std::vector<Cut> cuts() const;
  bool take(const CutClip& done);  // false: no use to go on
  std::string write_index() const;
  const std::string& error() const { return error_; }
  size_t size() const { return clips_.size(); }

 private:
  std::string stem(size_t i) const {
    return (fs::path(wishes_.folder) / clip_name(i + 1, hits_.size(), hits_[i])).string();
  }
  Cut cut_of(size_t i) const;
  void fail(size_t i, const std::string& why);

  const std::string uri_;
  const std::vector<Hit> hits_;
  const ClipWishes& wishes_;
  const std::atomic<bool>& interrupted_;
  std::vector<Clip> clips_;
  std::string error_;
};

std::string ClipSet::conflict_with_film() const {
  std::vector<std::string> outputs{(fs::path(wishes_.folder) / kIndex).string()};
  for (size_t i = 0; i < hits_.size(); ++i) {
    for (const char* extension : {".mp4", ".mkv"}) outputs.push_back(stem(i) + extension);
  }
  return conflict(outputs, {path_of(uri_)});
}

Cut ClipSet::cut_of(size_t i) const {
  const auto start = static_cast<gint64>(hits_[i].start), stop = static_cast<gint64>(hits_[i].stop);
  const auto margin = static_cast<gint64>(wishes_.margin);
  Cut cut;
  cut.stem = stem(i), cut.id = i;
  cut.from = std::max<gint64>(start - margin, 0), cut.to = stop + margin, cut.hit_start = start,
  cut.hit_stop = stop;
  return cut;
}

std::vector<Cut> ClipSet::cuts() const {
  std::vector<Cut> all;
  for (size_t i = 0; i < hits_.size(); ++i) all.push_back(cut_of(i));
  return all;
}

bool ClipSet::take(const CutClip& done) {
  if (interrupted_) return false;
  std::string path = done.path, error = done.error;
  gint64 base = done.base;
  if (error.empty() && wishes_.exact) {
    const Cut cut = cut_of(done.id);
    const gint64 from = std::max<gint64>(cut.from - base, 0);
    error = encode_clip(&path, from, cut.to - base, done.has_sound, interrupted_);
    base += from;
  }
  if (!error.empty()) return fail(done.id, error), false;
  clips_.push_back({fs::path(path).filename().string(), hits_[done.id], base});
  return true;
}

void ClipSet::fail(size_t i, const std::string& why) {
  error_ = stem(i) + " is not written: " + why;
}

std::string ClipSet::write_index() const {
  std::vector<Clip> clips = clips_;
  std::sort(clips.begin(), clips.end(),
            [](const Clip& a, const Clip& b) { return a.file < b.file; });
  return write_file(index_of(wishes_), clip_index(without_credentials(uri_), clips));
}

// One pass over the film.
std::string read_into(ClipCutter& cutter, const std::string& uri, const TrackWishes& tracks,
                      const std::atomic<bool>& interrupted) {
  FilmReader* reading = nullptr;
  FilmReader reader(uri, tracks, [&](Kind kind, const Packet& packet) {
    return cutter.take(kind, packet, {reading->has_audio(), reading->sound()});
  });
  reading = &reader;
  const std::string error = reader.read(interrupted, kPatience);
  if (!interrupted) cutter.finish(error.empty());
  return error;
}

// None, or one that was written here before. What is longer than any of ours is another's.
bool is_own_index(const std::string& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) return true;
  std::ifstream file(path, std::ios::binary);
  const auto index = nlohmann::json::parse(file, nullptr, false);
  return index.is_object() && index.contains("film") && index.contains("clips");
}

}  // namespace

std::string index_of(const ClipWishes& wishes) {
  return (fs::path(wishes.folder) / kIndex).string();
}

std::string prepare_clips(const ClipWishes& wishes) {
  std::error_code failed;
  if (fs::exists(wishes.folder, failed) && !fs::is_directory(wishes.folder, failed))
    return wishes.folder + " is no folder, expected one for the clips";
  fs::create_directories(wishes.folder, failed);
  if (failed) return wishes.folder + " cannot be made: " + failed.message();
  const std::string index = index_of(wishes);
  if (!is_own_index(index))
    return index + " is of another program, expected another folder for the clips";
  return check_writable(index);
}

std::string write_clips(const std::string& uri, const TrackWishes& tracks,
                        const std::vector<Hit>& hits, const ClipWishes& wishes,
                        const std::atomic<bool>& interrupted,
                        const std::function<void(const std::string&)>& note) {
  ClipSet set(uri, hits, wishes, interrupted);
  if (const auto error = set.conflict_with_film(); !error.empty()) return error;
  std::string error;
  for (std::vector<Cut> cuts = set.cuts(); !cuts.empty() && error.empty() && !interrupted;) {
    ClipCutter cutter(cuts, [&](const CutClip& done) { return set.take(done); });
    error = read_into(cutter, uri, tracks, interrupted);
    if (!cutter.note().empty()) note(cutter.note());
    cuts = set.error().empty() ? cutter.left() : std::vector<Cut>();
  }
  if (!set.error().empty()) error = set.error();
  if (interrupted) error = "stopped before the end, not all clips are written";
  if (set.size() == 0 && !error.empty()) return error;  // an index of before stays
  const std::string of_index = set.write_index();
  if (error.empty() && of_index.empty())
    note("wrote " + std::to_string(set.size()) + (set.size() == 1 ? " clip" : " clips") + " into " +
         wishes.folder + ", and what is in them into its " + kIndex);
  return error.empty() ? of_index : error;
}
