// Verdicts as CSV, out and in; one script with cohort_table.js and cohort_review.js. What a spreadsheet would run begins
// with a quote.

const COLUMNS = ["case", "finding", "r_mm", "a_mm", "s_mm", "volume_ml", "verdict", "note", "scan"];
const NEEDED = 7;
const alone = (text) => text.replace(/[\ud800-\udfff]/gu, (part) => `\\u${part.charCodeAt(0).toString(16)}`);
const unquoted = (text) => text.replace(/^'(?=['=+\-@\t\r\n＝＋－＠])/, "");
const plain = (text) => unquoted(text).trim();
const asText = (text) => (/^['=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text);
const quoted = (text) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const cell = (value) => quoted(typeof value === "number" ? String(value) : asText(alone(value)));
const keyOf = (id) => {
  const finding = findings[id];
  return [data.cases[finding.case].name, finding.name, ...finding.place, finding.volume].map(cell).join(",");
};

const numbersByKey = () => new Map(findings.map((_, id) => [keyOf(id), id]));

function asCsv() {
  const ids = [...verdicts.keys()].sort((one, other) => one - other);
  const lines = ids.map((id) => [keyOf(id), ...[verdicts.get(id).verdict, verdicts.get(id).note,
    data.cases[findings[id].case].scan].map(cell)].join(","));
  return [COLUMNS.join(","), ...lines, ""].join("\n");
}
function parsed(text) {
  // Semicolons and tabs: as spreadsheets save it where a comma is the decimal point.
  const header = text.split("\n", 1)[0];
  const separator = [",", ";", "\t"].find((sign) => header.split(sign).length >= NEEDED) ?? ",";
  const rows = [[]];
  const cells = new RegExp(`(^|${separator}|\\r?\\n|\\r)(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n]*))`, "g");
  for (const [, between, inQuotes, bare] of text.matchAll(cells)) {
    if (/[\r\n]/.test(between)) rows.push([]);
    rows.at(-1).push((inQuotes ?? "").replaceAll('""', '"') || (bare ?? ""));
  }
  return rows;
}
function take(text) {
  const [names, ...rows] = parsed(text.replace(/^\ufeff/, ""));
  const places = COLUMNS.map((name) => names.indexOf(name));
  const known = numbersByKey();
  const lines = rows.filter(({ length }) => length > 1);
  const taken = new Set();
  for (const row of lines) {
    const values = places.map((place) => row[place] ?? "");
    const numbers = values.slice(2, 6).map((value) => Number(value.replace(",", ".")));
    const [verdict, note, scan] = values.slice(6).map(plain);
    const id = known.get([unquoted(values[0]), plain(values[1]), ...numbers].map(cell).join(","));
    if (id === undefined || !(verdict in WORDS)) continue;
    if (scan && data.cases[findings[id].case].scan !== scan) continue;
    verdicts.set(id, { verdict, note });
    taken.add(id);
  }
  past.length = 0;
  keep(new Set([...taken].map((id) => findings[id].case)));
  choose(byId("kind").value);
  tell(`${taken.size} of ${lines.length} verdicts of the file are on findings of this page.`);
}
function download() {
  const url = URL.createObjectURL(new Blob([asCsv()], { type: "text/csv" }));
  make("a", "", { href: url, download: "verdicts.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  tell(`${verdicts.size} verdicts were exported.`);
}
