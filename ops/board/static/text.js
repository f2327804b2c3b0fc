// The words of the page: one table a language, Chinese first.

const TABLES = {};
let table = {};

/** zh or en. */
export function language() {
  return document.documentElement.lang === "en" ? "en" : "zh";
}

/** Fetch a language's words and use them from now on. */
export async function speak(wanted) {
  if (!TABLES[wanted]) {
    const answer = await fetch(`/static/${wanted}.json`);
    if (!answer.ok) throw new Error(`the words of ${wanted} are missing: ${answer.status}`);
    TABLES[wanted] = await answer.json();
  }
  table = TABLES[wanted];
  document.documentElement.lang = wanted === "en" ? "en" : "zh-CN";
}

/** The text of this name, with its parameters; a name that no table has is a mistake of ours and is said so. */
export function t(name, values = {}) {
  const text = table[name];
  if (text === undefined) {
    console.error(`no text is called ${name}`);
    return name;
  }
  return text.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** What people call a code, such as a status; a code that the table does not know stands for itself. */
export function named(group, code) {
  if (code === null || code === undefined || code === "") return "—";
  return table[`${group}.${code}`] ?? String(code);
}

/** Whether there is a word for a code. */
export function known(group, code) {
  return `${group}.${code}` in table;
}

/** All codes of a group that have a word. */
export function codes(group) {
  return Object.keys(table)
    .filter((name) => name.startsWith(`${group}.`))
    .map((name) => name.slice(group.length + 1));
}
