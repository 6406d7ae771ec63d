// Writers for editing programs, and those that are JSON. Numbers are written as the program writes
// them: a real number has a point or an exponent, and at times one digit more than the shortest.

class Real {
  constructor(value, text) {
    this.value = value;
    this.written = text;  // where the program writes other digits
  }

  toString() {
    if (this.written) return this.written;
    if (Number.isInteger(this.value) && Math.abs(this.value) < 1e15) return this.value.toFixed(1);
    if (Math.abs(this.value) >= 1e-4) return String(this.value);
    const [digits, exponent] = this.value.toExponential().split("e-");
    return `${digits}e-${exponent.padStart(2, "0")}`;
  }
}

// `indent`: spaces a level; null: all in one line.
function dump(value, indent = null, level = 1) {
  if (value instanceof Real) return value.toString();
  if (typeof value !== "object") return JSON.stringify(value);
  const isList = Array.isArray(value);
  const colon = indent === null ? ":" : ": ";
  const parts = isList ? value.map((part) => dump(part, indent, level + 1))
                : Object.entries(value).map(([name, part]) => JSON.stringify(name) + colon + dump(part, indent, level + 1));
  const [open, close] = isList ? "[]" : "{}";
  if (!parts.length) return open + close;
  if (indent === null) return open + parts.join(",") + close;
  const line = (n) => "\n" + " ".repeat(indent * n);
  return open + line(level) + parts.join("," + line(level)) + line(level - 1) + close;
}

function secondsOf(hit, field) {
  return new Real(hit[field] / 1e9, hit.written?.[field]);
}

function confidenceOf(hit) {
  return hit.confidence === undefined ? {} : {confidence: new Real(hit.confidence, hit.written?.confidence)};
}

function writeJsonl({film, hits, clock}) {
  const media = {type: "media", query: "", start: 0, stop: 0, uri: film.uri};
  if (film.duration !== undefined) media.duration = new Real(film.duration / 1e9, film.written?.duration);
  if (clock.isKnown) media.frame_rate = `${clock.n}/${clock.d}`;
  if (film.variable_rate) media.variable_frame_rate = true;
  if (film.width > 0) Object.assign(media, {width: film.width, height: film.height});
  media.has_audio = film.has_audio;
  const line = (hit) => ({...(hit.query && {query: hit.query}), ...(hit.label && {label: hit.label}),
                          start: secondsOf(hit, "start"), stop: secondsOf(hit, "stop"), ...confidenceOf(hit)});
  return [media, ...hits.map(line)].map((one) => dump(one) + "\n").join("");
}

function writeLlc({film, hits}) {
  const cutSegments = hits.map((hit) => ({start: secondsOf(hit, "start"), end: secondsOf(hit, "stop"), name: printedTitle(hit)}));
  return dump({version: 1, mediaFileName: film.file, cutSegments}, 1) + "\n";
}

// ---- OpenTimelineIO ----

const kOtioColors = ["BLUE", "GREEN", "RED", "YELLOW", "PURPLE", "ORANGE", "CYAN", "MAGENTA", "PINK"];

function otioRange(exported, start, count) {
  const {film, clock} = exported;
  const time = (frame) => ({OTIO_SCHEMA: "RationalTime.1", rate: new Real(clock.n / clock.d, film.written?.rate), value: new Real(frame)});
  return {OTIO_SCHEMA: "TimeRange.1", start_time: time(start), duration: time(count)};
}

function otioFacts(hit) {
  return {vidifilter: {query: hit.query, ...(hit.label && {label: hit.label}), start: secondsOf(hit, "start"), stop: secondsOf(hit, "stop"),
                       ...confidenceOf(hit)}};
}

function otioClip(exported, name, start, count, markers, metadata) {
  const film = {OTIO_SCHEMA: "ExternalReference.1", name: exported.film.file, target_url: exported.film.uri,
                available_range: otioRange(exported, 0, exported.nFrames), metadata: {}};
  return {OTIO_SCHEMA: "Clip.2", name, source_range: otioRange(exported, start, count), media_references: {DEFAULT_MEDIA: film},
          active_media_reference_key: "DEFAULT_MEDIA", markers, effects: [], enabled: true, metadata};
}

