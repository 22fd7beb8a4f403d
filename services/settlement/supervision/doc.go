// Package supervision watches settlements (医保基金监管): rules that are data look at a bill against what its province knows,
// and an agency decides about what they find.
//
// Invariants:
//   - A rule is a pure function of a stay, what stands beside it and a document: the same finding has the same numbers.
//   - A finding is stored once per rule, claim and cause, with the version of the rules and the numbers, never with an
//     identity. It is OPEN until its own province's agency dismisses or confirms it; a decision is made once.
//   - A settlement waits only for a finding of a rule that says HOLD, found before it was sent or committed; the claim
//     names the province whose agency may release it, and the manual way stays open. What was dismissed never holds again.
//   - What is found of a settlement that stands already only flags it.
//   - Telephone and identity numbers are kept as keyed hashes only.
package supervision
