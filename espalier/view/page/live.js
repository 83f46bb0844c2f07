// A served page: follows a training that goes on, and lets an image be dropped on the model.
'use strict';
(() => {
  const base = location.pathname;
  if (!base.startsWith('/run/')) return;
  const pause = 1500, patience = 10000;  // milliseconds: until a server is asked again, until a training is called quiet
  // Views that change with steps or epochs. The others have news only until there is something to show.
  const moving = ['training', 'gradients', 'mistakes', 'parameters'];
  const panels = [...document.querySelectorAll('[role="tabpanel"]')];
  const resting = 'Nothing new comes in; this page would follow.';
  const status = document.createElement('p');
  status.className = 'muted';
  status.id = 'live-status';
  status.setAttribute('role', 'status');
  document.querySelector('.top > div').append(status);

  function say(text) {
    if (status.textContent !== text) status.textContent = text;
  }
  function parsed(html) {
    const template = document.createElement('template');
    template.innerHTML = html;
    return template.content;
  }

  // ---- what is new takes its place; what is as it was is not touched, so that nothing is drawn for it
  function renew(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.matches?.('details.figures') && fresh.childElementCount === 1) return;
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
  function draw(panel, text) {
    const fresh = parsed(text), facts = fresh.firstElementChild;
    facts.remove();
    renew(document.querySelector('.facts'), facts);
    const head = panel.querySelector('h2');
    if (moving.includes(panel.id)) {
      fresh.prepend(head.cloneNode(true));
      renewChildren(panel, fresh);
    } else {
      panel.replaceChildren(head, fresh);
      document.dispatchEvent(new CustomEvent('replaced', { detail: panel }));
    }
  }
  // What the server says is new, see cli/news.h. The run's facts are the first node, and stand elsewhere.
  function nodeAt(panel, [first, ...way]) {
    if (first === undefined) return panel;
    return way.reduce((node, i) => node.childNodes[i], first ? panel.childNodes[first] : document.querySelector('.facts'));
  }
  function splice(parent, from, count, html) {
    const place = parent.cloneNode(false);  // a row is read as one where it stands in a table
    place.innerHTML = html;
    const gone = [...parent.childNodes].slice(from, from + count);
    gone.forEach((node) => node.remove());
    const next = parent.childNodes[from] ?? null;
    [...place.childNodes].forEach((node) => parent.insertBefore(node, next));
  }
  function edit(panel, edits) {
    for (const [way, ...what] of edits) {
      const node = nodeAt(panel, way);
      if (what.length === 1) [node.data] = what;
      else if (what.length === 2) node.setAttribute(...what);
      else splice(node, ...what);
    }
  }

  // ---- news, while somebody can see it
  const hasNews = (panel) => moving.includes(panel.id) || panel.querySelector('.absent');
  // Tables behind charts are long, and sent only while one is open.
  const whole = (panel) => !moving.includes(panel.id) || panel.querySelector('details.figures[open]');
  let source = null, again = 0, quiet = 0, changed = 0;  // the stream of news, two timers, and when something was new
  function receive(panel, text, isFirst) {
    if (text[0] === '[') edit(panel, JSON.parse(text));
    else draw(panel, text);
    if (!isFirst) changed = Date.now();
    say(Date.now() - changed < patience ? 'Training goes on; this page follows.' : resting);
    clearTimeout(quiet);
    quiet = setTimeout(say, patience, resting);
    if (!hasNews(panel)) stop();
  }
  function stop() {
    source?.close();
    source = null;
    clearTimeout(again);
  }
  function listen() {
    stop();
    const panel = panels.find((p) => p.checkVisibility());
    if (document.hidden || !panel || !hasNews(panel)) return;
    let isFirst = true;
    source = new EventSource(`${base}/follow/${panel.id}${whole(panel) ? '?whole' : ''}`);
    source.onmessage = ({ data }) => {
      receive(panel, data, isFirst);
      isFirst = false;
    };
    source.onerror = () => {
      stop();
      clearTimeout(quiet);
      say('The server does not answer; this page goes on asking.');
      again = setTimeout(listen, pause);
    };
  }
  document.addEventListener('view', listen);
  document.addEventListener('visibilitychange', listen);
  document.addEventListener('toggle', (event) => { if (event.target.matches('details.figures')) listen(); }, true);
  listen();

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
      result.replaceChildren(parsed(text));
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
