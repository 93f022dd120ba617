"use strict";
// The beginning of the page's script: sorting and finding of cases, and commands to copy. Whatever
// comes from outside becomes text, never markup.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const make = (tag, text = "", properties = {}) =>
  Object.assign(document.createElement(tag), { textContent: text }, properties);
const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const tell = (text) => { byId("told").textContent = text; };

// Table: each click turns the direction; empty cells stay at the end. Paper has what the screen shows later.

const table = byId("table");
const SHOWN = 200;
let most = SHOWN;

function showRows() {
  const wanted = byId("find").value.trim().toLowerCase();
  let found = 0;
  for (const row of table.tBodies[0].rows) {
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    found += !row.hidden;
    row.classList.toggle("later", !row.hidden && found > most);
  }
  byId("all").hidden = found <= most;
  byId("found").textContent = `${Math.min(found, most)} of ${found} shown`;
}
const valueOf = (row, column) => {
  const cell = row.cells[column];
  if (cell.classList.contains("number")) return "value" in cell.dataset ? Number(cell.dataset.value) : null;
  return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.toLowerCase();
};
const compareText = new Intl.Collator("en", { numeric: true }).compare;

function sortBy(heading) {
  const isDown = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => ({ row, value: valueOf(row, heading.cellIndex) }));
  keyed.sort(({ value: one }, { value: other }) => {
    if (one === null || other === null) return (one === null) - (other === null);
    const order = typeof one === "number" ? one - other : compareText(one, other);
    return isDown ? -order : order;
  });
  body.append(...keyed.map(({ row }) => row));
  showRows();
}
table.tHead.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) sortBy(button.parentElement);
});
byId("find").addEventListener("input", showRows);
byId("all").addEventListener("click", () => {
  most = Infinity;
  showRows();
});
byId("search").hidden = false;
showRows();
// A screen reader finds only what is laid out.
table.parentElement.classList.add("ready");

// Commands for Slicer: the last character of one ends its quoted code.

function commandOf(index, place) {
  const command = data.cases[index].command;
  if (!place) return command;
  const jump = `; slicer.modules.markups.logic().JumpSlicesToLocation(${place.join(", ")}, True)`;
  return command.slice(0, -1) + jump + command.slice(-1);
}
async function copy(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  } catch {
    const field = make("textarea", text, { readOnly: true, rows: 3 });
    field.setAttribute("aria-label", "Command for Slicer, to be copied from here");
    button.after(field);
    field.select();
    field.addEventListener("blur", () => field.remove());
  }
}
for (const button of table.querySelectorAll("button[data-case]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button, commandOf(Number(button.dataset.case))));
}
