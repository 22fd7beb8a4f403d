// Package line puts the line together: the same constructors for `huhang dev` (everything in one process, on embedded
// parts) and for `huhang serve` (some services of a fleet, by a config file).
//
// Invariant: nothing here knows a rule of the field. It only opens parts in order and closes them in reverse.
package line
