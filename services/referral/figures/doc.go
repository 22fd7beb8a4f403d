// Package figures counts how the line does (运行统计): time in each state, offers, moves, bills.
//
// A figure is a sum over facts, and the facts of a case are a pure function of its timeline (Fold). They are not counted up
// as events arrive: whenever a case has changed, all of its facts are made anew and stand in the place of the old ones. So
// an event that is told twice, late or out of order, and a state that a case comes back to, cannot make a figure wrong.
//
// Rules:
//   - A stay is the time a case is in one state without leaving it; one that comes back stays anew. It runs from when the
//     case came to when it left, as the events say it happened, never less than nothing; the time in which the case's clock
//     was suspended is told apart.
//   - What has ended belongs to the month of its end in China; what goes on belongs to no month.
//   - Who is treated where is known from an acceptance on. What came before it belongs to the provinces of the center that
//     accepted next; a center itself is answerable from its acceptance until the case leaves it.
//   - A bill counts while it is settled: a reversal takes it out of its month again.
//   - Which provinces form a line is data with versions; a fact goes by the version of its month.
//   - A figure of fewer than SmallestCell cases is for operations alone.
package figures
