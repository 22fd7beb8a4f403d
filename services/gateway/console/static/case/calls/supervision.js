// What an agency decides on a finding of the rules of supervision.
import { words } from '../../i18n.js';
import { me } from '../../session.js';
import { call, comment, record } from '../calls.js';

words({ 'b.releaseHit': ['不成立，放行', 'It is not so: release'], 'b.confirmHit': ['成立，确认', 'It is so: confirm'] });

record('hit', (d) => ['/v1/supervision/hits/' + d.hit.hitId, d.hit.etag], { hit: { hitId: '{hit_id}' } });

const opens = (d) => d.hit.state === 'SUPERVISION_STATE_OPEN' && me()?.province === d.hit.province;
const why = comment(true, { maxLength: 500 });
call('ReleaseSupervisionHit', { of: 'hit', verb: ':release', fields: [why], offer: { at: 'hit', label: 'b.releaseHit', roles: ['agency'], when: opens } });
call('ConfirmSupervisionHit', { of: 'hit', verb: ':confirm', danger: true, fields: [why], offer: { at: 'hit', label: 'b.confirmHit', roles: ['agency'], when: opens } });
