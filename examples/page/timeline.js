// A lane a question, each drawn once on a canvas; the playhead and the tip lie over them.

function makeTimeline() {
  page.lanes.forEach((lane, i) => byId("tracks").append(makeLane(lane, i)));
  const axis = byId("axis");
  axis.addEventListener("pointerdown", (event) => {
    axis.setPointerCapture(event.pointerId);
    seekTo(timeAt(event, axis) / 1e9);
  });
  axis.addEventListener("pointermove", (event) => {
    if (event.buttons) seekTo(timeAt(event, axis) / 1e9);
  });
  new ResizeObserver(drawTimeline).observe(byId("timeline"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTimeline);
}

function makeLane(lane, i) {
  const row = make("div", `lane q${i % kColors}`);
  const button = make("button");
  button.type = "button";
  button.setAttribute("aria-pressed", "true");
  button.title = lane.text;
  button.append(make("bdi", "", lane.text), make("span", "", lane.hits.length.toLocaleString("en")));
  button.addEventListener("click", () => {
    lane.shown = !lane.shown;
    button.setAttribute("aria-pressed", String(lane.shown));
    applyFilter();
  });
  button.setAttribute("aria-label", `Show ${lane.text}, ${counted(lane.hits.length, "hit", "hits")}`);
  lane.canvas = make("canvas");
  lane.canvas.setAttribute("aria-hidden", "true");  // the list says it in words
  lane.canvas.addEventListener("click", (event) => {
    const hit = hitAt(event, lane);
    if (hit) jumpTo(hit);
    else seekTo(timeAt(event, lane.canvas) / 1e9);
  });
  lane.canvas.addEventListener("pointermove", (event) => showTip(event, lane));
  lane.canvas.addEventListener("pointerleave", () => { byId("tip").hidden = true; });
  row.append(button, lane.canvas);
  return row;
}

function timeAt(event, element) {
  const box = element.getBoundingClientRect();
  return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * filmLength();
}

// The shortest of those under the pointer, which is 3 pixels wide.
function hitAt(event, lane) {
  const time = timeAt(event, lane.canvas);
  const slack = 3 * filmLength() / lane.canvas.clientWidth;
  const near = lane.hits.filter((hit) => isShown(hit) && hit.start - slack <= time && time <= hit.stop + slack);
  return near.sort((a, b) => (a.stop - a.start) - (b.stop - b.start))[0];
}

function showTip(event, lane) {
  const tip = byId("tip");
  const hit = hitAt(event, lane);
  const box = byId("timeline").getBoundingClientRect();
  tip.textContent = hit ? `${clock(hit.start)} – ${clock(hit.stop)}  ${titleOf(hit)}` : clock(timeAt(event, lane.canvas));
  tip.hidden = false;
  const half = tip.offsetWidth / 2;
  const x = Math.min(Math.max(event.clientX - box.left, half), box.width - half);
  tip.style.left = `${x}px`;
  tip.style.top = `${lane.canvas.getBoundingClientRect().top - box.top}px`;
}

function drawTimeline() {
  const length = filmLength();
  page.lanes.forEach((lane) => drawLane(lane, length));
  drawAxis(length);
  showNow();
}

function drawLane(lane, length) {
  const canvas = lane.canvas;
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (!width || !height) return;
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(canvas).getPropertyValue("--color");
  for (const hit of lane.hits) {
    const left = hit.start / length * width;
    const right = Math.max(hit.stop / length * width, left + 2 * ratio);
    pen.globalAlpha = isShown(hit) ? 0.45 + 0.55 * (hit.confidence ?? 1) : 0.12;
    pen.fillRect(left, 3 * ratio, right - left, height - 6 * ratio);
  }
}

// Ticks at round times, as many as have room.
function drawAxis(length) {
  const axis = byId("axis");
  const most = Math.max(1, Math.floor(axis.clientWidth / 74));
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
  const step = (steps.find((s) => length / 1e9 / s <= most) || 86400 * Math.ceil(length / 1e9 / 86400 / most)) * 1e9;
  const ticks = [];
  for (let time = 0; time <= length; time += step) {
    const tick = make("span", length - time < step * 0.3 ? "last" : "", clock(time, false));
    tick.style.left = `${time / length * 100}%`;
    ticks.push(tick);
  }
  axis.replaceChildren(...ticks);
  axis.setAttribute("aria-valuemax", (length / 1e9).toFixed(1));
}

function movePlayhead(now) {
  byId("playhead").style.left = `${Math.min(1, now / filmLength()) * 100}%`;
  const axis = byId("axis");
  const text = clock(Math.max(0, now));
  if (axis.getAttribute("aria-valuetext") === text) return;
  axis.setAttribute("aria-valuenow", (now / 1e9).toFixed(1));
  axis.setAttribute("aria-valuetext", text);
}
