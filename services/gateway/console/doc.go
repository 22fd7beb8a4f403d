// Package console is the line's web page for people (工作台): worklists and cases for coordinators, offers and capacity for
// centers, late cases for operations. It is native ES modules under static/, embedded as they are: no bundler.
//
// Invariant: the page has no rights and no rules of its own. It calls the public REST API with the token of whoever signed
// in, shows the actions that the API says this caller has, and loads nothing from another host. The token stands in
// sessionStorage and in one header; no address ever holds it, nor anything of a patient.
//
// # Adding a page
//
// A page is one module under static/pages that calls page({path, title, nav, roles, order, view}) of pages.js, its words in
// both languages with words({...}) of i18n.js, and one import line in static/pages/index.js. A view is a Preact function:
//
//	import { html, useData } from '../ui.js';
//	import { page } from '../pages.js';
//	import { words, t } from '../i18n.js';
//	import { get } from '../api.js';
//
//	words({ 'figures.title': ['运行指标', 'Figures'] });
//	function Figures() {
//	  const { data, error } = useData(() => get('/v1/figures'), []);
//	  return html`<${Load} data=${data} error=${error}>${(d) => html`...`}<//>`;
//	}
//	page({ path: '/figures', title: 'figures.title', nav: 'figures.title', roles: ['operations'], order: 60, view: Figures });
//
// useData reads, reads again when the feed tells of something that concerns it, and keeps what it has meanwhile. Table,
// Badge, Section, Load and Form are in ui.js and forms.js; colours are the variables at the top of console.css. No style
// attribute: the policy allows none. Parameters of a path such as /cases/:id/trace come to the view as params. A part of
// the corner, such as the bell of inbox.js, is added by addCorner. A page’s test is a step in services/e2e/console_test.go
// (make test), with axe over it.
//
// # Adding a call
//
// What a record can be asked, a case's or another, is data: one call(name, {...}) in static/case/calls, as calls.js says. Its
// form, its request and its check against the protos follow from that. A page beside the cases names its kind of record
// with record(...), its calls say offer: {at: kind, label, roles, when}, and Doing or useRowCalls of doing.js shows them.
package console
