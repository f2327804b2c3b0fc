// Questions to the server. Acts carry the token in a header; it is kept for this tab's session only, and never in an address.

const TOKEN = "lockstep-token";

/** What the server refused, or that it is not there (`status` 0). */
export class Refused extends Error {
  constructor(status, why) {
    super(why);
    this.status = status;
  }
}

async function answered(request) {
  let answer;
  try {
    answer = await request;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, error.message);
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, said.error ?? answer.statusText);
  return said;
}

/** GET /api/…: `query` without what is null or empty. */
export function ask(path, query = {}, signal = undefined) {
  const chosen = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(chosen).toString();
  return answered(fetch(`/api/${path}${text ? `?${text}` : ""}`, { signal, headers: { Accept: "application/json" } }));
}

/** POST /api/…, with the token of this session. */
export function act(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  return answered(fetch(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

export function token() {
  return sessionStorage.getItem(TOKEN);
}

export function keep(value) {
  sessionStorage.setItem(TOKEN, value);
}

export function forget() {
  sessionStorage.removeItem(TOKEN);
}

/** The address of something, its key made safe. */
export const at = {
  order: (key) => `/orders/${encodeURIComponent(key)}`,
  parcel: (key) => `/parcels/${encodeURIComponent(key)}`,
  channel: (name) => `/channels/${encodeURIComponent(name)}`,
};
