#include "examples/export/export_arguments.h"

#include <glib.h>

#include "examples/common/output.h"
#include "examples/common/version.h"
#include "examples/export/export_options.h"

namespace {

constexpr char kSummary[] =
    "Writes hits that vidi-ask --json has found in the forms of other programs.\n\n"
    "  vidi-ask --json film.mp4 \"a dog\" > hits.jsonl\n"
    "  vidi-export hits.jsonl edl film.edl otio film.otio\n"
    "  vidi-export hits.jsonl --clips clips\n"
    "  vidi-ask --json film.mp4 \"a dog\" | vidi-export - csv -";

struct Raw {
  ExportOptions exports;
  gchar *media = nullptr, *video_track = nullptr, *audio_track = nullptr;
  gchar** rest = nullptr;

  ~Raw() {
    for (gchar* text : {media, video_track, audio_track}) g_free(text);
    g_strfreev(rest);
  }
};

std::string text_of(const gchar* text) { return text ? text : ""; }

// HITS, then pairs of a form's name and a file. Returns an empty string, or what was expected.
std::string read_rest(gchar** rest, ExportArguments* arguments) {
  if (!rest || !*rest) return "expected a file of hits, as vidi-ask --json writes it";
  arguments->hits = *rest++;
  for (; *rest; rest += 2) {
    ExportRequest request;
    if (!rest[1]) return std::string("expected a file after ") + *rest;
    const std::string wrong =
        parse_export(std::string(*rest) + "=" + rest[1], arguments->media, &request);
    if (!wrong.empty()) return wrong;
    arguments->wishes.files.push_back(request);
  }
  return "";
}

std::string read(const Raw& raw, ExportArguments* arguments) {
  arguments->media = text_of(raw.media);
  arguments->tracks = {text_of(raw.video_track), text_of(raw.audio_track)};
  std::string wrong = read_rest(raw.rest, arguments);
  const std::string named_after = arguments->media.empty() ? arguments->hits : arguments->media;
  if (wrong.empty()) wrong = raw.exports.read(named_after, &arguments->wishes);
  if (wrong.empty() && arguments->wishes.files.empty() && arguments->wishes.clips.folder.empty())
    wrong = "expected what to write: NAME FILE, --export or --clips";
  if (wrong.empty() && arguments->media == "-")
    wrong = "--media: expected a file or a URI, found stdin";
  return wrong;
}

GOptionContext* make_context(Raw& raw) {
  auto entries = raw.exports.entries();
  entries.insert(
      entries.end(),
      {{"media", 0, 0, G_OPTION_ARG_FILENAME, &raw.media,
        "The film (default: what the first line of HITS names)", "FILM"},
       {"video-track", 0, 0, G_OPTION_ARG_STRING, &raw.video_track,
        "Which track of pictures, for clips and frames: number or language", "N|LANG"},
       {"audio-track", 0, 0, G_OPTION_ARG_STRING, &raw.audio_track,
        "Which track of sound, likewise", "N|LANG"},
       version_option(),
       {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, nullptr, nullptr},
       {}});
  GOptionContext* context = g_option_context_new("HITS [NAME FILE]...");
  g_option_context_set_summary(context, kSummary);
  const std::string description =
      "HITS is a file of JSON lines, or - for what is piped in. NAME is one of\n\n" +
      format_help() +
      "\nExit status: 0 all is written, 1 it is not, 2 the command line was not understood.";
  g_option_context_set_description(context, description.c_str());
  g_option_context_add_main_entries(context, entries.data(), nullptr);
  return context;
}

}  // namespace

std::optional<ExportArguments> parse_export_arguments(int argc, char** argv) {
  Raw raw;
  GOptionContext* context = make_context(raw);
  GError* error = nullptr;
  const bool parsed = g_option_context_parse(context, &argc, &argv, &error);
  g_option_context_free(context);
  ExportArguments arguments;
  const std::string wrong = parsed ? read(raw, &arguments) : error->message;
  g_clear_error(&error);
  if (wrong.empty()) return arguments;
  say_on_stderr("vidi-export", wrong + ". See vidi-export --help.");
  return std::nullopt;
}
