// Package matching brings patients to transplant centers.
//
// The rules:
//   - A match run ranks every center of the directory or excludes it with every reason. It is frozen: inputs, versions and
//     outcome are kept as they were. What a peer did not answer in time is "not known", and named.
//   - An offer (转诊邀约) asks one center to take one patient. It is about a place for a patient, never about an organ. Only a
//     center ranked in the case's run is asked, and only while its licence holds and its program is open, on the day of
//     asking and again on the day of accepting.
//   - An offer's clock runs by its urgency. It reminds once at half, and expires by itself: an offer is decided once, by
//     its center, by the clock, or by being withdrawn.
//   - Accepting is intent first: the offer is ACCEPTING, with a job that finishes what a crash would leave, before the units
//     are asked for. One attempt asks for its units under one request id, by one actor at a time (a lease), so that what
//     was held is found again and held for somebody, or released.
//   - Every change of an offer writes what the case must learn in the same transaction; it is delivered in order, at least
//     once.
//
// Invariants: at most one offer of a case is ACCEPTING or ACCEPTED, so two centers never hold one patient; at most one
// live offer of a case is with one center. Both are unique indexes. No field holds a donor, an organ on offer, or a
// place on a waiting list.
package matching
