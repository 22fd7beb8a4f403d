// Package notify tells facilities what happens to their cases (通知): an inbox each, and signed webhooks to their systems.
//
// Invariants:
//   - Everything told follows from the feed, whose positions commit in order: nothing is told of a change that did not
//     commit, and no event is passed over. The inbox is filled once per event, in the transaction that moves its cursor on;
//     each endpoint has a cursor of its own, and what waits for it is written in the transaction that moves that.
//   - A facility is told, never one person; nothing that is told names a patient or holds what a person typed.
//   - A message is delivered at least once, under one id and with one body, however often it is tried or replayed. Of one
//     case and endpoint the next message is not sent before the one ahead is delivered or given up; a replayed one and a
//     test stand apart from that order.
//   - What is given up is dead, never gone: it can be seen and sent again. An endpoint that is paused or disabled loses
//     nothing: its cursor stands.
//   - A slow or failing endpoint delays nobody else: each has one lane at a time, lanes of endpoints that fail run in a
//     queue of their own, every attempt ends at its deadline.
//   - Opening is recorded once, with who and when; the referring side and operations see when.
package notify
