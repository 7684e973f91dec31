// How values of the API are written for people. Amounts never become floats.

const whole = new Intl.NumberFormat('en-US');

/** money writes an amount exactly: {"minorUnits":"196236","exponent":2} is 1,962.36. */
export function money(m) {
  if (!m) return '';
  const units = BigInt(m.minorUnits ?? '0');
  const exponent = m.exponent ?? 0;
  const digits = (units < 0n ? -units : units).toString().padStart(exponent + 1, '0');
  const cut = digits.length - exponent;
  const fraction = exponent > 0 ? `.${digits.slice(cut)}` : '';
  return `${units < 0n ? '−' : ''}${whole.format(BigInt(digits.slice(0, cut)))}${fraction} ${m.currencyCode ?? ''}`.trim();
}

/** count writes a whole number; the API sends 64-bit ones as text. */
export function count(n) {
  return whole.format(BigInt(n ?? 0));
}

/** words turns PAYMENT_STATUS_REQUIRES_ACTION, with its prefix, into "requires action". */
export function words(value, prefix = '') {
  if (!value || value.endsWith('_UNSPECIFIED')) return '';
  return value.slice(value.startsWith(prefix) ? prefix.length : 0).toLowerCase().replaceAll('_', ' ');
}

const two = (n) => String(n).padStart(2, '0');

/** local writes a time in the reader's zone, to the second. */
export function local(timestamp) {
  const d = new Date(timestamp);
  if (Number.isNaN(d.getTime())) return '';
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} `
    + `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** localClock is local without the day when that is today. */
export function localClock(timestamp, now = new Date()) {
  const text = local(timestamp);
  return text.startsWith(local(now).slice(0, 10)) ? text.slice(11) : text;
}

/** utc writes a time in UTC, with all the digits that there are. */
export function utc(timestamp) {
  return `${timestamp.replace('T', ' ').replace('Z', '')} UTC`;
}

/** micros is a time in microseconds since 1970; undefined when there is none. */
export function micros(timestamp) {
  const m = /^(.*?)(?:\.(\d+))?Z$/.exec(timestamp ?? '');
  const ms = m ? Date.parse(`${m[1]}Z`) : NaN;
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number((m[2] ?? '').padEnd(6, '0').slice(0, 6));
}

/** span writes a length of time given in microseconds. */
export function span(us) {
  if (us === undefined || us < 0) return '';
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 10_000) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 999_500) return `${Math.round(us / 1000)} ms`;
  const s = us / 1_000_000;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172_800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} days`;
}

/** ago writes how long ago a time was. */
export function ago(timestamp, now = Date.now()) {
  const us = micros(timestamp);
  if (us === undefined) return '';
  const past = now * 1000 - us;
  return past < 1_000_000 ? 'just now' : `${past < 60_000_000 ? `${Math.floor(past / 1_000_000)} s` : span(past)} ago`;
}

/** size writes a number of bytes. */
export function size(bytes) {
  const n = Number(bytes ?? 0);
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

/** id takes the collection off a resource name: "payments/p1" is "p1". */
export function id(name) {
  return (name ?? '').slice((name ?? '').lastIndexOf('/') + 1);
}

/** short cuts a long identifier in its middle. */
export function short(text, keep = 20) {
  return text.length <= keep ? text : `${text.slice(0, keep - 7)}…${text.slice(-6)}`;
}
