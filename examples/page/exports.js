// The menu of formats: the hits that pass the filter as a file, made in the browser.

// Of a name, what it is, the file's ending, the writer, and whether it needs the film's rate.
const kFormats = [
  ["vtt", "WebVTT subtitles", ".vtt", writeVtt],
  ["srt", "SubRip subtitles", ".srt", writeSrt],
  ["csv", "Table for spreadsheets", ".csv", writeCsv],
  ["jsonl", "JSON lines", ".jsonl", writeJsonl],
  ["otio", "OpenTimelineIO, markers", ".otio", writeOtio, true],
  ["otio-cuts", "OpenTimelineIO, hits as clips", ".cuts.otio", writeOtioCuts, true],
  ["edl", "DaVinci Resolve markers (EDL)", ".edl", writeEdl, true],
  ["fcpxml", "Final Cut Pro XML", ".fcpxml", writeFcpxml, true],
  ["premiere-csv", "Premiere markers", ".premiere.csv", writePremiereCsv, true],
  ["llc", "LosslessCut segments", ".llc", writeLlc],
  ["youtube", "YouTube chapters", ".youtube.txt", writeYoutube],
  ["ffmetadata", "ffmpeg chapters", ".ffmeta", writeFfmetadata],
  ["mkv-chapters", "Matroska chapters", ".chapters.xml", writeMkvChapters],
];

function makeFormats() {
  const rateIsKnown = page.film.rate[0] > 0;
  for (const [name, words, ending, write, needsRate] of kFormats) {
    if (needsRate && !rateIsKnown) continue;
    const button = make("button", "", words);
    button.type = "button";
    button.dataset.format = name;
    button.append(make("small", "", ending));
    button.addEventListener("click", () => save(ending, write));
    byId("formats").append(button);
  }
  const note = make("p");
  note.setAttribute("role", "status");
  byId("formats").append(note);
}

function updateFormats(n) {
  const all = page.hits.length;
  for (const button of byId("formats").querySelectorAll("button")) button.disabled = n === 0;
  sayOfFormats(n === all ? `${all === 1 ? "The hit" : "All hits"}, in a file made here by your browser.`
               : `The ${counted(n, "hit that passes", "hits that pass")} the filter.`);
}

function sayOfFormats(text) {
  byId("formats").querySelector("p").textContent = text;
}

// What is worth a note leaves the menu open.
function save(ending, write) {
  const exported = {film: page.film, hits: shownHits(), clock: new FrameClock(page.film.rate)};
  if (exported.clock.isKnown) exported.nFrames = countFrames(exported);
  const written = write(exported);
  const notes = written.error ? [written.error] : written.notes ?? [];
  if (!written.error) offer(page.film.file.replace(/(?<=.)\.[^.]*$/, "").replace(/[\\/:*?"<>|]/g, "-") + ending, written.text ?? written);
  if (notes.length) sayOfFormats(notes.join(" "));
  else byId("save").open = false;
}

function offer(name, content) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([content], {type: "application/octet-stream"}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
