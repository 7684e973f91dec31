// A row of conditions above a list, kept in the address so that it can be shared.
import { el } from './dom.js';
import { get } from './api.js';
import { id, words } from './format.js';

const named = (list) => list.map((value) => [value, words(value)]);

/** choices are the values of conditions: [value, text], or what asks for them. */
export const choices = {
  status: named(['PENDING', 'REQUIRES_ACTION', 'PROCESSING', 'AUTHORIZED', 'PAID', 'SETTLED', 'FAILED', 'CANCELED', 'EXPIRED', 'REVERSED']),
  mode: [['LIVE', 'live'], ['TEST', 'test']],
  provider: async () => ((await get('/v1/providers', { page_size: 1000 })).providers ?? []).map((p) => [id(p.name), id(p.name)]),
  reason: named(['MALFORMED_BODY', 'INVALID_FIELD', 'INVALID_AMOUNT', 'UNMAPPED', 'CONTRADICTION', 'NEEDS_LOOKUP', 'ACCOUNT_MISMATCH']),
};

/**
 * selects shows a control for each [field, label, choices]; without choices it is a text field.
 * A change goes to the address at once.
 */
export function selects(path, query, go, fields) {
  const change = (field, value) => {
    const next = new URLSearchParams({ ...query, [field]: value.trim() });
    for (const [name, v] of [...next]) if (!v) next.delete(name);
    go(`${path}${next.size > 0 ? `?${next}` : ''}`);
  };
  return el('form', { class: 'filters', onsubmit: (e) => e.preventDefault() }, fields.map(([field, label, values]) => {
    const name = `by-${field}`;
    const control = values
      ? choice(name, values, query[field], (value) => change(field, value))
      : el('input', { id: name, type: 'text', size: 14, spellcheck: 'false', autocapitalize: 'off', placeholder: 'any', value: query[field] ?? '', onchange: (e) => change(field, e.target.value) });
    return el('div', { class: 'field' }, el('label', { for: name }, label), control);
  }));
}

function choice(name, values, chosen, change) {
  const option = ([value, text]) => el('option', { value, selected: value === chosen }, text);
  const control = el('select', { id: name, onchange: (e) => change(e.target.value) }, option(['', 'any']));
  if (typeof values !== 'function') control.append(...values.map(option));
  else {
    if (chosen) control.append(option([chosen, chosen]));
    values().then((list) => control.append(...list.filter(([value]) => value !== chosen).map(option)), () => {}); // the list below says what is wrong
  }
  return control;
}
