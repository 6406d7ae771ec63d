// The writers of the formats (formats.h): hits as text, nothing else. All times come from one
// FrameClock; all titles are printable and escaped as their format wants it.
#pragma once

#include "examples/export/exported.h"

Written write_vtt(const Exported& exported);
Written write_srt(const Exported& exported);
Written write_jsonl(const Exported& exported);
Written write_csv(const Exported& exported);
Written write_otio(const Exported& exported);
Written write_otio_cuts(const Exported& exported);
Written write_edl(const Exported& exported);
Written write_fcpxml(const Exported& exported);
Written write_premiere_csv(const Exported& exported);
Written write_llc(const Exported& exported);
Written write_youtube(const Exported& exported);
Written write_ffmetadata(const Exported& exported);
Written write_mkv_chapters(const Exported& exported);
