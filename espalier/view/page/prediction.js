// Prediction trace: one image at a time, and the arithmetic behind a feature map's pixel.
'use strict';
(() => {
  // ---- one image at a time
  function startSamples(root) {
    const links = [...root.querySelectorAll('#sample-list a')];
    const show = (link) => {
      for (const l of links) {
        document.getElementById(l.hash.slice(1)).hidden = l !== link;
        if (l === link) l.setAttribute('aria-current', 'true');
        else l.removeAttribute('aria-current');
      }
    };
    const linkOfAddress = () => links.find((l) => l.hash === location.hash);
    for (const link of links) {
      link.addEventListener('click', (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        history.replaceState(null, '', link.hash);
        show(link);
      });
    }
    if (links.length) show(linkOfAddress() || links[0]);
    addEventListener('hashchange', () => { if (linkOfAddress()) show(linkOfAddress()); });
  }

  // ---- numbers in the page
  const bytes = (url) => Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (c) => c.charCodeAt(0)).buffer;
  const list = (text) => text.split(',').map(Number);
  const show = (x) => (Math.abs(x) < 5e-6 ? '0' : String(Number(x.toPrecision(4))).replace('-', '−'));
  function element(name, properties = {}, ...children) {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === 'role') e.setAttribute(key, value);
      else e[key] = value;
    }
    e.append(...children);
    return e;
  }

  class Convolution {
    constructor(figure) {
      const kernel = document.getElementById(figure.dataset.kernel).dataset;
      this.weight = new Float32Array(bytes(kernel.weight));
      this.bias = new Float32Array(bytes(kernel.bias));
      [this.maps, this.channels, this.height, this.width] = list(kernel.shape);
      [this.stride, this.padding, this.dilation] = [kernel.stride, kernel.padding, kernel.dilation].map(list);
      this.groups = Number(kernel.groups);
      this.input = new Int16Array(bytes(figure.dataset.input));
      this.inputUnit = Number(figure.dataset.inputUnit);
      [, , this.inHeight, this.inWidth] = list(figure.dataset.inputSize);
      this.output = new Int16Array(bytes(figure.dataset.output));
      this.outputUnit = Number(figure.dataset.outputUnit);
      [, , this.outHeight, this.outWidth] = list(figure.dataset.outputSize);
      this.rows = this.outHeight;
      this.columns = this.outWidth;
    }
    recorded(map, row, column) {
      return this.output[(map * this.outHeight + row) * this.outWidth + column] * this.outputUnit;
    }
    value(channel, row, column) {
      if (row < 0 || column < 0 || row >= this.inHeight || column >= this.inWidth) return 0;
      return this.input[(channel * this.inHeight + row) * this.inWidth + column] * this.inputUnit;
    }
    // Where the patch lies in the input: its rows, or its columns.
    places(dimension, at) {
      const size = dimension === 0 ? this.height : this.width;
      const first = at * this.stride[dimension] - this.padding[dimension];
      return Array.from({ length: size }, (_, i) => first + i * this.dilation[dimension]);
    }
    // The patch, kernel and products of each input channel.
    parts(map, row, column) {
      const rows = this.places(0, row), columns = this.places(1, column);
      const first = Math.floor(map / (this.maps / this.groups)) * this.channels;
      const parts = [];
      for (let c = 0; c < this.channels; ++c) {
        const patch = [], kernel = [];
        for (let i = 0; i < this.height; ++i) {
          for (let j = 0; j < this.width; ++j) {
            patch.push(this.value(first + c, rows[i], columns[j]));
            kernel.push(this.weight[((map * this.channels + c) * this.height + i) * this.width + j]);
          }
        }
        const products = patch.map((x, k) => x * kernel[k]);
        parts.push({ channel: first + c, patch, kernel, products, sum: products.reduce((a, b) => a + b, 0) });
      }
      return parts;
    }
  }

  const mostChannels = 8;

  // A table of numbers under the numbers of its columns and beside those of its rows.
  function grid(title, values, rows, columns) {
    const head = (scope) => (place) => element('th', { scope }, String(place).replace('-', '−'));
    const corner = element('th', { scope: 'col' }, element('span', { className: 'visually-hidden' }, 'row'));
    const body = element('tbody');
    rows.forEach((row, i) => {
      const cells = values.slice(i * columns.length, (i + 1) * columns.length);
      body.append(element('tr', {}, head('row')(row), ...cells.map((v) => element('td', { className: 'number' }, show(v)))));
    });
    return element('table', { className: 'numbers' }, element('caption', {}, title),
      element('thead', {}, element('tr', {}, corner, ...columns.map(head('col')))), body);
  }

  function explain(conv, map, row, column) {
    const parts = conv.parts(map, row, column);
    const products = parts.reduce((sum, p) => sum + p.sum, 0);
    const result = products + conv.bias[map];
    const terms = parts.length * conv.height * conv.width;
    const out = [element('p', { className: 'result', role: 'status' },
      `Map ${map}, row ${row}, column ${column}: ${terms} products come to ${show(products)}, the bias is ${show(conv.bias[map])}, ` +
      `together ${show(result)}. The run has ${show(conv.recorded(map, row, column))}.`)];
    out[0].dataset.result = result;
    out[0].dataset.recorded = conv.recorded(map, row, column);
    const places = [conv.places(0, row), conv.places(1, column)];
    const taps = [[...Array(conv.height).keys()], [...Array(conv.width).keys()]];
    const largest = [...parts].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, mostChannels);
    for (const p of parts.filter((q) => largest.includes(q))) {
      out.push(element('div', { className: 'grids' },
        grid(`channel ${p.channel}: patch`, p.patch, ...places), element('span', { ariaHidden: 'true' }, '×'),
        grid('kernel', p.kernel, ...taps), element('span', { ariaHidden: 'true' }, '='),
        grid('products', p.products, ...taps), element('span', {}, `sum ${show(p.sum)}`)));
    }
    if (parts.length > largest.length) {
      const rest = parts.filter((p) => !largest.includes(p));
      out.push(element('p', { className: 'muted' },
        `${rest.length} other channels add ${show(rest.reduce((sum, p) => sum + p.sum, 0))}.`));
    }
    return out;
  }

  function attach(figure) {
    const image = figure.querySelector('img');
    const columns = Number(figure.dataset.columns), shown = Number(figure.dataset.shown);
    let conv = null;
    const limits = () => [shown, conv.rows, conv.columns];
    const fields = ['Map', 'Row', 'Column'].map((name) => element('input', { type: 'number', min: 0, value: 0, ariaLabel: name }));
    const details = element('div', { className: 'arithmetic' });
    const mark = element('span', { className: 'spot', hidden: true, ariaHidden: 'true' });
    image.parentNode.append(mark);
    const form = element('form', { className: 'pixel screen' });
    fields.forEach((f, i) => form.append(element('label', {}, `${['Map', 'Row', 'Column'][i]} `, f)));
    form.append(element('button', {}, 'Show the arithmetic'));
    form.addEventListener('submit', (event) => { event.preventDefault(); update(); });
    figure.append(form, details);

    function update() {
      conv = conv || new Convolution(figure);
      const at = fields.map((f, i) => Math.min(Math.max(Math.trunc(Number(f.value)) || 0, 0), limits()[i] - 1));
      fields.forEach((f, i) => { f.max = limits()[i] - 1; f.value = at[i]; });
      details.replaceChildren(...explain(conv, ...at));
      const scale = image.clientWidth / image.naturalWidth;
      const left = (at[0] % columns) * (conv.columns + 1) + at[2];
      const top = Math.floor(at[0] / columns) * (conv.rows + 1) + at[1];
      mark.hidden = false;
      Object.assign(mark.style, { left: `${left * scale}px`, top: `${top * scale}px`, width: `${scale}px`, height: `${scale}px` });
    }
    image.addEventListener('click', (event) => {
      conv = conv || new Convolution(figure);
      const x = Math.floor(event.offsetX * image.naturalWidth / image.clientWidth);
      const y = Math.floor(event.offsetY * image.naturalHeight / image.clientHeight);
      const across = Math.floor(x / (conv.columns + 1)), down = Math.floor(y / (conv.rows + 1));
      if (across * (conv.columns + 1) + conv.columns === x || down * (conv.rows + 1) + conv.rows === y) return;  // between maps
      const map = down * columns + across;
      if (map >= shown) return;
      [map, y % (conv.rows + 1), x % (conv.columns + 1)].forEach((v, i) => { fields[i].value = v; });
      update();
    });
    // Arrow keys walk over the map.
    image.tabIndex = 0;
    image.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: [2, -1], ArrowRight: [2, 1], ArrowUp: [1, -1], ArrowDown: [1, 1], Enter: [0, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      fields[step[0]].value = Number(fields[step[0]].value) + step[1];
      update();
    });
  }
  function start(root) {
    startSamples(root);
    root.querySelectorAll('figure.maps[data-kernel]').forEach(attach);
  }
  start(document);
  document.addEventListener('replaced', (event) => start(event.detail));
  document.addEventListener('prediction', (event) => {
    event.detail.querySelectorAll('figure.maps[data-kernel]').forEach(attach);
  });
})();
