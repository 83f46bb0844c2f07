// A served page: follows a training that goes on, and lets an image be dropped on the model.
'use strict';
(() => {
  const base = location.pathname;
  if (!base.startsWith('/run/')) return;
  const pause = 1500;  // milliseconds between questions
  // Views that change with steps or epochs. The others are asked for only until there is something to show.
  const moving = ['training', 'gradients', 'mistakes', 'parameters'];
  const panels = [...document.querySelectorAll('[role="tabpanel"]')];
  const versions = new Map(), texts = new Map();  // of views, as the server gave them last
  const status = document.createElement('p');
  status.className = 'muted';
  status.id = 'live-status';
  status.setAttribute('role', 'status');
  document.querySelector('.top > div').append(status);
  let changed = 0;

  function say(text) {
    if (status.textContent !== text) status.textContent = text;
  }
  const parsed = (html) => new DOMParser().parseFromString(html, 'text/html').body;

  // ---- what is new takes its place; what is as it was is not touched, so that nothing is drawn for it
  function renew(old, fresh) {
    if (old.isEqualNode(fresh) || (old.matches?.('details.figures') && fresh.childElementCount === 1)) return;
    if (old.nodeType !== 1 || old.nodeName !== fresh.nodeName || old.id !== fresh.id) {
      old.replaceWith(fresh);
      return;
    }
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    renewChildren(old, fresh);
  }
  function renewChildren(old, fresh) {
    const named = new Map([...old.children].filter((e) => e.id).map((e) => [e.id, e]));
    let at = old.firstChild;  // of what is not yet dealt with
    for (const node of [...fresh.childNodes]) {
      const same = node.id ? named.get(node.id) : at && !at.id ? at : null;
      if (!same) {
        old.insertBefore(node, at);
        continue;
      }
      if (same === at) at = at.nextSibling;
      else old.insertBefore(same, at);
      renew(same, node);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }
  const folded = /(<details class="figures"><summary>[^<]*<\/summary>).*?(<\/details>)/gs;
  function draw(panel) {
    // Tables behind charts are long, and made only while one is open.
    const tables = panel.querySelector('details.figures[open]');
    const text = texts.get(panel.id);
    const fresh = parsed(tables ? text : text.replace(folded, '$1$2'));
    const facts = fresh.firstElementChild;
    facts.remove();
    renew(document.querySelector('.facts'), facts);
    if (moving.includes(panel.id)) {
      fresh.prepend(panel.querySelector('h2').cloneNode(true));
      renewChildren(panel, fresh);
    } else {
      panel.replaceChildren(panel.querySelector('h2'), ...parsed(text).childNodes);
      panel.querySelector('.facts').remove();
      document.dispatchEvent(new CustomEvent('replaced', { detail: panel }));
    }
  }
  document.addEventListener('toggle', (event) => {
    const panel = event.target.closest('[role="tabpanel"]');
    if (panel && event.target.matches('details.figures[open]') && texts.has(panel.id)) draw(panel);
  }, true);

  // ---- questions, while somebody can see the answer
  async function refresh(panel) {
    const headers = versions.has(panel.id) ? { 'If-None-Match': versions.get(panel.id) } : {};
    const answer = await fetch(`${base}/view/${panel.id}`, { cache: 'no-store', headers });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(await answer.text());
    texts.set(panel.id, await answer.text());
    if (versions.has(panel.id)) changed = Date.now();
    versions.set(panel.id, answer.headers.get('ETag'));
    draw(panel);
  }
  let asking = false, timer = 0;
  async function look() {
    clearTimeout(timer);
    if (asking || document.hidden) return;
    asking = true;
    try {
      const panel = panels.find((p) => p.checkVisibility());
      if (panel && (moving.includes(panel.id) || panel.querySelector('.absent'))) await refresh(panel);
      say(Date.now() - changed < 10000 ? 'Training goes on; this page follows.' : 'Nothing new comes in; this page would follow.');
    } catch {
      say('The server does not answer; this page goes on asking.');
    }
    asking = false;
    timer = setTimeout(look, pause);
  }
  document.addEventListener('view', look);
  document.addEventListener('visibilitychange', look);
  look();

  // ---- an image of one's own
  const panel = document.getElementById('prediction');
  if (!panel) return;
  const zone = document.createElement('div');
  zone.className = 'drop';
  const input = Object.assign(document.createElement('input'), { type: 'file', accept: 'image/png,image/jpeg' });
  const label = document.createElement('label');
  label.append('An image of your own (PNG or JPEG), chosen or dropped here: ', input);
  const said = document.createElement('p');
  said.setAttribute('role', 'status');
  const result = document.createElement('div');
  zone.append(label, said, result);
  panel.querySelector('h2').after(zone);
  document.addEventListener('replaced', (event) => { if (event.detail === panel) panel.querySelector('h2').after(zone); });

  async function follow(file) {
    said.textContent = 'The model looks at it …';
    try {
      const answer = await fetch(`${base}/predict`, { method: 'POST', headers: { 'X-Espalier': '1' }, body: file });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      result.replaceChildren(...parsed(text).childNodes);
      said.textContent = '';
      document.dispatchEvent(new CustomEvent('prediction', { detail: result }));
    } catch (error) {
      said.textContent = `It can't be shown: ${error.message}`;
    }
  }
  input.addEventListener('change', () => { if (input.files.length) follow(input.files[0]); });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) follow(event.dataTransfer.files[0]);
  });
})();
