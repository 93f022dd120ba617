// Verdicts as CSV, out and in; one script with cohort_table.js and cohort_review.js. What a spreadsheet would run begins
// with a quote.

const COLUMNS = ["case", "finding", "r_mm", "a_mm", "s_mm", "volume_ml", "verdict", "note"];
const alone = (text) => text.replace(/[\ud800-\udfff]/gu, (part) => `\\u${part.charCodeAt(0).toString(16)}`);
const asText = (text) => (/^['=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text);
const quoted = (text) => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const cell = (value) => quoted(typeof value === "number" ? String(value) : asText(alone(value)));
const keyOf = (id) => {
  const finding = findings[id];
  return [data.cases[finding.case].name, finding.name, ...finding.place, finding.volume].map(cell).join(",");
};

function asCsv() {
  const ids = [...verdicts.keys()].sort((one, other) => one - other);
  const lines = ids.map((id) => `${keyOf(id)},${verdicts.get(id).verdict},${cell(verdicts.get(id).note)}`);
  return [COLUMNS.join(","), ...lines, ""].join("\n");
}
function parsed(text) {
  const rows = [[]];
  for (const [, between, inQuotes, plain] of text.matchAll(/(^|,|\r?\n|\r)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)) {
    if (/[\r\n]/.test(between)) rows.push([]);
    rows.at(-1).push((inQuotes ?? "").replaceAll('""', '"') || (plain ?? ""));
  }
  return rows;
}
function take(text) {
  const [names, ...rows] = parsed(text.replace(/^\ufeff/, ""));
  const places = COLUMNS.map((name) => names.indexOf(name));
  const known = new Map(findings.map((_, id) => [keyOf(id), id]));
  let taken = 0;
  for (const row of rows.filter(({ length }) => length > 1)) {
    const values = places.map((place) => row[place] ?? "");
    const numbers = values.slice(2, 6).map((value) => String(Number(value)));
    const id = known.get([...values.slice(0, 2).map(quoted), ...numbers].join(","));
    if (id === undefined || !(values[6] in WORDS)) continue;
    verdicts.set(id, { verdict: values[6], note: values[7].replace(/^'(?=['=+\-@\t\r\n＝＋－＠])/, "") });
    taken += 1;
  }
  past.length = 0;
  keep();
  choose(byId("kind").value);
  tell(`${taken} of ${rows.filter(({ length }) => length > 1).length} verdicts of the file are on findings of this page.`);
}
function download() {
  const url = URL.createObjectURL(new Blob([asCsv()], { type: "text/csv" }));
  make("a", "", { href: url, download: "verdicts.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  tell(`${verdicts.size} verdicts were exported.`);
}
