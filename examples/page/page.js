// What the page shows (one object, `page`), and the small helpers of all parts. Times are seconds
// of the film in `media.currentTime` and on screen, nanoseconds in the data and in exports.

const page = JSON.parse(document.getElementById("data").textContent);
const media = document.getElementById("film");
const kColors = 8;

function byId(id) {
  return document.getElementById(id);
}

// An element of this class with this text. Text only: nothing here is ever parsed as markup.
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function titleOf(hit) {
  return hit.label || hit.query;
}

// 1:02.5, 1:00:02.5: rounded to tenths as the program prints them.
function clock(ns, withTenths = true) {
  const tenths = withTenths ? Math.floor((ns + 5e7) / 1e8) : Math.floor(ns / 1e9) * 10;
  const seconds = Math.floor(tenths / 10);
  const pad = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const text = (hours ? `${hours}:${pad(minutes)}` : `${minutes}`) + ":" + pad(seconds % 60);
  return withTenths ? `${text}.${tenths % 10}` : text;
}

function counted(n, one, many) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

// The film's length in nanoseconds; what is found beyond it makes it longer.
function filmLength() {
  const last = page.hits.reduce((most, hit) => Math.max(most, hit.stop), 0);
  const played = Number.isFinite(media.duration) ? media.duration * 1e9 : 0;
  return Math.max(page.film.duration || played, last, 1e9);
}

// The lanes: the questions, or the one of all highlights. Every hit knows its lane and its number.
function prepare() {
  const lanes = page.questions.map((text) => ({text, hits: [], shown: true}));
  if (!lanes.length) lanes.push({text: "Highlights", hits: [], shown: true});
  page.hits.forEach((hit, i) => {
    hit.number = i;
    hit.lane = page.questions.length ? lanes.findIndex((lane) => lane.text === hit.query) : 0;
    if (hit.lane < 0) hit.lane = lanes.push({text: hit.query, hits: [], shown: true}) - 1;
    lanes[hit.lane].hits.push(hit);
    hit.searched = searchable(`${hit.label} ${hit.query}`);
  });
  page.lanes = lanes;
}

function searchable(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function showHead() {
  byId("name").textContent = page.film.name;
  const facts = [counted(page.hits.length, "hit", "hits")];
  if (page.film.duration) facts.push(clock(page.film.duration, false));
  if (page.made_by) facts.push(page.made_by);
  byId("facts").textContent = facts.join(" · ");
  for (const notice of page.notices) byId("notices").append(make("p", "notice", notice));
}

function start() {
  prepare();
  showHead();
  openFilm();
  makeTimeline();
  makeFormats();
  makeList();
  listenToKeys();
}
