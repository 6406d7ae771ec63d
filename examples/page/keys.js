// The keyboard. Keys that a field of the page uses itself stay its own.

function listenToKeys() {
  document.addEventListener("keydown", onKey);
  byId("ask-help").addEventListener("click", () => byId("help").showModal());
  document.addEventListener("click", (event) => {
    if (!byId("save").contains(event.target)) byId("save").open = false;
  });
}

function isTypedInto(target) {
  return target.matches("input[type=search], select");
}

function toHit(hit) {
  if (!hit) return;
  jumpTo(hit);
  hit.item.firstChild.focus({preventScroll: true});
}

function focusNeighbour(step) {
  const own = page.hits.find((hit) => hit.item.contains(document.activeElement));
  const next = own && neighbour(step, own);
  if (next) next.item.firstChild.focus();
  return Boolean(own);
}

const kKeys = {
  "j": () => toHit(neighbour(1)),
  "k": () => toHit(neighbour(-1)),
  " ": playOrPause,
  "ArrowLeft": (event) => seekTo(filmNow() - (event.shiftKey ? 1 : 5)),
  "ArrowRight": (event) => seekTo(filmNow() + (event.shiftKey ? 1 : 5)),
  ",": () => seekTo(filmNow() - pictureLength()),
  ".": () => seekTo(filmNow() + pictureLength()),
  "/": () => { byId("text").focus(); byId("text").select(); },
  "?": () => byId("help").showModal(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const target = event.target;
  if (event.key === "Escape") return onEscape(target);
  if (isTypedInto(target)) return;
  const isHit = target.matches(".hit");
  // A button, a summary and a slider have uses of their own for these.
  if (event.key === " " && target.matches("button:not(.hit), summary")) return;
  if (event.key.startsWith("Arrow") && target.matches("input[type=range]")) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (isHit && focusNeighbour(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
    return;
  }
  if ((event.key === "Home" || event.key === "End") && target.id === "axis") {
    event.preventDefault();
    return seekTo(event.key === "Home" ? 0 : filmLength() / 1e9);
  }
  const act = kKeys[event.key];
  if (!act) return;
  event.preventDefault();
  act(event);
}

function onEscape(target) {
  if (byId("save").open) {
    byId("save").open = false;
    byId("save").querySelector("summary").focus();
  } else if (target.id === "text") {
    if (!target.value) return target.blur();
    target.value = "";
    applyFilter();
  }
}
