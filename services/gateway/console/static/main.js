// The shell: sign-in, menu, the page that the address names, and whether what is shown is live.
import { html, Icon, render, useEffect, useRef, useState } from './ui.js';
import { language, onLanguage, setLanguage, t, words } from './i18n.js';
import { comeBack, me, onSession, signIn, signOut } from './session.js';
import { connection, onConnection, reconnect, startLive } from './live.js';
import { find, go, menu } from './pages.js';
import { loadPlaces } from './format.js';
import { corner } from './corner.js';
import './pages/index.js';

words({
  'app.name': ['护航', 'Huhang'], 'app.what': ['器官移植跨省转诊专线 · 工作台', 'Cross-province transplant referral line · console'],
  'app.skip': ['跳到正文', 'Skip to the content'], 'app.menu': ['主导航', 'Main menu'], 'app.language': ['English', '中文'],
  'app.signout': ['退出', 'Sign out'], 'app.signin': ['登录', 'Sign in'], 'app.notfound': ['没有此页面，或您无权查看。', 'There is no such page, or it is not open to you.'],
  'app.home': ['返回首页', 'To the first page'], 'app.boundary': ['本系统不分配器官，不保存任何捐献者信息。', 'The line never allocates an organ and holds no donor data.'],
  'signin.failed': ['登录未成功，请重试。', 'The sign-in did not succeed. Try again.'], 'signin.none': ['此系统尚未配置登录。', 'No sign-in is configured for this console.'],
  'signin.why': ['登录后可查看您所在机构的工作清单与病例。', 'Sign in to see the worklists and cases of your organisation.'],
  'live.connecting': ['连接中', 'Connecting'], 'live.live': ['实时', 'Live'], 'live.broken': ['连接中断，正在重连', 'Connection lost, reconnecting'], 'live.again': ['立即重连', 'Reconnect now'],
  'role.coordinator': ['移植协调员', 'Coordinator'], 'role.center': ['移植中心', 'Center'], 'role.operations': ['运营', 'Operations'], 'role.agency': ['医保经办', 'Agency'],
});

function useTold(subscribe) {
  const [, again] = useState(0);
  useEffect(() => subscribe(() => again((n) => n + 1)), []);
}

function useHash() {
  const [hash, set] = useState(location.hash);
  useEffect(() => {
    const changed = () => set(location.hash);
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return hash;
}

const Language = () => html`<button type="button" class="plain" lang=${language === 'zh' ? 'en' : 'zh-CN'}
  onClick=${() => setLanguage(language === 'zh' ? 'en' : 'zh')}>${t('app.language')}</button>`;

function Live() {
  useTold(onConnection);
  const state = connection();
  if (state === 'off') return null; // who has no cases follows none
  return html`<span class=${'feed ' + state} role="status"><${Icon} name=${state === 'live' ? 'live' : 'dot'} />${t('live.' + state)}</span>
    ${state === 'broken' && html`<button type="button" class="plain" onClick=${reconnect}>${t('live.again')}</button>`}`;
}

function Welcome({ failed }) {
  const [problem, setProblem] = useState(failed);
  const enter = async () => {
    try {
      if (!(await signIn())) setProblem('signin.none');
    } catch {
      setProblem('signin.failed');
    }
  };
  return html`<main id="main" class="welcome" tabindex="-1">
    <h1><img src=${new URL('icon.svg', import.meta.url).href} alt="" width="44" height="44" /> ${t('app.name')}</h1>
    <p>${t('app.what')}</p>
    <p class="quiet">${t('signin.why')}</p>
    ${problem && html`<p class="notice bad" role="alert"><${Icon} name="alert" /> ${t(problem)}</p>`}
    <p class="row"><button type="button" class="primary" onClick=${enter}>${t('app.signin')}</button><${Language} /></p>
    <p class="quiet small">${t('app.boundary')}</p>
  </main>`;
}

function Shell() {
  const hash = useHash();
  const main = useRef(null);
  const first = useRef(true);
  const found = find(hash);
  const path = hash.split('?')[0];
  const title = found ? t(found.page.title) : t('app.notfound');
  useEffect(() => { document.title = title + ' · ' + t('app.name'); }, [title, language]);
  useEffect(() => {
    // A new page begins at its top, for the eye and for a screen reader; the first one where the browser is.
    if (!first.current) { scrollTo(0, 0); main.current?.focus({ preventScroll: true }); }
    first.current = false;
  }, [path]);
  const who = me();
  const View = found?.page.view;
  return html`
    <a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); main.current?.focus(); }}>${t('app.skip')}</a>
    <header class="top">
      <a class="brand" href="#/"><img src=${new URL('icon.svg', import.meta.url).href} alt="" width="26" height="26" /> ${t('app.name')}</a>
      <nav aria-label=${t('app.menu')}><ul>${menu().map((p) => html`<li><a href=${'#' + p.path} aria-current=${found?.page === p ? 'page' : undefined}>${t(p.nav)}</a></li>`)}</ul></nav>
      <div class="corner">
        <${Live} />
        ${corner().map((Part) => html`<${Part} />`)}
        <span class="who"><b>${who.organisation || who.province}</b> ${who.roles.map((r) => t('role.' + r)).join(' ')} <span class="quiet">${who.subject}</span></span>
        <${Language} />
        <button type="button" class="plain" onClick=${signOut}>${t('app.signout')}</button>
      </div>
    </header>
    <main id="main" tabindex="-1" ref=${main}>
      ${View ? html`<${View} key=${hash} params=${found.params} />`
        : html`<h1>${title}</h1><p><a href="#/">${t('app.home')}</a></p>`}
    </main>
    <footer class="quiet small"><p>${t('app.boundary')}</p></footer>`;
}

function App({ failed }) {
  useTold(onLanguage);
  useTold(onSession);
  return me() ? html`<${Shell} />` : html`<${Welcome} failed=${failed} />`;
}

async function start() {
  setLanguage(language);
  let failed = '';
  try {
    await Promise.all([comeBack(), loadPlaces()]);
  } catch (err) {
    failed = err.message === 'signin.failed' ? err.message : 'signin.failed';
  }
  const announcer = document.createElement('div');
  announcer.id = 'announcer';
  announcer.className = 'unseen';
  announcer.setAttribute('role', 'status');
  document.body.append(announcer);
  if (!location.hash) go('/');
  startLive();
  render(html`<${App} failed=${failed} />`, document.getElementById('app'));
}

start();
