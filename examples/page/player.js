// The film: where it comes from, what is said when it does not play, jumps, and what is on show.

let chosen = null;  // the hit that was jumped to, or that began last while the film plays
let ownSeek = false;

// The proxy's data leave the document once they are a blob: they are the greater part of the page.
function proxyUrl() {
  const holder = byId("proxy");
  const text = holder.textContent;
  holder.remove();
  if (!text) return "";
  const parts = [];
  const step = 1 << 20;  // a multiple of 4 characters
  for (let at = 0; at < text.length; at += step) {
    parts.push(Uint8Array.from(atob(text.slice(at, at + step)), (c) => c.charCodeAt(0)));
  }
  return URL.createObjectURL(new Blob(parts, {type: "video/webm"}));
}

// A copy begins with the first picture; the film's own times may not.
let copyBegin = 0;  // seconds
const filmNow = () => media.currentTime + copyBegin;

function openFilm() {
  const inside = proxyUrl();
  if (inside) copyBegin = (page.film.copy_begin || 0) / 1e9;
  const source = inside || page.film.url;
  media.addEventListener("error", () => sayWhyNot(inside));
  media.addEventListener("loadedmetadata", () => {
    if (!media.videoWidth) return sayWhyNot(inside);  // its sound alone
    byId("unplayable").hidden = true;
    const {videoWidth: width, videoHeight: height} = media;
    if (width > height) byId("stage").style.aspectRatio = `${width} / ${height}`;
    drawTimeline();
  });
  media.addEventListener("seeking", () => {
    if (!ownSeek) choose(null);
    ownSeek = false;
  });
  for (const event of ["timeupdate", "seeked", "pause"]) media.addEventListener(event, showNow);
  media.addEventListener("play", follow);
  if (source) media.src = source;
  else sayWhyNot(inside);
}

function sayWhyNot(inside) {
  const box = byId("unplayable");
  const first = make("p", "", inside ? "This browser does not play the small copy inside the page (WebM, VP8, Vorbis)."
                     : page.film.unplayable || (page.film.url ? "The film does not play: it is not where the page looks for it, or this browser does not know its kind." : "The film is not in this page."));
  box.replaceChildren(first);
  if (!inside && page.film.url) {
    const where = make("p", "", "Looked for beside this page as ");
    let path = page.film.url;
    try { path = decodeURIComponent(path); } catch { /* no UTF-8: as it is */ }
    const name = make("bdi");
    name.append(make("code", "", path));
    where.append(name);
    box.append(where);
  }
  if (!inside) {
    const way = make("p", "", "A page with ");
    way.append(make("code", "", "vidi-ask … --html FILE --html-embed"), " holds a small copy that every browser plays.");
    box.append(way);
  }
  box.hidden = false;
}

function playOrPause() {
  if (media.paused) media.play().catch(() => {});  // the error event says why
  else media.pause();
}

function seekTo(seconds, isOwn = false) {
  const end = filmLength() / 1e9;
  ownSeek = isOwn;
  media.currentTime = Math.max(0, Math.min(seconds, end) - copyBegin);
  showNow();
}

function jumpTo(hit) {
  choose(hit);
  seekTo(hit.start / 1e9, true);
}

function pictureLength() {
  const [n, d] = page.film.rate;
  return n > 0 && d > 0 ? d / n : 1 / 25;
}

// While it plays the playhead moves with every picture, and the hit that begins is the chosen one.
function follow() {
  if (media.paused || media.ended) return;
  showNow();
  requestAnimationFrame(follow);
}

let onShow = new Set();
function showNow() {
  const now = filmNow() * 1e9 + 1e6;  // a seek may end a little before
  const current = new Set(page.hits.filter((hit) => hit.start <= now && now < Math.max(hit.stop, hit.start + 1e8)));
  for (const hit of onShow) if (!current.has(hit)) mark(hit, false);
  for (const hit of current) {
    if (onShow.has(hit)) continue;
    mark(hit, true);
    if (!media.paused && !media.seeking && isShown(hit)) choose(hit, "unless the mouse is there");
  }
  onShow = current;
  movePlayhead(now);
}

function mark(hit, isOn) {
  if (isOn) hit.item.setAttribute("aria-current", "true");
  else hit.item.removeAttribute("aria-current");
}
