// Command bench takes the line's figures (`make bench`) and prints each with how it was taken.
//
// Invariant: nothing fails because it was slow, and everything fails when an answer was wrong: a figure is printed only
// after what was answered and stored during it has been counted and compared. What is compared runs in turns, in one run,
// on one machine; a ratio is never made of two runs. The load comes from this process, what is measured runs in another.
package main
