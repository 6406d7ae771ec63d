// The writers of formats: hits as text, with the bytes that vidi-export writes of them. A writer
// takes `exported` (the film, hits by time, the clock) and returns text, or {error}, or {text, notes}.

const kMarkup = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;"};

function markup(text) {
  return text.replace(/[&<>'"]/g, (c) => kMarkup[c]);
}

// For XML 1.0, which has no place for some characters.
function xmlText(text) {
  return markup(text.replace(/[\uFFFE\uFFFF]/g, ""));
}

// Without control characters; where there were none the data do not say it twice.
function printed(hit, field) {
  return hit.printed?.[field] ?? hit[field];
}

function printedTitle(hit) {
  return printed(hit, hit.label ? "label" : "query");
}

// As printf does: what lies in the middle goes to the even digit.
function fixed(value, digits) {
  const exact = value.toFixed(60);
  const end = exact.indexOf(".") + 1 + digits;
  if (!/^50*$/.test(exact.slice(end))) return value.toFixed(digits);
  const below = exact.slice(0, end);
  return Number(below.at(-1)) % 2 === 0 ? below : value.toFixed(digits);
}

function commentOf(hit) {
  const text = printed(hit, hit.query ? "query" : "label");
  return hit.confidence === undefined ? text : `${text}, confidence ${fixed(hit.confidence, 2)}`;
}

// The place of each hit's question or title among all of them.
function groupsOf(hits) {
  const known = new Map();
  return hits.map((hit) => {
    const name = hit.query || titleOf(hit);
    if (!known.has(name)) known.set(name, known.size);
    return known.get(name);
  });
}

// All frames of the film, or as far as its last hit where its length is not known.
function countFrames({film, hits, clock}) {
  let n = Math.max(1, film.duration === undefined ? 1 : clock.frameAt(film.duration));
  for (const hit of hits) {
    const frames = clock.framesOf(hit);
    n = Math.max(n, frames.start + frames.count);
  }
  return n;
}

// ---- Subtitles ----

// 00:01:02.500; SubRip has a comma for the point.
function cueTime(ms, point) {
  return [Math.floor(ms / 3600000), Math.floor(ms / 60000) % 60, Math.floor(ms / 1000) % 60].map(twoDigits).join(":") +
         point + String(ms % 1000).padStart(3, "0");
}

function cueSpan(hit, clock, point) {
  const start = clock.millisecondsAt(hit.start);
  const stop = Math.max(clock.millisecondsAt(hit.stop), start + 1);
  return `${cueTime(start, point)} --> ${cueTime(stop, point)}\n`;
}

function writeVtt({hits, clock}) {
  return "WEBVTT\n" + hits.map((hit) => `\n${cueSpan(hit, clock, ".")}${markup(printedTitle(hit))}\n`).join("");
}

function writeSrt({hits, clock}) {
  return hits.map((hit, i) => `${i + 1}\n${cueSpan(hit, clock, ",")}${printedTitle(hit)}\n`).join("\n");
}

// ---- Tables ----

// What a spreadsheet would run as a formula gets an apostrophe.
function harmless(text) {
  return /^ *[=+\-@＝＋－＠]/.test(text) ? "'" + text : text;
}

// `signs`: what a cell has to be quoted for.
function cell(text, signs = /[",;']/) {
  const shown = harmless(text);
  return signs.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
}

function exactSeconds(ns) {
  return `${Math.floor(ns / 1e9)}.${String(ns % 1e9).padStart(9, "0")}`;
}

function writeCsv({film, hits, clock}) {
  const rows = hits.map((hit) => {
    const row = [exactSeconds(hit.start), exactSeconds(hit.stop), hit.confidence === undefined ? "" : fixed(hit.confidence, 4),
                 cell(printed(hit, "query")), cell(printed(hit, "label"))];
    if (!clock.isKnown) return [...row, "", "", ""];
    const {start, count} = clock.framesOf(hit);
    return [...row, start, start + count, clock.timeCode(film.first_frame + start)];
  });
  return [["start,stop,confidence,query,label,start_frame,stop_frame,start_timecode"], ...rows].map((row) => row.join(",") + "\r\n").join("");
}

// UTF-16, little end first as every machine with a browser has it.
function writePremiereCsv({film, hits, clock}) {
  const colon = clock.isDropFrame ? ";" : ":";
  let text = "\uFEFFMarker Name\tDescription\tIn\tOut\tDuration\tMarker Type\t\n";
  for (const hit of hits) {
    const {start, count} = clock.framesOf(hit);
    const first = film.first_frame + start;
    text += [cell(printedTitle(hit), /"/), cell(commentOf(hit), /"/), clock.timeCode(first, colon), clock.timeCode(first + count, colon),
             clock.timeCode(count, colon), "Comment", "\n"].join("\t");
  }
  return new Uint16Array(text.length).map((_, i) => text.charCodeAt(i));
}

// ---- Chapters ----

const kShortestChapter = 10;  // seconds
const kFewestChapters = 3;
const kLongestDescription = 5000;  // characters

function joinChapter(chapter, title) {
  if (!`, ${chapter.title}, `.includes(`, ${title}, `)) chapter.title += `, ${title}`;
}

// What comes less than ten seconds after a chapter's start becomes a part of it.
function youtubeChapters({film, hits}) {
  const chapters = [{start: 0, title: "Start"}];
  const notes = [];
  let n = 0;
  for (const hit of hits) {
    const start = Math.floor(hit.start / 1e9);
    const title = printedTitle(hit).replaceAll("<", "‹").replaceAll(">", "›");
    const last = chapters.at(-1);
    if (start >= last.start + kShortestChapter) {
      chapters.push({start, title});
    } else if (chapters.length === 1 && last.title === "Start") {
      last.title = title;
      if (start) notes.push(`The first chapter has to begin at 0:00, its hit begins at ${clock(start * 1e9, false)}.`);
    } else {
      joinChapter(last, title);
      ++n;
    }
  }
  if (film.duration !== undefined && chapters.length > 1 && Math.floor(film.duration / 1e9) < chapters.at(-1).start + kShortestChapter) {
    const last = chapters.pop();
    joinChapter(chapters.at(-1), last.title);
    ++n;
  }
  if (n) notes.push(`${counted(n, "hit is a part of the chapter", "hits are parts of the chapters")} before, a chapter takes 10 s or more.`);
  return {chapters, notes};
}

function writeYoutube(exported) {
  const {chapters, notes} = youtubeChapters(exported);
  if (chapters.length < kFewestChapters)
    return {error: `YouTube takes three chapters of 10 s or more from 0:00 on, found ${chapters.length}.`};
  const text = chapters.map((chapter) => `${clock(chapter.start * 1e9, false)} ${chapter.title}\n`).join("");
  if ([...text].length > kLongestDescription) notes.push("A description takes 5000 characters, these chapters have more.");
  return {text, notes};
}

function writeFfmetadata({hits, clock}) {
  return ";FFMETADATA1\n" + hits.map((hit) => {
    const start = clock.millisecondsAt(hit.start);
    const stop = Math.max(clock.millisecondsAt(hit.stop), start + 1);
    return `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${start}\nEND=${stop}\ntitle=${printedTitle(hit).replace(/[=;#\\]/g, "\\$&")}\n`;
  }).join("");
}

function matroskaTime(ns) {
  const s = Math.floor(ns / 1e9);
  return [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map(twoDigits).join(":") + "." + String(ns % 1e9).padStart(9, "0");
}

function writeMkvChapters({hits}) {
  const atom = (hit) => `  <ChapterAtom>
   <ChapterTimeStart>${matroskaTime(hit.start)}</ChapterTimeStart>
   <ChapterTimeEnd>${matroskaTime(Math.max(hit.stop, hit.start + 1e6))}</ChapterTimeEnd>
   <ChapterDisplay>
    <ChapterString>${xmlText(printedTitle(hit))}</ChapterString>
    <ChapterLanguage>und</ChapterLanguage>
   </ChapterDisplay>
  </ChapterAtom>
`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Chapters>\n <EditionEntry>\n${hits.map(atom).join("")} </EditionEntry>\n</Chapters>\n`;
}
