// Small line plots. The drawing stretches with the page; words and figures are
// HTML beside it, so that they do not.
import { el, svg, fill } from './dom.js';

const WIDTH = 240;
const HEIGHT = 64;

/**
 * plot makes a figure. lines are [{name, style}], where style is a class: "area", "strong" or
 * "soft". write turns a value into text. draw(columns, now) takes one array of values for each
 * line (undefined leaves a hole) and the figures to print in the legend.
 */
export function plot({ title, from, lines, write }) {
  const paths = lines.map(({ style }) => svg('path', { class: `line ${style}` }));
  const values = lines.map(() => el('b', {}, '–'));
  const top = el('span', {}, '');
  const drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, [1, 2, 3].map((i) => svg('line', { class: 'grid', x1: 0, x2: WIDTH, y1: (HEIGHT * i) / 4, y2: (HEIGHT * i) / 4 })), paths);
  const element = el('figure', { class: 'plot panel' },
    el('figcaption', {},
      el('span', { class: 'plot-title' }, title),
      el('span', { class: 'legend' }, lines.map(({ name, style }, i) => el('span', { class: `key ${style}` }, `${name} `, values[i])))),
    el('div', { class: 'plot-body' }, el('div', { class: 'axis', 'aria-hidden': 'true' }, top, el('span', {}, '0')), drawing),
    el('div', { class: 'span', 'aria-hidden': 'true' }, el('span', {}, from), el('span', {}, 'now')));

  function draw(columns, now) {
    const most = nice(Math.max(0, ...columns.flat().filter((v) => v !== undefined)));
    fill(top, most > 0 ? write(most) : '');
    columns.forEach((column, i) => {
      paths[i].setAttribute('d', path(column, most, lines[i].style === 'area'));
      fill(values[i], now[i] === undefined ? '–' : write(now[i]));
    });
  }
  return { element, draw };
}

/** path draws a column of values up to most; a value after a hole begins anew. */
export function path(column, most, closed) {
  const x = (i) => ((i * WIDTH) / (column.length - 1)).toFixed(1);
  const y = (v) => (HEIGHT - 1 - (v / (most || 1)) * (HEIGHT - 4)).toFixed(1);
  let d = '';
  let begun = false;
  column.forEach((v, i) => {
    if (v === undefined) {
      begun = false;
      return;
    }
    const alone = !begun && column[i + 1] === undefined;
    d += `${begun ? 'L' : 'M'}${x(i)} ${y(v)}${alone ? 'h.8' : ''}`;
    begun = true;
  });
  return closed && d ? `${d}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z` : d;
}

/** nice rounds the end of an axis up to 1, 2 or 5 times a power of ten; 0 stays. */
export function nice(most) {
  if (!(most > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].find((m) => m * power >= most * 0.999999) * power;
}
