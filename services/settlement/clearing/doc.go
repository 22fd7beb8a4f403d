// Package clearing settles between provinces what was settled with patients (清算).
//
// A treatment province pays the hospital first; the insured province owes it its funds' part. What both posted is compared
// every day (3201, 3202), declared by the treatment province for each month, confirmed by the insured one, and netted over
// all provinces by the national center, so that few transfers settle everything.
//
// Invariants:
//   - Every settlement and every reversal is in exactly one month's window: it gets it together with its place in the
//     book, and who posts neither waits for a window nor looks at one (WindowOf).
//   - A window that was closed takes nothing any more; what is late goes to the next one.
//   - Net positions sum to zero, and so do the transfers made of them (Net).
//   - What is disputed is held back from netting until it is decided; every dispute ends, for its clocks do.
//   - A difference between two provinces is a task with an owner until somebody, by name, says what became of it.
package clearing
