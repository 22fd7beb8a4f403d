package planner

import "slices"

// guide leads from any departure to the ward by the way that is best in price, risk and time together, one for each number of
// rides, as if every trip ran daily. It bounds nothing, and a way it leads by that does not go that day is none. But those that
// go are answers before the search begins, which so knows from the start what is not worth following.
type guide struct {
	rides int
	steps []step // by connection of the timetable, who boards it, [j-1] with j rides in all
}

// step is where to get off, and what to board next. Both are references; alight -1: nothing leads on, or it is better to wait
// for another departure; board -1: on to the ward.
type step struct{ alight, board int32 }

var noStep = step{-1, -1}

// What risk and time are worth where one number has to do: 4 yuan a point, 30 yuan an hour. Any find ways; these find many.
const (
	riskWorth   = 4 * 100_000 / riskUnit
	secondWorth = 30 * 100_000 / 3600
)

func newGuide(conns, rides int) *guide {
	return &guide{rides: rides, steps: slices.Repeat([]step{noStep}, conns*rides)}
}
