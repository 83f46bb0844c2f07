// Tabs, and the choice of light or dark. Without scripts the page shows all views, one after another.
'use strict';
(() => {
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const panel = (tab) => document.getElementById(tab.getAttribute('aria-controls'));

  function show(tab) {
    for (const t of tabs) {
      const on = t === tab;
      t.setAttribute('aria-selected', String(on));
      t.tabIndex = on ? 0 : -1;
      panel(t).classList.toggle('current', on);
    }
    if (tab) document.dispatchEvent(new CustomEvent('view', { detail: panel(tab).id }));
  }
  // The tab of the address: that of a view, or of the view that the named element stands in.
  function tabOfAddress() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const view = target && target.closest('[role="tabpanel"]');
    return view && tabs.find((t) => panel(t) === view);
  }
  function follow() {
    const tab = tabOfAddress();
    if (tab) show(tab);
  }
  const steps = {
    ArrowRight: (i) => (i + 1) % tabs.length,
    ArrowLeft: (i) => (i + tabs.length - 1) % tabs.length,
    Home: () => 0,
    End: () => tabs.length - 1,
  };
  for (const tab of tabs) {
    tab.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();  // the address changes, the page does not jump
      history.pushState(null, '', tab.hash);
      show(tab);
    });
    tab.addEventListener('keydown', (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      const next = tabs[step(tabs.indexOf(tab))];
      next.focus();
      next.click();
    });
  }
  document.documentElement.classList.add('tabbed');
  show(tabOfAddress() || tabs[0]);
  addEventListener('hashchange', follow);
  addEventListener('popstate', () => show(tabOfAddress() || tabs[0]));

  // Light or dark: as the system has it, until the reader chooses.
  const root = document.documentElement;
  const button = document.getElementById('theme');
  const dark = () => (root.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const label = () => { button.textContent = dark() ? 'Light page' : 'Dark page'; };
  try { root.dataset.theme = localStorage.getItem('espalier-theme') || ''; } catch { /* not kept */ }
  button.addEventListener('click', () => {
    root.dataset.theme = dark() ? 'light' : 'dark';
    try { localStorage.setItem('espalier-theme', root.dataset.theme); } catch { /* not kept */ }
    label();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', label);
  label();
  button.hidden = false;
})();
