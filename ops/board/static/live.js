// What changes while somebody looks: one event stream for the page that is shown.

let source = null;

/** Listen for a page. `hear(kind, data)` is told of events, `state(up)` of the connection. */
export function listen(watched, hear, state) {
  hush();
  const query = watched.length ? `?${new URLSearchParams(watched.slice(0, 20).map((key) => ["watch", key]))}` : "";
  const opened = new EventSource(`/api/events${query}`);
  source = opened;
  opened.onopen = () => state(true);
  opened.onerror = () => state(false);
  for (const kind of ["overview", "channel", "alert", "changed"]) {
    opened.addEventListener(kind, (event) => {
      if (source === opened) hear(kind, JSON.parse(event.data));
    });
  }
}

/** Stop. */
export function hush() {
  source?.close();
  source = null;
}

addEventListener("pagehide", hush);
