// Who is signed in. The token stands in sessionStorage, so that a reload keeps it and closing the tab ends it.
const kept = 'huhang.session';
const asking = 'huhang.signing-in';
const console_ = new URL('/console/', location.href).href;
const listeners = new Set();

let session = restore();

function restore() {
  try {
    return read(sessionStorage.getItem(kept));
  } catch {
    return null;
  }
}

function read(token) {
  if (!token) return null;
  const part = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
  const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
  if (claims.exp && claims.exp * 1000 < Date.now()) return null;
  return {
    token, subject: claims.sub, organisation: claims.huhang_org || '', province: claims.huhang_province || '', roles: claims.huhang_roles || [],
  };
}

export const me = () => session;
export const hasRole = (...roles) => Boolean(session && session.roles.some((r) => roles.includes(r)));

export function onSession(told) {
  listeners.add(told);
  return () => listeners.delete(told);
}

function set(next) {
  session = next;
  if (next) sessionStorage.setItem(kept, next.token);
  else sessionStorage.removeItem(kept);
  for (const told of listeners) told();
}

export const signOut = () => set(null);

const encoded = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '');
const random = () => encoded(crypto.getRandomValues(new Uint8Array(32)));

const settings = async () => (await fetch(console_ + 'sign-in.json')).json();

// signIn sends the reader to the issuer, with the page to come back to; false: the line has no sign-in for the console.
export async function signIn() {
  const s = await settings();
  if (!s.authorizationEndpoint) return false;
  const verifier = random();
  const state = random();
  sessionStorage.setItem(asking, JSON.stringify({ verifier, state, hash: location.hash }));
  const challenge = encoded(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const to = new URL(s.authorizationEndpoint, location.href);
  to.search = new URLSearchParams({
    ...Object.fromEntries(to.searchParams), response_type: 'code', client_id: s.clientId, redirect_uri: console_, scope: s.scope || 'openid', state,
    code_challenge: challenge, code_challenge_method: 'S256',
  });
  location.assign(to);
  return true;
}

// comeBack turns the code of the address into a token, and takes it out of the address. It throws when the sign-in failed.
export async function comeBack() {
  const given = new URLSearchParams(location.search);
  if (!given.has('code') && !given.has('error')) return;
  const asked = JSON.parse(sessionStorage.getItem(asking) || '{}');
  sessionStorage.removeItem(asking);
  history.replaceState(null, '', console_ + (asked.hash || ''));
  if (given.has('error') || !asked.state || given.get('state') !== asked.state) throw new Error('signin.failed');
  const s = await settings();
  const answer = await fetch(s.tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', code: given.get('code'), redirect_uri: console_, client_id: s.clientId, code_verifier: asked.verifier,
    }),
  });
  if (!answer.ok) throw new Error('signin.failed');
  const next = read((await answer.json()).access_token);
  if (!next) throw new Error('signin.failed');
  set(next);
}
