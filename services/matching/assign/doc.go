// Package assign places many waiting cases at once (多病例统筹分配建议): which center should be asked for which case, so that
// the declared value of all placements together is as large as it can be. It proposes places for patients; it never
// allocates an organ, and nothing here knows of one.
//
// The model is a transportation problem. A column is a place to be: one program of a center (its capacity is what the center
// has free), or waiting on in one's province (see Rules). Every case takes one column. A center may bound all its programs
// together (its reserve quota). A case has a value at each column it may take; the sum is maximised.
//
// The algorithm is successive shortest paths with node potentials (Edmonds and Karp 1972, Tomizawa 1971): cases come in
// one after another, each along a cheapest chain of displacements. Since many cases meet few columns, the paths are searched in
// the graph of the columns alone, whose arc from j to k is the cheapest case to move from j to k; the field knows the shape from Tokuyama and Nakano
// ("Efficient Algorithms for the Hitchcock Transportation Problem", SIAM J. Comput. 24, 1995).
//
// Invariant: everything is exact in integers, and the solver is not believed: its prices are a dual solution, and package
// certificate verifies, without any of the solver's code, that both sides are feasible and equal. Equal sides prove the optimum.
// The outcome depends on the problem alone: no map is walked, no clock is read, ties break by position.
package assign
