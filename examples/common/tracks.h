// The tracks of a file or a camera: what is known of them before they flow, and which one is the
// film.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <vector>

enum class Kind { kOther, kPicture, kSound };
Kind kind_of(const std::string& media_type);  // of caps, coded or raw
std::string media_type(GstPad* pad);          // "video/x-raw"; empty when not known
std::string format_text(GstPad* pad);         // the caps in full

// Which tracks the command line asks for: number or language; empty: the file's own choice.
struct TrackWishes {
  std::string video, audio;
};

bool is_made_by(GstElement* element, const char* factory);

struct Track {
  GstPad* pad = nullptr;    // where it comes out decoded; null: it does not
  GstPad* coded = nullptr;  // the demuxer's; null: there is none
  bool playable = false;
  std::string stream_id;
  Kind kind = Kind::kOther;
  bool wanted = false, unwanted = false;  // the file's own flags; both false: it says nothing
  bool image = false;                     // its codec is one of single images
  std::string language;                   // ISO 639 code; empty = unknown
};

// From the sticky events that passed a pad; no `pad` in it, and not playable.
Track track_of(GstPad* pad);
// What the demuxers in `bin` offer now, in the order of the file.
std::vector<Track> demuxed_tracks(GstBin* bin);

// The tracks of pictures and sound of a group, in the order of the file: what the demuxers in `bin`
// offer, each with the pad of `decoded` that it ends in; with `all` also those that end in none.
std::vector<Track> tracks_in(GstBin* bin, const std::vector<GstPad*>& decoded, bool all);

std::vector<Track> of_kind(const std::vector<Track>& tracks, Kind kind);

// Which of the tracks of one kind: as the command line says it ("2", "en", "eng" or "English";
// empty: nothing), else by the file's flags, single images behind films, the first of equals first.
// Of several tracks of pictures in a file, one with a single picture is none (`uri`: of the file,
// empty where it cannot be read a second time; then this blocks). Only those that can be played;
// empty: none is that.
std::optional<size_t> choose_track(const std::vector<Track>& tracks, const std::string& wish,
                                   const std::string& uri);

// "hears track 2 of 3, English"
std::string choice_text(const std::vector<Track>& tracks, size_t chosen);
// "expected 1 to 3, or the language English or German, found fr"
std::string wish_complaint(const std::vector<Track>& tracks, const std::string& wish);
