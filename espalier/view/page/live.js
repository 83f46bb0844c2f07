// A served page: follows a training that goes on, and lets an image be dropped on the model.
'use strict';
(() => {
  const base = location.pathname;
  if (!base.startsWith('/run/')) return;
  const pause = 1000;  // milliseconds between questions
  // Views that change with every step, and with every epoch; others only until there is something to show.
  const bySteps = ['training', 'gradients'], byEpochs = ['mistakes', 'parameters'];
  const panels = [...document.querySelectorAll('[role="tabpanel"]')];
  const stale = new Set();
  const status = document.createElement('p');
  status.className = 'muted';
  status.id = 'live-status';
  status.setAttribute('role', 'status');
  document.querySelector('.top > div').append(status);
  let seen = null, changed = 0;

  function say(text) {
    if (status.textContent !== text) status.textContent = text;
  }
  async function ask(path) {
    const answer = await fetch(base + path, { cache: 'no-store' });
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }
  const parsed = (html) => [...new DOMParser().parseFromString(html, 'text/html').body.childNodes];

  async function refresh(panel) {
    const nodes = parsed(await (await ask(`/view/${panel.id}`)).text());
    const open = [...panel.querySelectorAll('details')].map((d) => d.open);
    panel.replaceChildren(panel.querySelector('h2'), ...nodes);
    panel.querySelectorAll('details').forEach((d, i) => { d.open = open[i] || false; });
    stale.delete(panel.id);
    document.dispatchEvent(new CustomEvent('replaced', { detail: panel }));
  }
  function mark(steps, epochs) {
    for (const panel of panels) {
      const waits = panel.querySelector('.absent') !== null;
      if ((steps && bySteps.includes(panel.id)) || (epochs && (byEpochs.includes(panel.id) || waits))) stale.add(panel.id);
    }
  }
  async function refreshVisible() {
    for (const panel of panels) {
      if (stale.has(panel.id) && panel.checkVisibility()) await refresh(panel);
    }
  }
  async function look() {
    try {
      const now = await (await ask('/news')).json();
      const steps = seen !== null && now.steps !== seen.steps, epochs = seen !== null && now.epochs !== seen.epochs;
      if (steps || epochs) {
        changed = Date.now();
        mark(steps || epochs, epochs);
        document.querySelector('.facts').replaceChildren(...parsed(await (await ask('/view/facts')).text())[0].childNodes);
      }
      await refreshVisible();
      seen = now;
      say(Date.now() - changed < 10000 ? 'Training goes on; this page follows.' : 'Nothing new comes in; this page would follow.');
    } catch {
      say('The server does not answer; this page goes on asking.');
    }
    setTimeout(look, pause);
  }
  document.addEventListener('view', () => { refreshVisible().catch(() => {}); });
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
      result.replaceChildren(...parsed(text));
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
