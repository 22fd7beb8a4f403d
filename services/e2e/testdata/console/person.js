// In the page: what a person sees and does, by words. Each answers '' when done, else why not yet.
window.huhang = (() => {
  const seen = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
  const text = (e) => (e.getAttribute('aria-label') || e.textContent).replace(/\s+/g, ' ').trim();
  const scope = (within) => (within ? [...document.querySelectorAll('section, form, li, header, nav')].filter((s) => seen(s) && s.querySelector('h2, h3, .action, b') && text(s.querySelector('h2, h3, .action, b')).includes(within))[0] : document);
  const labelled = (label) => {
    const found = [...document.querySelectorAll('label, legend')].filter((l) => seen(l) && text(l).startsWith(label));
    const l = found.find((x) => text(x) === label) || found[0];
    if (!l) return null;
    return l.tagName === 'LEGEND' ? l.parentElement : l.htmlFor ? document.getElementById(l.htmlFor) : l.querySelector('input, select, textarea');
  };
  return {
    press(name, within) {
      const root = scope(within);
      if (!root) return 'no part ' + within;
      const all = [...root.querySelectorAll('button, a, summary, label')].filter((e) => seen(e) && text(e).includes(name) && !(within && e.classList.contains('action')));
      const e = all.find((x) => text(x) === name) || all[0];
      if (!e) return 'nothing to press named ' + name;
      if (e.disabled) return name + ' is disabled';
      e.scrollIntoView({ block: 'center' });
      e.click();
      return '';
    },
    fill(label, value) {
      const e = labelled(label);
      if (!e) return 'no field ' + label;
      if (e.type === 'checkbox' || e.type === 'radio') { if (!e.checked) e.click(); return ''; }
      const option = e.tagName === 'SELECT' ? [...e.options].find((o) => o.text === value) || [...e.options].find((o) => o.text.startsWith(value)) : null;
      if (e.tagName === 'SELECT' && !option) return 'no option ' + value + ' of ' + label;
      const proto = { SELECT: HTMLSelectElement, TEXTAREA: HTMLTextAreaElement }[e.tagName] || HTMLInputElement;
      Object.getOwnPropertyDescriptor(proto.prototype, 'value').set.call(e, option ? option.value : value);
      e.dispatchEvent(new Event('input', { bubbles: true }));
      e.dispatchEvent(new Event('change', { bubbles: true }));
      return '';
    },
    // A form that was sent is gone, or tells that the record changed meanwhile: then a person looks and sends once more.
    sent(name) {
      const root = scope(name);
      const form = root && [...root.querySelectorAll('form')].concat(root.tagName === 'FORM' ? [root] : []).filter(seen)[0];
      if (!form) return '';
      if (form.getAttribute('aria-busy') === 'true') return name + ' is being sent';
      if (/此记录在您打开后已被更新|The record changed since/.test(form.innerText)) {
        // Not before the page had time to read it again.
        if (Date.now() - (form.huhangSent || 0) > 2000) { form.huhangSent = Date.now(); form.querySelector('.buttons button').click(); }
        return name + ' is sent once more';
      }
      return name + ' is still open';
    },
    sees(words) { return document.body.innerText.includes(words) ? '' : 'does not show ' + words; },
    all(label) { const e = labelled(label); if (!e) return 'no field ' + label; e.querySelectorAll('input').forEach((i) => { if (!i.checked) i.click(); }); return ''; },
    // The innermost part that makes the page wider than its window.
    wide() {
      if (document.documentElement.scrollWidth <= innerWidth) return '';
      const scrolls = (e) => e && e !== document.body && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
      const over = [...document.body.querySelectorAll('*')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement));
      return over.length ? over[over.length - 1].outerHTML.slice(0, 200) : 'the page';
    },
    problems() { return [...document.querySelectorAll('[role=alert]')].map((e) => e.innerText).join(' / '); },
  };
})();
