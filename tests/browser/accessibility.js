// Checks of a page as it stands, by the rules of WCAG 2.2 that a program can check. Returns what is wrong, as lines.
const faults = [];
const fault = (element, text) => faults.push(`${text}: ${element.outerHTML.slice(0, 160)}`);
const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && e.getClientRects().length > 0;
const all = (selector) => [...document.querySelectorAll(selector)].filter(shown);

function name(e) {
  const labelled = (e.getAttribute('aria-labelledby') || '').split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));
  if (labelled.length) return labelled.map((l) => (l ? l.textContent : '')).join(' ').trim();
  const label = e.getAttribute('aria-label') || (e.labels && [...e.labels].map((l) => l.textContent).join(' '));
  const title = e.querySelector(':scope > title');
  const images = [...e.querySelectorAll('img')].map((i) => i.alt).join(' ');
  return (label || (title && title.textContent) || e.textContent + images || e.title || '').trim();
}

// The document
if (!document.documentElement.lang) faults.push('the page has no language');
if (!document.title.trim()) faults.push('the page has no title');
if (all('main').length !== 1) faults.push('the page has not exactly one main part');
if (all('h1').length !== 1) faults.push('the page has not exactly one first heading');
let level = 0;
for (const h of all('h1, h2, h3, h4, h5, h6')) {
  const own = Number(h.tagName[1]);
  if (own > level + 1) fault(h, `a heading of level ${own} after one of level ${level}`);
  if (!h.textContent.trim()) fault(h, 'a heading without text');
  level = own;
}
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) faults.push(`the id ${id} stands twice`);
for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for']) {
  for (const e of document.querySelectorAll(`[${attribute}]`)) {
    for (const id of e.getAttribute(attribute).split(/\s+/)) if (!document.getElementById(id)) fault(e, `${attribute} names ${id}, which is not there`);
  }
}

// Names of what is worked with or looked at
for (const e of all('a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=tab], [role=tabpanel], nav')) {
  if (!name(e)) fault(e, 'without a name');
}
for (const e of all('img')) if (!e.hasAttribute('alt')) fault(e, 'a picture without alt');
for (const e of all('svg')) {
  if (e.closest('[aria-hidden="true"]')) continue;
  if (e.getAttribute('role') !== 'img') fault(e, 'a drawing without role=img');
  if (!name(e)) fault(e, 'a drawing without a name');
}
for (const e of document.querySelectorAll('[aria-hidden="true"] a, [aria-hidden="true"] button, [aria-hidden="true"] [tabindex]')) fault(e, 'hidden from readers, but reached by the keyboard');

// Tabs
for (const list of all('[role=tablist]')) {
  const tabs = [...list.querySelectorAll('[role=tab]')];
  if (tabs.filter((t) => t.getAttribute('aria-selected') === 'true').length !== 1) fault(list, 'not exactly one tab is selected');
  if (tabs.filter((t) => t.tabIndex === 0).length !== 1) fault(list, 'not exactly one tab is reached by the tab key');
}

// Tables
for (const t of all('table')) {
  if (!t.querySelector('th')) fault(t, 'a table without heads');
  if (t.rows.length > 1 && !t.querySelector('th[scope=col]')) fault(t, 'a table without heads of columns');
  if (!t.caption && !t.getAttribute('aria-label')) fault(t, 'a table without a caption');
}
for (const th of all('th')) if (!th.scope) fault(th, 'a head without a scope');

// What scrolls is reached by the keyboard
for (const e of all('body *')) {
  const overflow = getComputedStyle(e).overflowX;
  if ((overflow === 'auto' || overflow === 'scroll') && e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0) fault(e, 'scrolls but takes no focus');
}

// Sizes of what is pressed
if (!matchMedia('print').matches) for (const e of all('button, [role=tab], select, input')) {
  const box = e.getBoundingClientRect();
  if (box.height < 24 || box.width < 24) fault(e, `only ${Math.round(box.width)} × ${Math.round(box.height)} pixels`);
}

// Contrast of text with what is behind it
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const colours = new Map();
function rgba(colour) {
  if (!colours.has(colour)) colours.set(colour, drawn(colour));
  return colours.get(colour);
}
function drawn(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = '#000';
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}
const over = (top, below) => top.slice(0, 3).map((v, i) => (v * top[3] + below[i] * (255 - top[3])) / 255).concat(255);
function behind(e) {
  const layers = [];
  for (; e; e = e.parentElement) {
    const colour = rgba(getComputedStyle(e).backgroundColor);
    layers.push(colour);
    if (colour[3] === 255) break;
  }
  return layers.reduceRight((below, top) => over(top, below), [255, 255, 255, 255]);
}
function luminance([r, g, b]) {
  const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
const seen = new Map();
for (const e of all('body *')) {
  if (['SCRIPT', 'STYLE', 'TITLE', 'DESC'].includes(e.tagName.toUpperCase())) continue;
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  const style = getComputedStyle(e), inDrawing = e.namespaceURI.endsWith('svg');
  let ground = behind(inDrawing ? e.ownerSVGElement.parentElement : e);
  const frame = inDrawing && e.parentElement.querySelector('.frame');
  if (frame) ground = rgba(getComputedStyle(frame).fill);
  const key = `${inDrawing ? style.fill : style.color} ${ground} ${style.fontSize} ${style.fontWeight}`;
  if (!seen.has(key)) {
    const text = over(rgba(inDrawing ? style.fill : style.color), ground);
    const [light, dark] = [luminance(text), luminance(ground)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (light + 0.05) / (dark + 0.05);
    seen.set(key, ratio < (large ? 3 : 4.5) ? ratio.toFixed(2) : null);
  }
  if (seen.get(key)) fault(e, `contrast of only ${seen.get(key)}`);
}
return faults;
