// The list of hits and its filter. Every hit has its row, made once; the list holds those that pass
// the filter. (Hiding the others instead takes Chromium fifteen times as long.) Rows out of sight
// cost the browser nothing (content-visibility), and their pictures are set when they come near.

const kOrders = {
  time: (a, b) => a.start - b.start || a.number - b.number,
  confidence: (a, b) => (b.confidence ?? -1) - (a.confidence ?? -1) || a.start - b.start,
  question: (a, b) => a.lane - b.lane || a.start - b.start,
};

const nearPictures = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    const image = entry.target;
    image.src = `data:image/jpeg;base64,${page.thumbnails[Number(image.dataset.number)]}`;
    nearPictures.unobserve(image);
  }
}, {rootMargin: "600px 0px"});

let terms = [];
let least = 0;

function makeList() {
  for (const hit of page.hits) hit.item = makeRow(hit);
  byId("text").addEventListener("input", applyFilter);
  byId("least").addEventListener("input", applyFilter);
  byId("order").addEventListener("change", applyFilter);
  byId("filter").addEventListener("submit", (event) => event.preventDefault());
  byId("filter").hidden = !page.hits.length;
  applyFilter();
}

function makeRow(hit) {
  const item = make("li", `q${hit.lane % kColors}`);
  const button = make("button", "hit");
  button.type = "button";
  const words = make("span", "words");
  words.append(make("bdi", "title", titleOf(hit)), make("span", "visually-hidden", ", "));
  words.append(make("span", "times", `${clock(hit.start)} – ${clock(hit.stop)}`));
  button.append(makePicture(hit), words, makeSureness(hit));
  button.addEventListener("click", () => jumpTo(hit));
  item.append(button);
  return item;
}

function makePicture(hit) {
  if (hit.thumbnail === undefined) return make("span", "picture");
  const image = make("img", "picture");
  image.alt = "";
  image.decoding = "async";
  image.dataset.number = String(hit.thumbnail);
  nearPictures.observe(image);
  return image;
}

function makeSureness(hit) {
  const sure = make("span", "sure");
  if (hit.confidence === undefined) return sure;
  sure.append(make("span", "visually-hidden", ", confidence "), hit.confidence.toFixed(2));
  const bar = make("i");
  bar.style.setProperty("--sure", String(Math.min(1, Math.max(0, hit.confidence))));
  sure.append(bar);
  return sure;
}

function isShown(hit) {
  return page.lanes[hit.lane].shown && (least === 0 || (hit.confidence ?? -1) >= least) &&
         terms.every((term) => hit.searched.includes(term));
}

// By time: the order of files that are saved.
function shownHits() {
  return page.hits.filter(isShown);
}

function applyFilter() {
  terms = searchable(byId("text").value).split(/\s+/).filter(Boolean);
  least = Number(byId("least").value);
  byId("least-value").textContent = least ? `≥ ${least.toFixed(2)}` : "any";
  page.listed = page.hits.filter(isShown).sort(kOrders[byId("order").value]);
  byId("hits").replaceChildren(...page.listed.map((hit) => hit.item));
  const n = page.listed.length;
  const all = page.hits.length;
  byId("count").textContent = !all ? "Nothing was found." : n === all ? counted(n, "hit", "hits")
                              : n ? `${n.toLocaleString("en")} of ${counted(all, "hit", "hits")}` : "No hit passes the filter.";
  updateFormats(n);
  drawTimeline();
}

// `quietly`: the list stays where it is while a mouse is in it.
function choose(hit, quietly) {
  if (chosen) chosen.item.classList.remove("chosen");
  chosen = hit;
  if (!hit) return;
  hit.item.classList.add("chosen");
  const list = byId("hits");
  const scrollsItself = list.scrollHeight > list.clientHeight + 1 && getComputedStyle(list).overflowY === "auto";
  if (quietly && (!scrollsItself || list.matches(":hover"))) return;
  if (scrollsItself || !quietly) hit.item.scrollIntoView({block: "nearest"});
}

// The hit after or before the chosen one among those that the list shows; without one, by time.
function neighbour(step, from = chosen) {
  const shown = page.listed;
  if (from && isShown(from)) return shown[shown.indexOf(from) + step];
  const now = filmNow() * 1e9;
  return step > 0 ? shown.find((hit) => hit.start > now + 5e7) || (media.currentTime === 0 ? shown[0] : undefined)
                  : shown.findLast((hit) => hit.start < now - 5e7);
}
