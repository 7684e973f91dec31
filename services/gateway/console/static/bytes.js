// Raw content, shown as it came: never parsed into numbers, never as markup.

/** decode turns base64 into bytes. */
export function decode(base64) {
  const text = atob(base64 ?? '');
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** readable returns bytes as text, indented when they are JSON, and as a hex dump when they are not text. */
export function readable(bytes) {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { kind: 'hex', text: hex(bytes) };
  }
  try {
    JSON.parse(text);
  } catch {
    return { kind: 'text', text };
  }
  return { kind: 'json', text: indent(text) };
}

// A string, or one structural character, or a run of anything else but white space.
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * indent lays valid JSON out in lines. It works on the text, not on values: large
 * numbers, surplus zeros, escapes and repeated members stay as the provider wrote them.
 */
export function indent(json) {
  let out = '';
  let depth = 0;
  let opened = false; // the last token opened an object or array
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [t] of json.matchAll(token)) {
    const closes = t === '}' || t === ']';
    if (closes) depth -= 1;
    if (opened !== closes) out += line();
    opened = t === '{' || t === '[';
    if (opened) depth += 1;
    out += t;
    if (t === ',') out += line();
    if (t === ':') out += ' ';
  }
  return out;
}

/** hex dumps bytes, sixteen a line, as hexdump -C does; at most 64 KiB of them. */
export function hex(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, 65_536); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const digits = row.map((b) => b.toString(16).padStart(2, '0')).join(' ').padEnd(47);
    const letters = row.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${digits}  ${letters}`);
  }
  if (bytes.length > 65_536) lines.push(`… ${bytes.length - 65_536} more bytes`);
  return lines.join('\n');
}
