// The pages there are, and which one the address names. Addresses are fragments: the server never sees a case's id.
import { hasRole } from './session.js';

const pages = [];

// page adds one: path such as "/cases/:id", title and nav as words, roles that see it, a view. A page without nav has no link in the menu.
export function page(p) {
  pages.push({ order: 50, roles: [], ...p, parts: p.path.split('/') });
}

const open = (p) => !p.roles.length || hasRole(...p.roles);

export const menu = () => pages.filter((p) => p.nav && open(p)).sort((a, b) => a.order - b.order);

export function find(hash) {
  const [path, query] = hash.replace(/^#/, '').split('?');
  const parts = (path || '/').split('/');
  for (const p of pages) {
    if (p.parts.length !== parts.length) continue;
    const params = Object.fromEntries(new URLSearchParams(query || ''));
    const fits = p.parts.every((part, i) => {
      if (!part.startsWith(':')) return part === parts[i];
      params[part.slice(1)] = decodeURIComponent(parts[i]);
      return parts[i] !== '';
    });
    if (fits && open(p)) return { page: p, params };
  }
  return null;
}

export const go = (path) => { location.hash = '#' + path; };
