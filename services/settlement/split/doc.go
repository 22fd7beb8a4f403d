// Package split divides one bill among its payers (费用分割), and says why, step by step.
//
// Invariants: the shares are never negative and sum to the total exactly; the result depends on its arguments alone; no
// layer pays more than is left. Amounts are whole fen, ratios basis points, rounding is the policy's. A layer that pays
// over the year pays the difference between what the year is owed with this bill and without it, so that the year's sum
// does not depend on the order of its bills.
package split
