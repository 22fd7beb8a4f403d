// Package planner finds the ways by which a patient can be moved from one city to another, door to door.
//
// Invariant: every way offered is one the patient's state allows under a named version of the rules, says why, and is
// not dominated by another one offered in arrival, changes and cost; every mode not allowed says why not. Nothing here
// reads a clock, and equal questions get equal answers, so that an option's key means the same when it is chosen.
//
// Timetable legs come from one pass over the connections in the order of their departure, the Connection Scan Algorithm
// of Dibbelt, Pajor, Strasser and Wagner, "Intriguingly Simple and Fast Transit Routing" (SEA 2013), with a set of labels
// for each number of rides at each stop in place of the one earliest arrival. Fares grow with the way along a trip, so
// that of all boardings of one trip the cheapest stays the cheapest at every later stop, and one label a trip is enough.
package planner
