// Runs before anything is painted: the theme and the language that were chosen last time.
"use strict";
(() => {
  const root = document.documentElement;
  try {
    root.dataset.theme = localStorage.getItem("theme") || "auto";
    root.lang = localStorage.getItem("language") === "en" ? "en" : "zh-CN";
  } catch {
    root.dataset.theme = "auto"; // storage is refused: the defaults hold
  }
})();