function otioText(exported, clips) {
  const track = (kind, children) => ({OTIO_SCHEMA: "Track.1", name: kind, kind, children, metadata: {}});
  const children = [track("Video", clips)];
  if (exported.film.has_audio) children.push(track("Audio", clips.map((clip) => ({...clip, markers: []}))));
  return dump({OTIO_SCHEMA: "Timeline.1", name: exported.film.file, global_start_time: otioRange(exported, exported.film.first_frame, 0).start_time,
               tracks: {OTIO_SCHEMA: "Stack.1", name: "tracks", children, metadata: {}}, metadata: {}}, 1) + "\n";
}

function writeOtio(exported) {
  const {hits, clock, film} = exported;
  const groups = groupsOf(hits);
  const marker = (hit, i) => {
    const {start, count} = clock.framesOf(hit);
    return {OTIO_SCHEMA: "Marker.2", name: printedTitle(hit), comment: commentOf(hit), color: kOtioColors[groups[i] % kOtioColors.length],
            marked_range: otioRange(exported, start, count), metadata: otioFacts(hit)};
  };
  return otioText(exported, [otioClip(exported, film.file, 0, exported.nFrames, hits.map(marker), {})]);
}

function writeOtioCuts(exported) {
  return otioText(exported, exported.hits.map((hit) => {
    const {start, count} = exported.clock.framesOf(hit);
    return otioClip(exported, printedTitle(hit), start, count, [], otioFacts(hit));
  }));
}

// ---- CMX 3600, Final Cut Pro XML ----

const kEdlColors = ["Blue", "Green", "Red", "Yellow", "Purple", "Cyan", "Pink", "Fuchsia", "Sand", "Mint"];
const kMostEvents = 999;  // three digits

function writeEdl({film, hits, clock}) {
  const groups = groupsOf(hits);
  let text = `TITLE: ${film.file}\nFCM: ${clock.isDropFrame ? "DROP FRAME" : "NON-DROP FRAME"}\n\n`;
  hits.forEach((hit, i) => {
    const {start, count} = clock.framesOf(hit);
    const begin = clock.timeCode(film.first_frame_edl + start);
    const end = clock.timeCode(film.first_frame_edl + start + 1);
    text += `${String(i + 1).padStart(3, "0")}  001      V     C        ${begin} ${end} ${begin} ${end}  \n` +
            ` |C:ResolveColor${kEdlColors[groups[i] % kEdlColors.length]} |M:${printedTitle(hit).replaceAll("|", "/")} |D:${count}\n\n`;
  });
  const isLong = hits.length > kMostEvents;
  return {text, notes: isLong ? [`CMX 3600 numbers 999 events, not every program reads all of these ${hits.length}.`] : []};
}

function writeFcpxml({film, hits, clock, nFrames}) {
  const time = (frame) => frame === 0 ? "0s" : `${frame * clock.d}/${clock.n}s`;
  const name = xmlText(film.file);
  const size = film.width > 0 && film.height > 0 ? ` width="${film.width}" height="${film.height}"` : "";
  const sound = film.has_audio ? ' hasAudio="1" audioSources="1"' : "";
  const form = clock.isDropFrame ? "DF" : "NDF";
  const marker = (hit) => {
    const {start, count} = clock.framesOf(hit);
    return `       <marker start="${time(start)}" duration="${time(1)}" value="${xmlText(printedTitle(hit))}" ` +
           `note="${xmlText(commentOf(hit))}, until ${time(start + count)}"/>\n`;
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>
<fcpxml version="1.10">
 <resources>
  <format id="r1" frameDuration="${time(1)}"${size}/>
  <asset id="r2" name="${name}" start="0s" duration="${time(nFrames)}" hasVideo="1" format="r1"${sound}>
   <media-rep kind="original-media" src="${xmlText(film.uri)}"/>
  </asset>
 </resources>
 <library>
  <event name="vidifilter">
   <project name="${name}">
    <sequence format="r1" duration="${time(nFrames)}" tcStart="${time(film.first_frame)}" tcFormat="${form}">
     <spine>
      <asset-clip ref="r2" name="${name}" offset="${time(film.first_frame)}" start="0s" duration="${time(nFrames)}" format="r1" tcFormat="${form}">
${hits.map(marker).join("")}      </asset-clip>
     </spine>
    </sequence>
   </project>
  </event>
 </library>
</fcpxml>
`;
}
