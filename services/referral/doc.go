// Package referral is the case (转诊病例): the thread on which every offer, booking, transfer and settlement hangs.
//
// Rules. One declared table (machine.go) says who may do what in which state, where it leads and which clock then runs.
// The legality of every call, what a peer's event does, and the actions a caller is offered with their deadlines all
// derive from it; no other place compares states. A call that the table does not hold is WRONG_STATE and changes nothing.
// An event that the table does not hold came late or out of order: it is written on the timeline as such, never refused,
// since the sender could do nothing about it, and what it left behind (an offer, a held bed) is undone by a job.
//
// Invariants:
//   - A patient has at most one live case for an organ (a partial unique index holds it).
//   - Every change of a case writes its timeline: append-only, numbered from 1 without gaps per case.
//   - A change, its timeline, its jobs and the answer to its request commit together. Nothing is told to another service
//     inside that transaction: jobs do it, with request ids that follow from the case, so that repeating them does nothing.
//   - A case nobody may see and a case that does not exist give the same answer. The referrer sees its cases; a center from
//     the offer on while that lives, and from its acceptance on; the local hospital once asked; an agency, read-only, the
//     cases insured in its province or treated there, once a center accepted; operations and the line's services all.
//   - The feed's positions commit in order: a reader that has seen position n will never meet a lower one later. Who may
//     see an event on the feed is settled when the event is written.
//
// What the feed's order costs: every change takes one shared row (feed_head) until it commits, so the changes of one
// service's database happen one after another. On SQLite they do anyway; on PostgreSQL they queue for a table of their own before they
// look at anything, so that none is made in vain: some hundred changes a second, where the line plans for a few a minute. That
// row also hands out update times, which therefore never run backwards: a poller that passes its last update time as
// changed_since misses nothing.
//
// Clocks. Limits run in Asia/Shanghai; working days are those of internal/workday. A case whose clock is suspended keeps what
// was left of it. An offer's clock belongs to matching and cannot be suspended here.
package referral
