// Times on the Shanghai clock, numbers and money.

import { language } from "./text.js";

const ZONE = "Asia/Shanghai";
const MAKERS = {};

function maker(name, options) {
  const key = `${name}/${language()}`;
  return (MAKERS[key] ??= new Intl.DateTimeFormat(language() === "en" ? "en-GB" : "zh-CN", {
    timeZone: ZONE,
    hourCycle: "h23",
    ...options,
  }));
}

function parts(value) {
  const options = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" };
  return Object.fromEntries(
    maker("parts", options)
      .formatToParts(new Date(value))
      .map((part) => [part.type, part.value]),
  );
}

/** 11-22 10:00:00; with its year where that is not this one. */
export function clock(value) {
  if (!value) return "—";
  const said = parts(value);
  const day = `${said.month}-${said.day} ${said.hour}:${said.minute}:${said.second}`;
  return said.year === parts(Date.now()).year ? day : `${said.year}-${day}`;
}

/** 10:00, from seconds since the epoch. */
export function hour(seconds) {
  const said = parts(seconds * 1000);
  return `${said.hour}:${said.minute}`;
}

/** How long ago, roughly. */
export function ago(value) {
  const seconds = Math.round((new Date(value) - Date.now()) / 1000);
  const unit = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ].find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  const key = `ago/${language()}`;
  MAKERS[key] ??= new Intl.RelativeTimeFormat(language() === "en" ? "en" : "zh-CN", { numeric: "auto" });
  return MAKERS[key].format(Math.round(seconds / unit[1]), unit[0]);
}

/** A duration of the policy, in ms: 2 hours. */
export function span(ms) {
  const [unit, size] = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
  ].find(([, size]) => ms >= 2 * size && ms % size === 0) ?? ["second", 1000];
  return new Intl.NumberFormat(language() === "en" ? "en" : "zh-CN", { style: "unit", unit, unitDisplay: "long" }).format(ms / size);
}

/** 100,000. */
export function count(value) {
  return new Intl.NumberFormat(language() === "en" ? "en" : "zh-CN").format(value ?? 0);
}

/** An amount in minor units; the currency's own number of digits. */
export function money(minor, currency) {
  if (minor === null || minor === undefined) return "—";
  if (!currency) return count(minor);
  try {
    const format = new Intl.NumberFormat(language() === "en" ? "en" : "zh-CN", { style: "currency", currency });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch {
    return `${count(minor)} ${currency}`; // no currency that is known
  }
}

/** The first signs of a hash. */
export function short(hash) {
  return hash ? `${hash.slice(0, 12)}…` : "—";
}
