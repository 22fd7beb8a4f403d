// Package transfer moves the patient from the referring hospital to the center, and keeps the pool of beds, operating
// rooms and crews (转运与资源池).
//
// A transfer (转运) is planned over a timetable by rules with a version, leaves only with a fitness check of the last 24
// hours, and ends with a hand-over of nine items that each side signs itself, or with an abort that says why. A hold (预占) takes
// several units at once or none, expires by itself, and becomes a booking when confirmed.
//
// Invariants:
//   - No two live reservations of one unit overlap, whatever the load, the retry or the clocks of several instances: a
//     unit's row is locked before it is given away, and a hold whose time is over is ended in the same transaction that
//     gives its unit to another.
//   - A case has at most one transfer that has not ended.
//   - A transfer that ends before arrival holds nothing afterwards.
//   - Every step commits together with the job that tells the case of it.
//   - A transfer is seen by its two ends and operations; what is foreign looks absent.
package transfer
