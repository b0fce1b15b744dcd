// Keys: one table, by which they work and by which they are told.

export function bind(table, list) {
  for (const { keys, text } of table) {
    const term = list.appendChild(document.createElement("dt"));
    term.textContent = keys.join(", ");
    const told = list.appendChild(document.createElement("dd"));
    told.textContent = text;
  }
  const known = new Map(table.flatMap(({ keys, acts }) => keys.map((key, place) => [key, acts[place] ?? acts[0]])));
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input, select, textarea");
    const key = named(event);
    const act = known.get(key);
    if (!act || (typing && !["Ctrl+S", "Ctrl+Enter"].includes(key))) {
      if (typing && event.key === "Escape") event.target.blur();
      return;
    }
    if (key === "Space" && event.target.matches("button")) return;
    event.preventDefault();
    act();
  });
}

function named(event) {
  const arrows = { ArrowLeft: "←", ArrowRight: "→", " ": "Space" };
  const key = arrows[event.key] ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  const shifted = event.shiftKey && (key.length > 1 || "←→".includes(key) || /[A-Z]/.test(key));
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${shifted ? "Shift+" : ""}${key}`;
}
