// The review queue, in one script with cohort_table.js and cohort_csv.js: verdicts, what is looked at, and keys.

// Verdicts, by the number of their finding; kept in the browser where it lets us, each case's by themselves: a page with
// more cases, after another batch, has them too.

const WORDS = { accept: "accepted", dismiss: "dismissed", needs_work: "needs work" };
const STANDING = { believed: "Found", accepted: "Accepted in these results", candidate: "Candidate, not counted",
  dismissed: "Dismissed in these results, not counted" };
const findings = data.findings;
const verdicts = new Map();
const past = [];
let isKept = true;
const counted = (finding) => finding.status === "believed" || finding.status === "accepted";

const storeKeyOf = (index) => `seru-verdicts-${data.cases[index].digest}`;
const ofCase = data.cases.map(() => []);
findings.forEach((finding, id) => ofCase[finding.case].push(id));
for (const ids of ofCase) ids.sort((one, other) => counted(findings[one]) - counted(findings[other]) || one - other);

// What a finding is called by stays, its number does not: the queue's order changes with what is said.
const packed = (ids) =>
  JSON.stringify(ids.map((id) => [keyOf(id), verdicts.get(id).verdict, verdicts.get(id).note]));

function restore() {
  const known = numbersByKey();
  inStore(() => data.cases.forEach((_, index) => {
    for (const [key, verdict, note] of JSON.parse(localStorage.getItem(storeKeyOf(index)) ?? "[]")) {
      if (known.has(key) && verdict in WORDS) verdicts.set(known.get(key), { verdict, note: String(note) });
    }
  }));
  keep([0]);
  if (!isKept) tell("This browser keeps no verdicts for this page: export them before you close it.");
}
function keep(indices) {
  inStore(() => indices.forEach((index) => {
    const said = ofCase[index].filter((id) => verdicts.has(id));
    localStorage.setItem(storeKeyOf(index), packed(said));
    if (!said.length) localStorage.removeItem(storeKeyOf(index));
  }));
}
function inStore(work) {
  try {
    work();
  } catch {
    isKept = false;
  }
}
function put(id, value) {
  if (value) verdicts.set(id, value);
  else verdicts.delete(id);
}
function decide(id, value) {
  past.push({ id, before: verdicts.get(id), at });
  put(id, value);
  keep([findings[id].case]);
}
const nameOf = (id) => `${findings[id].name} of ${data.cases[findings[id].case].name}`;

// The queue: the finding that is looked at, what is beside it in its case, and what comes next.

const BEFORE = 3;
const LISTED = 10;
const BESIDE = 20;
let queue = [];
let at = 0;

function choose(kind) {
  queue = findings.map((_, id) => id);
  if (kind !== "all") queue = queue.filter((id) => counted(findings[id]) === (kind === "counted"));
  at = Math.max(queue.findIndex((id) => !verdicts.has(id)), 0);
  show();
}
function goTo(place) {
  at = Math.min(Math.max(place, 0), Math.max(queue.length - 1, 0));
  show();
}
function say(verdict) {
  if (!queue.length) return;
  const id = queue[at];
  decide(id, { verdict, note: byId("note").value.trim() });
  goTo(at + 1);
  tell(`${upper(nameOf(id))}: ${WORDS[verdict]}. Now ${nameOf(queue[at])}.`);
}
function undo() {
  const last = past.pop();
  if (!last) return tell("There is nothing to undo.");
  put(last.id, last.before);
  keep([findings[last.id].case]);
  const place = queue.indexOf(last.id);
  goTo(place < 0 ? last.at : place);
  return tell(`Taken back: ${nameOf(last.id)}.`);
}

const share = ({ confidence }) => (confidence === null ? "not known" : `${Math.round(100 * confidence)} %`);
const millilitres = ({ volume }) => `${volume.toFixed(volume >= 10 ? 0 : 1)} ml`;
const mark = (id) => (verdicts.has(id) ? WORDS[verdicts.get(id).verdict] : "");

