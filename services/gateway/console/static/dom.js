// Elements are made here and nowhere else. Whatever is put into one becomes
// text, so that nothing a provider sent can become markup.

const SVG = 'http://www.w3.org/2000/svg';

function build(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...present(children));
  return node;
}

// present drops what is absent, so that callers can write (condition && node).
function present(children) {
  return children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false && c !== '');
}

/** el makes an element. Properties are attributes; those named on… are listeners. */
export function el(tag, props, ...children) {
  return build(document.createElement(tag), props, children);
}

/** svg makes an element of a drawing. */
export function svg(tag, props, ...children) {
  return build(document.createElementNS(SVG, tag), props, children);
}

/** fill replaces what is inside of node. A reader whose focus was on its title finds it on the new one. */
export function fill(node, ...children) {
  const titled = document.activeElement?.tagName === 'H1' && node.contains(document.activeElement);
  node.replaceChildren(...present(children));
  if (titled) node.querySelector('h1')?.focus();
  return node;
}

/** heading makes the title of a view; the router moves the focus to it. */
export function heading(text, ...beside) {
  document.title = `${text} · paynorm`;
  return el('header', { class: 'view-head' }, el('h1', { tabindex: '-1' }, text), beside.length > 0 && el('div', { class: 'actions' }, beside));
}

/** facts makes a description list of [name, value] pairs; absent values are left out. A third member is a class. */
export function facts(pairs) {
  return el('dl', { class: 'facts' }, pairs
    .filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false)
    .map(([name, value, kind]) => el('div', { class: kind }, el('dt', {}, name), el('dd', {}, value))));
}

/** announce tells a screen reader what changed, when it has finished speaking. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}
