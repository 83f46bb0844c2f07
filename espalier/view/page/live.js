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
  let followed = null;  // the panel that is kept up to date
  function nodeAt([first, ...way]) {
    if (first === undefined) return followed;
    return way.reduce((node, i) => node.childNodes[i], first ? followed.childNodes[first] : document.querySelector('.facts'));
  }
  function splice(parent, from, count, html) {
    const place = parent.cloneNode(false);  // a row is read as one where it stands in a table
    place.innerHTML = html;
    const gone = [...parent.childNodes].slice(from, from + count);
    gone.forEach((node) => node.remove());
    const next = parent.childNodes[from] ?? null;
    [...place.childNodes].forEach((node) => parent.insertBefore(node, next));
  }
  function apply(edits) {
    for (const [way, ...what] of edits) {
      const node = nodeAt(way);
      if (what.length === 1) [node.data] = what;
      else if (what.length === 2) node.setAttribute(...what);
      else splice(node, ...what);
    }
  }

  // ---- edits of what is out of sight wait until it is scrolled to, or some seconds: nothing is laid out or drawn for them
  let waiting = [], timer = 0;
  function isInSight(node) {
    const { top, bottom } = (node.nodeType === 1 ? node : node.parentNode).getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  }
  // Each edit is of a chart, a table or a fact, unless it changes which there are; then nothing waits.
  function edit(edits, all = edits.some(([way]) => way.length < 2)) {
    const due = [], known = waiting.concat(edits);
    waiting = [];
    for (const e of known) (all || isInSight(nodeAt(e[0].slice(0, 2))) ? due : waiting).push(e);
    apply(due);
    if (waiting.length) timer ||= setTimeout(catchUp, patience);
  }
  function catchUp() {
    clearTimeout(timer);
    timer = 0;
    if (waiting.length) edit([], true);
  }
  for (const moved of ['scroll', 'resize']) addEventListener(moved, () => { if (waiting.length) edit([]); }, { passive: true });
  addEventListener('beforeprint', catchUp);

  // ---- news, while somebody can see it
  const hasNews = (panel) => moving.includes(panel.id) || panel.querySelector('.absent');
  // Tables behind charts are long, and sent only while one is open.
  const whole = (panel) => !moving.includes(panel.id) || panel.querySelector('details.figures[open]');
  let source = null, again = 0, quiet = 0, changed = 0;  // the stream of news, two timers, and when something was new
  function receive(panel, text, isFirst) {
    if (text[0] === '[') edit(JSON.parse(text));
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
    catchUp();
    stop();
    const panel = followed = panels.find((p) => p.checkVisibility());
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