function show() {
  const id = queue[at];
  const isEmpty = id === undefined;
  byId("count").textContent = isEmpty ? "Nothing is in this queue."
    : `${at + 1} of ${queue.length}; ${verdicts.size} with a verdict${isKept ? "" : ", not kept in this browser"}`;
  byId("item").parentElement.hidden = isEmpty;
  byId("export").disabled = !verdicts.size;
  byId("undo").disabled = !past.length;
  if (isEmpty) return;
  showItem(id, findings[id], data.cases[findings[id].case]);
  const beside = ofCase[findings[id].case].filter((other) => other !== id);
  const more = beside.length > BESIDE ? [make("li", `And ${beside.length - BESIDE} more, which the queue has.`)] : [];
  keepFocus(byId("beside"), [...beside.slice(0, BESIDE).map(besideOf), ...more]);
  const from = Math.max(Math.min(at - BEFORE, queue.length - LISTED), 0);
  keepFocus(byId("list"), queue.slice(from, from + LISTED).map((other, place) => listed(other, from + place)));
}
function showItem(id, finding, ofIt) {
  byId("finding").textContent = `${upper(finding.name)} in`;
  byId("case").textContent = ofIt.name;
  const own = verdicts.get(id);
  byId("standing").textContent = own ? `Your verdict: ${WORDS[own.verdict]}` : STANDING[finding.status];
  const facts = { Confidence: share(finding), Volume: `${finding.cut ? "at least " : ""}${millilitres(finding)}`,
    Diameters: finding.size, HU: finding.hu || "not known", Slice: finding.slice,
    "Centre, RAS": `${finding.place.join(", ")} mm` };
  byId("facts").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
  showPictures(finding, ofIt);
  byId("note").value = own ? own.note : "";
  for (const button of byId("verdicts").querySelectorAll("[data-verdict]")) {
    button.setAttribute("aria-pressed", String(own?.verdict === button.dataset.verdict));
  }
  byId("previous").disabled = at === 0;
  byId("next").disabled = at === queue.length - 1;
  byId("open").hidden = !ofIt.command;
}
function showPictures(finding, ofIt) {
  const own = ofIt.pictures.filter(({ side }) => side === finding.side);
  const shown = own.map(({ url, alt }) => make("img", "", { src: url, alt, width: 320, height: 320 }));
  if (ofIt.page) shown.push(make("a", "Page of the case", { href: ofIt.page, target: "_blank", rel: "noopener" }));
  byId("pictures").hidden = !shown.length;
  byId("pictures").replaceChildren(...shown);
}
function besideOf(id) {
  const finding = findings[id];
  const size = `${millilitres(finding)}, ${share(finding)}, slice ${finding.slice}`;
  const item = make("li", `${upper(finding.name)}: ${size}. ${STANDING[finding.status]}.`);
  const buttons = make("div");
  for (const [verdict, word] of Object.entries({ accept: "Accept", dismiss: "Dismiss", needs_work: "Needs work" })) {
    const button = make("button", word, { type: "button" });
    button.dataset.focus = `${id} ${verdict}`;
    button.setAttribute("aria-pressed", String(verdicts.get(id)?.verdict === verdict));
    button.setAttribute("aria-label", `${word}: ${finding.name}`);
    button.addEventListener("click", () => {
      const own = verdicts.get(id);
      decide(id, own?.verdict === verdict ? undefined : { verdict, note: own?.note ?? "" });
      tell(`${upper(nameOf(id))}: ${mark(id) || "no verdict"}.`);
      show();
    });
    buttons.append(button);
  }
  item.append(buttons);
  return item;
}
function listed(id, place) {
  const button = make("button", "", { type: "button" });
  const words = [`${findings[id].name}, ${data.cases[findings[id].case].name}`, mark(id), share(findings[id])];
  button.append(...words.map((text) => make("span", text)));
  button.dataset.focus = String(place);
  if (place === at) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => goTo(place));
  const item = make("li");
  item.append(button);
  return item;
}
function keepFocus(parent, items) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  parent.replaceChildren(...items);
  if (focused !== undefined) (parent.querySelector(`[data-focus="${focused}"]`) ?? byId("item")).focus();
}

// Keys: letters on the whole page unless they are switched off or a text is written, arrows in the queue.

const LETTERS = { a: () => say("accept"), d: () => say("dismiss"), w: () => say("needs_work"), u: undo,
  j: () => goTo(at + 1), k: () => goTo(at - 1), n: () => byId("note").focus() };
const ARROWS = { ArrowDown: LETTERS.j, ArrowRight: LETTERS.j, ArrowUp: LETTERS.k, ArrowLeft: LETTERS.k };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target === byId("note") && ["Enter", "Escape"].includes(event.key)) {
    if (event.key === "Escape") byId("note").value = verdicts.get(queue[at])?.note ?? "";
    byId("item").focus();
  }
  if (event.target.matches("input[type=text], select, textarea")) return;
  const isLetter = byId("keys").checked && Object.hasOwn(LETTERS, event.key);
  const isArrow = Object.hasOwn(ARROWS, event.key) && byId("review").contains(event.target);
  if (!isLetter && !isArrow) return;
  event.preventDefault();
  // A key that is held down decides once.
  if (event.repeat && !"jk".includes(event.key) && !isArrow) return;
  (isLetter ? LETTERS : ARROWS)[event.key]();
});
byId("note").addEventListener("change", () => {
  const note = byId("note").value.trim();
  const own = verdicts.get(queue[at]);
  if (!own && !note) return;
  decide(queue[at], { verdict: own?.verdict ?? "needs_work", note });
  show();
});
byId("verdicts").addEventListener("click", (event) => {
  const verdict = event.target.closest("[data-verdict]")?.dataset.verdict;
  if (verdict) say(verdict);
});
byId("undo").addEventListener("click", undo);
byId("previous").addEventListener("click", LETTERS.k);
byId("next").addEventListener("click", LETTERS.j);
byId("open").addEventListener("click", () => {
  const finding = findings[queue[at]];
  copy(byId("open"), commandOf(finding.case, finding.place));
});
byId("kind").addEventListener("change", () => choose(byId("kind").value));
byId("export").addEventListener("click", download);
byId("load").addEventListener("change", async () => {
  if (byId("load").files[0]) take(await byId("load").files[0].text());
  byId("load").value = "";
});

byId("review").hidden = !findings.length;
if (findings.length) restore();
choose("counted");
