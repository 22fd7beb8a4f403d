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
  const person = {
    press(name, within) {
      const root = scope(within);
      if (!root) return 'no part ' + within;
      const all = [...root.querySelectorAll('button, a, summary, label')].filter((e) => seen(e) && text(e).includes(name) && !(within && e.classList.contains('action')));
      const e = all.find((x) => text(x) === name) || all[0];
      if (!e) return 'nothing to press named ' + name;
      if (e.disabled) return name + ' is disabled';
      if (e.tagName === 'SUMMARY' && e.parentElement.open) return ''; // it is open already
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
    lacks(words) { return document.body.innerText.includes(words) ? 'still shows ' + words : ''; },
    // The page was never loaded anew.
    marked() { return window.huhangMark ? '' : 'the page was loaded again'; },
    // Presses the button of the form in a part, whatever its name.
    submit(within) { const root = scope(within); const f = root && [...root.querySelectorAll('form')].filter(seen).pop(); if (!f) return 'no form in ' + within; f.querySelector('.buttons button').click(); return ''; },
    // Marks what is unread as read, all at once where there is much, also what comes meanwhile.
    reads() {
      if (document.body.innerText.includes('没有未读通知')) return '';
      const button = [...document.querySelectorAll('main button')].find((b) => seen(b) && /标为已读/.test(text(b)));
      if (button) button.click();
      return 'something is unread';
    },
    // The row with the words tells when it was opened.
    opened(words) {
      const row = [...document.querySelectorAll('#told tbody tr')].find((r) => seen(r) && r.innerText.includes(words));
      return !row ? 'no row of ' + words : /未打开|Not opened/.test(row.innerText) ? words + ' is not opened' : '';
    },
    // The keyboard is at what has the name: a control by its label, anything else by its text or its part's heading.
    at(name) { const f = window.huhang.focus().name; return f.startsWith(name) ? '' : 'the keyboard is at ' + (f || 'nothing') + ', not at ' + name; },
    ringed() {
      const style = getComputedStyle(document.activeElement);
      return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 ? '' : 'no ring around ' + window.huhang.focus().name;
    },
    focus() {
      const e = document.activeElement;
      if (!e || e === document.body) return { name: '', ring: false, within: false, forward: true };
      const label = e.labels && e.labels[0];
      const name = label ? text(label) : e.matches('button, a, summary') ? text(e) : text((e.closest('section') || e).querySelector('h1, h2') || e);
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      const before = window.huhangLast;
      window.huhangLast = e;
      return {
        name, ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, within: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        forward: !before || !before.isConnected || before === e || Boolean(before.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING),
      };
    },
    // What stands where a word should: a key, or a code of the API outside of <code>.
    wordless() {
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (n) => (n.parentElement.closest('code, script, svg, .span-name, .traces, .lanes') || !seen(n.parentElement) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
      const found = [];
      while (walk.nextNode()) found.push(...(walk.currentNode.data.match(/\b[a-z]+(?:\.[a-zA-Z_]+)+\b|\b[A-Z]{2,}(?:_[A-Z]+)+\b/g) || []).filter((w) => !w.startsWith('huhang.'))); // of the line's own services a trace speaks
      return found.join(' ');
    },
    problems() { return [...document.querySelectorAll('[role=alert]')].map((e) => e.innerText).join(' / '); },
  };
  // On a machine with too much to do a part of the line may be away for a moment: the page says so, and a person tries again.
  let tried = 0;
  const trying = (act) => (...words) => {
    const why = act(...words);
    const again = why && Date.now() - tried > 2000 && [...document.querySelectorAll('.notice button')].find((b) => seen(b) && /^(重试|Try again)$/.test(text(b)));
    if (again) { tried = Date.now(); again.click(); }
    return why;
  };
  for (const name of ['press', 'fill', 'sees', 'all']) person[name] = trying(person[name]);
  return person;
})();
