// The hits on show as files, with the same bytes as the program writes.

const kTextOfMarkup = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&quot;"};

// 00:01:02.500; SubRip has a comma for the point.
function cueTime(ns, point) {
  const ms = Math.floor(ns / 1e6);
  const pad = (n, width) => String(n).padStart(width, "0");
  return [pad(Math.floor(ms / 3600000), 2), pad(Math.floor(ms / 60000) % 60, 2), pad(Math.floor(ms / 1000) % 60, 2)].join(":") +
         point + pad(ms % 1000, 3);
}

function printed(hit) {
  return hit.printed ?? titleOf(hit);
}

function webVtt(hits) {
  const markup = (text) => text.replace(/[&<>'"]/g, (c) => kTextOfMarkup[c]);
  return "WEBVTT\n" + hits.map((hit) => `\n${cueTime(hit.start, ".")} --> ${cueTime(hit.stop, ".")}\n${markup(printed(hit))}\n`).join("");
}

function subRip(hits) {
  return hits.map((hit, i) => `${i + 1}\n${cueTime(hit.start, ",")} --> ${cueTime(hit.stop, ",")}\n${printed(hit)}\n`).join("\n");
}

// A number as the program writes it: 4.0, 0.0625, 1e-05.
function number(value) {
  if (Number.isInteger(value)) return value.toFixed(1);
  if (Math.abs(value) >= 1e-4) return String(value);
  const [digits, exponent] = value.toExponential().split("e-");
  return `${digits}e-${exponent.padStart(2, "0")}`;
}

function jsonLine(hit) {
  const fields = [];
  if (hit.query) fields.push(`"query":${JSON.stringify(hit.query)}`);
  if (hit.label) fields.push(`"label":${JSON.stringify(hit.label)}`);
  fields.push(`"start":${number(hit.start / 1e9)}`, `"stop":${number(hit.stop / 1e9)}`);
  if (hit.confidence !== undefined) fields.push(`"confidence":${number(hit.confidence)}`);
  return `{${fields.join(",")}}\n`;
}

function jsonLines(hits) {
  return hits.map(jsonLine).join("");
}

// name, what it is, ending of the file, what makes its text
const kFormats = [
  ["vtt", "WebVTT subtitles", "vtt", webVtt],
  ["srt", "SubRip subtitles", "srt", subRip],
  ["jsonl", "JSON lines", "jsonl", jsonLines],
];

function makeFormats() {
  for (const [name, words, ending, write] of kFormats) {
    const button = make("button", "", words);
    button.type = "button";
    button.dataset.format = name;
    button.append(make("small", "", "." + ending));
    button.addEventListener("click", () => save(ending, write(shownHits())));
    byId("formats").append(button);
  }
  byId("formats").append(make("p"));
}

function updateFormats(n) {
  const all = page.hits.length;
  for (const button of byId("formats").querySelectorAll("button")) button.disabled = n === 0;
  byId("formats").querySelector("p").textContent =
      n === all ? "All hits, in files made here by your browser." : `The ${counted(n, "hit", "hits")} that pass the filter.`;
}

function save(ending, content) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob([content], {type: "application/octet-stream"}));
  link.download = page.film.name.replace(/\.[^.]*$/, "").replace(/[\\/:*?"<>|]/g, "-") + "." + ending;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  byId("save").open = false;
}
