// Package planner finds the ways by which a patient can be moved from one city to another, door to door.
//
// Invariant: every way offered is one the patient's state allows under a named version of the rules, says why, and is
// beaten by no other offered in arrival, changes, cost and clinical risk together; every mode not allowed says why not,
// and so does the fastest way there would be. Nothing here reads a clock. An option's key is made of what it rides, so that
// it means the same way or none when it is chosen.
//
// Timetable legs come from one pass over the connections in the order of their departure: the Connection Scan Algorithm of
// Dibbelt, Pajor, Strasser and Wagner, "Intriguingly Simple and Fast Transit Routing" (SEA 2013; "Connection Scan
// Algorithm", ACM Journal of Experimental Algorithmics 23, 2018). The earliest arrival is its plain form, one time a stop.
// The Pareto set is its multicriteria form: a set of labels for each stop and number of rides, and on each run those who
// are aboard, as in McRAPTOR (Delling, Pajor and Werneck, "Round-Based Public Transit Routing", Transportation Science
// 49, 2015). Lower bounds from the destination leave alone what leads away from it, and a guide, which is made with them by
// the profile form of the Connection Scan, finds first the ways they are held against. The shortest way to many cities at
// once is a scan whose labels are the latest time at which the door was left.
//
// All three are held to a walk through every way there is on thousands of small random networks with delays and
// cancellations, and to China's whole high-speed network of March 2016.
package planner
